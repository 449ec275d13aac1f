"""A suite that judges drivers again and again in one run of pytest; the guest is made up, and the driver too."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.targets import DriverBuild
from tools.core_programs import ROOT
from tools.mutants.suite import Suite

TESTS = """
import pytest
from harness.errors import DriverLoadError
from harness.plugin.fixtures import SESSION

ran = []

class Guest:
    running = True
    driver = "good"
    def change_driver(self, build):
        self.driver = build.build_id
        if self.driver == "does not load":
            raise DriverLoadError(self.driver)
    def end_test(self):
        pass
    def explain(self, error):
        return error
    def retire(self):
        ran.append("retire")
    def close(self):
        ran.append("close")
        self.driver = "new guest"

@pytest.fixture(scope="session")
def the_guest():
    return Guest()

@pytest.fixture
def guest(the_guest, request):
    request.node.stash[SESSION] = the_guest
    ran.append(request.node.name)
    return the_guest

@pytest.mark.parametrize("number", range(3))
def test_first(guest, number):
    pass

def test_bad(guest):
    assert guest.driver != "bad"
"""
GOOD = DriverBuild(path=Path("good"), build_id="good", seconds=0.0)
BAD = DriverBuild(path=Path("bad"), build_id="bad", seconds=0.0)
LOCKED = DriverBuild(path=Path("locked"), build_id="does not load", seconds=0.0)


def run(directory: Path, work: Callable[[Suite], None], *, tests: str = TESTS) -> tuple[Suite, list[str]]:
    """What pytest ran of `tests` because of `work`."""
    (directory / "test_suite.py").write_text(tests)
    ran: list[str] = []

    class Witness:
        def pytest_collection_finish(self, session: pytest.Session) -> None:
            ran_there = session.items[0].module.ran if session.items else []  # type: ignore[attr-defined]
            session.config.add_cleanup(lambda: ran.extend(ran_there))

    suite = Suite(work)
    command = [str(directory), f"--rootdir={directory}", f"-c{ROOT / 'pyproject.toml'}", "-pno:cacheprovider"]
    sys.modules.pop("test_suite", None)
    pytest.main([*command, "-pno:terminal", "--import-mode=importlib"], plugins=[suite, Witness()])
    return suite, ran


def judge(suite: Suite, driver: DriverBuild, kills: dict[str, dict[str, int]] | None = None) -> str | None:
    return suite.judge(driver, "core/a.c", reference=GOOD, kills=kills or {})


FIRST = [f"test_first[{number}]" for number in range(3)]


def test_the_whole_suite_runs_once_without_a_mistake(tmp_path: Path) -> None:
    suite, ran = run(tmp_path, lambda suite: suite.check(whole=True))
    assert suite.stopped_by == ""
    assert ran == [*FIRST, "test_bad"]


def test_a_mistake_is_caught_by_the_test_that_fails_and_the_next_driver_is_judged_in_the_same_guest(
    tmp_path: Path,
) -> None:
    verdicts: list[str | None] = []

    def work(suite: Suite) -> None:
        suite.check(whole=False)
        verdicts.extend(judge(suite, driver) for driver in (BAD, GOOD, BAD))

    _, ran = run(tmp_path, work)
    caught = "test_suite.py::test_bad"
    assert verdicts == [caught, None, caught]
    assert "close" not in ran


def test_tests_that_have_caught_mutants_come_first_and_nothing_runs_after_a_failure(tmp_path: Path) -> None:
    kills = {"test_suite.py::test_bad": {"core/a.c": 1}, "test_suite.py::test_first[2]": {"core/b.c": 9}}

    def work(suite: Suite) -> None:
        suite.check(whole=False)
        judge(suite, BAD, kills)
        judge(suite, GOOD, kills)

    _, ran = run(tmp_path, work)
    canary = FIRST[0]
    judged_bad = ["test_bad"] * 3  # again, and once more with the driver that has no mistake
    judged_good = ["test_bad", FIRST[2], FIRST[0], FIRST[1]]
    assert ran == [canary, *judged_bad, *judged_good, canary]


def test_a_failure_that_does_not_come_again_does_not_count(tmp_path: Path) -> None:
    verdicts: list[str | None] = []
    once = TESTS.replace('assert guest.driver != "bad"', 'assert guest.driver != "bad" or ran[-2] == "test_bad"')

    def work(suite: Suite) -> None:
        suite.check(whole=False)
        verdicts.append(judge(suite, BAD))

    run(tmp_path, work, tests=once)
    assert verdicts == [None]


def test_a_failure_without_the_mistake_does_not_count_and_costs_the_guest(tmp_path: Path) -> None:
    verdicts: list[str | None] = []
    spoilt = TESTS.replace('assert guest.driver != "bad"', 'assert guest.driver == "new guest"')

    def work(suite: Suite) -> None:
        suite.check(whole=False)
        verdicts.append(judge(suite, BAD))

    _, ran = run(tmp_path, work, tests=spoilt)
    assert verdicts == [None]
    assert "close" in ran


def test_a_guest_that_does_not_take_the_driver_is_replaced(tmp_path: Path) -> None:
    def work(suite: Suite) -> None:
        suite.check(whole=False)
        judge(suite, LOCKED)

    _, ran = run(tmp_path, work)
    assert "retire" in ran


def test_a_suite_that_fails_without_a_mistake_measures_nothing(tmp_path: Path) -> None:
    failing = TESTS.replace('!= "bad"', '== "bad"')
    suite, _ = run(tmp_path, lambda suite: suite.check(whole=True), tests=failing)
    assert "the suite fails without a mistake in the driver: test_suite.py::test_bad" in suite.stopped_by
