"""Functions and lines of addresses in a driver, as llvm-symbolizer finds them in its debug information."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

_SECONDS = 20.0
_ROOTS = ("/win/", "/os2/", "/core/", "/include/")


def driver_places(image: Path, offset: int, *options: str) -> list[tuple[str, str]]:
    """Function and `FILE:LINE` of each inlined level at `offset` in a driver, innermost first; none without
    llvm-symbolizer, or without debug information. `options` are the program's, beyond those for its output."""
    if shutil.which("llvm-symbolizer") is None:
        return []
    command = ["llvm-symbolizer", f"--obj={image}", *options, "--output-style=JSON", f"{offset:#x}"]
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
