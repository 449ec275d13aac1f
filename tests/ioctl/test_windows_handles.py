"""Handles on Windows: a file object is a session, of the process that opened it, until its last handle is closed."""

from __future__ import annotations

import pytest
from catalogue import FAST, GREETING, SLOW, ask, every, number_of, outcomes, written
from images import NOTHING_TO_ENTER
from memory import allocate
from processes import open_alone, send

from harness.abi import PAGE_SIZE, Status
from harness.session.driver_session import greet
from harness.targets import Refusal
from harness.targets.win32 import Win32
from harness.transport.wire import AgentOpError

pytestmark = pytest.mark.only("windows")

MEMORY = ("CONT_ALLOC", "LOW_ALLOC")


@pytest.fixture
def child(client):
    return client.start_child()


def sessions(guest):
    return guest.counters()["sessions"]


def works(session):
    return ask(session, "GET_PAGING_MODE").outcome == Status.OK


def cannot_be_opened(client, path):
    """The error of an open that fails."""
    with pytest.raises(AgentOpError) as caught:
        client.agent.open(path, client=client.number)
    return caught.value.os_error


def test_every_request_of_another_process_is_refused(session, child, guest):
    before, theirs = dict(guest.counters()), send(session, child)
    replies = {}
    for name in SLOW:
        data = session.input(name, **(GREETING if name == "COOKIE" else {}))
        replies[name] = ask(theirs, name, data)
    assert outcomes(replies) == every(SLOW, Refusal.NOT_THE_OPENER)
    assert written(replies) == []
    assert dict(guest.counters()) == before
    assert works(session)


def test_every_fast_request_of_another_process_is_refused(session, child):
    theirs = send(session, child)
    replies = {name: theirs.device.request(number_of(session.abi, name), out_size=4) for name in FAST}
    assert outcomes(replies) == every(FAST, Refusal.NOT_THE_OPENER)
    assert written(replies) == []


def test_a_greeting_of_another_process_tells_it_no_cookies(session, child):
    theirs = send(session, child)
    reply = ask(theirs, "COOKIE", session.input("COOKIE", **GREETING))
    assert reply.outcome == Refusal.NOT_THE_OPENER
    assert reply.raw.returned == 0
    assert reply.untouched


def test_a_handle_that_is_passed_on_is_no_further_session(session, child, guest):
    before = sessions(guest)
    send(session, child)
    assert sessions(guest) == before
    reply = ask(session, "COOKIE")
    assert session.output("COOKIE", reply) == session.greeting


@pytest.mark.parametrize("end", ["close", "kill"])
def test_the_end_of_another_processs_handle_leaves_the_session(session, client, child, guest, end):
    memory, theirs = allocate(session, "CONT_ALLOC"), send(session, child)
    theirs.close() if end == "close" else child.kill()
    assert sessions(guest) == 1
    client.write(memory.address, b"here")
    assert works(session)


@pytest.mark.parametrize("name", MEMORY)
def test_a_session_lasts_until_its_last_handle_is_closed_anywhere(session, child, guest, name):
    allocate(session, name)
    before, theirs = dict(guest.counters()), send(session, child)
    session.close()
    assert dict(guest.counters()) == before
    assert ask(theirs, "GET_PAGING_MODE", session.input("GET_PAGING_MODE")).outcome == Refusal.NOT_THE_OPENER
    theirs.close()
    assert not any(guest.counters().values())


def test_a_process_that_was_refused_has_sessions_of_its_own(session, child):
    assert not works(send(session, child))
    own = open_alone(child)
    assert works(own)
    assert own.cookies.session != session.cookies.session


def test_the_memory_of_a_session_is_not_in_a_process_that_has_its_handle(session, client, child):
    memory = allocate(session, "CONT_ALLOC")
    client.write(memory.address, b"mine")
    send(session, child)
    child.alloc_at(memory.address, PAGE_SIZE)
    assert client.read(memory.address, 4) == b"mine"


def test_every_request_works_by_a_handle_for_writing_only(client):
    session = greet(client.open(read=False))
    replies = {name: ask(session, name) for name in SLOW}
    assert outcomes(replies) == every(SLOW, Status.OK)
    assert {name: session.fast(name) for name in FAST} == dict.fromkeys(FAST, NOTHING_TO_ENTER)


@pytest.mark.parametrize("name", ["SUPDRV", "SupDrv"])
def test_the_name_of_the_device_has_no_case(client, guest, name):
    before = sessions(guest)
    client.agent.open(f"\\\\.\\{name}", client=client.number)
    assert sessions(guest) == before + 1


@pytest.mark.parametrize("below", ["", "-counters"])
@pytest.mark.parametrize("rest", ["\\x", "\\x\\y", "\\supdrv"])
def test_a_name_below_a_device_is_not_found(client, guest, below, rest):
    before = dict(guest.counters())
    assert cannot_be_opened(client, f"\\\\.\\supdrv{below}{rest}") in (Win32.FILE_NOT_FOUND, Win32.PATH_NOT_FOUND)
    assert dict(guest.counters()) == before
