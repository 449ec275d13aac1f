"""Where in a driver a trap of the OS/2-like guest happened: addresses of its report, and the driver's own word about
where it is.

Pure but for `locate`, which reads the debug information in the driver.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from harness.console.crash import Crash, Frame
from harness.console.places import driver_places

_LOADED = r"\b{module}: loaded at ([0-9A-Fa-f]+), (\d+) bytes"
_AT = re.compile(r"\bCS:EIP=[0-9A-Fa-f]+:([0-9A-Fa-f]+)")
_CALLER = re.compile(r"^\s*from ([0-9A-Fa-f]{8})\b", re.MULTILINE)


def addresses_in(crash: Crash, console: str, module: str) -> tuple[list[int], int]:
    """The offsets in `module` that the report has, where it happened first and then the callers, and the module's size.
    Callers come as the instruction before the one they come back to. `console` is all that was printed: the newest
    load counts."""
    loads = re.findall(_LOADED.format(module=re.escape(module)), console)
    if not loads:
        return [], 0
    base, size = int(loads[-1][0], 16), int(loads[-1][1])
    found = [int(match, 16) for match in _AT.findall(crash.report)[:1]]
    found += [int(match, 16) - 1 for match in _CALLER.findall(crash.report)]
    return [address - base for address in found if base <= address < base + size], size


def locate(crash: Crash, console: str, *, module: str, image: Path) -> Crash:
    """The same crash with the frames that its addresses stand for, inlined ones first."""
    offsets, size = addresses_in(crash, console, module)
    frames = tuple(
        Frame(function=name, offset=offset, size=size, module=module, place=place)
        for offset in offsets
        for name, place in driver_places(image, offset) or [(module, "no debug information")]
    )
    return replace(crash, frames=frames) if frames else crash
