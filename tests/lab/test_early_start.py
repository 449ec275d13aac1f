"""The guest of a run's only cell starts while pytest collects; whatever the tests come to, it ends with the run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CELL = "--cell=linux-amd64"
Run = Callable[..., subprocess.CompletedProcess[str]]

# Collection is held up until there is a guest.
CONFTEST = """
import subprocess, time

def pytest_collection_finish(session):
    end = time.monotonic() + {seconds}
    while not (found := guests()) and time.monotonic() < end:
        time.sleep(0.05)
    print("guests while collecting:", len(found))

def guests():
    return subprocess.run(["pgrep", "-f", "qemu.*{state}"], capture_output=True, text=True).stdout.split()
"""
SUITE = "def test_one(guest): guest.counters()\n"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def start(*arguments: str, seconds: float = 60.0, conftest: str = CONFTEST) -> subprocess.CompletedProcess[str]:
        tests = tmp_path / "suite"
        tests.mkdir()
        (tests / "conftest.py").write_text(conftest.format(state=tmp_path, seconds=seconds))
        (tests / "test_one.py").write_text(SUITE)
        command = [sys.executable, "-m", "pytest", str(tests), "-q", "-s", "-p", "no:cacheprovider"]
        command += [f"--rootdir={ROOT}", f"-c{ROOT / 'pyproject.toml'}", *arguments]
        environment = os.environ | {"XDG_STATE_HOME": str(tmp_path)}
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300
        )

    return start


def left(directory: Path) -> list[str]:
    """Guests and runs that have their state in `directory`."""
    found = subprocess.run(["pgrep", "-f", f"qemu.*{directory}"], capture_output=True, text=True, check=False)
    return [*found.stdout.split(), *map(str, directory.glob("supdrv-harness/runs/*"))]


def test_the_guest_is_there_before_collection_ends(run: Run, tmp_path: Path) -> None:
    done = run(CELL)
    assert done.returncode == pytest.ExitCode.OK, done.stdout
    assert "guests while collecting: 1" in done.stdout
    assert left(tmp_path) == []


def test_it_ends_if_no_test_is_left(run: Run, tmp_path: Path) -> None:
    done = run(CELL, "-k", "nothing")
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "guests while collecting: 1" in done.stdout
    assert left(tmp_path) == []


def test_it_ends_if_the_tests_cannot_be_read(run: Run, tmp_path: Path) -> None:
    done = run(CELL, conftest="import no_such_module")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "No module named 'no_such_module'" in done.stderr
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "arguments", [(CELL, "--collect-only"), (CELL, "--fixtures"), (CELL, "--cell=linux-x86", "-k", "nothing")]
)
def test_no_guest_is_started_that_may_not_be_wanted(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert "guests while collecting: 0" in run(*arguments, seconds=3.0).stdout
    assert left(tmp_path) == []


def test_what_goes_wrong_is_what_the_first_test_fails_with(run: Run, tmp_path: Path) -> None:
    done = run(CELL, "--uri=qemu+tcp://127.0.0.1:1/session", seconds=0)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "cannot connect to libvirt at qemu+tcp://127.0.0.1:1/session" in done.stdout
    assert "1 error" in done.stdout
    assert left(tmp_path) == []
