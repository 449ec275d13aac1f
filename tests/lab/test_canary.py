"""Every way in which the driver can fail, in a real guest: noticed, named and blamed as documented."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from harness.canary.table import CANARIES

ROOT = Path(__file__).parents[2]
HARNESS = Path(sys.executable).with_name("harness")
DEADLINE = 4.0
"""Of a request: five canaries wait for it."""


def test_each_canary_is_noticed_named_and_blamed(tmp_path: Path) -> None:
    file = tmp_path / "canaries.json"
    command = [HARNESS, "canary", "--cell", "linux-amd64", "--request-deadline", str(DEADLINE), "--json", file]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(file.read_text())
    assert document["passed"]
    found = {entry["canary"]: entry for entry in document["canaries"]}
    assert list(found) == [canary.name for canary in CANARIES["linux"]]
    assert all(entry["said"] == entry["expected"] for entry in found.values())
    assert all(entry["right_test"] and entry["right_request"] for entry in found.values())
    hangs = [entry["verdict_seconds"] for entry in found.values() if entry["said"].endswith("hang")]
    assert len(hangs) == 5
    assert min(hangs) >= DEADLINE
    assert 1.0 <= found["late answer"]["verdict_seconds"] < DEADLINE


def test_an_unknown_canary_is_a_message_that_names_the_known_ones() -> None:
    done = subprocess.run(
        [HARNESS, "canary", "--canary", "dodo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no canary 'dodo' (canaries: panic, oops, " in done.stderr
