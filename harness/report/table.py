"""The table that ends a matrix run."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from harness.results import FAILED, PASSED, CellResult

_STYLE = {PASSED: "green", FAILED: "bold red"}
_BUILD_ID_SHOWN = 12
_ISOLATION = {
    "run": "one kernel for the tests of a cell, a fresh one after a failure that cost it",
    "file": "a fresh kernel for each file of tests",
    "test": "a fresh kernel for each test",
}


def print_table(cells: Sequence[CellResult], console: Console) -> None:
    """One row for each cell: what ran, on which kernel, with which driver build, and how it ended."""
    table = Table(title=None, header_style="bold")
    for heading in ("cell", "status", "kernel", "driver"):
        table.add_column(heading, no_wrap=True)
    for heading in ("passed", "emulated", "failed", "errors", "not covered", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for cell in cells:
        table.add_row(
            cell.id,
            f"[{_STYLE.get(cell.status, 'yellow')}]{cell.status.replace('_', ' ')}[/]",
            cell.kernel or "-",
            cell.driver[:_BUILD_ID_SHOWN] or "-",
            str(cell.passed),
            str(cell.emulated),
            str(cell.failed),
            str(cell.errors),
            str(cell.not_covered),
            f"{cell.seconds:.1f}",
        )
    console.print(table)
    for isolation in sorted({cell.isolation for cell in cells if cell.isolation}):
        console.print(f"isolation: {_ISOLATION[isolation]}", highlight=False)
    if any(cell.emulated for cell in cells):
        console.print(
            "emulated: of those that passed, on a stand-in that the guest's definition names; not on the real thing"
        )
    for cell in cells:
        if cell.reason:
            console.print(f"{cell.id}: {cell.reason}", highlight=False, markup=False, soft_wrap=True)
