"""The pytest plugin: selection, scheduling, and cells that cannot run. No guest is started here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.config import load_guests
from harness.matrix import cells
from harness.plugin.selection import cell_of

ROOT = Path(__file__).parents[2]
PROBE = "def test_probe(session): pass\n"
MIXED = """
import pytest
ring0 = pytest.mark.driver_options(ring0_images=1)
def test_1(session): pass
@ring0
def test_2(session): pass
def test_3(session): pass
@ring0
def test_4(session): pass
"""
LINUX = ["linux-amd64", "linux-compat", "linux-x86"]
FREEBSD = ["freebsd-amd64", "freebsd-compat", "freebsd-x86"]
WINDOWS = ["windows-amd64", "windows-compat", "windows-x86"]
ALL = [*FREEBSD, *LINUX, "os2-x86", *WINDOWS]


def run(
    directory: Path, *arguments: str, suite: str = PROBE
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """pytest on tests that want a guest, on a machine where no image has been built."""
    (directory / "test_probe.py").write_text(suite)
    results = directory / "results.json"
    command = [sys.executable, "-m", "pytest", str(directory / "test_probe.py"), "-q", "-rs", "-p", "no:cacheprovider"]
    command += [f"--rootdir={ROOT}", f"-c{ROOT / 'pyproject.toml'}", f"--results={results}", *arguments]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"XDG_CACHE_HOME": str(directory / "cache"), "XDG_STATE_HOME": str(directory / "state")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, json.loads(results.read_text()) if results.exists() else {}


def test_a_cell_without_an_image_is_skipped_with_what_to_do_and_not_green(tmp_path: Path) -> None:
    done, results = run(tmp_path)
    assert "has no image (build it: harness setup)" in done.stdout
    assert [cell["id"] for cell in results["cells"]] == ALL
    for cell in results["cells"]:
        assert (cell["status"], cell["passed"], cell["kernel"], cell["driver"]) == ("not_run", 0, "", "")
        to_do = "harness images fetch freebsd-" if cell["id"] in FREEBSD else "build it: harness setup"
        assert to_do in cell["reason"]
    assert results["passed"] is False


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        (["-m", "linux"], LINUX),
        (["-m", "freebsd"], FREEBSD),
        (["-m", "os2"], ["os2-x86"]),
        (["-m", "windows"], WINDOWS),
        (["-m", "windows and x86"], ["windows-x86"]),
        (["-m", "x86"], ["freebsd-x86", "linux-x86", "os2-x86", "windows-x86"]),
        (["-m", "linux and amd64"], ["linux-amd64", "linux-compat"]),
        (["-m", "compat"], ["freebsd-compat", "linux-compat", "windows-compat"]),
        (["--cell", "linux-compat", "--cell", "linux-x86"], ["linux-compat", "linux-x86"]),
        (["--cell", "linux-amd64-debug"], ["linux-amd64-debug"]),
    ],
)
def test_cells_are_selected_by_marker_and_by_name(tmp_path: Path, arguments: list[str], chosen: list[str]) -> None:
    done, _ = run(tmp_path, "--collect-only", *arguments)
    ids = [line.rpartition("[")[2].rstrip("]") for line in done.stdout.splitlines() if "::test_probe[" in line]
    assert ids == chosen


def test_in_a_cell_tests_with_the_same_driver_options_follow_each_other(tmp_path: Path) -> None:
    done, _ = run(tmp_path, "--collect-only", suite=MIXED)
    names = [line.rpartition("::")[2] for line in done.stdout.splitlines() if "::test_" in line]
    assert names == [f"test_{number}[{cell}]" for cell in ALL for number in (1, 3, 2, 4)]


def test_one_test_says_that_a_cell_has_no_image(tmp_path: Path) -> None:
    done, results = run(tmp_path, suite=MIXED)
    assert f"{len(ALL)} skipped, {3 * len(ALL)} deselected" in done.stdout
    assert [cell["status"] for cell in results["cells"]] == ["not_run"] * len(ALL)


def test_an_unknown_cell_is_a_usage_error_that_names_the_known_ones(tmp_path: Path) -> None:
    done, _ = run(tmp_path, "--cell", "linux-arm")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "no cell 'linux-arm' (cells: freebsd-amd64, freebsd-compat, freebsd-x86, linux-amd64, " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("node", "cell"),
    [
        ("t.py::test_a[linux-x86]", "linux-x86"),
        ("t.py::test_a[linux-compat-COOKIE-null]", "linux-compat"),
        ("t.py::test_a[null-linux-amd64]", "linux-amd64"),
        ("t.py::test_a[linux-amd64-debug-null]", "linux-amd64-debug"),
        ("t.py::test_a[linux-x866]", None),
        ("t.py::test_linux-x86", None),
    ],
)
def test_the_scheduler_reads_the_cell_from_a_tests_id(node: str, cell: str | None) -> None:
    assert cell_of(node, cells(load_guests(ROOT / "guests"))) == cell


COLLECTED = """
import gc
COLLECTING = gc.isenabled()
def test_garbage_is_looked_for_again_but_not_in_what_was_there():
    assert (COLLECTING, gc.isenabled()) == (False, True)
    assert gc.get_freeze_count() > 10_000
"""


def test_nobody_looks_for_garbage_in_what_was_collected(tmp_path: Path) -> None:
    done, _ = run(tmp_path, suite=COLLECTED)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
