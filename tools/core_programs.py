"""Programs of user space that contain the driver's core; tests/core/Makefile makes them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from harness.targets.make import MakeResult, run_make

ROOT = Path(__file__).parents[1]
UNIT_TESTS = "core-tests"
_TEST_SECONDS = 20.0


class CoreDoesNotBuild(Exception):
    """The compiler's output."""


def make_core_program(name: str, *, out: Path, driver: Path = ROOT, cc: str = "gcc", flags: str = "") -> Path:
    """Program `name` (`core-tests`, `fuzzer` or `replay`) of the core in the tree `driver`, with its objects in
    `out`, which is for one compiler and one set of flags; without flags, with sanitizers. Only what has changed is
    made again. Raises CoreDoesNotBuild."""
    arguments = ["-C", str(ROOT / "tests/core"), f"-j{os.cpu_count() or 1}", str(out / name)]
    arguments += [f"OUT={out}", f"DRIVER={driver}", f"CC={cc}"]
    arguments += [f"FLAGS={flags}"] if flags else []
    result: MakeResult = run_make(arguments, what=name)
    if result.status != 0:
        raise CoreDoesNotBuild(result.output)
    return out / name


def first_failing_test(program: Path) -> str | None:
    """Run the unit tests in `program` until one fails."""
    names = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    return next((name for name in names if not _passes(program, name)), None)


def _passes(program: Path, name: str) -> bool:
    try:
        done = subprocess.run([program, name], capture_output=True, timeout=_TEST_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
