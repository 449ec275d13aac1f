"""Runs canaries as if they were tests: the same sessions, the same way to a verdict."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.canary import steps
from harness.canary.expectation import Sighting, complaints, sight
from harness.canary.table import Canary
from harness.console.follower import KEPT_BYTES
from harness.errors import HarnessError
from harness.matrix import Cell
from harness.session.cell_session import CellSession
from harness.session.driver_session import DriverSession
from harness.session.judging import judged
from harness.session.lab import Lab

_NOTE_BYTES = 100
"""More than the line has that tells what of a console is left out."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one canary. `verdict_seconds` are from its request to the verdict, `next_seconds` from there until
    the next test, in a guest that is well, had passed. `problems` says what is not as it should be."""

    cell: str
    canary: str
    expected: str
    why: str
    sighting: Sighting
    verdict_seconds: float
    next_seconds: float
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotRun:
    """A cell in which none could run, and why; a `required` one makes that a failure."""

    cell: str
    required: bool
    reason: str


def run_canaries(lab: Lab, cell: Cell, canaries: Sequence[Canary]) -> Iterator[Result]:
    """One after another in one session of `cell`, which runs the driver that fails, with a test that does not fail
    before the first and after each."""
    session = CellSession(lab, cell)
    try:
        error = _behaves(session, "before all canaries")
        if error is not None:
            raise error
        for canary in canaries:
            yield run_canary(session, canary)
    finally:
        session.close()


def run_canary(session: CellSession, canary: Canary) -> Result:
    """`canary` as one test of `session`, and a test after it."""
    test, expected = f"canary::{canary.name}", canary.expectation(session.cell)
    session.begin_test(test)
    driver = session.new_client().open_session()
    if canary.before is not None:
        canary.before(session, driver)
    begin = time.monotonic()
    error = _outcome(session, canary, driver)
    end = time.monotonic()
    problems = [*_without_evidence(error), *_too_much_kept(session)]
    afterwards = _behaves(session, f"after {canary.name}")
    next_seconds = time.monotonic() - end
    if expected.late and error is None and afterwards is None:
        error = dict(session.find_leaks()).get(test)
        end = time.monotonic()
        problems += _without_evidence(error)
        afterwards = _behaves(session, f"after the search for {canary.name}")
        next_seconds = time.monotonic() - end
    sighting = sight(error, test=test, request=expected.request)
    problems += complaints(sighting, expected)
    if afterwards is not None:
        problems.append(f"the next test failed: {afterwards}")
    return Result(
        cell=session.cell.id,
        canary=canary.name,
        expected=expected.said.value,
        why=expected.why,
        sighting=sighting,
        verdict_seconds=round(end - begin, 3),
        next_seconds=round(next_seconds, 3),
        problems=tuple(problems),
    )


def _outcome(session: CellSession, canary: Canary, driver: DriverSession) -> Exception | None:
    """What the test ended with."""
    try:
        with judged(session):
            steps.fail(driver, canary.fault)
            if canary.after is not None:
                canary.after(session, driver)
    except Exception as error:  # what a test can raise, pytest would report
        return error
    return None


def _behaves(session: CellSession, test: str) -> Exception | None:
    """Run a test in which the driver does what it should; what it ended with."""
    try:
        session.begin_test(f"canary::{test}")
        with judged(session):
            steps.behave(session, session.new_client().open_session())
    except Exception as error:  # a false alarm, whatever it is
        return error
    return None


def _without_evidence(error: Exception | None) -> list[str]:
    """What is wrong with the evidence of a verdict."""
    verdict = error.verdict if isinstance(error, HarnessError) else None
    if verdict is None:
        return []
    file = Path(verdict.evidence) / "verdict.json"
    if not file.exists() or json.loads(file.read_text()) != verdict.fields():
        return [f"{file} does not have the verdict"]
    return []


def _too_much_kept(session: CellSession) -> list[str]:
    """What is wrong with the size of the console's text in memory."""
    kept = len(session.guest.console.text())
    return [f"{kept} bytes of the console are kept"] if kept > KEPT_BYTES + _NOTE_BYTES else []
