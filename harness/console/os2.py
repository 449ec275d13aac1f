"""Where a trap of the OS/2-like guest happened: its report has addresses, and offsets in the driver they lie in.

Pure but for `locate`, which reads the debug information in the driver.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from harness.console.crash import Crash, Frame
from harness.console.places import driver_places

# Of a trap screen, and of a thread that waits: there the driver goes by its file.
_PLACE = re.compile(r"^(at  |from| ) [0-9a-f]{8} (?:\S*\\)?(\w+)(?:\$ *|\.\w+)?\+0x([0-9a-f]+)", re.MULTILINE)


def offsets_in(report: str, module: str) -> list[int]:
    """The offsets in `module` that a report has: where it happened first, if that is there, then the callers, each as
    the instruction before the one it comes back to."""
    places = (match.groups() for match in _PLACE.finditer(report))
    return [int(offset, 16) - (kind != "at  ") for kind, name, offset in places if name.lower() == module]


def locate(crash: Crash, *, module: str, image: Path) -> Crash:
    """The same crash with the frames that its offsets in `module` stand for, inlined ones first. `image` is the driver;
    its debug information is beside it."""
    debug = image.with_suffix(".elf")
    frames = tuple(
        Frame(function=name, offset=offset, size=image.stat().st_size, module=module, place=place)
        for offset in offsets_in(crash.report, module)
        for name, place in driver_places(debug, offset) or [(module, "no debug information")]
    )
    return replace(crash, frames=frames) if frames else crash
