"""The fast requests are METHOD_NEITHER: the client's own lengths and addresses, four bytes of result, nothing else."""

from __future__ import annotations

import pytest
from addresses import BAD_KINDS, bad_address
from catalogue import FAST, every, number_of, outcomes, written
from memory import cont_alloc, release

from harness.abi import PAGE_SIZE, Status
from harness.session.device import FILL
from harness.targets import Refusal

pytestmark = pytest.mark.only("windows")

NOTHING_TO_ENTER = (-32).to_bytes(4, "little", signed=True)
WORD = len(NOTHING_TO_ENTER)


def ask_fast(session, data=b"", **request):
    """Each of the fast requests as one with buffers."""
    request.setdefault("out_size", WORD)
    return {name: session.device.request(number_of(session.abi, name), data, name=name, **request) for name in FAST}


def answered(replies, rest=b""):
    """Each succeeded, with four bytes and nothing behind them."""
    assert outcomes(replies) == every(replies, Status.OK)
    assert {name: reply.raw.returned for name, reply in replies.items()} == dict.fromkeys(replies, WORD)
    assert {name: reply.out for name, reply in replies.items()} == dict.fromkeys(replies, NOTHING_TO_ENTER + rest)


def refused_at(session, address):
    """Each is refused when its result is to go there."""
    number = {name: number_of(session.abi, name) for name in FAST}
    assert {name: session.device.raw(number[name], address) for name in FAST} == every(FAST, Refusal.BAD_ADDRESS)
    answered(ask_fast(session))


@pytest.mark.parametrize("room", [4, 5, 8, PAGE_SIZE, 3 * PAGE_SIZE])
def test_four_bytes_are_written_however_much_room_there_is(session, room):
    answered(ask_fast(session, out_size=room), rest=bytes([FILL]) * (room - WORD))


@pytest.mark.parametrize("room", [0, 1, 2, 3])
def test_less_room_than_a_result_needs_is_refused(session, room):
    for there in (room, PAGE_SIZE):
        replies = ask_fast(session, out_size=there, cb_out=room)
        assert outcomes(replies) == every(FAST, Status.INVALID_PARAM)
        assert {name: reply.raw.returned for name, reply in replies.items()} == dict.fromkeys(FAST, 0)
        assert written(replies) == []


@pytest.mark.parametrize("size", [1, 8, PAGE_SIZE + 1])
def test_its_input_is_not_looked_at(session, size):
    answered(ask_fast(session, bytes([0xEE]) * size))


def test_no_bytes_of_input_may_be_nowhere(session, client):
    for kind in ("null", "first-page", "inaccessible", "unmapped"):
        answered(ask_fast(session, in_pointer=bad_address(client, kind)))


def test_its_result_may_take_the_place_of_its_input(session):
    answered(ask_fast(session, bytes(12), out_size=12, overlay=True), rest=bytes(8))


@pytest.mark.parametrize("kind", BAD_KINDS)
def test_a_result_to_a_bad_address_is_refused(session, client, kind):
    refused_at(session, bad_address(client, kind))


def test_a_result_to_read_only_memory_is_refused(session, client):
    address = client.alloc(PAGE_SIZE, write=False)
    refused_at(session, address)
    assert client.read(address, PAGE_SIZE) == bytes(PAGE_SIZE)


def test_a_result_to_memory_that_was_freed_is_refused(session, client):
    address = client.alloc(PAGE_SIZE)
    client.free(address, PAGE_SIZE)
    refused_at(session, address)


def test_a_result_to_what_the_driver_took_away_is_refused(session):
    memory = cont_alloc(session)
    assert release(session, "CONT_FREE", memory.address) == Status.OK
    refused_at(session, memory.address)


def test_a_result_may_go_to_memory_of_the_driver(session, client):
    memory = cont_alloc(session)
    ended = {}
    for index, name in enumerate(FAST):
        ended[name] = session.device.raw(number_of(session.abi, name), memory.address + index * WORD)
    assert ended == every(FAST, Status.OK)
    assert client.read(memory.address, 4 * WORD) == NOTHING_TO_ENTER * 3 + bytes(WORD)


def test_a_result_at_the_end_of_memory_is_whole(session, client):
    end = client.alloc(PAGE_SIZE) + PAGE_SIZE - WORD
    for name in FAST:
        client.write(end - WORD, bytes(2 * WORD))
        assert session.device.raw(number_of(session.abi, name), end) == Status.OK
        assert client.read(end - WORD, 2 * WORD) == bytes(WORD) + NOTHING_TO_ENTER
