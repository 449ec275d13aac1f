"""What is measured side by side: ratios, what did not run, the table, and that commands leave nothing behind."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.peers.command import DidNotRun, measure_pytest, run
from tools.peers.measured import Outcome, Range, rows
from tools.peers.ours import shares
from tools.peers.table import as_json, table

ROUNDS = [
    {"ours": Outcome(2.5, 20), "slow": Outcome(25.0, 20), "each": Outcome(24.0, 3)},
    {"ours": Outcome(5.0, 20), "slow": Outcome(30.0, 20), "each": Outcome(48.0, 3)},
    {"ours": Outcome(10.0, 20), "slow": Outcome(200.0, 20), "each": Outcome(96.0, 3)},
]


def test_ratios_are_of_seconds_per_test_within_a_round() -> None:
    ours, slow, each = rows(ROUNDS, reference="ours")
    assert ours.ratio == Range(1.0, 1.0, 1.0)
    assert slow.ratio == Range(10.0, 6.0, 20.0)
    assert each.ratio == Range(64.0, 64.0, 64.0)


def test_a_row_has_median_and_range() -> None:
    _, slow, each = rows(ROUNDS, reference="ours")
    assert slow.seconds == Range(30.0, 25.0, 200.0)
    assert (each.tests, each.per_test) == (3, Range(16.0, 8.0, 32.0))


def test_what_did_not_run_in_every_round_has_no_figure() -> None:
    last = {**ROUNDS[2], "slow": Outcome.absent("no kernel")}
    row = rows([*ROUNDS[:2], last], reference="ours")[1]
    assert (row.seconds, row.per_test, row.ratio, row.reason) == (None, None, None, "no kernel")


def test_without_the_reference_there_is_no_ratio() -> None:
    outcomes = {**ROUNDS[0], "ours": Outcome.absent("broken")}
    assert [row.ratio for row in rows([outcomes], reference="ours")] == [None, None, None]


def test_the_table_says_what_did_not_run_and_why() -> None:
    outcomes = {**ROUNDS[0], "slow": Outcome.absent("no kernel")}
    _, ours, slow, each = table(rows([outcomes], reference="ours"))
    assert ours.split() == ["ours", "20", "2.5", "(2.5..2.5)", "0.12", "(0.12..0.12)", "1.0", "(1.0..1.0)"]
    assert slow.split() == ["slow", "did", "not", "run:", "no", "kernel"]
    assert "64.0 (64.0..64.0)" in each


def test_the_json_has_every_round_and_the_facts() -> None:
    written = json.loads(json.dumps(as_json(rows(ROUNDS, reference="ours"), ROUNDS, {"kernel": "6.1"})))
    assert written["kernel"] == "6.1"
    assert written["variants"][1]["ratio"] == {"median": 10.0, "low": 6.0, "high": 20.0}
    assert [each["slow"]["seconds"] for each in written["rounds"]] == [25.0, 30.0, 200.0]


@pytest.mark.parametrize(("count", "dealt"), [(20, [5, 5, 5, 5]), (6, [2, 2, 1, 1]), (2, [1, 1])])
def test_tests_are_dealt_to_files(count: int, dealt: list[int]) -> None:
    assert shares(count, 4) == dealt


def test_a_command_that_fails_did_not_run(tmp_path: Path) -> None:
    with pytest.raises(DidNotRun, match=r"sh ended with status 3: no such thing"):
        run(["sh", "-c", "echo no such thing; exit 3"], env={}, cwd=tmp_path, timeout=10)


def test_what_a_late_command_started_ends_with_it(tmp_path: Path) -> None:
    script = "sleep 60 & echo $! >child; wait"
    with pytest.raises(DidNotRun, match="did not end within 0 s"):
        run(["sh", "-c", script], env={}, cwd=tmp_path, timeout=0.3)
    child = Path("/proc", (tmp_path / "child").read_text().strip())
    end = time.monotonic() + 5
    while child.exists() and "State:\tZ" not in (child / "status").read_text():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("suite", "passes"),
    [
        ("def test_a(): pass\ndef test_b(): pass\n", True),
        ("def test_a(): pass\n", False),
        ("import pytest\ndef test_a(): pass\ndef test_b(): pytest.skip()\n", False),
        ("def test_a(): pass\ndef test_b(): assert False\n", False),
    ],
)
def test_a_suite_counts_if_all_of_it_passes(tmp_path: Path, suite: str, passes: bool) -> None:
    (tmp_path / "test_it.py").write_text(suite)
    command = [sys.executable, "-m", "pytest", "-q", "-pno:cacheprovider", "-pno:harness", "test_it.py"]
    if passes:
        outcome = measure_pytest(command, tests=2, cwd=tmp_path, timeout=60)
        assert outcome.tests == 2
        assert outcome.per_test == pytest.approx((outcome.seconds or 0) / 2)
    else:
        with pytest.raises(DidNotRun):
            measure_pytest(command, tests=2, cwd=tmp_path, timeout=60)


def test_the_client_is_one_that_compiles_with_the_interface(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{root / 'core/include'}"]
    subprocess.run(["gcc", *flags, str(root / "tools/peers/client.c")], check=True)
