"""`harness bench`: what the README says about speed, measured on this machine."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from harness.cli.figures import Figure, build_figures, guest_figures, request_figures, run_figures, trouble_figures
from harness.cli.options import known_cells, lab_options, make_lab, project_root
from harness.events import stage


@click.command()
@click.option("--cell", "cell_id", default="linux-amd64", show_default=True, help="Cell to measure.")
@click.option("--json", "json_file", metavar="FILE", help="Write the figures as JSON, by key.")
@lab_options
def bench(cell_id: str, json_file: str | None, uri: str, accelerator: str, guests: str | None, driver: str) -> None:
    """Measure starts, requests, builds and failures in one cell."""
    (cell,) = known_cells(guests, driver, (cell_id,))
    lab = make_lab(uri, accelerator)
    figures: list[Figure] = []
    try:
        lab.make_image(cell.guest)
        with stage(lab.progress, f"driver and agent of {cell.id}"):
            lab.driver(cell)
            lab.agent(cell.os, cell.client)
        for what, measure in (
            ("starts", guest_figures),
            ("requests", request_figures),
            ("crashes and a hang", trouble_figures),
        ):
            with stage(lab.progress, what):
                figures += measure(lab, cell)
        with stage(lab.progress, "builds"):
            figures += build_figures(lab, cell, project_root())
        with stage(lab.progress, "whole runs"):
            figures += run_figures(cell, project_root())
        accelerator_used = lab.accelerator(cell.guest)
    finally:
        lab.close()
    table = Table(title=f"{cell.id}, {accelerator_used}", header_style="bold")
    table.add_column("what")
    table.add_column("measured", justify="right")
    for figure in figures:
        digits = 0 if figure.unit == "1/s" else 2
        table.add_row(figure.what, f"{figure.value:,.{digits}f} {figure.unit}")
    Console().print(table)
    if json_file is not None:
        values = {figure.key: round(figure.value, 4) for figure in figures}
        Path(json_file).write_text(json.dumps(values, indent=2) + "\n")
