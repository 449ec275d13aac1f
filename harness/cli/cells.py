"""`harness cells`: what can run here, and if not, why and what to do."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from harness.cli.options import every_cell, lab_options, make_lab
from harness.errors import CellUnavailable

_WIDTH = 170


@click.command()
@lab_options
def cells(uri: str, accelerator: str, guests: str | None, driver: str) -> None:
    """List the cells: their guest and client, and whether they can run on this machine."""
    lab = make_lab(uri, accelerator)
    table = Table(header_style="bold")
    for heading in ("cell", "guest", "kernel", "client", "required", "state"):
        table.add_column(heading, no_wrap=heading != "state")
    try:
        for cell in every_cell(guests, driver):
            try:
                kernel, state = lab.image(cell.guest).release, "[green]ready[/]"
            except CellUnavailable as error:
                kernel, state = "-", f"[yellow]{error}[/]"
            required = "on request" if cell.on_request else "yes" if cell.required else "no"
            table.add_row(cell.id, cell.guest.name, kernel, f"{cell.os}-{cell.client}", required, state)
    finally:
        lab.close()
    Console(width=_WIDTH).print(table)
