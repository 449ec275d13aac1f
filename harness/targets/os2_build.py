"""Building the driver for OS/2 with the cross compiler of the virtual environment."""

from __future__ import annotations

import os
import sys
import time
from importlib.metadata import version
from pathlib import Path

from harness.errors import DriverBuildError
from harness.targets.base import DriverBuild
from harness.targets.make import run_make
from harness.targets.sources import Sources

_DRIVER = "supdrv.sys"
_SYSTEM = Path("guests/os2/include")
_EVIDENCE_CHARACTERS = 6000
_BUILD_ID_DIGITS = 40


def build_os2_driver(*, faults: bool, sources: Path, build: Path) -> DriverBuild:
    """The driver, made by `os2/Makefile` into `build` unless nothing has changed; with `faults` the one that fails on
    request. Its build id is a digest of sources, compiler and options. Debug information is in `supdrv.elf` beside it.
    Raises DriverBuildError with the compiler's output."""
    options = ["SUPDRV_FAULTS=1"] if faults else []
    tree = Sources(sources, ("core", "os2", str(_SYSTEM)))
    driver = build / _DRIVER
    with tree.exclusive(build):
        stamp = tree.stamp(version("ziglang"), *options)
        if tree.fresh(build, stamp) and driver.exists():
            return DriverBuild(path=driver, build_id=tree.note(build), seconds=0.0)
        begin = time.monotonic()
        build_id = stamp[:_BUILD_ID_DIGITS]
        _make(sources, build, [*options, f"BUILD_ID={build_id}"])
        tree.seal(build, stamp, build_id)
    return DriverBuild(path=driver, build_id=build_id, seconds=time.monotonic() - begin)


def _make(sources: Path, build: Path, options: list[str]) -> None:
    """Everything anew: the Makefile knows of no header that changed."""
    places = [f"OUT={build}", f"SYSTEM={sources / _SYSTEM}", f"ZIG={sys.executable} -m ziglang"]
    arguments = ["-C", str(sources / "os2"), f"-j{os.cpu_count() or 1}", "-B", *places, *options]
    result = run_make(arguments, what="the driver for os2-x86")
    if result.status != 0:
        evidence = result.output[-_EVIDENCE_CHARACTERS:]
        raise DriverBuildError("the driver does not build for os2-x86", evidence=evidence)
