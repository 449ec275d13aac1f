"""LOW_ALLOC and LOW_FREE: pages below 4 GiB, in any order."""

from __future__ import annotations

from functools import partial

import pytest
from catalogue import ask
from memory import check_that_memory_is_zeroed_again, low_alloc, physical_pages, release

from harness.abi import LIMITS, PAGE_SIZE, Status
from harness.session.device import FILL

pytestmark = pytest.mark.needs("kernel-memory")

FOUR_GIB = 1 << 32
MOST = LIMITS.low_pages_max
GOOD_COUNTS = (1, 2, 127, 128, MOST - 1, MOST)
# With room for MOST pages. The long ones are those that a product of 32 bits would make small.
BAD_COUNTS = (0, MOST + 1, 0x10000000, 0x10000001, 0x15555556, 0x80000001, 0xFFFFFFFF)


def low(guest):
    """How many records of low memory and how many pages in them the driver counts."""
    counters = guest.counters()
    return counters["records_low"], counters["pages_low"]


def room(session, count):
    return session.abi.layout("SUPLOWALLOC_OUT").size_of(count)


@pytest.mark.parametrize("count", GOOD_COUNTS)
def test_its_pages_are_told_apart_and_below_4_gib(session, count):
    pages = low_alloc(session, count).physical
    assert len(set(pages)) == count
    assert all(0 < page < FOUR_GIB and page % PAGE_SIZE == 0 for page in pages)


@pytest.mark.needs("physical-memory")
@pytest.mark.parametrize("count", GOOD_COUNTS)
def test_every_page_is_where_the_answer_says_below_4_gib(session, client, guest, count):
    memory = low_alloc(session, count)
    assert low(guest) == (1, count)
    assert memory.address % PAGE_SIZE == 0
    assert len(set(memory.physical)) == count
    assert all(0 < page < FOUR_GIB and page % PAGE_SIZE == 0 for page in memory.physical)
    assert physical_pages(client, memory.address, count) == memory.physical


@pytest.mark.parametrize("count", BAD_COUNTS)
def test_a_number_out_of_range_is_refused(session, guest, count):
    data = session.input("LOW_ALLOC", cPages=count)
    reply = ask(session, "LOW_ALLOC", data, out_size=room(session, MOST))
    assert reply.outcome == Status.INVALID_PARAM
    assert reply.untouched
    assert low(guest) == (0, 0)


@pytest.mark.parametrize("count", [2, 3, MOST])
def test_room_for_a_page_less_is_refused(session, guest, count):
    data = session.input("LOW_ALLOC", cPages=count)
    for out_size in (room(session, count - 1), room(session, count) - 1):
        reply = ask(session, "LOW_ALLOC", data, out_size=out_size)
        assert reply.outcome == Status.INVALID_PARAM
        assert reply.untouched
    assert low(guest) == (0, 0)


@pytest.mark.parametrize("more", [1, 300])
def test_room_beyond_the_pages_is_left_alone(session, more):
    data = session.input("LOW_ALLOC", cPages=3)
    reply = ask(session, "LOW_ALLOC", data, out_size=room(session, 3 + more))
    assert reply.outcome == Status.OK
    end = room(session, 3)
    assert reply.out[end:] == bytes([FILL]) * (len(reply.out) - end)


@pytest.mark.parametrize("count", [1, MOST])
def test_it_is_zeroed(session, client, count):
    memory = low_alloc(session, count)
    assert client.read(memory.address, memory.size) == bytes(memory.size)


def test_it_is_zeroed_again_after_it_was_written_and_freed(session, client):
    check_that_memory_is_zeroed_again(session, client, partial(low_alloc, session, 8), "LOW_FREE", pages=64)


def test_every_page_holds_what_was_written_to_it(session, client):
    memory = low_alloc(session, 32)
    data = b"".join(bytes([page]) * PAGE_SIZE for page in range(32))
    client.write(memory.address, data)
    assert client.read(memory.address, memory.size) == data


@pytest.mark.needs("process-maps")
def test_it_ends_with_its_last_page(session, client, guest):
    memory = low_alloc(session, 3)
    assert (memory.address, 3 * PAGE_SIZE) in guest.target.mappings(guest.agent, client.pid)


def test_two_allocations_share_nothing(session, client):
    one, other = low_alloc(session, 4), low_alloc(session, 4)
    assert not set(one.physical) & set(other.physical)
    client.write(one.address, b"one")
    assert client.read(other.address, 3) == bytes(3)


def test_its_address_frees_it_once(session, guest):
    memory = low_alloc(session, 5)
    assert release(session, "LOW_FREE", memory.address) == Status.OK
    assert low(guest) == (0, 0)
    assert release(session, "LOW_FREE", memory.address) == Status.INVALID_PARAM


@pytest.mark.parametrize("offset", [1, PAGE_SIZE, 3 * PAGE_SIZE, -PAGE_SIZE])
def test_another_address_does_not_free_it(session, guest, offset):
    memory = low_alloc(session, 3)
    assert release(session, "LOW_FREE", memory.address + offset) == Status.INVALID_PARAM
    assert low(guest) == (1, 3)


def test_a_physical_address_does_not_free_it(session, guest):
    memory = low_alloc(session)
    assert release(session, "LOW_FREE", memory.physical[0]) == Status.INVALID_PARAM
    assert low(guest) == (1, 1)
