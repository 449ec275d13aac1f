"""A driver that fails costs the test in which it fails, and nothing else. Real guests, a driver told to fail."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.config import load_guests
from harness.session import guest_images

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
def test_8_warning(session, guest):
    fail(session, "WARN")
    session.close()
    guest.agent.driver_unload(guest.target.module)
    guest.load_driver()
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

WINDOWS = """
from harness.abi import CONSTANTS, Status

def fail(session, fault):
    return session.call("TEST_FAULT", uFault=CONSTANTS["SUPTESTFAULT_" + fault]).outcome

def well(session):
    return session.call("GET_PAGING_MODE").outcome == Status.OK

def test_1_before(session): assert well(session)
def test_2_panic(session): fail(session, "PANIC")
def test_3_after_panic(session): assert well(session)
def test_4_null(session): fail(session, "OOPS")
def test_5_after_null(session): assert well(session)
def test_6_loop(session): fail(session, "SPIN")
def test_7_after_loop(session): assert well(session)
def test_8_exception(session): fail(session, "BUG_WITH_LOCK")
def test_9_after_exception(session): assert well(session)
"""

OS2 = """
from harness.abi import CONSTANTS, Status

def fail(session, fault):
    return session.call("TEST_FAULT", uFault=CONSTANTS["SUPTESTFAULT_" + fault]).outcome

def well(session):
    return session.call("GET_PAGING_MODE").outcome == Status.OK

def test_1_before(session): assert well(session)
def test_2_panic(session): fail(session, "PANIC")
def test_3_after_panic(session): assert well(session)
def test_4_null(session): fail(session, "OOPS")
def test_5_after_null(session): assert well(session)
def test_6_hang(session): fail(session, "HANG")
def test_7_after_hang(session): assert well(session)
def test_8_loop(session): fail(session, "SPIN")
def test_9_after_loop(session): assert well(session)
"""

UNNOTICED = """
from harness.abi import CONSTANTS, Status

def fail(session, fault):
    assert session.call("TEST_FAULT", uFault=CONSTANTS["SUPTESTFAULT_" + fault]).outcome == Status.OK

def well(session):
    assert session.call("GET_PAGING_MODE").outcome == Status.OK

def test_1_before(session): well(session)
def test_2_use_after_free(session): fail(session, "USE_AFTER_FREE")
def test_3_after_use_after_free(session): well(session)
def test_4_lock_inversion(session): fail(session, "LOCK_INVERSION")
def test_5_after_lock_inversion(session): well(session)
def test_6_leak(session): fail(session, "LEAK")
def test_7_after_leak(session): well(session)
"""


def run(suite: str, cell: str, directory: Path, *, status: int = 1) -> tuple[str, dict[str, Any]]:
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
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=1800)
    assert done.returncode == status, done.stdout + done.stderr
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
    ended = "libvirt: shutting down: the guest asked for it, stopped: it shut down"
    assert f"the guest reset itself or was ended ({ended}) in " in text
    assert "kernel bug in " in text


@pytest.fixture
def windows_cell() -> str:
    """The cell of Windows, if its image has been built."""
    return _built("windows-amd64", "harness setup --also windows-amd64 does")


def _built(cell: str, how: str) -> str:
    (guest,) = (guest for guest in load_guests(ROOT / "guests") if cell in guest.cells)
    if guest_images.find(guest) is None:
        pytest.skip(f"the image of {cell} has not been built ({how})")
    return cell


def test_on_windows_a_panic_a_null_pointer_a_loop_and_an_exception_cost_one_test_each(
    windows_cell: str, tmp_path: Path
) -> None:
    text, results = run(WINDOWS, windows_cell, tmp_path)
    assert (results["passed"], results["failed"], results["errors"]) == (5, 4, 0), text
    assert "kernel panic in " in text
    assert "a request hangs in " in text
    evidence = tmp_path / "evidence" / windows_cell
    for test, said, function in (
        ("4_null", "Unhandled page fault on write access", "supdrv_fault_null_write"),
        ("8_exception", "Unhandled illegal instruction", "fault_bug_with_lock"),
    ):
        (folder,) = evidence.glob(f"*test_{test}*")
        verdict = (folder / "verdict.txt").read_text()
        assert "request:   TEST_FAULT (0x" in verdict
        assert f"{function} at win/faults.c:" in verdict
        assert "[supdrv+0x" in verdict
        assert said in (folder / "console.log").read_text()


def test_on_os2_a_panic_a_trap_a_hang_and_a_loop_cost_one_test_each(tmp_path: Path) -> None:
    cell = "os2-x86"
    text, results = run(OS2, cell, tmp_path)
    assert (results["passed"], results["failed"], results["errors"]) == (5, 4, 0), text
    evidence = tmp_path / "evidence" / cell
    for test, said, place in (
        ("2_panic", "kernel panic in ", "fault_panic at os2/faults.c:"),
        ("4_null", "kernel trap in ", "supdrv_fault_null_write at os2/faults.c:"),
        ("6_hang", "a request hangs in ", "fault_hang at os2/faults.c:"),
        ("8_loop", "the guest hangs in ", "fault_spin at os2/faults.c:"),
    ):
        (folder,) = evidence.glob(f"*test_{test}*")
        verdict = (folder / "verdict.txt").read_text()
        assert said in verdict
        assert "request:   TEST_FAULT (0x" in verdict
        assert place in verdict


@pytest.fixture
def debug_cell() -> str:
    """The cell whose kernel notices what others do not, if that kernel has been built."""
    return _built("linux-amd64-debug", "make lab DEBUG=1 does, in a quarter of an hour")


def test_what_only_the_debug_kernel_notices_costs_one_test_each(debug_cell: str, tmp_path: Path) -> None:
    text, results = run(UNNOTICED, debug_cell, tmp_path)
    assert (results["passed"], results["failed"], results["errors"]) == (4, 3, 0), text
    evidence = tmp_path / "evidence" / debug_cell
    assert sorted(folder.name for folder in evidence.iterdir()) == [
        f"test_{name}_{debug_cell}" for name in ("2_use_after_free", "4_lock_inversion", "6_leak")
    ]
    for test, verdict, frame in (
        ("2_use_after_free", "kasan report in {}: use-after-free in supdrv_fault_use_after_free+0x", "kmod/faults.c:"),
        ("4_lock_inversion", "lockdep report in {}: possible circular locking dependency detected", "kmod/faults.c:"),
        (
            "6_leak",
            "kmemleak report in {}: memory leaked, 1024 bytes, from supdrv_fault_leak+0x",
            "in supdrv_fault_leak",
        ),
    ):
        (folder,) = evidence.glob(f"test_{test}_*")
        written = (folder / "verdict.txt").read_text()
        assert verdict.format(f"::test_{test}[{debug_cell}]") in written
        assert frame in written


def test_what_only_the_debug_kernel_notices_passes_elsewhere(tmp_path: Path) -> None:
    _, results = run(UNNOTICED, "linux-amd64", tmp_path, status=0)
    assert (results["passed"], results["failed"], results["errors"]) == (7, 0, 0)
