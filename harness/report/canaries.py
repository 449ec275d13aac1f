"""What the canaries came to, as a table and as JSON. Schema `supdrv-harness/canaries/1`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from harness.canary.run import NotRun, Result

SCHEMA = "supdrv-harness/canaries/1"
TABLE_WIDTH = 160


def canaries_passed(results: Sequence[Result], missing: Sequence[NotRun] = ()) -> bool:
    """Whether every canary was judged rightly, at least one ran, and no required cell is `missing`."""
    wrong = any(result.problems for result in results) or any(cell.required for cell in missing)
    return bool(results) and not wrong


def print_canaries(results: Sequence[Result], console: Console, missing: Sequence[NotRun] = ()) -> None:
    """One row for each cell and canary, then what is wrong with those that were judged wrongly, and why none ran in the
    cells that are `missing`."""
    table = Table(header_style="bold")
    for heading in ("cell", "canary", "said", "test", "request"):
        table.add_column(heading, no_wrap=True)
    for heading in ("verdict s", "next test s"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("judged")
    for result in results:
        table.add_row(
            result.cell,
            result.canary,
            result.sighting.said,
            "right" if result.sighting.right_test else "WRONG",
            "right" if result.sighting.right_request else "WRONG",
            f"{result.verdict_seconds:.1f}",
            f"{result.next_seconds:.1f}",
            "[bold red]wrongly[/]" if result.problems else f"rightly{result.why and ': '}{result.why}",
        )
    console.print(table)
    for result in results:
        for problem in result.problems:
            text = f"{result.cell}: {result.canary}: {problem}"
            console.print(text, highlight=False, markup=False, soft_wrap=True)
    for cell in missing:
        text = f"{cell.cell}: not run: {cell.reason}"
        console.print(text, highlight=False, markup=False, soft_wrap=True)


def to_json(results: Sequence[Result], missing: Sequence[NotRun] = ()) -> str:
    """The results as JSON text."""
    canaries = [
        {name: value for name, value in asdict(result).items() if name != "sighting"} | asdict(result.sighting)
        for result in results
    ]
    document = {
        "schema": SCHEMA,
        "passed": canaries_passed(results, missing),
        "canaries": canaries,
        "not_run": [asdict(cell) for cell in missing],
    }
    return json.dumps(document, indent=2) + "\n"
