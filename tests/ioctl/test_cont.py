"""CONT_ALLOC and CONT_FREE: pages that follow each other in physical memory."""

from __future__ import annotations

from functools import partial

import pytest
from addresses import in_kernel_half
from catalogue import ask, good_size
from memory import check_that_memory_is_zeroed_again, cont_alloc, pages_of, physical_pages, release

from harness.abi import LIMITS, PAGE_SIZE, Status
from harness.session.device import FILL

pytestmark = pytest.mark.needs("kernel-memory")

FOUR_GIB = 1 << 32
GOOD_SIZES = (LIMITS.cont_bytes_min, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 15003, LIMITS.cont_bytes_max)
BAD_SIZES = (0, 1, LIMITS.cont_bytes_min - 1, LIMITS.cont_bytes_max + 1, 0x80000000, 0xFFFFFFFF)


def contiguous(guest):
    """How many records of contiguous memory and how many pages in them the driver counts."""
    counters = guest.counters()
    return counters["records_cont"], counters["pages_cont"]


@pytest.mark.parametrize("size", GOOD_SIZES)
def test_a_size_is_rounded_up_to_pages(session, guest, size):
    cont_alloc(session, size)
    assert contiguous(guest) == (1, pages_of(size))


@pytest.mark.parametrize("size", BAD_SIZES)
def test_a_size_out_of_range_is_refused(session, guest, size):
    reply = ask(session, "CONT_ALLOC", session.input("CONT_ALLOC", cb=size))
    assert reply.outcome == Status.INVALID_PARAM
    assert reply.untouched
    assert contiguous(guest) == (0, 0)


@pytest.mark.needs("physical-memory")
@pytest.mark.parametrize("size", GOOD_SIZES)
def test_its_pages_follow_each_other_below_4_gib(session, client, size):
    memory = cont_alloc(session, size)
    assert memory.address % PAGE_SIZE == 0
    assert 0 < memory.physical[0] <= FOUR_GIB - memory.size
    assert memory.physical[0] % PAGE_SIZE == 0
    assert physical_pages(client, memory.address, pages_of(size)) == memory.physical


@pytest.mark.parametrize("size", GOOD_SIZES)
def test_it_is_zeroed_to_the_end_of_its_last_page(session, client, size):
    memory = cont_alloc(session, size)
    assert client.read(memory.address, memory.size) == bytes(memory.size)


def test_it_is_zeroed_again_after_it_was_written_and_freed(session, client):
    check_that_memory_is_zeroed_again(session, client, partial(cont_alloc, session), "CONT_FREE", pages=16)


def test_it_can_be_written_and_read_back(session, client):
    memory = cont_alloc(session, LIMITS.cont_bytes_max)
    for page in (0, 1, 128, 255):
        client.write(memory.address + page * PAGE_SIZE, bytes([page + 1 & 0xFF]) * PAGE_SIZE)
    for page in (0, 1, 128, 255):
        assert client.read(memory.address + page * PAGE_SIZE, PAGE_SIZE) == bytes([page + 1 & 0xFF]) * PAGE_SIZE


@pytest.mark.needs("process-maps")
def test_it_ends_with_its_last_page(session, client, guest):
    memory = cont_alloc(session, PAGE_SIZE + 1)
    assert (memory.address, 2 * PAGE_SIZE) in guest.target.mappings(guest.agent, client.pid)


def test_room_beyond_the_answer_is_left_alone(session):
    size = good_size(session.abi, "CONT_ALLOC")
    reply = ask(session, "CONT_ALLOC", out_size=size + 64)
    assert reply.outcome == Status.OK
    assert reply.out[size:] == bytes([FILL]) * 64


def test_two_allocations_share_nothing(session, client):
    one, other = cont_alloc(session, 2 * PAGE_SIZE), cont_alloc(session, 2 * PAGE_SIZE)
    assert not set(one.physical) & set(other.physical)
    client.write(one.address, b"one")
    assert client.read(other.address, 3) == bytes(3)


@pytest.mark.needs("opaque-memory")
def test_the_token_is_odd_no_kernel_address_and_new_each_time(session, open_session):
    tokens = [cont_alloc(by).token for by in (session, session, open_session())]
    assert all(token % 2 == 1 and not in_kernel_half(token, session.abi.word_size) for token in tokens)
    assert len(set(tokens)) == len(tokens)


@pytest.mark.parametrize("what", ["address", "token"])
def test_its_address_or_its_token_frees_it(session, guest, what):
    memory = cont_alloc(session, 3 * PAGE_SIZE)
    assert release(session, "CONT_FREE", getattr(memory, what)) == Status.OK
    assert contiguous(guest) == (0, 0)


@pytest.mark.parametrize("first", ["address", "token"])
@pytest.mark.parametrize("second", ["address", "token"])
def test_it_is_freed_once(session, first, second):
    memory = cont_alloc(session)
    assert release(session, "CONT_FREE", getattr(memory, first)) == Status.OK
    assert release(session, "CONT_FREE", getattr(memory, second)) == Status.INVALID_PARAM


@pytest.mark.parametrize("offset", [1, PAGE_SIZE, 3 * PAGE_SIZE, -PAGE_SIZE])
@pytest.mark.parametrize("what", ["address", "token"])
def test_another_value_does_not_free_it(session, guest, what, offset):
    memory = cont_alloc(session, 3 * PAGE_SIZE)
    assert release(session, "CONT_FREE", getattr(memory, what) + offset) == Status.INVALID_PARAM
    assert contiguous(guest) == (1, 3)


def test_one_of_many_is_freed_by_its_token(session, client, guest):
    made = [cont_alloc(session) for _ in range(5)]
    client.write(made[1].address, b"stay")
    assert release(session, "CONT_FREE", made[3].token) == Status.OK
    assert contiguous(guest) == (4, 4)
    assert client.read(made[1].address, 4) == b"stay"
    assert release(session, "CONT_FREE", made[3].address) == Status.INVALID_PARAM
