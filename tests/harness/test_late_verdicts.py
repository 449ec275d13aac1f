"""A failure that is found when a cell's tests are over counts against the test that did it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]

# In place of a guest: a session that finds what the first test has leaked.
CONFTEST = """
import pytest
from harness.errors import GuestCrash, GuestError
from harness.plugin.collector import CELL
from harness.plugin.early import SESSIONS

class Session:
    def __init__(self, cell):
        self.cell, self.tests = cell, []

    def find_leaks(self):
        if self.cell.id == "linux-x86":
            raise GuestError("kmemleak cannot be asked")
        if self.cell.id == "linux-compat":
            return []
        return [(self.tests[0], GuestCrash("kernel kmemleak report in " + self.tests[0]))]

@pytest.fixture(scope="session")
def cell_session(cell, pytestconfig):
    live = pytestconfig.stash.setdefault(SESSIONS, {})
    live[cell.id] = Session(cell)
    yield live[cell.id]
    del live[cell.id]

@pytest.fixture
def guest(request, cell, cell_session):
    request.node.user_properties.append((CELL, cell.id))
    cell_session.tests.append(request.node.nodeid)
"""
SUITE = """
import pytest
def test_leaks(guest): pass
def test_well(guest): pass
def test_last(guest): pytest.skip("not covered")
"""


def run(directory: Path, *arguments: str) -> tuple[str, dict[str, Any], set[str]]:
    """The terminal's text, the results of each cell, and the failed tests of the JUnit file."""
    (directory / "conftest.py").write_text(CONFTEST)
    (directory / "test_suite.py").write_text(SUITE)
    results, junit = directory / "results.json", directory / "results.xml"
    command = [sys.executable, "-m", "pytest", str(directory / "test_suite.py"), "-q", "-p", "no:cacheprovider"]
    command += [f"--rootdir={directory}", f"-c{ROOT / 'pyproject.toml'}", f"--guests={ROOT / 'guests'}"]
    command += [f"--results={results}", f"--junitxml={junit}", *arguments]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    failed = {
        case.get("name", "") for case in ElementTree.parse(junit).iter("testcase") if case.find("failure") is not None
    }
    return done.stdout, {cell["id"]: cell for cell in json.loads(results.read_text())["cells"]}, failed


@pytest.mark.parametrize("workers", ["0", "2"])
def test_it_fails_the_test_that_is_blamed_and_no_other(tmp_path: Path, workers: str) -> None:
    cells = ("--cell=linux-amd64", "--cell=linux-compat")
    text, results, failed = run(tmp_path, f"-n{workers}", *cells)
    name = "test_suite.py::test_leaks[linux-amd64]"
    assert f"FAILED {name} - " in text
    assert f"\nGuestCrash: kernel kmemleak report in {name}\n" in text
    assert failed == {"test_leaks[linux-amd64]"}
    counts = {cell: (each["passed"], each["failed"], each["not_covered"]) for cell, each in results.items()}
    assert counts == {"linux-amd64": (1, 1, 1), "linux-compat": (2, 0, 1)}
    assert (results["linux-amd64"]["status"], results["linux-compat"]["status"]) == ("failed", "passed")


def test_a_search_that_fails_fails_the_cell(tmp_path: Path) -> None:
    text, results, failed = run(tmp_path, "--cell=linux-x86")
    assert "GuestError: kmemleak cannot be asked" in text
    assert failed == {"test_last[linux-x86]"}
    assert results["linux-x86"]["status"] == "failed"
