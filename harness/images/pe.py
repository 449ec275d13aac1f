"""Windows programs as files: what they export and import, and the same without what only a debugger reads."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import PurePath

from harness.errors import SetupError

_MAGIC_64 = 0x20B
_EXPORTS, _IMPORTS = 0, 1
_SECTION_SIZE = 40
_IMPORT_SIZE = 20
_BUILTIN_MARK = b"Wine builtin DLL"
_MARK_AT, _MARK_SIZE = 64, 32


@dataclass(frozen=True, slots=True)
class _Section:
    name: bytes
    address: int
    size: int
    offset: int
    stored: int


class PortableExecutable:
    """One program or library, `data` is the whole file. Raises SetupError that names `name` if it is none."""

    def __init__(self, data: bytes, name: PurePath | str) -> None:
        self._data = data
        self._name = name
        try:
            self._read_headers()
        except (struct.error, IndexError) as error:
            raise SetupError(f"{name} is no Windows program") from error

    def exports(self) -> list[str]:
        """The exported names, sorted as the file has them."""
        address = self._directories[_EXPORTS][0]
        if not address:
            return []
        count, _, names = struct.unpack_from("<III", self._data, self._offset(address) + 24)
        start = self._offset(names)
        return [self._text(*struct.unpack_from("<I", self._data, start + 4 * number)) for number in range(count)]

    def imports(self) -> list[str]:
        """The names of the libraries it is linked with, in lower case."""
        address = self._directories[_IMPORTS][0]
        found: list[str] = []
        at = self._offset(address) if address else 0
        while address:
            name = struct.unpack_from("<I", self._data, at + 12)[0]
            if not name:
                break
            found.append(self._text(name).lower())
            at += _IMPORT_SIZE
        return found

    def stripped(self) -> bytes:
        """The file without the debug sections and symbols at its end, and otherwise the same."""
        kept = len(self._sections)
        while kept and self._sections[kept - 1].name.startswith(b"/"):
            kept -= 1
        end = max((section.offset + section.stored for section in self._sections[:kept]), default=len(self._data))
        out = bytearray(self._data[:end])
        struct.pack_into("<H", out, self._pe + 6, kept)
        struct.pack_into("<II", out, self._pe + 12, 0, 0)
        if kept < len(self._sections):
            struct.pack_into("<I", out, self._pe + 24 + 56, self._sections[kept].address)
            gone = slice(self._table + _SECTION_SIZE * kept, self._table + _SECTION_SIZE * len(self._sections))
            out[gone] = bytes(gone.stop - gone.start)
        return bytes(out)

    def _read_headers(self) -> None:
        data = self._data
        self._pe = struct.unpack_from("<I", data, 0x3C)[0]
        if data[:2] != b"MZ" or data[self._pe : self._pe + 4] != b"PE\0\0":
            raise IndexError
        (count,) = struct.unpack_from("<H", data, self._pe + 6)
        (optional_size,) = struct.unpack_from("<H", data, self._pe + 20)
        optional = self._pe + 24
        directories = optional + (112 if struct.unpack_from("<H", data, optional)[0] == _MAGIC_64 else 96)
        self._directories = [struct.unpack_from("<II", data, directories + 8 * number) for number in range(2)]
        self._table = optional + optional_size
        self._sections = [self._section(self._table + _SECTION_SIZE * number) for number in range(count)]

    def _section(self, at: int) -> _Section:
        name, size, address, stored, offset = struct.unpack_from("<8sIIII", self._data, at)
        return _Section(name, address, size, offset, stored)

    def _offset(self, address: int) -> int:
        for section in self._sections:
            if section.address <= address < section.address + max(section.size, section.stored):
                return address - section.address + section.offset
        raise SetupError(f"{self._name} is damaged: nothing is stored for address {address:#x}")

    def _text(self, address: int) -> str:
        at = self._offset(address)
        return self._data[at : self._data.index(b"\0", at)].decode("ascii", "replace")


def unmarked(data: bytes, name: PurePath | str) -> bytes:
    """A library of Wine's that its loader takes for one of the user's, so that it can have another name."""
    if data.count(_BUILTIN_MARK) != 1:
        raise SetupError(f"{name} is not one of Wine's own libraries")
    return data.replace(_BUILTIN_MARK, bytes(len(_BUILTIN_MARK)))


def marked(data: bytes) -> bytes:
    """A library that Wine's loader takes for one of its own: the mark is where a program for DOS would be."""
    return data[:_MARK_AT] + _BUILTIN_MARK.ljust(_MARK_SIZE, b"\0") + data[_MARK_AT + _MARK_SIZE :]
