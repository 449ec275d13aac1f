"""Source lines for the driver's frames of a backtrace, from the debug information in the driver's own build."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from harness.console.crash import Frame

_SECONDS = 10.0


def symbolize(frames: Sequence[Frame], *, module: str, image: Path) -> list[str]:
    """One text line for each frame that is sure; those of `module` gain `at FILE:LINE` for each inlined level.

    A frame is a return address but for the innermost one, so one byte is taken off all others to land in the
    call. If the debug information cannot be read, the frames come back as they are, with the reason.
    """
    frames = [frame for frame in frames if frame.sure]
    if not any(frame.module == module and not frame.place for frame in frames):
        return [str(frame) for frame in frames]
    if shutil.which("addr2line") is None:
        return [*(str(frame) for frame in frames), "(no source lines: addr2line is not installed)"]
    places = _symbol_places(image)
    lines: list[str] = []
    for index, frame in enumerate(frames):
        lines.append(str(frame))
        place = places.get(frame.function) if frame.module == module else None
        if place is not None:
            section, start = place
            lines += [f"    at {where}" for where in _addr2line(image, section, start + frame.offset - (index > 0))]
    return lines


def _symbol_places(image: Path) -> dict[str, tuple[str, int]]:
    """Function name -> (section name, offset in the section)."""
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415 - slow, and few runs need it
    from elftools.elf.sections import SymbolTableSection  # noqa: PLC0415

    places: dict[str, tuple[str, int]] = {}
    with image.open("rb") as stream:
        elf = ELFFile(stream)
        for table in elf.iter_sections():
            if not isinstance(table, SymbolTableSection):
                continue
            for symbol in table.iter_symbols():
                index = symbol["st_shndx"]
                if symbol["st_info"]["type"] == "STT_FUNC" and isinstance(index, int):
                    places[symbol.name] = (elf.get_section(index).name, symbol["st_value"])
    return places


def _addr2line(image: Path, section: str, offset: int) -> list[str]:
    command = ["addr2line", "-e", str(image), "-j", section, "-f", "-i", f"{offset:#x}"]
    output = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False).stdout
    lines = output.splitlines()
    pairs = zip(lines[0::2], lines[1::2], strict=False)
    return [f"{_short(where)} in {function}" for function, where in pairs if not where.startswith("??")]


def _short(where: str) -> str:
    """The path from the project's or the kernel's own folders on, not where the build happened to lie."""
    for root in ("/kmod/", "/core/", "/include/"):
        if root in where:
            return where[where.rindex(root) + 1 :]
    return where
