"""The argument block of the Unix transport: where it may lie, and that it is only read."""

from __future__ import annotations

import pytest
from addresses import BAD_KINDS, bad_address, end_of_memory
from argument_block import ArgumentBlock, place_bytes
from catalogue import SLOW, WITH_OUTPUT, ask, good_input, good_size, number_of

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
@pytest.mark.parametrize("name", SLOW)
def test_a_block_at_a_bad_address_is_refused(session, client, name, kind):
    outcome = session.device.raw(number_of(session.abi, name), bad_address(client, kind))
    assert outcome == Refusal.BAD_ADDRESS
    assert ask(session, "IDT_REMOVE").outcome == Status.OK


@pytest.mark.parametrize("missing", ["a byte", "a word", "half"])
@pytest.mark.parametrize("name", SLOW)
def test_a_block_that_runs_into_an_unmapped_page_is_refused(session, client, name, missing):
    size = session.abi.layout("SUPDRVIOCTLDATA").size
    there = size - {"a byte": 1, "a word": session.abi.pointer_size, "half": size // 2}[missing]
    whole = place(session, client, name)
    address = end_of_memory(client, there)
    client.write(address, whole.data[:there])
    assert session.device.raw(number_of(session.abi, name), address) == Refusal.BAD_ADDRESS


@pytest.mark.parametrize("name", SLOW)
def test_a_block_at_the_end_of_memory_is_accepted(session, client, name):
    address = end_of_memory(client, session.abi.layout("SUPDRVIOCTLDATA").size)
    assert call(session, name, place(session, client, name, at=address)) == Status.OK


@pytest.mark.parametrize("name", SLOW)
def test_a_block_at_an_odd_address_and_across_pages_is_accepted(session, client, name):
    address = client.alloc(2 * PAGE_SIZE) + PAGE_SIZE - 5
    assert call(session, name, place(session, client, name, at=address)) == Status.OK


@pytest.mark.parametrize("name", SLOW)
def test_a_block_in_read_only_memory_is_enough(session, client, name):
    block = place(session, client, name)
    client.protect(block.address, PAGE_SIZE, read=True, write=False)
    assert call(session, name, block) == Status.OK


@pytest.mark.parametrize("name", SLOW)
def test_a_successful_request_leaves_the_block_as_it_was(session, client, name):
    block = place(session, client, name)
    assert call(session, name, block) == Status.OK
    assert block.unchanged


@pytest.mark.parametrize("name", SLOW)
def test_a_refused_request_leaves_the_block_as_it_was(session, client, name):
    block = place(session, client, name, bytes(len(good_input(session, name))))
    assert call(session, name, block) == Status.INVALID_MAGIC
    assert block.unchanged


@pytest.mark.parametrize("name", SLOW)
def test_a_request_of_a_wrong_size_leaves_the_block_as_it_was(session, client, name):
    block = place(session, client, name, good_input(session, name)[:-1])
    assert call(session, name, block) == Status.INVALID_PARAM
    assert block.unchanged


@pytest.mark.parametrize("name", SLOW)
def test_a_request_with_bad_input_leaves_the_block_as_it_was(session, client, name):
    nowhere = bad_address(client, "unmapped")
    size = len(good_input(session, name))
    output = client.alloc(PAGE_SIZE)
    cb_out = good_size(session.abi, name)
    block = ArgumentBlock.place(client, pv_in=nowhere, cb_in=size, pv_out=output, cb_out=cb_out)
    assert call(session, name, block) == Refusal.BAD_ADDRESS
    assert block.unchanged
    assert client.read(output, cb_out) == bytes(cb_out)


@pytest.mark.parametrize("name", WITH_OUTPUT)
def test_a_failed_copy_leaves_the_block_as_it_was(session, client, name):
    block = place(session, client, name, pv_out=bad_address(client, "unmapped"))
    assert call(session, name, block) == Refusal.BAD_ADDRESS
    assert block.unchanged


@pytest.mark.parametrize("name", SLOW)
def test_success_is_returned_as_zero(session, name):
    reply = ask(session, name)
    assert reply.outcome == Status.OK
    assert reply.result == 0


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
