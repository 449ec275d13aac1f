"""A driver that fails costs the test in which it fails, and nothing else. Real guests, a driver told to fail."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

SUITE = """
from harness.abi import CONSTANTS, Status

def fail(session, fault):
    return session.call("TEST_FAULT", uFault=CONSTANTS["SUPTESTFAULT_" + fault]).outcome

def well(session):
    return session.call("GET_PAGING_MODE").outcome == Status.OK

def test_1_before(session): assert well(session)
def test_2_panic(session): fail(session, "PANIC")
def test_3_after_panic(session): assert well(session)
def test_4_oops(session): fail(session, "OOPS")
def test_5_after_oops(session): assert well(session)
def test_6_hang(session): fail(session, "HANG")
def test_7_after_hang(session): assert well(session)
def test_8_warning(session): fail(session, "WARN")
def test_9_after_warning(session): assert well(session)
"""

MORE = """
from harness.abi import CONSTANTS, Status

def fail(session, fault):
    return session.call("TEST_FAULT", uFault=CONSTANTS["SUPTESTFAULT_" + fault]).outcome

def test_1_spin(session): fail(session, "SPIN")
def test_2_oops_in_interrupt(session): fail(session, "OOPS_IN_INTERRUPT")
def test_3_reboot(session): fail(session, "REBOOT")
def test_4_bug(session): fail(session, "BUG_WITH_LOCK")
def test_5_after(session): assert fail(session, "NONE") == Status.OK
"""


def run(suite: str, cell: str, directory: Path) -> tuple[str, dict[str, Any]]:
    """The terminal's text and the cell's results of `suite` with the driver that fails on request."""
    (directory / "test_suite.py").write_text(suite)
    results = directory / "results.json"
    command = [
        sys.executable,
        "-m",
        "pytest",
        str(directory / "test_suite.py"),
        "-p",
        "no:cacheprovider",
        "-q",
    ]
    command += [f"--rootdir={ROOT}", f"-c{ROOT / 'pyproject.toml'}", "--driver=faults", f"--cell={cell}"]
    command += [f"--results={results}", f"--evidence={directory / 'evidence'}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 1, done.stdout + done.stderr
    (cell_results,) = json.loads(results.read_text())["cells"]
    return done.stdout, cell_results


@pytest.mark.parametrize("cell", ["linux-amd64", "linux-x86", "linux-compat"])
def test_panic_oops_hang_and_warning_cost_one_test_each(cell: str, tmp_path: Path) -> None:
    text, results = run(SUITE, cell, tmp_path)
    assert (results["passed"], results["failed"], results["errors"]) == (5, 4, 0), text
    assert "kernel panic in " in text
    assert "kernel oops in " in text
    assert "a request hangs in " in text
    assert "kernel warning in " in text
    evidence = tmp_path / "evidence" / cell
    verdicts = [(folder / "verdict.txt").read_text() for folder in evidence.iterdir()]
    assert [verdict.count("request:   TEST_FAULT (0xc0") for verdict in verdicts] == [1] * 4
    (oops,) = evidence.glob("*test_4_oops*")
    verdict = (oops / "verdict.txt").read_text()
    assert "supdrv_fault_null_write+0x" in verdict
    assert "at kmod/faults.c:" in verdict
    assert "BUG: kernel NULL pointer dereference" in (oops / "console.log").read_text()
    (hang,) = evidence.glob("*test_6_hang*")
    assert "at kmod/faults.c:" in (hang / "verdict.txt").read_text()


@pytest.mark.parametrize("cell", ["linux-amd64", "linux-x86"])
def test_a_deaf_guest_an_interrupt_a_reset_and_a_bug_are_told_apart(cell: str, tmp_path: Path) -> None:
    text, results = run(MORE, cell, tmp_path)
    assert (results["passed"], results["failed"], results["errors"]) == (1, 4, 0), text
    assert "the guest hangs in " in text
    assert "in fault_spin" in text
    assert "supdrv_fault_in_interrupt+0x" in text
    assert "the guest reset itself or was ended in " in text
    assert "kernel bug in " in text
