"""Portable executables, as far as a driver's build is judged by its file."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from harness.errors import SetupError

_BUILD_ID_SECTION = ".buildid"
_BUILD_ID_BYTES = 20
_SIGNATURE = b"PE\0\0"
_HEADER_AT = 0x3C
_FILE_HEADER = struct.Struct("<HHIIIHH")
_SECTION = struct.Struct("<8sIIII")
_SECTION_BYTES = 40
_SECTION_FLAGS_AT = 36
_WIDE = 0x20B  # magic of the optional header of a 64-bit file
_ENTRY_AT = 16
_BASE_AT = (28, 24)  # of a 32-bit and of a 64-bit file
_SUBSYSTEM_AT = 68
_DIRECTORIES_AT = (96, 112)
_IMPORTS = 1
_IMPORT = struct.Struct("<IIIII")
_NAME_OF_HINT = 2  # bytes before the name


@dataclass(frozen=True, slots=True)
class PeSection:
    """A section: where it lies in memory, what may be done there, and its bytes in the file."""

    name: str
    address: int
    flags: int
    data: bytes


@dataclass(frozen=True, slots=True)
class PeFile:
    """The headers and imports of a file, in the format's own numbers; addresses are relative to `base`."""

    machine: int
    timestamp: int
    characteristics: int
    wide: bool
    entry: int
    base: int
    subsystem: int
    flags: int
    sections: tuple[PeSection, ...]
    imports: dict[str, tuple[str, ...]]
    """The functions it takes of each other file."""


def read_pe(path: Path) -> PeFile:
    """Parse `path`. Raises SetupError if it is no portable executable."""
    data = path.read_bytes()
    try:
        return _parse(data)
    except (struct.error, ValueError) as error:
        raise SetupError(f"{path} is no portable executable: {error}") from error


def pe_build_id(path: Path) -> str:
    """The build id that win/counters_device.c puts into a section of its own, as hex. Raises SetupError if there is
    none: a driver without one cannot be told from another build of it."""
    for section in read_pe(path).sections:
        if section.name == _BUILD_ID_SECTION:
            return section.data[:_BUILD_ID_BYTES].hex()
    raise SetupError(f"{path} carries no build id")


def _parse(data: bytes) -> PeFile:
    (start,) = struct.unpack_from("<I", data, _HEADER_AT)
    if data[start : start + len(_SIGNATURE)] != _SIGNATURE:
        raise ValueError("no signature")
    machine, count, timestamp, _symbols, _symbol_count, optional_bytes, characteristics = _FILE_HEADER.unpack_from(
        data, start + len(_SIGNATURE)
    )
    optional = start + len(_SIGNATURE) + _FILE_HEADER.size
    wide = struct.unpack_from("<H", data, optional)[0] == _WIDE
    subsystem, flags = struct.unpack_from("<HH", data, optional + _SUBSYSTEM_AT)
    sections = tuple(_section(data, optional + optional_bytes + index * _SECTION_BYTES) for index in range(count))
    imports = struct.unpack_from("<I", data, optional + _DIRECTORIES_AT[wide] + _IMPORTS * 8)[0]
    return PeFile(
        machine=machine,
        timestamp=timestamp,
        characteristics=characteristics,
        wide=wide,
        entry=struct.unpack_from("<I", data, optional + _ENTRY_AT)[0],
        base=struct.unpack_from("<Q" if wide else "<I", data, optional + _BASE_AT[wide])[0],
        subsystem=subsystem,
        flags=flags,
        sections=sections,
        imports=_imports(sections, imports, wide=wide),
    )


def _section(data: bytes, at: int) -> PeSection:
    name, used, address, size, where = _SECTION.unpack_from(data, at)
    (flags,) = struct.unpack_from("<I", data, at + _SECTION_FLAGS_AT)
    return PeSection(name.rstrip(b"\0").decode("ascii"), address, flags, data[where : where + min(used, size)])


def _from(sections: tuple[PeSection, ...], address: int) -> bytes:
    for section in sections:
        if section.address <= address < section.address + len(section.data):
            return section.data[address - section.address :]
    raise ValueError(f"no section at {address:#x}")


def _text(sections: tuple[PeSection, ...], address: int) -> str:
    return _from(sections, address).split(b"\0", 1)[0].decode("ascii")


def _imports(sections: tuple[PeSection, ...], address: int, *, wide: bool) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    while address:
        names, _time, _chain, file, _table = _IMPORT.unpack_from(_from(sections, address))
        if not file:
            break
        found[_text(sections, file)] = tuple(_names(sections, names, wide=wide))
        address += _IMPORT.size
    return found


def _names(sections: tuple[PeSection, ...], address: int, *, wide: bool) -> list[str]:
    entry = struct.Struct("<Q" if wide else "<I")
    names = []
    for (hint,) in entry.iter_unpack(_whole(_from(sections, address), entry.size)):
        if not hint:
            break
        names.append(_text(sections, hint + _NAME_OF_HINT))
    return names


def _whole(data: bytes, size: int) -> bytes:
    return data[: len(data) // size * size]
