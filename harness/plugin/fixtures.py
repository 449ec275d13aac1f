"""The fixtures that tests ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from harness.errors import CellUnavailable
from harness.matrix import Cell
from harness.plugin.collector import CELL, DRIVER, EMULATED, KERNEL, UNAVAILABLE
from harness.plugin.early import begin_session, end_lab, end_session, lab_of
from harness.plugin.selection import driver_options
from harness.session.cell_session import CellSession
from harness.session.client import Client
from harness.session.driver_session import DriverSession
from harness.session.lab import Lab
from harness.transport.agent import AgentClient

SESSION = pytest.StashKey[CellSession]()


@pytest.fixture(scope="session")
def lab(pytestconfig: pytest.Config) -> Iterator[Lab]:
    yield lab_of(pytestconfig)
    end_lab(pytestconfig)


@pytest.fixture(scope="session")
def cell(request: pytest.FixtureRequest) -> Cell:
    """The cell that the test runs in."""
    value: Cell = request.param
    return value


@pytest.fixture(scope="session")
def cell_session(cell: Cell, lab: Lab, pytestconfig: pytest.Config) -> Iterator[CellSession]:
    yield begin_session(pytestconfig, lab, cell)
    end_session(pytestconfig, cell)


@pytest.fixture
def guest(request: pytest.FixtureRequest, cell: Cell, cell_session: CellSession) -> CellSession:
    """The running guest, its driver loaded and its agent clean: nothing open, nothing allocated."""
    properties = request.node.user_properties
    properties.append((CELL, cell.id))
    for mark in request.node.iter_markers("needs"):
        reason = cell.missing(mark.args[0])
        if reason is not None:
            pytest.skip(f"not covered: {cell.guest.name} has no {mark.args[0]}: {reason}")
        if cell.stand_in(mark.args[0]) is not None:
            properties.append((EMULATED, mark.args[0]))
    try:
        cell_session.begin_test(request.node.nodeid, driver_options(request.node))
    except CellUnavailable as error:
        properties.append((UNAVAILABLE, str(error)))
        pytest.skip(str(error))
    properties.append((KERNEL, cell_session.kernel))
    properties.append((DRIVER, cell_session.driver))
    request.node.stash[SESSION] = cell_session
    return cell_session


@pytest.fixture
def agent(guest: CellSession) -> AgentClient:
    """The agent in the guest: a client program of the cell's word size."""
    return guest.agent


@pytest.fixture
def client(guest: CellSession) -> Client:
    """The process in the guest that makes the test's requests."""
    return guest.new_client()


@pytest.fixture
def open_session(client: Client) -> Callable[[], DriverSession]:
    """Opens the device again and greets the driver, for tests that need more than one session."""
    return client.open_session


@pytest.fixture
def session(open_session: Callable[[], DriverSession]) -> DriverSession:
    """An open driver session with its cookies."""
    return open_session()
