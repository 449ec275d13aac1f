"""What was measured: seconds by variant and round, and what follows from them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run of a variant: `seconds` from the start of its command to its verdict over `tests` tests; or None, and
    the `reason` why it did not run."""

    seconds: float | None
    tests: int
    reason: str = ""

    @classmethod
    def absent(cls, reason: str) -> Outcome:
        return cls(None, 0, reason)

    @property
    def per_test(self) -> float | None:
        return None if self.seconds is None else self.seconds / self.tests


@dataclass(frozen=True, slots=True)
class Range:
    """Median and ends of some values."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Range:
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Row:
    """A variant over all rounds. Without `seconds` it did not run, in one round at least, and `reason` says why."""

    variant: str
    tests: int = 0
    seconds: Range | None = None
    per_test: Range | None = None
    ratio: Range | None = None
    reason: str = ""


Round = Mapping[str, Outcome]
"""The outcomes of one round, by variant."""


def rows(rounds: Sequence[Round], *, reference: str) -> list[Row]:
    """A row for each variant, in the order of the first round. The ratio is that of the seconds per test to those of
    `reference` in the same round: what else the machine does changes from round to round."""
    return [_row(variant, rounds, reference) for variant in rounds[0]]


def _row(variant: str, rounds: Sequence[Round], reference: str) -> Row:
    outcomes = [outcomes[variant] for outcomes in rounds]
    failed = next((outcome for outcome in outcomes if outcome.seconds is None), None)
    if failed is not None:
        return Row(variant, reason=failed.reason)
    ratios = _known(_ratio(outcomes[variant], outcomes[reference]) for outcomes in rounds)
    return Row(
        variant,
        tests=outcomes[0].tests,
        seconds=Range.of(_known(outcome.seconds for outcome in outcomes)),
        per_test=Range.of(_known(outcome.per_test for outcome in outcomes)),
        ratio=Range.of(ratios) if ratios else None,
    )


def _ratio(outcome: Outcome, reference: Outcome) -> float | None:
    if outcome.per_test is None or reference.per_test is None:
        return None
    return outcome.per_test / reference.per_test


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]
