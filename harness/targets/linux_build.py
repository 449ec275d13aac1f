"""Building the driver for Linux: kbuild in a copy of its sources, against the guest kernel's own headers."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from harness.errors import DriverBuildError, SetupError
from harness.matrix import Cell
from harness.targets.base import DriverBuild, GuestImage
from harness.targets.make import run_make
from harness.targets.sources import Sources

_DRIVER = "supdrv.ko"
_ARCH = {"amd64": "x86_64", "x86": "i386"}
_STRIP_SECONDS = 60.0
_EVIDENCE_CHARACTERS = 6000


def build_linux_driver(cell: Cell, image: GuestImage, sources: Path, build: Path) -> DriverBuild:
    """The driver with what debuggers read, and beside it what is loaded (`as_loaded`). Nothing is done if sources,
    options and headers are the ones of the last build there. Raises DriverBuildError with the compiler's output."""
    # A warning must stop the build each time: an object that was made in spite of it would not be made again.
    options = [f"ARCH={_ARCH[cell.arch]}", "W=1", "KCFLAGS=-Werror -g"]
    if cell.driver == "faults":
        options.append("SUPDRV_FAULTS=1")
    tree = Sources(sources, ("core", "kmod"))
    module = build / "kmod" / _DRIVER
    with tree.exclusive(build):
        stamp = tree.stamp(image.release, str(image.headers), *options)
        if tree.fresh(build, stamp) and module.exists() and as_loaded(module).exists():
            return DriverBuild(path=module, build_id=tree.note(build), seconds=0.0)
        begin = time.monotonic()
        tree.sync(build)
        _make(image.headers, build / "kmod", options, cell)
        _strip(module, as_loaded(module))
        build_id = _build_id(module)
        tree.seal(build, stamp, build_id)
    return DriverBuild(path=module, build_id=build_id, seconds=time.monotonic() - begin)


def as_loaded(module: Path) -> Path:
    """What goes into the guest: the module without what debuggers read, which is most of its bytes."""
    return module.with_suffix(".stripped.ko")


def _strip(module: Path, stripped: Path) -> None:
    """As kbuild does it where modules are installed."""
    command = ["strip", "--strip-debug", "-o", str(stripped), str(module)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_STRIP_SECONDS)
    except FileNotFoundError as error:
        raise SetupError("strip is not installed", hint="run: make setup") from error
    except subprocess.SubprocessError as error:
        raise DriverBuildError(f"{module.name} cannot be stripped: {error}") from error


def _build_id(module: Path) -> str:
    from harness.targets.build_id import elf_build_id  # noqa: PLC0415 - slow, and most runs find the driver built

    return elf_build_id(module)


def _make(headers: Path, directory: Path, options: list[str], cell: Cell) -> None:
    arguments = ["-C", str(headers), f"M={directory}", f"-j{os.cpu_count() or 1}", *options, "modules"]
    result = run_make(arguments, what=f"the driver for {cell.id}")
    evidence = result.output[-_EVIDENCE_CHARACTERS:]
    if result.status != 0:
        raise DriverBuildError(f"the driver does not build for {cell.id}", evidence=evidence)
    if "warning:" in result.output:
        raise DriverBuildError(
            f"the driver builds with warnings for {cell.id}, and they count as errors", evidence=evidence
        )
