"""Modules of FreeBSD's kernel, as far as a driver's build is judged by its file: a relocatable object on AMD64, a
shared one on x86."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

from harness.errors import SetupError

_ALLOCATED = 2  # SHF_ALLOC
_METADATA_SET = "set_modmetadata_set"
# struct mod_metadata: version, type, data, name; struct mod_depend: three versions; struct mod_version: one.
_METADATA = {4: struct.Struct("<iiII"), 8: struct.Struct("<iiQQ")}
_DEPEND = struct.Struct("<iii")
_VERSION = struct.Struct("<i")
_DEPENDS, _MODULE, _IS_VERSION = 1, 2, 3
_ABSOLUTE = {("EM_X86_64", 1): 8, ("EM_386", 1): 4}  # R_X86_64_64, R_386_32
_SET_BOUND = re.compile(r"__st(art|op)_set_\w+")
_GAP = 1 << 20  # between the sections of a relocatable object, which have no addresses yet
_MARKER = re.compile(r'^# \d+ "([^"]*)"')
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class KernelRange:
    """The kernels that a module can be loaded into, as __FreeBSD_version values."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Module:
    """What a kernel's linker looks at. `versions` are the interfaces that the module offers; `kernel` is the range that
    it depends on. `undefined` are the names that it needs of the kernel."""

    kind: str
    machine: str
    system: str
    modules: tuple[str, ...]
    versions: Mapping[str, int]
    kernel: KernelRange | None
    undefined: frozenset[str]


def read_module(path: Path) -> Module:
    """Raises SetupError if `path` is no module of FreeBSD's kernel."""
    with path.open("rb") as stream:
        try:
            return _read(stream)
        except ELFError as error:
            raise SetupError(f"{path}: no module of FreeBSD's kernel: {error}") from error


def declared_names(preprocessed: str, headers: str) -> frozenset[str]:
    """Every name that the files below the directory `headers` mention, in a preprocessor's output."""
    names: set[str] = set()
    theirs = False
    for line in preprocessed.splitlines():
        marker = _MARKER.match(line)
        if marker:
            theirs = marker[1].startswith(headers)
        elif theirs:
            names.update(_WORD.findall(line))
    return frozenset(names)


def _read(stream: IO[bytes]) -> Module:
    elf = ELFFile(stream)
    memory = _Memory(elf)
    modules: list[str] = []
    versions: dict[str, int] = {}
    kernel = None
    for kind, data, name in memory.metadata():
        if kind == _MODULE:
            modules.append(name)
        elif kind == _IS_VERSION:
            (versions[name],) = _VERSION.unpack(memory.read(data, _VERSION.size))
        elif kind == _DEPENDS and name == "kernel":
            least, _preferred, most = _DEPEND.unpack(memory.read(data, _DEPEND.size))
            kernel = KernelRange(least, most)
    return Module(
        kind=elf["e_type"],
        machine=elf["e_machine"],
        system=elf["e_ident"]["EI_OSABI"],
        modules=tuple(modules),
        versions=versions,
        kernel=kernel,
        undefined=_undefined(elf),
    )


def _undefined(elf: ELFFile) -> frozenset[str]:
    """The bounds of sets are the linker's to define."""
    table = elf.get_section_by_name(".dynsym") or elf.get_section_by_name(".symtab")
    assert isinstance(table, SymbolTableSection)
    names = {symbol.name for symbol in table.iter_symbols() if symbol["st_shndx"] == "SHN_UNDEF" and symbol.name}
    return frozenset(name for name in names if not _SET_BOUND.fullmatch(name))


class _Memory:
    """The module as it lies in a kernel's memory, at made-up addresses, with absolute references filled in."""

    def __init__(self, elf: ELFFile) -> None:
        self._elf = elf
        self._word = elf.elfclass // 8
        self._places: dict[int, tuple[int, bytearray]] = {}
        self._lay_out()
        self._relocate()

    def read(self, address: int, size: int) -> bytes:
        for start, content in self._places.values():
            if start <= address and address + size <= start + len(content):
                return bytes(content[address - start : address - start + size])
        raise ELFError(f"nothing at {address:#x}")

    def metadata(self) -> Iterator[tuple[int, int, str]]:
        """Kind, address of the data, and name of each piece."""
        form = _METADATA[self._word]
        number = self._elf.get_section_index(_METADATA_SET)
        if number is None:
            raise ELFError("it says of itself neither what it is nor what it needs")
        start, content = self._places[number]
        for place in range(start, start + len(content), self._word):
            entry = int.from_bytes(self.read(place, self._word), "little")
            _, kind, data, name = form.unpack(self.read(entry, form.size))
            yield kind, data, self._text(name)

    def _text(self, address: int) -> str:
        text = bytearray()
        while (byte := self.read(address + len(text), 1)) != b"\0":
            text += byte
        return text.decode("ascii")

    def _lay_out(self) -> None:
        made_up = _GAP
        for number, section in enumerate(self._elf.iter_sections()):
            if section["sh_flags"] & _ALLOCATED and section["sh_type"] != "SHT_NOBITS":
                content = bytearray(section.data())
                self._places[number] = (section["sh_addr"] or made_up, content)
                made_up += len(content) + _GAP

    def _relocate(self) -> None:
        for section in self._elf.iter_sections():
            if isinstance(section, RelocationSection):
                self._apply(section)

    def _apply(self, section: RelocationSection) -> None:
        symbols = self._elf.get_section(section["sh_link"])
        assert isinstance(symbols, SymbolTableSection)
        relocatable = self._elf["e_type"] == "ET_REL"
        target = self._places.get(section["sh_info"]) if relocatable else None
        if relocatable and target is None:
            return
        for relocation in section.iter_relocations():
            size = _ABSOLUTE.get((self._elf["e_machine"], relocation["r_info_type"]))
            if size is None:
                continue  # code, or what is right as it is while the module lies at 0
            symbol = symbols.get_symbol(relocation["r_info_sym"])
            if symbol["st_shndx"] not in self._places and relocatable:
                continue  # the kernel's
            base = self._places[symbol["st_shndx"]][0] if relocatable else 0
            self._store(target, relocation["r_offset"], size, base + symbol["st_value"], relocation)

    def _store(
        self, target: tuple[int, bytearray] | None, offset: int, size: int, value: int, relocation: object
    ) -> None:
        start, content = target if target is not None else self._at(offset)
        place = offset if target is not None else offset - start
        entry = getattr(relocation, "entry", {})
        addend = entry["r_addend"] if "r_addend" in entry else int.from_bytes(content[place : place + size], "little")
        content[place : place + size] = (value + addend).to_bytes(size, "little")

    def _at(self, address: int) -> tuple[int, bytearray]:
        for start, content in self._places.values():
            if start <= address < start + len(content):
                return start, content
        raise ELFError(f"a reference at {address:#x}, where nothing is")
