"""Which lines and branches of the driver's core its unit tests run.

    python -m tools.coverage        tables on standard output, pages in build/coverage/index.html

Exit status 1 below the limits, or if a test fails.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.core_programs import ROOT, UNIT_TESTS, CoreDoesNotBuild, first_failing_test, make_core_program

LINES = 95.0
BRANCHES = 90.0
INSTRUMENTED = "-O0 --coverage"
"""The flags of programs whose coverage is measured."""


def forget_counts(objects: Path) -> None:
    """Remove what earlier runs of programs counted."""
    for counts in objects.rglob("*.gcda"):
        counts.unlink()


def report(objects: Path, *arguments: str) -> int:
    """Print the coverage of `core/` by the programs made in `objects`, and what they left out; returns gcovr's exit
    status for further `arguments`."""
    details = objects / "coverage.json"
    command = [sys.executable, "-m", "gcovr", "--root", str(ROOT), "--object-directory", str(objects)]
    command += ["--filter", f"{ROOT / 'core'}/", "--json", str(details)]
    command += ["--txt", "--txt-metric", "branch", "--txt-metric", "line"]
    status = subprocess.run([*command, *arguments, str(objects)], check=False).returncode
    for line in left_out(json.loads(details.read_text())):
        print(line)
    return status


def left_out(details: Mapping[str, Any]) -> Iterator[str]:
    """A line for each file of gcovr's JSON report that was not covered in full."""
    for file in details["files"]:
        lines = [line["line_number"] for line in file["lines"] if not line["count"]]
        branches = [
            line["line_number"]
            for line in file["lines"]
            if line["count"] and any(not branch["count"] for branch in line["branches"])
        ]
        found = [
            f"{what} {', '.join(map(str, numbers))}"
            for what, numbers in (("lines not run:", lines), ("one way only at line", branches))
            if numbers
        ]
        if found:
            yield f"{file['file']}: {'; '.join(found)}"


def main(arguments: Sequence[str]) -> int:
    out = ROOT / "build/coverage"
    objects = out / "objects"
    pages = out / "pages"
    try:
        program = make_core_program(UNIT_TESTS, out=objects, flags=INSTRUMENTED)
    except CoreDoesNotBuild as error:
        print(error, file=sys.stderr)
        return 1
    forget_counts(objects)
    failed = first_failing_test(program)
    if failed is not None:
        print(f"a unit test fails: {failed}", file=sys.stderr)
        return 1
    shutil.rmtree(pages, ignore_errors=True)
    pages.mkdir()
    limits = ["--fail-under-line", str(LINES), "--fail-under-branch", str(BRANCHES)]
    status = report(objects, "--html-nested", str(pages / "index.html"), *limits, *arguments)
    print(f"pages: {pages / 'index.html'}")
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
