"""The ioctl suite as a judge: run again and again in one pytest, in one guest for as long as that is well."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path

import pytest
from _pytest.nodes import Node
from _pytest.runner import runtestprotocol

from harness.errors import BootError, ConfigError, HarnessError, ProvisionError, SetupError
from harness.matrix import Cell
from harness.plugin.fixtures import SESSION
from harness.plugin.selection import driver_options
from harness.session.cell_session import CellSession
from harness.targets import DriverBuild

_NOT_THE_DRIVERS = (BootError, ConfigError, ProvisionError, SetupError)
_SLOW_SECONDS = 0.5

Kills = Mapping[str, Mapping[str, int]]
"""How many mutants of a file a test has caught, by test and file."""


class CannotMeasure(Exception):
    """For reasons that have nothing to do with a mutant: the lab, or a suite that fails without one."""


class _OnlySession:
    """Stands for the next test, of which nothing is known but that it belongs to the same session: what lives for the
    session, as the guest does, is kept."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session

    def listchain(self) -> list[Node]:
        return [self._session]


def _is_left_out(item: pytest.Item) -> bool:
    """Whether the test needs what its cell's guest lacks."""
    callspec = getattr(item, "callspec", None)
    cell = callspec.params.get("cell") if callspec is not None else None
    wanted = [str(mark.args[0]) for mark in item.iter_markers("needs")]
    return isinstance(cell, Cell) and any(cell.missing(name) is not None for name in wanted)


class Suite:
    """A pytest plugin. When the tests are collected it lets `work` decide what to run. The tree with the mistakes is
    pytest's --driver-tree, so that whatever restarts the guest builds what is there."""

    def __init__(self, work: Callable[[Suite], None]) -> None:
        self._work = work
        self._items: Sequence[pytest.Item] = []
        self._after: _OnlySession | None = None
        self._seconds: dict[str, float] = {}
        self._trouble: Exception | None = None
        self.failure = ""
        """What the last test that failed said."""
        self.stopped_by = ""
        """Why the work was given up, if it was."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._items = [item for item in session.items if not _is_left_out(item)]
        self._after = _OnlySession(session)
        if session.testsfailed or not self._items:
            self.stopped_by = "the suite cannot be collected"
            return True
        try:
            self._work(self)
        except CannotMeasure as error:
            self.stopped_by = str(error)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        if call.excinfo is not None and isinstance(call.excinfo.value, _NOT_THE_DRIVERS):
            self._trouble = call.excinfo.value
        return (yield)

    @property
    def tests(self) -> Sequence[str]:
        """The ids of all tests."""
        return [item.nodeid for item in self._items]

    def begin_anew(self) -> None:
        """Let the next test begin with a fresh kernel, whatever an earlier driver has left in the one that runs."""
        self._items[0].stash[SESSION].retire()

    def check(self, *, whole: bool) -> None:
        """Run all tests, or only the first, with the driver as it is. Raises CannotMeasure if one fails."""
        failed = self._first_failure(self._items if whole else self._items[:1])
        if failed is not None:
            raise CannotMeasure(f"the suite fails without a mistake in the driver: {failed}\n{self.failure}")

    def judge(self, driver: DriverBuild, file: str, *, reference: DriverBuild, kills: Kills) -> str | None:
        """All tests with `driver`, which has a mistake in `file`, until one fails, which is returned. Those come first
        that have caught mutants of the same file, then those whose module has a word of the file's name, then those
        that have caught others. Neither a busy machine nor what an earlier test left in the guest must pass for a good
        test: a failure that has not cost the guest has to come again, and not with the `reference` driver."""
        session = self._items[0].stash[SESSION]
        self._change_driver(session, driver)
        for item in self._ordered(kills, file):
            if not self._fails(item):
                continue
            if not session.running:
                return item.nodeid
            if self._fails(item) and (self._passes_with(reference, item) or self._fails(item)):
                return item.nodeid
        self._passes_with(reference, self._items[0])
        return None

    def _passes_with(self, reference: DriverBuild, item: pytest.Item) -> bool:
        """Whether the guest is well, as far as `item` can tell. One that is not is ended."""
        session = item.stash[SESSION]
        if not session.running:
            return True
        self._change_driver(session, reference)
        if session.running and not self._fails(item):
            return True
        session.close()
        return False

    def _change_driver(self, session: CellSession, driver: DriverBuild) -> None:
        """In the running guest; where it does not take it, the next test begins with a fresh kernel."""
        if not session.running:
            return
        try:
            session.change_driver(driver)
        except HarnessError:
            session.retire()

    def _ordered(self, kills: Kills, file: str) -> list[pytest.Item]:
        topics = set(Path(file).stem.split("_"))
        places: dict[str, int] = {}

        def rank(item: pytest.Item) -> tuple[int, bool, list[tuple[str, int]], int, bool, int]:
            caught = kills.get(item.nodeid, {})
            module = item.nodeid.partition("::")[0]
            unrelated = topics.isdisjoint(Path(module).stem.split("_"))
            options = sorted(driver_options(item).items())  # changing them costs a load of the driver
            slow = self._seconds.get(item.nodeid, 0.0) > _SLOW_SECONDS
            place = places[module] = places.get(module, -1) + 1
            return -caught.get(file, 0), unrelated, options, -sum(caught.values()), slow, place

        return sorted(self._items, key=rank)

    def _first_failure(self, items: Sequence[pytest.Item]) -> str | None:
        return next((item.nodeid for item in items if self._fails(item)), None)

    def _fails(self, item: pytest.Item) -> bool:
        item.user_properties.clear()
        begin = time.monotonic()
        reports = runtestprotocol(item, log=False, nextitem=self._after)  # type: ignore[arg-type]  # see _OnlySession
        self._seconds[item.nodeid] = time.monotonic() - begin
        if self._trouble is not None:
            raise CannotMeasure(f"{item.nodeid}: {self._trouble}") from self._trouble
        failed = [report for report in reports if report.failed]
        if failed:
            self.failure = failed[0].longreprtext
        return bool(failed)
