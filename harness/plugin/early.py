"""The guest comes up while pytest still collects: both take about as long, and neither needs the other."""

from __future__ import annotations

import argparse

import pytest

from harness.events import terminal_progress
from harness.matrix import Cell
from harness.plugin.options import CELLS, LAB_OPTIONS, choose
from harness.session.cell_session import CellSession
from harness.session.lab import Lab

LAB = pytest.StashKey[Lab]()
EARLY = pytest.StashKey[CellSession | None]()
"""The session that was begun early, until a test asks for it."""

SESSIONS = pytest.StashKey[dict[str, CellSession]]()
"""The sessions of the run that live now, by cell."""

_NO_RUN = (
    *("cacheshow", "collectonly", "help", "markers", "setupplan"),
    *("showfixtures", "show_fixtures_per_test", "version"),
)
"""Options with which pytest runs no test."""


def lab_of(config: pytest.Config) -> Lab:
    """The run's lab, made when it is first asked for. It ends with the run, whatever else becomes of that."""
    if LAB not in config.stash:
        config.stash[LAB] = Lab(config.stash[LAB_OPTIONS], terminal_progress())
        config.add_cleanup(lambda: _end_unused(config))
    return config.stash[LAB]


def end_lab(config: pytest.Config) -> None:
    """End the run's lab."""
    lab = config.stash[LAB]
    del config.stash[LAB]
    lab.close()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Where one cell is named, its guest is wanted before anything of the tests has been read. Workers of xdist do not
    know here that they are some; they start theirs with the first test that asks for it."""
    options = early_config.known_args_namespace
    if len(options.cell) == 1 and not (getattr(options, "tx", None) or getattr(options, "numprocesses", None)):
        choose(early_config, options)
        start_early(early_config, options)


def start_early(config: pytest.Config, options: argparse.Namespace) -> None:
    """Begin to start the guest of the run's only cell. Where there are more cells, nobody knows yet which comes first,
    and in which worker."""
    chosen = config.stash[CELLS]
    if len(chosen) == 1 and EARLY not in config.stash and not any(getattr(options, name, False) for name in _NO_RUN):
        session = config.stash[EARLY] = CellSession(lab_of(config), chosen[0])
        session.start_early()


def begin_session(config: pytest.Config, lab: Lab, cell: Cell) -> CellSession:
    """The session of `cell`, which may have begun early."""
    early, config.stash[EARLY] = config.stash.get(EARLY, None), None
    session = early or CellSession(lab, cell)
    config.stash.setdefault(SESSIONS, {})[cell.id] = session
    return session


def end_session(config: pytest.Config, cell: Cell) -> None:
    """End the session of `cell` with its guest."""
    config.stash[SESSIONS].pop(cell.id).close()


def _end_unused(config: pytest.Config) -> None:
    """End what was begun early for tests that did not come to run."""
    early = config.stash.get(EARLY, None)
    if early is not None:
        early.close()
    if LAB in config.stash:
        end_lab(config)
