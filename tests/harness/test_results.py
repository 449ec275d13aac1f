"""Results: when a matrix has passed, and the JSON that says so."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from harness.report.table import print_table
from harness.results import FAILED, NOT_RUN, PASSED, SCHEMA, CellResult, matrix_passed, to_json

GOOD = CellResult(
    id="linux-amd64",
    status=PASSED,
    reason="",
    required=True,
    kernel="6.1.0-56-cloud-amd64",
    driver="0123456789abcdef0123456789abcdef01234567",
    passed=60,
    failed=0,
    errors=0,
    not_covered=2,
    seconds=9.5,
    isolation="run",
)
OPTIONAL = replace(GOOD, id="freebsd-amd64", required=False, status=NOT_RUN, reason="no image", passed=0)


@pytest.mark.parametrize(
    ("cells", "passed"),
    [
        ([GOOD], True),
        ([GOOD, OPTIONAL], True),
        ([], False),
        ([OPTIONAL], False),
        ([GOOD, replace(GOOD, status=NOT_RUN)], False),
        ([GOOD, replace(GOOD, status=FAILED)], False),
        ([GOOD, replace(OPTIONAL, status=FAILED)], False),
    ],
)
def test_a_matrix_passes_if_each_required_cell_ran_and_none_failed(cells: list[CellResult], passed: bool) -> None:
    assert matrix_passed(cells) is passed
    assert json.loads(to_json(cells))["passed"] is passed


def test_the_json_has_the_promised_fields() -> None:
    document = json.loads(to_json([GOOD]))
    assert document["schema"] == SCHEMA
    (cell,) = document["cells"]
    promised = {
        "id",
        "status",
        "reason",
        "kernel",
        "driver",
        "passed",
        "failed",
        "errors",
        "not_covered",
        "seconds",
        "emulated",
        "isolation",
    }
    assert promised <= set(cell)
    assert cell["kernel"] == GOOD.kernel


def test_the_table_tells_what_ran_and_why_a_cell_did_not() -> None:
    text = io.StringIO()
    print_table([GOOD, OPTIONAL], Console(file=text, width=160))
    assert "6.1.0-56-cloud-amd64" in text.getvalue()
    assert "not run" in text.getvalue()
    assert "freebsd-amd64: no image" in text.getvalue()
    assert "isolation: one kernel for the tests of a cell" in text.getvalue()
    assert "emulated: " not in text.getvalue()


def test_the_table_tells_what_ran_on_stand_ins() -> None:
    text = io.StringIO()
    print_table([replace(GOOD, emulated=59)], Console(file=text, width=160))
    assert " 59 " in text.getvalue()
    assert "emulated: of those that passed" in text.getvalue()
