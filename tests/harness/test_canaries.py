"""Canaries as data and as verdicts: what is expected of each, and when the harness has judged wrongly. No guest."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from harness.abi import CONSTANTS
from harness.canary.expectation import Expectation, Plain, complaints, sight
from harness.canary.run import NotRun, Result
from harness.canary.table import CANARIES
from harness.config import load_guests
from harness.errors import GuestCrash, Kind, LabError, Verdict
from harness.matrix import cells
from harness.report.canaries import canaries_passed, print_canaries, to_json

ROOT = Path(__file__).parents[2]
EVERY = [canary for canaries in CANARIES.values() for canary in canaries]
VERDICT = Verdict(Kind.DRIVER_OOPS, "linux-amd64", "canary::oops", "TEST_FAULT (0xc02056fe), input", "[0] oops", "")
OOPS = GuestCrash("linux-amd64: kernel oops in canary::oops: BUG: x", verdict=VERDICT)
EXPECTED = Expectation(Kind.DRIVER_OOPS, "kernel oops in .*: BUG: ")


def judge(error: Exception | None, expected: Expectation) -> list[str]:
    return complaints(sight(error, test="canary::oops", request=expected.request), expected)


def result(*problems: str) -> Result:
    sighting = sight(OOPS, test="canary::oops", request="TEST_FAULT (")
    return Result("linux-amd64", "oops", "driver oops", "", sighting, 0.5, 0.8, problems)


def test_every_fault_of_the_driver_but_none_at_all_has_one_canary() -> None:
    faults = {name.removeprefix("SUPTESTFAULT_") for name in CONSTANTS if name.startswith("SUPTESTFAULT_")}
    assert sorted(canary.fault for canary in CANARIES["linux"]) == sorted(faults - {"NONE"})


@pytest.mark.parametrize("canary", EVERY, ids=lambda canary: canary.name)
def test_what_passes_says_why_and_what_does_not_says_with_which_words(canary) -> None:  # type: ignore[no-untyped-def]
    for expected in filter(None, (canary.expected, canary.checked, canary.compat)):
        passes = expected.said is Plain.PASSED
        assert bool(expected.why) == passes
        assert bool(expected.title) != passes


def documented(expected: Expectation) -> str:
    return f"*passed*: {expected.why}" if expected.why else expected.said.value


@pytest.mark.parametrize("canary", CANARIES["linux"], ids=lambda canary: canary.name)
def test_what_is_expected_of_it_is_documented(canary) -> None:  # type: ignore[no-untyped-def]
    rows = (ROOT / "docs" / "canaries.md").read_text().splitlines()
    (row,) = (row for row in rows if row.startswith(f"| `{canary.name}` |"))
    _, _, _, said, checked, *elsewhere, _ = (cell.strip() for cell in row.split("|"))
    assert said.startswith(documented(canary.expected))
    assert checked == ("the same" if canary.checked is None else canary.checked.said.value)
    *ordinary, bsd_checked = elsewhere
    for system, there in zip(("windows", "os2", "freebsd"), ordinary, strict=True):
        by_name = {other.name: documented(other.expected) for other in CANARIES[system]}
        assert there == ("the same" if by_name.get(canary.name) == said else by_name.get(canary.name, "-"))
    by_name = {other.name: other.checked and documented(other.checked) for other in CANARIES["freebsd"]}
    assert bsd_checked == (by_name.get(canary.name, "-") or "the same")


def test_a_cell_has_the_expectation_of_its_kernel_and_client() -> None:
    by_id = {cell.id: cell for cell in cells(load_guests(ROOT / "guests"), "faults")}
    by_name = {canary.name: canary for canary in CANARIES["linux"]}
    freed = by_name["use after free"]
    assert freed.expectation(by_id["linux-amd64"]) is freed.expected
    assert freed.expectation(by_id["linux-amd64-debug"]) is freed.checked
    stack = by_name["client's stack"]
    assert stack.expectation(by_id["linux-compat"]) is stack.compat
    assert stack.expectation(by_id["linux-x86"]) is stack.expected


def test_what_is_as_expected_is_no_problem() -> None:
    assert judge(OOPS, EXPECTED) == []
    assert judge(None, Expectation(Plain.PASSED, why="so it is")) == []
    assert judge(AssertionError("8, not 9"), Expectation(Plain.WRONG_ANSWER, "8, not 9")) == []


@pytest.mark.parametrize(
    ("error", "expected", "problem"),
    [
        (None, EXPECTED, "'passed' was said, not 'driver oops'"),
        (OOPS, Expectation(Plain.PASSED, why="x"), "'driver oops' was said, not 'passed'"),
        (LabError("it broke"), EXPECTED, "'LabError' was said, not 'driver oops'"),
        (AssertionError("8"), EXPECTED, "'wrong answer' was said, not 'driver oops'"),
        (OOPS, replace(EXPECTED, title="kernel panic"), "'kernel panic' is not in the message"),
        (OOPS, replace(EXPECTED, request="COOKIE ("), "another request is blamed"),
        (GuestCrash(OOPS.message, verdict=replace(VERDICT, test="canary::hang")), EXPECTED, "another test is blamed"),
    ],
)
def test_what_is_not_as_expected_is_told(error: Exception | None, expected: Expectation, problem: str) -> None:
    assert any(found.startswith(problem) for found in judge(error, expected))


def test_they_pass_if_each_was_judged_rightly_and_there_was_one() -> None:
    assert canaries_passed([result(), result()])
    assert not canaries_passed([result(), result("another test is blamed")])
    assert not canaries_passed([])


def test_a_cell_that_did_not_run_is_told_and_fails_them_only_if_it_is_required() -> None:
    text = io.StringIO()
    missing = [NotRun("freebsd-amd64", required, "guest 'freebsd-amd64' has no image") for required in (False, True)]
    print_canaries([result()], Console(file=text, width=40), missing[:1])
    assert "freebsd-amd64: not run: guest 'freebsd-amd64' has no image\n" in text.getvalue()
    assert canaries_passed([result()], missing[:1])
    assert not canaries_passed([], missing[:1])
    assert not canaries_passed([result()], missing)
    document = json.loads(to_json([result()], missing))
    assert not document["passed"]
    assert [cell["required"] for cell in document["not_run"]] == [False, True]


def test_the_json_has_a_flat_object_for_each() -> None:
    document = json.loads(to_json([result("a problem")]))
    assert (document["schema"], document["passed"]) == ("supdrv-harness/canaries/1", False)
    (entry,) = document["canaries"]
    assert entry["problems"] == ["a problem"]
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| ", (ROOT / "docs" / "canaries.md").read_text(), re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(entry) <= documented


def test_the_table_names_what_is_wrong() -> None:
    text = io.StringIO()
    print_canaries([result(), result("another test is blamed")], Console(file=text, width=160))
    assert "linux-amd64: oops: another test is blamed" in text.getvalue()
    assert text.getvalue().count("rightly") == 1
