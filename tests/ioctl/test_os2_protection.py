"""That the guest of our own keeps programs apart from its kernel and from each other, on which all else rests."""

from __future__ import annotations

import pytest

from harness.abi import PAGE_SIZE
from harness.transport.wire import AgentOpError, ClientDiedError, Touch

pytestmark = pytest.mark.only("os2")

KERNEL = {
    "first page": 0xC0000000,
    "its code": 0xC0101000,
    "its data": 0xC0300000,
    "all memory": 0xC4000000,
    "drivers": 0xF0000000,
    "last page": 0xFFFFF000,
}


@pytest.fixture
def child(client):
    return client.start_child()


@pytest.mark.parametrize("how", list(Touch), ids=lambda how: how.name.lower())
@pytest.mark.parametrize("place", KERNEL)
def test_a_touch_of_the_kernels_memory_ends_the_process(child, guest, place, how):
    with pytest.raises(ClientDiedError) as caught:
        child.agent.mem_touch(KERNEL[place], how, client=child.number)
    assert caught.value.exit is not None
    assert caught.value.exit.by_signal
    guest.agent.ping()


@pytest.mark.parametrize("place", KERNEL)
def test_no_call_reads_or_writes_the_kernels_memory_for_a_program(child, place):
    for access in (lambda: child.read(KERNEL[place], 4), lambda: child.write(KERNEL[place], b"mine")):
        with pytest.raises(AgentOpError):
            access()


def test_a_null_pointer_ends_the_process(child):
    with pytest.raises(ClientDiedError):
        child.agent.mem_touch(0, Touch.READ, client=child.number)


def test_processes_do_not_see_each_others_memory(client, child):
    far = client.alloc(16 * 1024 * 1024)  # where the child has nothing yet
    address = far + 8 * 1024 * 1024
    client.write(address, b"of the agent")
    child.alloc_at(address, PAGE_SIZE)
    assert child.read(address, 12) != b"of the agent"
    child.write(address, b"of the child")
    assert client.read(address, 12) == b"of the agent"


def test_read_only_memory_is_read_only_to_the_program_and_to_calls(child):
    address = child.alloc(PAGE_SIZE)
    child.protect(address, PAGE_SIZE, read=True, write=False)
    with pytest.raises(AgentOpError):
        child.write(address, b"mine")
    with pytest.raises(ClientDiedError):
        child.agent.mem_touch(address, Touch.WRITE, client=child.number)
