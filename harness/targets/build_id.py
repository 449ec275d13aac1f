"""The build id of an ELF file: what the linker wrote into its note section."""

from __future__ import annotations

from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import NoteSection

from harness.errors import SetupError


def elf_build_id(path: Path) -> str:
    """The GNU build id of `path` as hex. Raises SetupError if it has none: a driver without one cannot be told
    from another build of it."""
    with path.open("rb") as stream:
        section = ELFFile(stream).get_section_by_name(".note.gnu.build-id")
        if isinstance(section, NoteSection):
            for note in section.iter_notes():
                if note["n_type"] == "NT_GNU_BUILD_ID":
                    return str(note["n_desc"])
    raise SetupError(f"{path} carries no build id")
