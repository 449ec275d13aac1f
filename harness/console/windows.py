"""Where in a driver Windows or Wine says that it faulted: an address, and the driver's own word about where it is.

Pure but for `pe_places`, which reads the debug information beside the driver.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from harness.console.crash import Crash, Frame
from harness.console.places import driver_places

_LOADED = r"\b{module}: loaded at ([0-9A-Fa-f]+), (\d+) bytes"
_ADDRESS = re.compile(r" at address (?:0x)?([0-9A-Fa-f]+)")


def fault_in(crash: Crash, console: str, module: str) -> tuple[int, int] | None:
    """The offset in `module` at which `crash` says that it happened, and the module's size; None if it was elsewhere
    or is not told. `console` is all that was printed: the newest load counts."""
    loads = re.findall(_LOADED.format(module=re.escape(module)), console)
    address = _ADDRESS.search(crash.report.partition("\n")[0])
    if not loads or address is None:
        return None
    base, size = int(loads[-1][0], 16), int(loads[-1][1])
    offset = int(address[1], 16) - base
    return (offset, size) if 0 <= offset < size else None


def locate(crash: Crash, console: str, *, module: str, image: Path) -> Crash:
    """The same crash with the frames that its address stands for, inlined ones first."""
    found = fault_in(crash, console, module)
    if found is None:
        return crash
    offset, size = found
    places = pe_places(image, offset) or [(module, "no debug information")]
    frames = (Frame(function=name, offset=offset, size=size, module=module, place=place) for name, place in places)
    return replace(crash, frames=tuple(frames))


def pe_places(image: Path, offset: int) -> list[tuple[str, str]]:
    """Function and `FILE:LINE` of each inlined level at `offset` in a driver; none without the `.pdb` that its build
    left beside it."""
    return driver_places(image, offset, "--relative-address")
