"""The page of which test pins which behaviour is right: its tests exist, and no row goes without one unawares."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

from harness.abi import ABI_NAMES, load_abi

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
TABLES, _, GAPS = TEXT.partition("\n## Gaps\n")

CONFORMANCE = [f"C{number}" for number in range(1, 31)]
WEAKNESSES = [f"W{number}" for number in range(1, 35)]
REQUESTS = ["FAST", *(name for name in load_abi(ABI_NAMES[0]).requests if not name.startswith("FAST_"))]
"""What the ids of R rows name at least; the fast requests are described together."""

ID = re.compile(r"(?:[CW]\d+[b-z]?|R-[A-Z0-9_]+-\d+)")
NO_TEST_YET = "no test yet: "
REASONS = (NO_TEST_YET, "not from user space: ", "other system: ")
DEFINITIONS = {".py": r"^def (test_\w+)\(", ".c": r"^TEST\((\w+)\)"}


@dataclass(frozen=True, slots=True)
class Row:
    """One behaviour, and the tests that pin it or the reason why there are none."""

    id: str
    behaviour: str
    pinned_by: str

    @property
    def tests(self) -> list[str]:
        """As `file::name`; empty if there is a reason instead."""
        names = self.pinned_by.split(", ")
        return [name.strip("`") for name in names] if all(map(is_code, names)) else []


def is_code(text: str) -> bool:
    return re.fullmatch(r"`[^`]+`", text) is not None


def rows() -> Iterator[Row]:
    for line in TABLES.splitlines():
        if line.startswith("|") and not re.match(r"\| id \||\|-", line):
            yield Row(*line.removeprefix("| ").removesuffix(" |").split(" | "))


ROWS = list(rows())
IDS = [row.id for row in ROWS]


@cache
def names_in(file: str) -> frozenset[str]:
    """The names of a file's tests; one without a directory is of the ioctl suite."""
    path = ROOT / (file if "/" in file else f"tests/ioctl/{file}")
    if not path.is_file():
        return frozenset()
    return frozenset(re.findall(DEFINITIONS[path.suffix], path.read_text(encoding="utf-8"), re.MULTILINE))


def exists(test: str) -> bool:
    file, _, name = test.partition("::")
    return name in names_in(file)


def test_every_id_has_its_form_and_is_there_once():
    assert [name for name in IDS if not ID.fullmatch(name)] == []
    assert sorted(set(IDS)) == sorted(IDS)


@pytest.mark.parametrize("expected", [CONFORMANCE, WEAKNESSES], ids=["conformance", "weaknesses"])
def test_no_id_is_left_out(expected):
    assert [name for name in expected if name not in IDS] == []


def test_every_request_is_gone_through():
    assert [name for name in REQUESTS if f"R-{name}-1" not in IDS] == []


def test_the_rows_of_a_subject_are_numbered_from_1_on():
    numbers: dict[str, list[int]] = {}
    for name in IDS:
        if name.startswith("R-"):
            subject, _, number = name.rpartition("-")
            numbers.setdefault(subject, []).append(int(number))
    assert {subject: found for subject, found in numbers.items() if found != list(range(1, len(found) + 1))} == {}


def test_every_test_that_is_named_exists():
    assert [test for test in chain.from_iterable(row.tests for row in ROWS) if not exists(test)] == []


def test_every_row_has_tests_or_a_reason():
    assert [row.id for row in ROWS if not row.tests and not re.match(f"({'|'.join(REASONS)})\\w", row.pinned_by)] == []


def test_the_gaps_are_the_rows_that_have_no_test_yet():
    listed = re.findall(r"^- (\S+): ", GAPS, re.MULTILINE)
    assert listed == [row.id for row in ROWS if row.pinned_by.startswith(NO_TEST_YET)]


@pytest.mark.parametrize("wrong", ["test_pin.py::test_nothing_of_the_kind", "test_nowhere.py::test_x", "test_pin.py"])
def test_a_test_that_does_not_exist_is_noticed(wrong):
    assert exists("test_pin.py::test_no_address_is_refused")
    assert not exists(wrong)
