"""Builds the driver for FreeBSD here, for both architectures, and checks the files: `make bsd`."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.targets.freebsd_build import FREEBSD_ARCH, build_freebsd_driver
from harness.targets.freebsd_check import module_problems

_ROOT = Path(__file__).resolve().parents[1]
_BUILD = _ROOT / "build/bsd"


def main() -> int:
    """Exit status: 0 if both are as they should be."""
    wrong = False
    for arch, name in FREEBSD_ARCH.items():
        made = build_freebsd_driver(arch, faults=False, sources=_ROOT, build=_BUILD / name)
        problems = module_problems(arch, made.path, sources=_ROOT, build=_BUILD / f"{name}-preprocessed")
        for problem in problems:
            print(f"{made.path.relative_to(_ROOT)}: {problem}", file=sys.stderr)
        wrong = wrong or bool(problems)
        print(f"{made.path.relative_to(_ROOT)}: build {made.build_id}, {made.seconds:.1f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
