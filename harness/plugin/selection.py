"""Tests times cells: parameters, markers, and which worker runs what."""

from __future__ import annotations

import pytest

from harness.matrix import Cell
from harness.plugin.options import CELLS

_ENTRY = "cell"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a guest once in every selected cell."""
    if _ENTRY not in metafunc.fixturenames:
        return
    parameters = [pytest.param(cell, id=cell.id, marks=_marks(cell)) for cell in metafunc.config.stash[CELLS]]
    metafunc.parametrize(_ENTRY, parameters, indirect=True, scope="session")


def _marks(cell: Cell) -> list[pytest.MarkDecorator]:
    # A cell's tests stay together on one xdist worker, which owns the cell's guest.
    marks = [pytest.mark.xdist_group(name=cell.id)]
    return marks + [getattr(pytest.mark, name) for name in cell.markers]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a cell next to each other, so that a guest is started once."""

    def order(item: pytest.Item) -> str:
        callspec = getattr(item, "callspec", None)
        cell = callspec.params.get(_ENTRY) if callspec is not None else None
        return cell.id if isinstance(cell, Cell) else ""

    items.sort(key=order)
