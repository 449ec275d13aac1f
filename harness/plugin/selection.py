"""Tests times cells: parameters, markers, and which worker runs what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from harness.matrix import Cell
from harness.plugin.early import start_early
from harness.plugin.options import CELLS
from harness.session import guest_images

if TYPE_CHECKING:
    from xdist.remote import Producer

    from harness.plugin.scheduling import CellScheduling

_ENTRY = "cell"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a guest once in every selected cell."""
    if _ENTRY not in metafunc.fixturenames or _names_its_own(metafunc):
        return
    parameters = [pytest.param(cell, id=cell.id, marks=_marks(cell)) for cell in metafunc.config.stash[CELLS]]
    metafunc.parametrize(_ENTRY, parameters, indirect=True, scope="session")
    start_early(metafunc.config, metafunc.config.option)


def _names_its_own(metafunc: pytest.Metafunc) -> bool:
    """Whether the test has a parameter of that name itself, which then has nothing to do with us."""
    own = (mark.args[0] for mark in metafunc.definition.iter_markers("parametrize") if mark.args)
    return any(_ENTRY in (names.replace(" ", "").split(",") if isinstance(names, str) else names) for names in own)


def _marks(cell: Cell) -> list[pytest.MarkDecorator]:
    return [getattr(pytest.mark, name) for name in cell.markers]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of a cell next to each other, so that a guest is started once, and in it those with the same
    driver options, so that the driver is loaded once for each. Of a cell without an image one test stays, which says
    so."""

    def order(item: pytest.Item) -> tuple[str, list[tuple[str, int]]]:
        return cell_id(item), sorted(driver_options(item).items())

    items.sort(key=order)
    if not config.getoption("collectonly"):
        _keep_one_of_each_without_image(config, items)


def _keep_one_of_each_without_image(config: pytest.Config, items: list[pytest.Item]) -> None:
    without_image = {cell.id for cell in config.stash[CELLS] if guest_images.find(cell.guest) is None}
    speakers = {cell_id(item): item for item in reversed(items) if item.get_closest_marker("needs") is None}
    silent = [item for item in items if cell_id(item) in without_image and speakers.get(cell_id(item), item) != item]
    if silent:
        config.hook.pytest_deselected(items=silent)
        dropped = set(silent)
        items[:] = [item for item in items if item not in dropped]


def cell_id(item: pytest.Item) -> str:
    """The id of the cell that `item` runs in, or nothing."""
    callspec = getattr(item, "callspec", None)
    cell = callspec.params.get(_ENTRY) if callspec is not None else None
    return cell.id if isinstance(cell, Cell) else ""


def driver_options(item: pytest.Item) -> dict[str, int]:
    """What the driver is to be loaded with for this test; of several markers the closest one says it all."""
    mark = item.get_closest_marker("driver_options")
    return dict(mark.kwargs) if mark is not None else {}


def cell_of(node: str, cells: Sequence[Cell]) -> str | None:
    """The id of the cell that the test `node` (a node id) runs in, read from its parameters."""
    parameters = f"-{node.partition('[')[2].removesuffix(']')}-"
    found = [cell.id for cell in cells if f"-{cell.id}-" in parameters]
    return max(found, key=len, default=None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> CellScheduling:
    # pytest rewrites xdist's modules and must be the first to import them.
    from harness.plugin.scheduling import CellScheduling  # noqa: PLC0415

    return CellScheduling(config, log)
