"""Whose the functions in a backtrace of FreeBSD are: it names functions, and never modules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from harness.console.crash import Crash, Frame


def locate(crash: Crash, *, module: str, image: Path) -> Crash:
    """The same crash with module and size at the frames of functions that `image`, the module's file, has."""
    sizes = function_sizes(image)
    return replace(crash, frames=tuple(_located(frame, module, sizes) for frame in crash.frames))


def function_sizes(image: Path) -> Mapping[str, int]:
    """Each function of a module and how many bytes it has; nothing if the file cannot be read."""
    from elftools.common.exceptions import ELFError  # noqa: PLC0415 - slow, and few runs need it
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415
    from elftools.elf.sections import SymbolTableSection  # noqa: PLC0415

    try:
        with image.open("rb") as stream:
            tables = [table for table in ELFFile(stream).iter_sections() if isinstance(table, SymbolTableSection)]
            symbols = [symbol for table in tables for symbol in table.iter_symbols()]
    except (OSError, ELFError):
        return {}
    return {
        symbol.name: symbol["st_size"]
        for symbol in symbols
        if symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_shndx"] != "SHN_UNDEF"
    }


def _located(frame: Frame, module: str, sizes: Mapping[str, int]) -> Frame:
    """A function of the kernel may have the same name; but in there it hardly has the offset too."""
    size = sizes.get(frame.function, 0)
    return replace(frame, module=module, size=size) if frame.offset < size else frame
