"""The table that ends a matrix run."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from harness.results import FAILED, PASSED, CellResult

_STYLE = {PASSED: "green", FAILED: "bold red"}
_BUILD_ID_SHOWN = 12


def print_table(cells: Sequence[CellResult], console: Console) -> None:
    """One row for each cell: what ran, on which kernel, with which driver build, and how it ended."""
    table = Table(title=None, header_style="bold")
    for heading in ("cell", "status", "kernel", "driver"):
        table.add_column(heading, no_wrap=True)
    for heading in ("passed", "failed", "errors", "not covered", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for cell in cells:
        table.add_row(
            cell.id,
            f"[{_STYLE.get(cell.status, 'yellow')}]{cell.status.replace('_', ' ')}[/]",
            cell.kernel or "-",
            cell.driver[:_BUILD_ID_SHOWN] or "-",
            str(cell.passed),
            str(cell.failed),
            str(cell.errors),
            str(cell.not_covered),
            f"{cell.seconds:.1f}",
        )
    console.print(table)
    for cell in cells:
        if cell.reason:
            console.print(f"{cell.id}: {cell.reason}", highlight=False, markup=False, soft_wrap=True)
