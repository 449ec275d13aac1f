"""A process replaces its program: the session goes on, and what it had mapped is gone with the old memory."""

from __future__ import annotations

import pytest
from catalogue import ask
from gip import gip_map, gip_unmap
from images import Image
from memory import FREE, allocate, pin, release
from processes import open_alone

from harness.abi import PAGE_SIZE, Status
from harness.transport.wire import AgentOpError

pytestmark = pytest.mark.needs("exec")

BOTH = pytest.mark.parametrize("name", ["CONT_ALLOC", "LOW_ALLOC"])
PLACES = 20
FAR = 64 << 20
"""More than a fresh program has mapped below its highest address, and than that varies."""


@pytest.fixture
def child(client):
    return client.start_child()


@pytest.fixture
def session(child):
    """A session of that child."""
    return open_alone(child)


def exec_beside(child, address):
    """Another program with memory of its own at `address`. Where a system puts a program is a matter of chance, on 32
    bits of few choices; one that lies there itself is replaced again."""
    for _ in range(PLACES):
        child.exec()
        try:
            child.alloc_at(address, PAGE_SIZE)
        except AgentOpError:
            continue
        return
    pytest.fail(f"{PLACES} programs in a row have something at {address:#x}")


def test_the_session_and_its_cookies_stay(session, child, guest):
    child.exec()
    assert guest.counters()["sessions"] == 1
    assert ask(session, "GET_PAGING_MODE").outcome == Status.OK
    reply = ask(session, "COOKIE")
    assert session.output("COOKIE", reply) == session.greeting


@BOTH
def test_memory_can_be_freed_once(session, child, guest, name):
    memory = allocate(session, name, 2)
    child.exec()
    assert guest.counters()["sessions"] == 1
    assert release(session, FREE[name], memory.address) == Status.OK
    assert release(session, FREE[name], memory.address) == Status.INVALID_PARAM
    session.close()
    assert not any(guest.counters().values())


@BOTH
def test_a_free_leaves_what_the_new_program_has_there(session, child, name):
    child.alloc(FAR)
    memory = allocate(session, name)
    exec_beside(child, memory.address)
    child.write(memory.address, b"mine")
    assert release(session, FREE[name], memory.address) == Status.OK
    assert child.read(memory.address, 4) == b"mine"


@BOTH
def test_the_close_leaves_what_the_new_program_has_there(session, child, guest, name):
    child.alloc(FAR)
    memory = allocate(session, name)
    exec_beside(child, memory.address)
    child.write(memory.address, b"mine")
    session.close()
    assert child.read(memory.address, 4) == b"mine"
    assert not any(guest.counters().values())


def test_pins_are_kept_until_they_are_released(session, child, guest):
    address = child.alloc(2 * PAGE_SIZE)
    pin(session, address, 2 * PAGE_SIZE)
    child.exec()
    assert guest.counters()["pages_pinned"] == 2
    assert release(session, "UNPINPAGES", address) == Status.OK
    assert release(session, "UNPINPAGES", address) == Status.INVALID_PARAM


def test_the_page_is_in_use_until_it_is_unmapped_and_can_be_mapped_anew(session, child, guest):
    gip_map(session)
    child.exec()
    assert guest.counters()["gip_users"] == 1
    gip_unmap(session)
    assert guest.counters()["gip_users"] == 0
    assert gip_map(session).readable


def test_images_stay(session, child):
    image = Image.open(session).load_well()
    child.exec()
    assert ask(session, "LDR_LOAD", image.load_input()).outcome == Status.ALREADY_LOADED
    assert image.free() == Status.OK


def test_nothing_is_left_of_a_process_that_dies_as_another_program(session, child, guest):
    allocate(session, "CONT_ALLOC")
    allocate(session, "LOW_ALLOC")
    pin(session, child.alloc(PAGE_SIZE))
    gip_map(session)
    Image.open(session).load_well()
    child.exec()
    child.kill()
    assert not any(guest.counters().values())
