"""Request numbers: every bit of them counts, and what no request has is refused."""

from __future__ import annotations

import pytest
from argument_block import ArgumentBlock, place_bytes
from catalogue import FAST, SLOW, ask, every, good_input, good_size, number_of, outcomes, written
from request_numbers import (
    of_other_word_size,
    refusal_of_form,
    refusal_of_type,
    size_field,
    slow_number,
    type_of,
    with_changed_direction,
    with_size,
    with_type,
)

from harness.abi import ABI_NAMES, PAGE_SIZE, Status, load_abi
from harness.targets import Refusal

ALL = tuple(load_abi(ABI_NAMES[0]).requests)
UNKNOWN_FUNCTIONS = (13, 21, 22, 32, 48, 63, 67, 96, 100, 127)
OTHER_WORD_SIZE = {"amd64": "x86", "x86": "amd64"}


def unknown(session, number, *refusals):
    """No such request, whatever is sent: as the longest input and output of the others, and without any."""
    for data, out_size in ((bytes(20), 64), (session.input("IDT_REMOVE"), 4), (b"", 0)):
        reply = session.device.request(number, data, out_size=out_size)
        assert any(reply.outcome == refusal for refusal in refusals or (Status.GENERAL_FAILURE,)), f"{number:#x}"
        assert reply.untouched
    assert ask(session, "IDT_REMOVE").outcome == Status.OK


@pytest.mark.parametrize("function", UNKNOWN_FUNCTIONS)
def test_an_unknown_function_is_refused(session, function):
    unknown(session, slow_number(session.abi, function))


def test_function_0_is_refused(session):
    unknown(session, slow_number(session.abi, 0))


@pytest.mark.parametrize("name", SLOW)
def test_the_bit_of_the_word_size_counts(session, name):
    unknown(session, of_other_word_size(session.abi, number_of(session.abi, name)))


@pytest.mark.parametrize("letter", [0x00, 0x21, 0x23, 0x42, 0x55, 0x57, 0x76, 0xA2, 0xD6, 0xFF])
def test_another_type_is_refused(session, letter):
    for name in SLOW:
        number = number_of(session.abi, name)
        assert letter != type_of(session.abi, number)
        unknown(session, with_type(session.abi, number, letter), refusal_of_type(session.abi))


@pytest.mark.needs("request-directions")
@pytest.mark.parametrize("name", SLOW)
def test_other_direction_bits_are_refused(session, name):
    for change in (1, 2, 3):
        number = with_changed_direction(session.abi, number_of(session.abi, name), change)
        unknown(session, number, Status.GENERAL_FAILURE, Refusal.BAD_DIRECTION)


@pytest.mark.needs("argument-block")
@pytest.mark.parametrize("change", [-4, -1, 1, 4])
def test_another_size_field_is_refused(session, change):
    numbers = {name: number_of(session.abi, name) for name in SLOW}
    replies = {
        name: ask_by(session, name, with_size(number, size_field(number) + change)) for name, number in numbers.items()
    }
    assert outcomes(replies) == every(replies, Refusal.BAD_SIZE_FIELD)
    assert written(replies) == []


@pytest.mark.needs("argument-block")
def test_a_size_field_far_off_is_refused(session):
    replies = {
        (name, size): ask_by(session, name, with_size(number_of(session.abi, name), size))
        for name in SLOW
        for size in (0, 1, 64, 0x1000, 0x2010, 0x2020, 0x3FFF)
    }
    assert outcomes(replies) == every(replies, Refusal.BAD_SIZE_FIELD)
    assert written(replies) == []


@pytest.mark.needs("two-word-sizes")
@pytest.mark.parametrize("name", ALL)
def test_the_number_of_the_other_word_size_is_refused(session, cell, name):
    target = session.device.process.target
    foreign = load_abi(target.abi_name(OTHER_WORD_SIZE[cell.arch]))
    number = number_of(foreign, name)
    reply = session.device.request(number, session.input("IDT_REMOVE"), out_size=64)
    assert reply.outcome == refusal_of_form(session.abi)
    assert reply.untouched


@pytest.mark.needs("argument-block")
def test_a_wrong_size_field_is_refused_before_the_block_is_looked_at(session):
    numbers = {name: number_of(session.abi, name) for name in SLOW}
    ended = {name: session.device.raw(with_size(number, size_field(number) + 4), 0) for name, number in numbers.items()}
    assert ended == every(SLOW, Refusal.BAD_SIZE_FIELD)


@pytest.mark.needs("argument-block")
def test_a_refused_number_leaves_the_block_as_it_was(session, client):
    output = client.alloc(PAGE_SIZE)
    address = place_bytes(client, session.input("IDT_INSTALL"))
    block = ArgumentBlock.place(client, pv_in=address, cb_in=8, pv_out=output, cb_out=1)
    assert session.device.raw(slow_number(session.abi, 127), block.address) == Status.GENERAL_FAILURE
    assert block.unchanged
    assert client.read(output, PAGE_SIZE) == bytes(PAGE_SIZE)


@pytest.mark.needs("argument-block")
@pytest.mark.needs("fast-requests")
@pytest.mark.parametrize("name", FAST)
def test_a_fast_number_with_the_size_of_a_block_is_no_fast_request(session, name):
    size = session.abi.layout("SUPDRVIOCTLDATA").size
    reply = ask_by(session, "IDT_REMOVE", with_size(number_of(session.abi, name), size))
    assert reply.outcome == Status.GENERAL_FAILURE or reply.outcome == Refusal.BAD_DIRECTION


def ask_by(session, name, number):
    """What `name` would be asked with, by another number."""
    out_size = good_size(session.abi, name)
    return session.device.request(number, good_input(session, name), out_size=out_size)
