"""Counts what the tests of each cell came to, in the process that the user started."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.matrix import Cell
from harness.results import FAILED, NOT_RUN, PASSED, CellResult, to_json

CELL = "harness.cell"
KERNEL = "harness.kernel"
DRIVER = "harness.driver"
UNAVAILABLE = "harness.unavailable"
EMULATED = "harness.emulated"
"""A capability that the test needs, and that the guest has a stand-in for."""

VERDICT = "harness.verdict"
"""The fields of a Verdict as JSON."""


def verdict_properties(error: BaseException) -> list[tuple[str, str]]:
    """What a report carries of the verdict of `error`; nothing if it has none."""
    verdict = error.verdict if isinstance(error, HarnessError) else None
    return [] if verdict is None else [(VERDICT, json.dumps(verdict.fields()))]


BLAMED = "harness.blamed"
"""Id of the test whose failure a report is, if it is not that of the test it came with."""


@dataclass(slots=True)
class _Tally:
    kernel: str = ""
    driver: str = ""
    unavailable: str = ""
    passed: set[str] = field(default_factory=set)
    emulated: set[str] = field(default_factory=set)
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    first: float = 0.0
    last: float = 0.0
    troubles: list[Mapping[str, str]] = field(default_factory=list)


class ResultsCollector:
    """A plugin of its own: hears every report, xdist's included."""

    def __init__(self, cells: Sequence[Cell], path: Path | None, *, isolation: str) -> None:
        self._cells = cells
        self._path = path
        self._isolation = isolation
        self._tallies: dict[str, _Tally] = {}
        self.results: list[CellResult] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        facts = dict(report.user_properties)
        if BLAMED in facts:
            report.nodeid = str(facts[BLAMED])
            file, _, name = report.nodeid.partition("::")
            report.location = (file, None, name)
        cell = facts.get(CELL)
        if cell is None:
            return
        tally = self._tallies.setdefault(str(cell), _Tally())
        tally.kernel = str(facts.get(KERNEL, tally.kernel))
        tally.driver = str(facts.get(DRIVER, tally.driver))
        tally.first = min(tally.first or report.start, report.start)
        tally.last = max(tally.last, report.stop)
        if report.skipped:
            if UNAVAILABLE in facts:
                tally.unavailable = str(facts[UNAVAILABLE])
            else:
                tally.skipped += 1
        elif report.failed:
            if VERDICT in facts:
                tally.troubles.append(json.loads(str(facts[VERDICT])))
            tally.passed.discard(report.nodeid)
            if report.when == "call":
                tally.failed += 1
            else:
                tally.errors += 1
        elif report.when == "call":
            tally.passed.add(report.nodeid)
            if EMULATED in facts:
                tally.emulated.add(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self.results = [self._result(cell) for cell in self._cells]
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(to_json(self.results), encoding="utf-8")

    def _result(self, cell: Cell) -> CellResult:
        tally = self._tallies.get(cell.id, _Tally())
        if tally.failed or tally.errors:
            status = FAILED
            reason = f"{tally.failed} failed, {tally.errors} errors"
        elif tally.passed:
            status, reason = PASSED, ""
        else:
            status = NOT_RUN
            reason = tally.unavailable or "no test of this cell ran"
        return CellResult(
            id=cell.id,
            status=status,
            reason=reason,
            required=cell.required,
            kernel=tally.kernel,
            driver=tally.driver,
            passed=len(tally.passed),
            failed=tally.failed,
            errors=tally.errors,
            not_covered=tally.skipped,
            seconds=round(tally.last - tally.first, 3),
            troubles=tuple(tally.troubles),
            emulated=len(tally.passed & tally.emulated),
            isolation=self._isolation,
        )
