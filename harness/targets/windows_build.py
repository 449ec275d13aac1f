"""Building the driver for Windows with the cross compiler of the virtual environment."""

from __future__ import annotations

import os
import sys
import time
from importlib.metadata import version
from pathlib import Path

from harness.errors import DriverBuildError
from harness.targets.base import DriverBuild
from harness.targets.make import run_make
from harness.targets.pe import pe_build_id
from harness.targets.sources import Sources

_DRIVER = "supdrv.sys"
_EVIDENCE_CHARACTERS = 6000
_BUILD_ID_DIGITS = 40


def build_windows_driver(arch: str, *, faults: bool, sources: Path, build: Path) -> DriverBuild:
    """The driver for `arch` (`amd64`, `x86`), made by `win/Makefile` into `build` unless nothing has changed; with
    `faults` the one that fails on request. Its build id is a digest of sources, compiler and options. Symbols are in
    `supdrv.pdb` beside it. Raises DriverBuildError with the compiler's output."""
    options = [f"ARCH={arch}"] + (["SUPDRV_FAULTS=1"] if faults else [])
    tree = Sources(sources, ("core", "win"))
    driver = build / _DRIVER
    with tree.exclusive(build):
        stamp = tree.stamp(version("ziglang"), *options)
        if tree.fresh(build, stamp) and driver.exists():
            return DriverBuild(path=driver, build_id=pe_build_id(driver), seconds=0.0)
        begin = time.monotonic()
        _make(sources / "win", build, [*options, f"BUILD_ID={_build_id(stamp)}"], what=f"windows-{arch}")
        tree.seal(build, stamp)
    return DriverBuild(path=driver, build_id=pe_build_id(driver), seconds=time.monotonic() - begin)


def _build_id(stamp: str) -> str:
    """As the Makefile takes it: bytes of C."""
    return ",".join(f"0x{byte:02x}" for byte in bytes.fromhex(stamp[:_BUILD_ID_DIGITS]))


def _make(directory: Path, build: Path, options: list[str], *, what: str) -> None:
    """Everything anew: the Makefile knows of no header that changed."""
    arguments = [
        "-C",
        str(directory),
        f"-j{os.cpu_count() or 1}",
        "-B",
        f"OUT={build}",
        f"ZIG={sys.executable} -m ziglang",
    ]
    result = run_make([*arguments, *options], what=f"the driver for {what}")
    if result.status != 0:
        evidence = result.output[-_EVIDENCE_CHARACTERS:]
        raise DriverBuildError(f"the driver does not build for {what}", evidence=evidence)
