"""What the coverage report says beyond gcovr's table."""

from __future__ import annotations

from typing import Any

from tools.coverage import left_out


def line(number: int, count: int, *branches: int) -> dict[str, Any]:
    return {"line_number": number, "count": count, "branches": [{"count": taken} for taken in branches]}


def test_a_file_that_is_covered_in_full_is_not_mentioned():
    assert list(left_out({"files": [{"file": "core/a.c", "lines": [line(1, 3), line(2, 1, 1, 2)]}]})) == []


def test_lines_that_did_not_run_and_branches_of_lines_that_did_are_named():
    lines = [line(4, 0), line(5, 0, 0, 0), line(7, 2, 0, 2)]
    said = list(left_out({"files": [{"file": "core/a.c", "lines": lines}]}))
    assert said == ["core/a.c: lines not run: 4, 5; one way only at line 7"]
