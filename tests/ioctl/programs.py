"""Programs of `tests/images`, compiled for a kernel's word size and linked as images for the address they will be at.

An image is one piece that cannot be written once it is loaded: code and constants, then the symbol table, then the
strings, as LDR_LOAD wants them.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import Section, SymbolTableSection

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "tests/images"
BUILD = ROOT / "build/images"
COMPILE_SECONDS = 120

_FLAGS = [
    *("-std=c11", "-O1", "-g0", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-pic", "-mgeneral-regs-only"),
    *("-fno-stack-protector", "-fno-sanitize=all", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables"),
    "-fcf-protection=branch",
]
# An amd64 image and the functions it calls may be anywhere, and interrupts use the stack below it.
_ARCH_FLAGS = {
    "amd64": ["-target", "x86_64-freestanding-none", "-mcmodel=large", "-mno-red-zone"],
    "x86": ["-target", "x86-freestanding-none"],
}
# Windows has a calling convention of its own.
_SYSTEM_FLAGS = {"windows": ["-DIMAGE_FOR_WINDOWS"]}
_ADDRESS_SIZE = {"R_X86_64_64": 8, "R_386_32": 4, "R_386_PC32": 4}
_RELATIVE = {"R_386_PC32"}
_RELOCATIONS = {("EM_X86_64", 1): "R_X86_64_64", ("EM_386", 1): "R_386_32", ("EM_386", 2): "R_386_PC32"}


@dataclass(frozen=True, slots=True)
class _Relocation:
    """At `offset` in the image: the address of `symbol`, or of the image's own byte `target` if it has none."""

    kind: str
    offset: int
    addend: int
    symbol: str
    target: int


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled program, not linked yet. `symbols` are the offsets of its functions, `size` is the whole image's."""

    code: bytes
    relocations: tuple[_Relocation, ...]
    symbols: Mapping[str, int]

    @property
    def symbol_table(self) -> int:
        """Offset of the symbol table."""
        return _aligned(len(self.code), 8)

    @property
    def string_table(self) -> int:
        """Offset of the strings."""
        return self.symbol_table + 8 * len(self.symbols)

    @property
    def strings(self) -> bytes:
        return b"".join(name.encode() + b"\0" for name in self.symbols)

    @property
    def size(self) -> int:
        return self.string_table + len(self.strings)

    def link(self, base: int, imports: Mapping[str, int]) -> bytes:
        """The image for address `base`; `imports` has the address of everything that the program does not define."""
        image = bytearray(self.code)
        for item in self.relocations:
            size = _ADDRESS_SIZE[item.kind]
            value = item.addend + (imports[item.symbol] if item.symbol else base + item.target)
            if item.kind in _RELATIVE:
                value -= base + item.offset
            image[item.offset : item.offset + size] = (value % (1 << 8 * size)).to_bytes(size, "little")
        table, name_at = bytearray(), 0
        for name, offset in self.symbols.items():
            table += name_at.to_bytes(4, "little") + offset.to_bytes(4, "little")
            name_at += len(name) + 1
        return bytes(image.ljust(self.symbol_table, b"\0") + table + self.strings)


@cache
def program(name: str, arch: str, system: str) -> Program:
    """The program `tests/images/NAME.c` for kernels of word size `arch` of the operating system `system`."""
    with _compiled(SOURCES / f"{name}.c", arch, system).open("rb") as stream:
        return _read(ELFFile(stream))


def _compiled(source: Path, arch: str, system: str) -> Path:
    flags = [*_FLAGS, *_ARCH_FLAGS[arch], *_SYSTEM_FLAGS.get(system, [])]
    text = "\0".join([*flags, source.read_text(), *(header.read_text() for header in sorted(SOURCES.glob("*.h")))])
    target = BUILD / arch / f"{source.stem}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.o"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        # Another process may be at the same.
        with tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent) as work:
            fresh = Path(work, target.name)
            command = [sys.executable, "-m", "ziglang", "cc", *flags, "-c", str(source), "-o", str(fresh)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_SECONDS, check=False)
            assert done.returncode == 0, done.stderr
            fresh.rename(target)
    return target


def _read(elf: ELFFile) -> Program:
    """Its sections one behind the other, whatever they are called."""
    code, starts = bytearray(), {}
    for index, section in enumerate(elf.iter_sections()):
        if not _is_loaded(section):
            continue
        assert not section["sh_flags"] & SH_FLAGS.SHF_WRITE, f"{section.name}: an image has no variables"
        code += bytes(_aligned(len(code), section["sh_addralign"]) - len(code))
        starts[index] = len(code)
        code += section.data()
    table = elf.get_section_by_name(".symtab")
    assert isinstance(table, SymbolTableSection)
    defined = {
        symbol.name: starts[symbol["st_shndx"]] + symbol["st_value"]
        for symbol in table.iter_symbols()
        if symbol["st_info"]["bind"] == "STB_GLOBAL" and symbol["st_shndx"] in starts
    }
    return Program(code=bytes(code), relocations=tuple(_relocations(elf, table, starts, code)), symbols=defined)


def _is_loaded(section: Section) -> bool:
    return bool(section["sh_flags"] & SH_FLAGS.SHF_ALLOC and section["sh_size"] and section["sh_type"] != "SHT_NOTE")


def _relocations(
    elf: ELFFile, table: SymbolTableSection, starts: Mapping[int, int], code: bytearray
) -> list[_Relocation]:
    found = []
    for section in elf.iter_sections():
        if not isinstance(section, RelocationSection) or section["sh_info"] not in starts:
            continue
        for item in section.iter_relocations():
            kind = _RELOCATIONS[elf["e_machine"], item["r_info_type"]]
            offset = starts[section["sh_info"]] + item["r_offset"]
            in_place = int.from_bytes(code[offset : offset + _ADDRESS_SIZE[kind]], "little", signed=True)
            addend = item["r_addend"] if item.is_RELA() else in_place
            symbol = table.get_symbol(item["r_info_sym"])
            own = symbol["st_shndx"] in starts
            target = starts[symbol["st_shndx"]] + symbol["st_value"] if own else 0
            found.append(_Relocation(kind, offset, addend, "" if own else symbol.name, target))
    return found


def _aligned(value: int, to: int) -> int:
    return -(-value // to) * to
