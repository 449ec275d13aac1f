"""Where in a driver Windows or Wine says that it faulted: an address, and the driver's own word about where it is.

Pure but for `pe_places`, which reads the debug information beside the driver.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from harness.console.crash import Crash, Frame

_SECONDS = 20.0
_LOADED = r"\b{module}: loaded at ([0-9A-Fa-f]+), (\d+) bytes"
_ADDRESS = re.compile(r" at address (?:0x)?([0-9A-Fa-f]+)")
_ROOTS = ("/win/", "/core/", "/include/")


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
    """Function and `FILE:LINE` of each inlined level at `offset` in a driver; none without llvm-symbolizer, or
    without the `.pdb` that its build left beside it."""
    if shutil.which("llvm-symbolizer") is None:
        return []
    command = ["llvm-symbolizer", f"--obj={image}", "--relative-address", "--output-style=JSON", f"{offset:#x}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    return parse_places(done.stdout)


def parse_places(output: str) -> list[tuple[str, str]]:
    """What llvm-symbolizer found for one address, as JSON."""
    try:
        (answer,) = json.loads(output)
    except ValueError:
        return []
    symbols = answer.get("Symbol", [])
    return [(one["FunctionName"], f"{_short(one['FileName'])}:{one['Line']}") for one in symbols if one["FunctionName"]]


def _short(path: str) -> str:
    """From the project's own folder on, not where the build happened to lie."""
    path = path.replace("\\", "/")
    place = max(path.rfind(root) for root in _ROOTS)
    return path[place + 1 :] if place >= 0 else path
