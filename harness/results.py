"""The results of a run, as values, and the JSON form of them.

Schema `supdrv-harness/results/1`: an object with `schema`, `passed` (bool) and `cells`, a list of objects with
the fields of `CellResult`. Later versions add fields and change none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

SCHEMA = "supdrv-harness/results/1"

PASSED = "passed"
FAILED = "failed"
NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True)
class CellResult:
    """What one cell came to.

    `status` is `passed`, `failed` or `not_run`; `reason` says why it is not `passed`. `kernel` is the release
    that the running guest named, `driver` the build id that the loaded driver carried; both are empty if the
    guest never answered. `passed`, `failed`, `errors` and `not_covered` count tests; `seconds` is wall time
    from the first test's set-up to the last one's end. `troubles` has an object with the fields of
    `harness.errors.Verdict` for each test that cost a guest. `emulated` counts those among `passed` that asked for
    something which the guest has a stand-in for. `isolation` says how long a kernel was used: for one `test`, for one
    `file` of tests, or for the `run`.
    """

    id: str
    status: str
    reason: str
    required: bool
    kernel: str
    driver: str
    passed: int
    failed: int
    errors: int
    not_covered: int
    seconds: float
    troubles: tuple[Mapping[str, str], ...] = ()
    emulated: int = 0
    isolation: str = ""


def matrix_passed(cells: Sequence[CellResult]) -> bool:
    """Whether every required cell ran and passed, no cell failed, and at least one ran."""
    required_ran = all(cell.status == PASSED for cell in cells if cell.required)
    none_failed = all(cell.status != FAILED for cell in cells)
    return required_ran and none_failed and any(cell.status == PASSED for cell in cells)


def to_json(cells: Sequence[CellResult]) -> str:
    """The results as JSON text, see the module's docstring."""
    document = {
        "schema": SCHEMA,
        "passed": matrix_passed(cells),
        "cells": [asdict(cell) for cell in cells],
    }
    return json.dumps(document, indent=2) + "\n"
