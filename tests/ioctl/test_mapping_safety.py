"""Memory that the driver maps: what a client cannot do with it, and that it is gone everywhere once freed."""

from __future__ import annotations

import pytest
from memory import FREE, allocate, low_alloc, pin, release, room_above
from processes import in_process, open_alone, send

from harness.abi import PAGE_SIZE, Status
from harness.transport.wire import AgentOpError, AgentStatus, ClientDiedError, Prot, Touch

pytestmark = pytest.mark.needs("kernel-memory")

RETURN = b"\xc3"
"""The instruction that ends a function, on every processor of ours."""

BOTH = pytest.mark.parametrize("name", ["CONT_ALLOC", "LOW_ALLOC"])


@pytest.fixture
def child(client):
    """A process that a test may lose."""
    return client.start_child()


def gone(client, address):
    """Whether the process can neither read nor write there."""
    for access in (lambda: client.read(address, 1), lambda: client.write(address, b"!")):
        with pytest.raises(AgentOpError) as caught:
            access()
        assert caught.value.status == AgentStatus.OS_ERROR
    return True


def dies(client, address, how):
    """Whether a process is ended by what it does there."""
    with pytest.raises(ClientDiedError) as caught:
        client.agent.mem_touch(address, how, client=client.number)
    return caught.value.exit is not None and caught.value.exit.by_signal


@BOTH
def test_it_cannot_be_made_executable(session, client, name):
    memory = allocate(session, name, 2)
    for prot in (Prot.EXEC, Prot.READ | Prot.EXEC, Prot.RWX):
        with pytest.raises(AgentOpError):
            client.agent.mem_protect(memory.address, memory.size, prot=prot, client=client.number)
    client.write(memory.address, b"still writable")


@pytest.mark.needs("no-execute")
@BOTH
def test_a_jump_into_it_ends_the_process(child, name):
    own = child.alloc(PAGE_SIZE, execute=True)
    memory = allocate(open_alone(child), name)
    for address in (own, memory.address):
        child.write(address, RETURN)
    child.agent.mem_touch(own, Touch.EXECUTE, client=child.number)
    assert dies(child, memory.address, Touch.EXECUTE)


@BOTH
def test_freed_memory_is_gone(session, client, name):
    memory = allocate(session, name, 3)
    client.write(memory.address, b"here")
    assert release(session, FREE[name], memory.address) == Status.OK
    for page in range(3):
        assert gone(client, memory.address + page * PAGE_SIZE)


@pytest.mark.needs("process-maps")
@BOTH
def test_freed_memory_is_no_longer_mapped(session, client, guest, name):
    memory = allocate(session, name, 3)
    assert release(session, FREE[name], memory.address) == Status.OK
    assert memory.address not in dict(guest.target.mappings(guest.agent, client.pid))


@BOTH
def test_a_touch_of_freed_memory_ends_the_process(child, name):
    there = open_alone(child)
    memory = allocate(there, name)
    child.agent.mem_touch(memory.address, Touch.WRITE, client=child.number)
    assert release(there, FREE[name], memory.address) == Status.OK
    assert dies(child, memory.address, Touch.READ)


@pytest.mark.needs("move")
@BOTH
def test_memory_that_was_moved_is_gone_when_it_is_freed(session, client, name):
    memory = allocate(session, name, 2)
    client.write(memory.address + PAGE_SIZE, b"moved")
    moved = client.agent.mem_move(memory.address, memory.size, client=client.number)
    assert client.read(moved + PAGE_SIZE, 5) == b"moved"
    assert release(session, FREE[name], memory.address) == Status.OK
    assert gone(client, moved)
    assert gone(client, moved + PAGE_SIZE)


@pytest.mark.needs("move")
@BOTH
def test_a_part_that_was_moved_is_gone_and_what_took_its_place_stays(session, client, name):
    memory = allocate(session, name, 3)
    middle = memory.address + PAGE_SIZE
    moved = client.agent.mem_move(middle, PAGE_SIZE, client=client.number)
    client.alloc_at(middle, PAGE_SIZE)
    client.write(middle, b"mine")
    assert release(session, FREE[name], memory.address) == Status.OK
    assert client.read(middle, 4) == b"mine"
    for address in (memory.address, memory.address + 2 * PAGE_SIZE, moved):
        assert gone(client, address)


@pytest.mark.needs("move")
@BOTH
def test_it_cannot_be_freed_by_the_address_it_was_moved_to(session, client, name):
    memory = allocate(session, name)
    moved = client.agent.mem_move(memory.address, memory.size, client=client.number)
    assert release(session, FREE[name], moved) == Status.INVALID_PARAM
    assert release(session, FREE[name], memory.address) == Status.OK


@pytest.mark.needs("move")
@BOTH
def test_a_touch_of_moved_and_freed_memory_ends_the_process(child, name):
    there = open_alone(child)
    memory = allocate(there, name)
    moved = child.agent.mem_move(memory.address, memory.size, client=child.number)
    assert release(there, FREE[name], memory.address) == Status.OK
    assert dies(child, moved, Touch.READ)


@BOTH
def test_unmapped_memory_can_still_be_freed(session, client, guest, name):
    memory = allocate(session, name, 2)
    client.free(memory.address, memory.size)
    assert release(session, FREE[name], memory.address) == Status.OK
    assert not any(value for counter, value in guest.counters().items() if counter != "sessions")


@pytest.mark.parametrize("part", [0, 1, 2])
@BOTH
def test_what_took_the_place_of_a_part_stays_when_the_rest_is_freed(session, client, name, part):
    memory = allocate(session, name, 3)
    place = memory.address + part * PAGE_SIZE
    client.free(place, PAGE_SIZE)
    client.alloc_at(place, PAGE_SIZE)
    client.write(place, b"mine")
    assert release(session, FREE[name], memory.address) == Status.OK
    assert client.read(place, 4) == b"mine"
    for other in {0, 1, 2} - {part}:
        assert gone(client, memory.address + other * PAGE_SIZE)


@BOTH
def test_what_took_its_place_stays_when_it_is_freed(session, client, name):
    memory = allocate(session, name, 2)
    client.free(memory.address, memory.size)
    client.alloc_at(memory.address, 2 * PAGE_SIZE)
    client.write(memory.address, b"mine")
    assert release(session, FREE[name], memory.address) == Status.OK
    assert client.read(memory.address, 4) == b"mine"


@pytest.mark.needs("reused-addresses")
@BOTH
def test_another_allocation_that_took_its_place_stays_when_it_is_freed(session, client, name):
    memory = allocate(session, name, 2)
    client.free(memory.address, memory.size)
    again = allocate(session, name, 2)
    assert again.address == memory.address, "the system chose another place, so nothing was shown"
    client.write(again.address, b"again")
    assert release(session, FREE[name], memory.address) == Status.OK
    assert client.read(again.address, 5) == b"again"
    assert release(session, FREE[name], again.address) == Status.OK
    assert gone(client, again.address)


@pytest.mark.needs("changed-mappings")
@BOTH
def test_a_part_whose_protection_was_changed_is_gone_when_it_is_freed(session, client, name):
    memory = allocate(session, name, 3)
    client.protect(memory.address + PAGE_SIZE, PAGE_SIZE, read=True, write=False)
    assert release(session, FREE[name], memory.address) == Status.OK
    for page in range(3):
        assert gone(client, memory.address + page * PAGE_SIZE)


@pytest.mark.needs("fork")
@pytest.mark.never("compat")
@BOTH
def test_a_fork_does_not_inherit_it(session, client, name):
    with room_above(client):
        memory = allocate(session, name)
    client.write(memory.address, b"parent")
    child = client.start_child(inherit=True)
    assert gone(child, memory.address)
    assert client.read(memory.address, 6) == b"parent"


@pytest.mark.needs("fork")
@pytest.mark.never("compat")
@BOTH
def test_a_fork_that_frees_it_takes_it_from_its_parent_and_keeps_its_own(session, client, name):
    with room_above(client):
        memory = allocate(session, name)
    child = client.start_child(inherit=True)
    child.alloc_at(memory.address, PAGE_SIZE)
    child.write(memory.address, b"child")
    assert release(in_process(session, child, session.device.handle), FREE[name], memory.address) == Status.OK
    assert child.read(memory.address, 5) == b"child"
    assert gone(client, memory.address)
    client.free(memory.address, PAGE_SIZE)  # what is left of the mapping would keep the driver from being unloaded


@pytest.mark.needs("handle-passing")
@BOTH
def test_another_process_with_the_session_does_not_see_it(session, client, child, name):
    memory = allocate(session, name)
    send(session, child)
    assert gone(child, memory.address)
    client.write(memory.address, b"here")


@pytest.mark.needs("handle-passing")
@BOTH
def test_another_process_that_frees_it_takes_it_away_everywhere(session, client, child, name):
    younger = client.start_child()  # so `child` has nothing where this one gets the memory
    memory = allocate(send(session, younger), name, 2)
    younger.write(memory.address, b"here")
    child.alloc_at(memory.address, PAGE_SIZE)
    child.write(memory.address, b"mine")
    assert release(send(session, child), FREE[name], memory.address) == Status.OK
    assert child.read(memory.address, 4) == b"mine"
    assert gone(younger, memory.address)


@pytest.mark.needs("handle-passing")
@BOTH
def test_the_close_by_another_process_takes_it_away(session, child, guest, name):
    there = send(session, child)
    memory = allocate(there, name)
    child.write(memory.address, b"here")
    there.close()
    assert guest.counters()["sessions"] == 1
    assert child.read(memory.address, 4) == b"here"
    session.close()
    assert gone(child, memory.address)
    assert not any(guest.counters().values())


@pytest.mark.needs("handle-passing")
@BOTH
def test_the_memory_of_a_dead_process_can_be_freed(session, child, guest, name):
    there = send(session, child)
    memory = allocate(there, name, 2)
    child.kill()
    assert release(session, FREE[name], memory.address) == Status.OK
    assert guest.counters()["sessions"] == 1


@BOTH
def test_the_close_takes_it_away_and_leaves_what_took_its_place(session, client, guest, name):
    kept, gone_before = allocate(session, name, 2), allocate(session, name, 2)
    client.free(gone_before.address, gone_before.size)
    client.alloc_at(gone_before.address, PAGE_SIZE)
    client.write(gone_before.address, b"mine")
    session.close()
    guest.counters()  # a close that is still under way comes first
    assert gone(client, kept.address)
    assert client.read(gone_before.address, 4) == b"mine"


def test_a_mapping_does_not_keep_the_driver_open(session, client, guest):
    memory = low_alloc(session)
    client.free(memory.address, memory.size)
    low_alloc(session)
    session.close()
    assert not any(guest.counters().values())


@BOTH
def test_freed_memory_that_is_pinned_stays_readable_to_nobody_and_is_counted(session, client, guest, name):
    memory = allocate(session, name, 2)
    assert pin(session, memory.address, memory.size) == memory.physical
    assert release(session, FREE[name], memory.address) == Status.OK
    assert gone(client, memory.address)
    assert guest.counters()["pages_pinned"] == 2
    assert not set(allocate(session, name, 2).physical) & set(memory.physical)
    assert release(session, "UNPINPAGES", memory.address) == Status.OK


@pytest.mark.needs("mapping-files")
@BOTH
def test_the_file_behind_a_mapping_cannot_be_opened(session, client, guest, name):
    memory = allocate(session, name)
    path = f"/proc/{client.pid}/map_files/{memory.address:x}-{memory.address + memory.size:x}"
    with pytest.raises(AgentOpError):
        guest.agent.open(path)
    with pytest.raises(AgentOpError):
        guest.agent.open(path, client=client.number)
