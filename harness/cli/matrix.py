"""`harness matrix`: the whole suite in every cell, and a verdict."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest
from rich.console import Console

from harness.cli.options import also_option, known_cells, lab_options, make_lab, project_root
from harness.cli.setup import prepare
from harness.errors import ConfigError
from harness.plugin.collector import ResultsCollector
from harness.report.table import print_table
from harness.results import matrix_passed

TABLE_WIDTH = 132
_GUESTS_A_PROCESSOR = 2
"""While a guest works its tests wait, and the other way round."""

_EXIT_RAN = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


class _Witness:
    """Keeps the results when pytest throws its own state away."""

    def __init__(self) -> None:
        self.collector: ResultsCollector | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        plugin = config.pluginmanager.get_plugin("harness-results")
        if isinstance(plugin, ResultsCollector):
            self.collector = plugin


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--cell", "wanted", multiple=True, metavar="ID", help="Run this cell only; may be repeated.")
@also_option
@click.option("--json", "json_file", metavar="FILE", default="results.json", show_default=True)
@click.option("--junit", "junit_file", metavar="FILE", default="results.xml", show_default=True)
@click.option("--jobs", "-j", type=click.IntRange(min=1), help="Guests side by side.  [default: as fits the machine]")
@lab_options
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def matrix(
    wanted: tuple[str, ...],
    also: tuple[str, ...],
    json_file: str,
    junit_file: str,
    jobs: int | None,
    uri: str,
    accelerator: str,
    guests: str | None,
    driver: str,
    pytest_arguments: tuple[str, ...],
) -> int:
    """Run the ioctl suite in every cell that can run, and print what each came to.

    Further arguments go to pytest (`harness matrix -k cookie`). Exit status: 0 if every required cell ran and
    passed, 1 if not, 2 if the harness could not do its work, 130 if interrupted.
    """
    cells = known_cells(guests, driver, wanted, also=also)
    lab = make_lab(uri, accelerator)
    try:
        prepare(lab, cells)
    finally:
        lab.close()
    root = project_root()
    arguments = [str(root / "tests" / "ioctl"), f"--rootdir={root}", f"-c{root / 'pyproject.toml'}", "-q"]
    arguments += [f"--results={Path(json_file).resolve()}", f"--junitxml={Path(junit_file).resolve()}"]
    arguments += [f"--uri={uri}", f"--accelerator={accelerator}", f"--driver={driver}"]
    arguments += [f"--guests={Path(guests).resolve()}"] if guests else []
    arguments += [f"--cell={cell.id}" for cell in cells]
    workers = jobs or _workers(len(cells))
    arguments += [f"-n{workers}"] if workers > 1 else []
    witness = _Witness()
    status = pytest.main([*arguments, *pytest_arguments], plugins=[witness])
    if status == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if witness.collector is None or status not in _EXIT_RAN:
        raise ConfigError(f"pytest did not run the suite (its exit status is {int(status)})")
    print_table(witness.collector.results, Console(width=TABLE_WIDTH))
    return 0 if matrix_passed(witness.collector.results) else 1


def _workers(cells: int) -> int:
    """One guest for each cell, as far as the processors go. A cell that is alone gets a guest for each processor."""
    processors = os.cpu_count() or 1
    return processors if cells == 1 else min(cells, _GUESTS_A_PROCESSOR * processors)
