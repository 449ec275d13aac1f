"""Building the driver for FreeBSD with the cross compiler of the virtual environment, or for a kernel of one's own."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from harness.errors import DriverBuildError
from harness.targets.base import DriverBuild
from harness.targets.make import run_make
from harness.targets.sources import Sources

FREEBSD_ARCH = {"amd64": "amd64", "x86": "i386"}
"""FreeBSD's name of each architecture."""

COMPILER_MAJOR = 15
"""The FreeBSD whose headers the compiler has."""

_DRIVER = "supdrv.ko"
_EVIDENCE_CHARACTERS = 6000
_BUILD_ID_DIGITS = 40


@dataclass(frozen=True, slots=True)
class OwnKernel:
    """A kernel that a driver is built for: its sources (`sys`), and the directory that it was built in, or `Path()` for
    one with the options of a release."""

    sources: Path
    build: Path


def build_freebsd_driver(
    arch: str,
    *,
    faults: bool,
    sources: Path,
    build: Path,
    kernel: OwnKernel | None = None,
) -> DriverBuild:
    """The driver for `arch` (`amd64`, `x86`), made by `bsd/cross.mk` into `build` unless nothing has changed; with
    `faults` the one that fails on request. Without a `kernel` it is for the one that the compiler has the headers of.
    Raises DriverBuildError with the compiler's output."""
    options = [f"ARCH={FREEBSD_ARCH[arch]}"]
    if faults:
        options.append("SUPDRV_FAULTS=1")
    if kernel is not None:
        options.append(f"SYSDIR={kernel.sources}")
        options += [f"KERNBUILDDIR={kernel.build}"] if kernel.build != Path() else []
    tree = Sources(sources, ("core", "bsd"))
    driver = build / _DRIVER
    with tree.exclusive(build):
        stamp = tree.stamp(version("ziglang"), *options)
        build_id = stamp[:_BUILD_ID_DIGITS]
        if tree.fresh(build, stamp) and driver.exists():
            return DriverBuild(path=driver, build_id=build_id, seconds=0.0)
        begin = time.monotonic()
        _make(sources / "bsd", build, [*options, f"SUPDRV_BUILD_ID={build_id}"], what=f"freebsd-{arch}")
        tree.seal(build, stamp)
    return DriverBuild(path=driver, build_id=build_id, seconds=time.monotonic() - begin)


def preprocess_freebsd_driver(arch: str, *, sources: Path, build: Path) -> str:
    """The driver's sources with all that they include, as the compiler sees them, and what file each piece is from."""
    options = [f"ARCH={FREEBSD_ARCH[arch]}"]
    _make(sources / "bsd", build, [*options, "preprocessed"], what=f"freebsd-{arch}")
    return (build / "preprocessed").read_text(encoding="utf-8", errors="replace")


def _make(directory: Path, build: Path, options: Sequence[str], *, what: str) -> None:
    """Everything anew: the Makefile knows of no header that changed."""
    arguments = ["-C", str(directory), "-f", "cross.mk", f"-j{os.cpu_count() or 1}", "-B", f"OUT={build}"]
    arguments.append(f"ZIG={sys.executable} -m ziglang")
    result = run_make([*arguments, *options], what=f"the driver for {what}")
    if result.status != 0:
        evidence = result.output[-_EVIDENCE_CHARACTERS:]
        raise DriverBuildError(f"the driver does not build for {what}", evidence=evidence)
