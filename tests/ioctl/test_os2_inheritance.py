"""A handle that a child has inherited on OS/2: it is the same open file, and another process's session."""

from __future__ import annotations

import pytest
from catalogue import good_size, number_of
from memory import cont_alloc
from processes import open_alone

from harness.abi import Status
from harness.session.device import Device
from harness.session.driver_session import greet
from harness.targets import Refusal
from harness.transport.wire import OpenFlag

pytestmark = pytest.mark.only("os2")


def device(process, handle):
    return Device(process, handle, note=lambda _text: None, twin=None)


@pytest.fixture
def pair(client):
    """The opener's session, and the device as a child has it."""
    handle = client.agent.open(client.target.device, OpenFlag.READ | OpenFlag.WRITE | OpenFlag.INHERIT)
    child = client.start_child()
    session = greet(device(client, handle))
    return session, device(child, client.agent.handle_send(handle, child.number))


def use(session, inherited, name="IDT_REMOVE"):
    """A good request of the session, made by the child."""
    number = number_of(session.abi, name)
    return inherited.request(number, session.input(name), out_size=good_size(session.abi, name), name=name)


@pytest.mark.parametrize("name", ["IDT_REMOVE", "GET_PAGING_MODE", "COOKIE", "GIP_MAP"])
def test_a_request_of_a_child_is_refused(pair, name):
    session, inherited = pair
    reply = use(session, inherited, name)
    assert reply.outcome == Refusal.NOT_THE_OPENER
    assert reply.untouched
    assert session.call("IDT_REMOVE").outcome == Status.OK


def test_the_close_of_a_child_leaves_the_session(pair, guest):
    session, inherited = pair
    inherited.close()
    assert session.call("IDT_REMOVE").outcome == Status.OK
    assert guest.counters()["sessions"] == 1


def test_the_death_of_a_child_leaves_the_session(pair, guest):
    session, inherited = pair
    inherited.process.kill()
    assert session.call("IDT_REMOVE").outcome == Status.OK
    assert guest.counters()["sessions"] == 1


def test_what_the_child_opens_itself_is_its_own(pair):
    _, inherited = pair
    assert open_alone(inherited.process).call("IDT_REMOVE").outcome == Status.OK


@pytest.mark.parametrize("end", ["close", "kill"])
def test_the_session_ends_with_the_last_handle_whoever_has_it(pair, client, guest, end):
    session, inherited = pair
    memory = cont_alloc(session)
    client.write(memory.address, b"mine")
    session.close()
    assert guest.counters()["sessions"] == 1
    if end == "close":
        inherited.close()
    else:
        inherited.process.kill()
    assert not any(guest.counters().values())
    assert cont_alloc(client.open_session()).address != memory.address
    assert client.read(memory.address, 4) == b"mine"
