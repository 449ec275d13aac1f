"""A client whose address space is full: nothing can be mapped into it, and nothing is left of the attempt."""

from __future__ import annotations

import pytest
from catalogue import ask
from processes import open_alone

from harness.abi import PAGE_SIZE, Status
from harness.transport.wire import AgentOpError, MemFlag, Prot

pytestmark = pytest.mark.needs("kernel-memory")

LARGEST = {32: 1 << 30, 64: 1 << 46}
MAPPERS = ("GIP_MAP", "CONT_ALLOC", "LOW_ALLOC")


def fill(child, word_bits):
    """Take all addresses of a process, without memory behind them; returns the last page that was to be had."""
    size, last = LARGEST[word_bits], 0
    while size >= PAGE_SIZE:
        try:
            last = child.agent.mem_alloc(size, prot=Prot.NONE, flags=MemFlag.NONE, client=child.number)
        except AgentOpError:
            size //= 2
    return last


@pytest.mark.needs("all-addresses")
@pytest.mark.parametrize("name", MAPPERS)
def test_no_room_to_map_is_no_memory_and_leaves_nothing(client, guest, name):
    child = client.start_child()
    session = open_alone(child)
    data = session.input(name, **{"CONT_ALLOC": {"cb": PAGE_SIZE}, "LOW_ALLOC": {"cPages": 1}}.get(name, {}))
    ask(session, "GET_PAGING_MODE")  # the agent has its buffers from now on
    page = fill(child, client.agent.hello(client=child.number).word_bits)
    before = dict(guest.counters())
    for _ in range(3):
        reply = ask(session, name, data)
        assert reply.outcome == Status.NO_MEMORY
        assert reply.untouched
        assert dict(guest.counters()) == before
    child.free(page, PAGE_SIZE)
    assert ask(session, name, data).outcome == Status.OK
