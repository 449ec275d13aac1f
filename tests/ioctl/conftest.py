"""What the tests of the ioctl suite share: where tests are collected, and a device not yet greeted."""

from __future__ import annotations

import pytest
from scratch import Scratch

from harness.matrix import Cell
from harness.session.client import Client
from harness.session.device import Device
from harness.session.driver_session import DriverSession

_MARKERS = (
    "only(property): the test exists only in cells with the property among their markers, or whose guest offers it",
    "never(property): the test does not exist in such cells",
)


def pytest_configure(config: pytest.Config) -> None:
    for line in _MARKERS:
        config.addinivalue_line("markers", line)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot be asked in a cell at all: nothing is missing there, so nothing is skipped."""
    dropped = [item for item in items if not _exists(item)]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in set(dropped)]


def _exists(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    cell = callspec.params.get("cell") if callspec is not None else None
    if not isinstance(cell, Cell):
        return True
    properties = (*cell.markers, *cell.guest.offers)
    return all(mark.args[0] in properties for mark in item.iter_markers("only")) and not any(
        mark.args[0] in properties for mark in item.iter_markers("never")
    )


@pytest.fixture
def setting(request: pytest.FixtureRequest) -> str:
    """`data` or `ring0`: what the driver makes of images; see `images.BOTH_SETTINGS`."""
    value: str = request.param
    return value


@pytest.fixture
def scratch(session: DriverSession, cell: Cell) -> Scratch:
    """Memory that the test's images can write, and the test can read."""
    return Scratch.open(session, cell.arch)


@pytest.fixture
def device(client: Client) -> Device:
    """The device, open for reading and writing; no request has been made on it."""
    return client.open()
