"""The table, and the same as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from tools.peers.measured import Range, Round, Row


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Lines of text: a row for each variant with medians and, in brackets, their range."""
    width = max(len(row.variant) for row in rows)
    yield f"{'variant':{width}} {'tests':>5} {'seconds':>21} {'seconds a test':>24} {'ratio':>21}"
    for row in rows:
        if row.seconds is None or row.per_test is None:
            yield f"{row.variant:{width}} {'':5} did not run: {row.reason}"
        else:
            seconds, per_test, ratio = _text(row.seconds, 1), _text(row.per_test, 2), _text(row.ratio, 1)
            yield f"{row.variant:{width}} {row.tests:5} {seconds:>21} {per_test:>24} {ratio:>21}"


def as_json(rows: Sequence[Row], rounds: Sequence[Round], about: Mapping[str, object]) -> dict[str, object]:
    """Facts of the measurement, the rows, and what each round came to."""
    return {
        **about,
        "variants": [asdict(row) for row in rows],
        "rounds": [{name: asdict(outcome) for name, outcome in outcomes.items()} for outcomes in rounds],
    }


def _text(values: Range | None, digits: int) -> str:
    if values is None:
        return "-"
    return f"{values.median:.{digits}f} ({values.low:.{digits}f}..{values.high:.{digits}f})"
