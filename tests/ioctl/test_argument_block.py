"""The argument block of the Unix transport: where it may lie, and that it is only read."""

from __future__ import annotations

import pytest
from addresses import BAD_KINDS, bad_address, end_of_memory
from argument_block import ArgumentBlock, place_bytes
from catalogue import SLOW, WITH_OUTPUT, ask, every, good_input, good_size, number_of, outcomes

from harness.abi import PAGE_SIZE, Status
from harness.targets import Refusal

pytestmark = pytest.mark.needs("argument-block")


def place(session, client, name, data=None, *, at=None, pv_out=None):
    """A block of a request with its own input and output memory."""
    data = good_input(session, name) if data is None else data
    size = good_size(session.abi, name)
    return ArgumentBlock.place(
        client,
        pv_in=place_bytes(client, data),
        cb_in=len(data),
        pv_out=client.alloc(PAGE_SIZE) if pv_out is None else pv_out,
        cb_out=size,
        at=at,
    )


def call(session, name, block):
    return session.device.raw(number_of(session.abi, name), block.address)


@pytest.mark.parametrize("kind", BAD_KINDS)
def test_a_block_at_a_bad_address_is_refused(session, client, kind):
    nowhere = bad_address(client, kind)
    ended = {name: session.device.raw(number_of(session.abi, name), nowhere) for name in SLOW}
    assert ended == every(SLOW, Refusal.BAD_ADDRESS)
    assert ask(session, "IDT_REMOVE").outcome == Status.OK


@pytest.mark.parametrize("missing", ["a byte", "a word", "half"])
def test_a_block_that_runs_into_an_unmapped_page_is_refused(session, client, missing):
    size = session.abi.layout("SUPDRVIOCTLDATA").size
    there = size - {"a byte": 1, "a word": session.abi.pointer_size, "half": size // 2}[missing]
    address = end_of_memory(client, there)
    ended = {}
    for name in SLOW:
        client.write(address, place(session, client, name).data[:there])
        ended[name] = session.device.raw(number_of(session.abi, name), address)
    assert ended == every(SLOW, Refusal.BAD_ADDRESS)


def test_a_block_at_the_end_of_memory_is_accepted(session, client):
    address = end_of_memory(client, session.abi.layout("SUPDRVIOCTLDATA").size)
    ended = {name: call(session, name, place(session, client, name, at=address)) for name in SLOW}
    assert ended == every(SLOW, Status.OK)


def test_a_block_at_an_odd_address_and_across_pages_is_accepted(session, client):
    address = client.alloc(2 * PAGE_SIZE) + PAGE_SIZE - 5
    ended = {name: call(session, name, place(session, client, name, at=address)) for name in SLOW}
    assert ended == every(SLOW, Status.OK)


@pytest.mark.needs("unwritten-block")
def test_a_block_in_read_only_memory_is_enough(session, client):
    ended = {}
    for name in SLOW:
        block = place(session, client, name)
        client.protect(block.address, PAGE_SIZE, read=True, write=False)
        ended[name] = call(session, name, block)
    assert ended == every(SLOW, Status.OK)


def ends_without_changing(session, blocks, expected):
    """Each request ends as expected and leaves its block as it was."""
    assert {name: call(session, name, block) for name, block in blocks.items()} == every(blocks, expected)
    assert [name for name, block in blocks.items() if not block.unchanged] == []


def test_a_successful_request_leaves_the_block_as_it_was(session, client):
    ends_without_changing(session, {name: place(session, client, name) for name in SLOW}, Status.OK)


def test_a_refused_request_leaves_the_block_as_it_was(session, client):
    blocks = {name: place(session, client, name, bytes(len(good_input(session, name)))) for name in SLOW}
    ends_without_changing(session, blocks, Status.INVALID_MAGIC)


def test_a_request_of_a_wrong_size_leaves_the_block_as_it_was(session, client):
    blocks = {name: place(session, client, name, good_input(session, name)[:-1]) for name in SLOW}
    ends_without_changing(session, blocks, Status.INVALID_PARAM)


def test_a_request_with_bad_input_leaves_the_block_as_it_was(session, client):
    nowhere, output = bad_address(client, "unmapped"), client.alloc(PAGE_SIZE)
    blocks = {
        name: ArgumentBlock.place(
            client,
            pv_in=nowhere,
            cb_in=len(good_input(session, name)),
            pv_out=output,
            cb_out=good_size(session.abi, name),
        )
        for name in SLOW
    }
    ends_without_changing(session, blocks, Refusal.BAD_ADDRESS)
    assert client.read(output, PAGE_SIZE) == bytes(PAGE_SIZE)


def test_a_failed_copy_leaves_the_block_as_it_was(session, client):
    nowhere = bad_address(client, "unmapped")
    blocks = {name: place(session, client, name, pv_out=nowhere) for name in WITH_OUTPUT}
    ends_without_changing(session, blocks, Refusal.BAD_ADDRESS)


def test_success_is_returned_as_zero(session):
    replies = {name: ask(session, name) for name in SLOW}
    assert outcomes(replies) == every(SLOW, Status.OK)
    assert {name: reply.result for name, reply in replies.items()} == dict.fromkeys(SLOW, 0)


@pytest.mark.needs("unwritten-block")
def test_the_output_may_replace_the_block(session, client):
    block = ArgumentBlock.place(
        client, pv_in=place_bytes(client, good_input(session, "COOKIE")), cb_in=20, at=client.alloc(PAGE_SIZE)
    )
    size = good_size(session.abi, "COOKIE")
    layout = session.abi.layout("SUPDRVIOCTLDATA")
    fields = {**layout.unpack(block.data), "pvOut": block.address, "cbOut": size}
    client.write(block.address, layout.pack(**fields))
    assert call(session, "COOKIE", block) == Status.OK
    answer = session.abi.layout("SUPCOOKIE_OUT").unpack(client.read(block.address, size))
    assert answer == session.greeting
