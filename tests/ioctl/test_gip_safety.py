"""The global information page against its readers: nobody can write to it, keep it, or lose memory by it."""

from __future__ import annotations

import pytest
from gip import gip_map, gip_unmap
from memory import room_above
from processes import in_process, open_alone, send

from harness.abi import PAGE_SIZE
from harness.transport.wire import AgentOpError, ClientDiedError, MemFlag, OpenFlag, Touch, WriteHow

pytestmark = pytest.mark.needs("kernel-memory")

MAGIC = 0xBEEF0001
OWN_DATA = b"the client's own"


@pytest.fixture
def page(session):
    return gip_map(session)


@pytest.fixture
def owned(client):
    """The page as a process of its own has it, which a test may let die."""
    return gip_map(open_alone(client.start_child()))


@pytest.fixture
def pair(session, client):
    """One session as two processes have it, which end with the test and with them what they keep mapped."""
    return [send(session, client.start_child()) for _ in range(2)]


def close(session):
    session.close()


ENDS = [pytest.param(gip_unmap, id="unmap"), pytest.param(close, id="close")]


def has_page(page):
    return page.fields()["u32Magic"] == MAGIC


def put_own_data(client, address):
    """Memory of the client's own at an address where there is none."""
    assert client.agent.mem_alloc(PAGE_SIZE, flags=MemFlag.FIXED, hint=address, client=client.number) == address
    client.write(address, OWN_DATA)


def has_own_data(client, address):
    return client.read(address, len(OWN_DATA)) == OWN_DATA


def move(page):
    """Move the mapping; the page as it is seen at its new address."""
    process = page.session.device.process
    address = process.agent.mem_move(page.address, PAGE_SIZE, client=process.number)
    return type(page)(session=page.session, address=address, token=page.token, physical=page.physical)


def dies_of(page, how):
    """Whether the process that has the page dies when it does that to it."""
    process = page.session.device.process
    with pytest.raises(ClientDiedError) as caught:
        process.agent.mem_touch(page.address, how, client=process.number)
    return caught.value.exit is not None and caught.value.exit.by_signal


# Writing.


def test_the_page_cannot_be_written(page, client):
    with pytest.raises(AgentOpError):
        client.write(page.address, b"\0\0\0\0")
    assert has_page(page)


def test_a_store_to_the_page_ends_the_process(owned, page, guest):
    assert dies_of(owned, Touch.WRITE)
    assert has_page(page)
    assert guest.counters()["gip_users"] == 1


@pytest.mark.needs("no-execute")
def test_a_call_into_the_page_ends_the_process(owned, page):
    assert dies_of(owned, Touch.EXECUTE)
    assert has_page(page)


@pytest.mark.parametrize(
    "wish",
    [{"write": True}, {"write": False, "execute": True}, {"write": True, "execute": True}],
    ids=["write", "execute", "both"],
)
def test_the_page_cannot_be_made_writable_or_executable(page, client, wish):
    with pytest.raises(AgentOpError):
        client.protect(page.address, PAGE_SIZE, read=True, **wish)
    assert has_page(page)


@pytest.mark.needs("move")
def test_the_page_cannot_be_made_writable_at_another_address(page, client):
    moved = move(page)
    with pytest.raises(AgentOpError):
        client.protect(moved.address, PAGE_SIZE, read=True, write=True)
    assert has_page(moved)


@pytest.mark.needs("foreign-writes")
@pytest.mark.parametrize(
    "how",
    [
        pytest.param(WriteHow.COPY, id="copy"),
        pytest.param(WriteHow.DEBUG, id="debug", marks=pytest.mark.needs("debug-writes")),
    ],
)
def test_another_process_cannot_write_to_the_page(page, client, how):
    writer = client.start_child()
    with pytest.raises(AgentOpError):
        writer.agent.process_write(client.pid, page.address, bytes(4), how=how, client=writer.number)
    assert has_page(page)


@pytest.mark.needs("proc-mem")
def test_the_page_cannot_be_written_through_the_memory_file(page, client):
    writer = client.start_child()
    path = f"/proc/{client.pid}/mem"
    with pytest.raises(AgentOpError):
        writer.agent.file_write(path, bytes(4), offset=page.address, client=writer.number)
    assert has_page(page)


@pytest.mark.needs("map-files")
@pytest.mark.parametrize("flags", [OpenFlag.READ, OpenFlag.READ_WRITE], ids=["read", "read-write"])
def test_the_mapping_cannot_be_opened_as_a_file(page, client, flags):
    path = f"/proc/{client.pid}/map_files/{page.address:x}-{page.address + PAGE_SIZE:x}"
    with pytest.raises(AgentOpError):
        client.agent.open(path, flags, client=client.number)


# Keeping.


@pytest.mark.needs("move")
@pytest.mark.parametrize("end", ENDS)
def test_a_moved_mapping_is_taken_away(session, page, end):
    moved = move(page)
    assert has_page(moved)
    end(session)
    assert not moved.readable


@pytest.mark.needs("move")
@pytest.mark.parametrize("end", ENDS)
def test_touching_a_moved_mapping_that_was_taken_away_ends_the_process(owned, end):
    moved = move(owned)
    end(owned.session)
    assert dies_of(moved, Touch.READ)


@pytest.mark.needs("move")
def test_the_page_can_be_mapped_again_after_it_was_moved(session, page):
    moved = move(page)
    assert gip_map(session) == page
    gip_unmap(session)
    assert has_page(gip_map(session))
    assert not moved.readable


@pytest.mark.needs("fork")
@pytest.mark.never("compat")
def test_a_fork_does_not_inherit_the_page(session, client):
    with room_above(client):
        page = gip_map(session)
    there = in_process(session, client.start_child(inherit=True), session.device.handle)
    assert not type(page)(session=there, address=page.address, token=0, physical=0).readable
    assert has_page(page)


# The client's own memory.


@pytest.mark.parametrize("end", ENDS)
def test_what_the_client_put_in_place_of_the_page_stays(session, page, client, end):
    client.free(page.address, PAGE_SIZE)
    put_own_data(client, page.address)
    end(session)
    assert has_own_data(client, page.address)


def test_the_page_still_belongs_to_the_session_after_the_client_unmapped_it(session, page, client, guest):
    client.free(page.address, PAGE_SIZE)
    assert gip_map(session) == page
    assert not page.readable
    assert guest.counters()["gip_users"] == 1
    gip_unmap(session)
    assert has_page(gip_map(session))


# One session in two processes.


@pytest.mark.needs("handle-passing")
def test_the_address_is_that_of_the_process_which_mapped_the_page(pair, guest):
    first, second = pair
    page = gip_map(first)
    seen = gip_map(second)
    assert seen.address == page.address
    assert not seen.readable
    assert has_page(page)
    assert guest.counters()["gip_users"] == 1


@pytest.mark.needs("handle-passing")
def test_another_process_of_the_session_can_take_the_page_over(pair):
    first, second = pair
    page = gip_map(first)
    assert has_page(page)
    gip_unmap(second)
    assert not page.readable
    assert has_page(gip_map(second))
    assert not page.readable


@pytest.mark.needs("handle-passing")
def test_unmapping_leaves_the_memory_of_another_process_at_that_address(pair):
    first, second = pair
    with room_above(first.device.process):
        page = gip_map(first)
    put_own_data(second.device.process, page.address)
    gip_unmap(second)
    assert has_own_data(second.device.process, page.address)
    assert not page.readable


@pytest.mark.needs("handle-passing")
def test_the_session_keeps_the_page_when_the_process_that_mapped_it_dies(pair, guest):
    first, second = pair
    gip_map(first)
    first.device.process.kill()
    assert guest.counters()["gip_users"] == 1
    gip_unmap(second)
    assert guest.counters()["gip_users"] == 0
    assert has_page(gip_map(second))
