"""`harness canary`: whether the harness notices what it should."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from harness.canary.run import NotRun, Result, run_canaries
from harness.canary.table import CANARIES, Canary
from harness.cli.options import also_option, known_cells, machine_options, make_lab
from harness.cli.setup import prepare
from harness.errors import CellUnavailable, ConfigError
from harness.events import stage
from harness.matrix import Cell
from harness.report.canaries import TABLE_WIDTH, canaries_passed, print_canaries, to_json
from harness.session.lab import Lab


@click.command()
@click.option("--cell", "cell_ids", multiple=True, metavar="ID", help="This cell only; may be repeated.")
@also_option
@click.option("--canary", "names", multiple=True, metavar="NAME", help="This canary only; may be repeated.")
@click.option("--request-deadline", "seconds", type=click.FloatRange(min=2), help="Seconds.  [default: the suite's]")
@click.option("--json", "json_file", metavar="FILE", help="Write the results as JSON.")
@machine_options
def canary(
    cell_ids: tuple[str, ...],
    also: tuple[str, ...],
    names: tuple[str, ...],
    seconds: float | None,
    json_file: str | None,
    uri: str,
    accelerator: str,
    guests: str | None,
) -> int:
    """Make the driver fail in every way that it can, and check what the harness says of it."""
    cells = known_cells(guests, "faults", cell_ids, also=also)
    chosen = {cell.id: _chosen(cell, names) for cell in cells}
    lab = make_lab(uri, accelerator, evidence="canaries", request_seconds=seconds)
    results: list[Result] = []
    missing: list[NotRun] = []
    try:
        prepare(lab, cells)
        for cell in cells:
            try:
                lab.image(cell.guest)
            except CellUnavailable as error:
                missing.append(NotRun(cell.id, cell.required, str(error)))
            else:
                results += _run(lab, cell, chosen[cell.id])
    finally:
        lab.close()
        if json_file is not None:
            Path(json_file).write_text(to_json(results, missing), encoding="utf-8")
    print_canaries(results, Console(width=TABLE_WIDTH), missing)
    return 0 if canaries_passed(results, missing) else 1


def _chosen(cell: Cell, names: Sequence[str]) -> list[Canary]:
    known = {canary.name: canary for canary in CANARIES[cell.os]}
    for name in names:
        if name not in known:
            raise ConfigError(f"no canary {name!r} (canaries: {', '.join(known)})")
    return [canary for name, canary in known.items() if not names or name in names]


def _run(lab: Lab, cell: Cell, canaries: Sequence[Canary]) -> list[Result]:
    results = []
    with stage(lab.progress, f"{cell.id}: {len(canaries)} canaries") as step:
        for result in run_canaries(lab, cell, canaries):
            results.append(result)
        step.done(f"{sum(not result.problems for result in results)} judged rightly")
    return results
