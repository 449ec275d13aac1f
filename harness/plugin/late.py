"""Verdicts that come late: what is found only when a cell's tests are over still fails the test that did it."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from harness.errors import HarnessError
from harness.plugin.collector import BLAMED, CELL, verdict_properties
from harness.plugin.early import SESSIONS
from harness.plugin.selection import cell_id


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, None, None]:
    """After a cell's last test, and before its guest ends, look for what its tests have leaked."""
    cell = cell_id(item)
    session = item.config.stash.get(SESSIONS, {}).get(cell)
    if session is not None and (nextitem is None or cell_id(nextitem) != cell):
        try:
            for test, error in session.find_leaks():
                _blame(test, error, cell=cell, last=item)
        except HarnessError as error:
            _blame(item.nodeid, error, cell=cell, last=item)
    return (yield)


def _blame(test: str, error: HarnessError, *, cell: str, last: pytest.Item) -> None:
    """Report a failure of `test`, whose own report is long out.

    It goes out under the name of the test that runs now, as a worker of xdist must; the collector, in the process
    that the user started, gives it to the test that is blamed.
    """
    report = pytest.TestReport(
        nodeid=last.nodeid,
        location=last.location,
        keywords={},
        outcome="failed",
        longrepr=f"{type(error).__name__}: {error}",
        when="call",
        user_properties=[(CELL, cell), (BLAMED, test), *verdict_properties(error)],
    )
    last.ihook.pytest_runtest_logreport(report=report)
