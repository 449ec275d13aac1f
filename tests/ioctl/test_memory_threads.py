"""Memory requests from several threads, under a client that changes its memory, and in the middle of its death."""

from __future__ import annotations

import pytest
from addresses import bad_address
from catalogue import number_of
from memory import FREE, allocate, release
from processes import open_alone

from harness.abi import PAGE_SIZE, Status
from harness.transport import wire

pytestmark = [pytest.mark.needs("kernel-memory"), pytest.mark.needs("pinned-pages")]

PAGES = 64
THREADS = 8
MAKERS = pytest.mark.parametrize("name", list(FREE))


def left(guest):
    """Everything that the driver counts but sessions."""
    return {name: value for name, value in guest.counters().items() if value and name != "sessions"}


def endless(session, client, name, *, pv=None):
    """A request whose answer never arrives, so that every record is taken back as soon as it is made."""
    fields = {
        "PINPAGES": {"pv": pv, "cb": PAGES * PAGE_SIZE},
        "CONT_ALLOC": {"cb": 2 * PAGE_SIZE},
        "LOW_ALLOC": {"cPages": 2},
    }[name]
    tail = {"PINPAGES": ("SUPPINPAGES_OUT", PAGES), "LOW_ALLOC": ("SUPLOWALLOC_OUT", 2)}.get(name)
    layout = session.abi.layout(tail[0] if tail else "SUPCONTALLOC_OUT")
    return wire.pack_request(
        session.device.handle,
        number_of(session.abi, name),
        data=session.input(name, **fields),
        cb_out=layout.size_of(tail[1]) if tail else layout.size,
        out_ptr=bad_address(client, "unmapped"),
        flags=wire.RequestFlag.OUT_PTR,
    )


@MAKERS
def test_threads_of_one_session_do_not_disturb_each_other(session, client, guest, name):
    payload = endless(session, client, name, pv=client.alloc(PAGES * PAGE_SIZE))
    done = client.agent.loop(wire.Op.REQUEST, payload, count=50, threads=THREADS, client=client.number)
    assert done.count == done.failures == 50 * THREADS
    assert left(guest) == {}


@pytest.mark.needs("pin-statistics")
def test_memory_may_come_and_go_while_it_is_pinned(session, client, guest):
    address = client.alloc(PAGES * PAGE_SIZE)
    before = guest.target.pages_held(guest.agent)
    payload = endless(session, client, "PINPAGES", pv=address)
    done, rounds = client.agent.disturb(address, PAGES * PAGE_SIZE, payload, count=1000, client=client.number)
    assert done.failures == done.count == 1000
    assert rounds > 1
    assert left(guest) == {}
    assert guest.target.pages_held(guest.agent) == before


@pytest.mark.needs("undone-answers")
@pytest.mark.parametrize("name", ["CONT_ALLOC", "LOW_ALLOC"])
def test_a_thread_may_unmap_and_replace_a_mapping_while_it_is_made_and_taken_back(session, client, guest, name):
    memory = allocate(session, name, 2)
    payload = endless(session, client, name)
    done, rounds = client.agent.disturb(memory.address, memory.size, payload, count=200, client=client.number)
    assert done.failures == done.count == 200
    assert rounds > 1
    assert release(session, FREE[name], memory.address) == Status.OK
    assert left(guest) == {}


@MAKERS
def test_a_process_may_die_in_the_middle_of_requests(client, guest, name):
    child = client.start_child()
    session = open_alone(child)
    payload = endless(session, child, name, pv=child.alloc(PAGES * PAGE_SIZE))
    packed = wire.pack_loop(wire.Op.REQUEST, payload, count=0, threads=THREADS, limit_ms=10_000, stride=0)
    child.agent.start(wire.Op.LOOP, packed, client=child.number)
    child.agent.sleep(5)
    child.kill()
    assert not any(guest.counters().values())
