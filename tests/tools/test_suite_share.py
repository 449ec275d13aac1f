"""How much of the suite a cell runs, counted from what pytest really collects, and why not the rest."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tools.core_programs import ROOT
from tools.suite_share import Case, reasons, runs, table

PAGE = (ROOT / "docs/windows-left-out.md").read_text(encoding="utf-8")
LEAST = 90.0


@pytest.fixture(scope="module")
def windows() -> str:
    """What the tool prints about Windows; in a process of its own, since it is a run of pytest."""
    command = [sys.executable, "-m", "tools.suite_share", "windows-amd64", "--table"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120).stdout


def collected(cell: str) -> int:
    """How many tests pytest collects in a cell, those that need what its guest has not included."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--cell", cell, "tests/ioctl"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120).stdout
    return sum(cell in line for line in output.splitlines()) or sum(
        map(int, re.findall(r"^tests/\S+: (\d+)$", output, re.MULTILINE))
    )


def test_windows_runs_at_least_nine_tenths_of_what_linux_does(windows: str) -> None:
    found = re.search(r"^runs in windows-amd64, .*: (\d+) of (\d+) \((\S+) %\)$", windows, re.MULTILINE)
    assert found is not None
    here, there, percent = int(found[1]), int(found[2]), float(found[3])
    assert percent == round(100 * here / there, 1)
    assert percent >= LEAST


def test_nothing_is_counted_that_pytest_does_not_collect(windows: str) -> None:
    there = re.search(r" (\d+) of (\d+) ", windows)
    assert there is not None
    assert 0 < int(there[1]) <= collected("windows-amd64")


def test_each_test_that_does_not_run_is_in_the_table_with_its_reason(windows: str) -> None:
    rows = [line for line in windows.splitlines() if line.startswith("| `")]
    assert rows
    for row in rows:
        lacks, because, _cases, tests = row.strip("| ").split(" | ")
        (listed,) = [line for line in PAGE.splitlines() if line.startswith(f"| {lacks} | {because} |")]
        assert [name for name in re.findall(r"`\w+`", tests) if name not in listed] == []


def case(name: str, lacks: str = "", parameters: str = "") -> Case:
    return Case(f"test_x.py::test_{name}", parameters, lacks)


def test_what_lacks_something_does_not_run() -> None:
    assert runs({case("a"), case("b", "fork")}) == {case("a")}


def test_what_the_other_one_does_not_run_is_not_missing() -> None:
    missing, both = reasons({case("a"), case("b", "fork")}, {case("a"), case("b", "quick"), case("c")})
    assert both == {case("a")}
    assert missing == {case("c"): "(does not exist in the cell)"}


def test_a_row_has_the_reason_and_the_names() -> None:
    missing = {case("a", "", "[1]"): "fork", case("a", "", "[2]"): "fork", case("b"): "fork"}
    assert table(missing, {"fork": "no process can be copied"}) == [
        "| `fork` | no process can be copied | 3 | test_x: `a`, `b` |"
    ]
