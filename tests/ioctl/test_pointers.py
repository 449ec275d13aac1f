"""Pointers to input and output: bad ones are refused, good ones may be anywhere, unused ones are ignored."""

from __future__ import annotations

import pytest
from addresses import BAD_KINDS, bad_address, end_of_memory
from argument_block import place_bytes
from catalogue import (
    SAME_OUTPUT,
    SLOW,
    WITH_OUTPUT,
    WITHOUT_OUTPUT,
    ask,
    check_unread,
    every,
    good_input,
    good_size,
    outcomes,
)

from harness.abi import PAGE_SIZE, Status
from harness.session.device import FILL
from harness.targets import Refusal


def check_usable(session):
    assert ask(session, "IDT_REMOVE").outcome == Status.OK


def unread(session, guest, cell, sent, places):
    """Each request, with its input where it cannot be read, does nothing."""
    before = dict(guest.counters())
    check_unread(cell, {name: ask(session, name, data, in_pointer=places[name]) for name, data in sent.items()})
    assert dict(guest.counters()) == before
    check_usable(session)


@pytest.mark.parametrize("kind", BAD_KINDS)
def test_input_at_a_bad_address_is_refused(session, client, guest, cell, kind):
    sent = {name: good_input(session, name) for name in SLOW}
    unread(session, guest, cell, sent, dict.fromkeys(SLOW, bad_address(client, kind)))


@pytest.mark.parametrize("missing", [1, 4])
def test_input_that_runs_into_an_unmapped_page_is_refused(session, client, guest, cell, missing):
    sent = {name: good_input(session, name) for name in SLOW}
    places = {name: end_of_memory(client, len(data) - missing) for name, data in sent.items()}
    for name, data in sent.items():
        client.write(places[name], data[:-missing])
    unread(session, guest, cell, sent, places)


def test_input_in_read_only_memory_is_enough(session, client):
    replies = {}
    for name in SLOW:
        address = place_bytes(client, good_input(session, name))
        client.protect(address, PAGE_SIZE, read=True, write=False)
        replies[name] = ask(session, name, in_pointer=address)
    assert outcomes(replies) == every(SLOW, Status.OK)


def test_input_may_lie_at_an_odd_address_and_across_pages(session, client):
    address = client.alloc(2 * PAGE_SIZE) + PAGE_SIZE - 3
    replies = {}
    for name in SLOW:
        client.write(address, good_input(session, name))
        replies[name] = ask(session, name, in_pointer=address)
    assert outcomes(replies) == every(SLOW, Status.OK)


def test_the_input_is_not_written_to(session, client):
    sent = {name: good_input(session, name) for name in SLOW}
    places = {name: place_bytes(client, data) for name, data in sent.items()}
    replies = {name: ask(session, name, data, in_pointer=places[name]) for name, data in sent.items()}
    assert outcomes(replies) == every(SLOW, Status.OK)
    assert {name: client.read(places[name], len(data)) for name, data in sent.items()} == sent


@pytest.mark.parametrize("kind", BAD_KINDS)
def test_output_to_a_bad_address_is_refused(session, client, kind):
    nowhere = bad_address(client, kind)
    replies = {name: ask(session, name, out_pointer=nowhere) for name in WITH_OUTPUT}
    assert outcomes(replies) == every(WITH_OUTPUT, Refusal.BAD_ADDRESS)
    check_usable(session)


def test_output_to_read_only_memory_is_refused(session, client):
    address = client.alloc(PAGE_SIZE, write=False)
    replies = {name: ask(session, name, out_pointer=address) for name in WITH_OUTPUT}
    assert outcomes(replies) == every(WITH_OUTPUT, Refusal.BAD_ADDRESS)
    assert client.read(address, PAGE_SIZE) == bytes(PAGE_SIZE)


def test_output_that_runs_into_an_unmapped_page_is_refused(session, client):
    names = [name for name in WITH_OUTPUT if name != "IDT_INSTALL"]
    ends = {name: end_of_memory(client, good_size(session.abi, name) - 1) for name in names}
    replies = {name: ask(session, name, out_pointer=end) for name, end in ends.items()}
    assert outcomes(replies) == every(names, Refusal.BAD_ADDRESS)
    check_usable(session)


def test_output_may_lie_at_an_odd_address_and_across_pages(session, client):
    address = client.alloc(2 * PAGE_SIZE) + PAGE_SIZE - 1
    frame = bytes([FILL])
    expected, found = {}, {}
    for name in SAME_OUTPUT:
        data, size = good_input(session, name), good_size(session.abi, name)
        expected[name] = frame + ask(session, name, data).out + frame
        client.write(address - 1, frame * (size + 2))
        assert ask(session, name, data, out_pointer=address).outcome == Status.OK, name
        found[name] = client.read(address - 1, size + 2)
    assert found == expected


@pytest.mark.parametrize("kind", BAD_KINDS)
def test_an_output_of_no_bytes_is_not_touched(session, client, kind):
    nowhere = bad_address(client, kind)
    replies = {name: ask(session, name, out_pointer=nowhere, cb_out=0) for name in WITHOUT_OUTPUT}
    assert outcomes(replies) == every(WITHOUT_OUTPUT, Status.OK)


@pytest.mark.parametrize("kind", BAD_KINDS)
def test_an_input_of_no_bytes_is_not_touched(session, client, kind):
    reply = ask(session, "IDT_REMOVE", in_pointer=bad_address(client, kind), cb_in=0)
    assert reply.outcome == Status.INVALID_PARAM


@pytest.mark.parametrize("name", SAME_OUTPUT)
def test_output_may_replace_the_input_in_place(session, name):
    data = good_input(session, name)
    size = good_size(session.abi, name)
    normal = ask(session, name, data)
    reply = ask(session, name, data, overlay=True)
    assert reply.outcome == Status.OK
    assert reply.out[:size] == normal.out


@pytest.mark.parametrize("shift", [-4, 4])
@pytest.mark.parametrize("name", SAME_OUTPUT)
def test_output_may_overlap_the_input_in_part(session, client, name, shift):
    data = good_input(session, name)
    size = good_size(session.abi, name)
    address = client.alloc(PAGE_SIZE) + 64
    client.write(address, data)
    normal = ask(session, name, data)
    reply = ask(session, name, data, in_pointer=address, out_pointer=address + shift)
    assert reply.outcome == Status.OK
    assert client.read(address + shift, size) == normal.out


def test_a_refused_request_leaves_an_overlaid_buffer_alone(session):
    data = session.input("GET_PAGING_MODE", u32Cookie=session.cookies.device ^ 1)
    reply = ask(session, "GET_PAGING_MODE", data, out_size=len(data), cb_out=4, overlay=True)
    assert reply.outcome == Status.INVALID_MAGIC
    assert reply.out == data
