"""METHOD_BUFFERED: DeviceIoControl tells how many bytes were answered, and not one more is the client's to see."""

from __future__ import annotations

import pytest
from catalogue import SLOW, WITH_COOKIES, WITH_OUTPUT, ask, every, good_input, good_size, number_of, outcomes, written
from memory import pin_request
from request_numbers import slow_number

from harness.abi import PAGE_SIZE, Status
from harness.session.device import FILL
from harness.transport import wire

pytestmark = pytest.mark.only("windows")

SPARE = 100


def returned(replies):
    """The count of bytes that each request came back with."""
    return {case: reply.raw.returned for case, reply in replies.items()}


def filled(reply, start):
    """Whether the output from `start` on is as it was before."""
    return reply.out[start:] == bytes([FILL]) * (len(reply.out) - start)


def nothing_came(replies, expected):
    """Each request failed as expected, wrote nothing, and says so."""
    assert outcomes(replies) == every(replies, expected)
    assert returned(replies) == dict.fromkeys(replies, 0)
    assert written(replies) == []


def test_as_many_bytes_are_returned_as_the_answer_has(session):
    replies = {name: ask(session, name) for name in SLOW}
    assert outcomes(replies) == every(SLOW, Status.OK)
    assert returned(replies) == {name: good_size(session.abi, name) for name in SLOW}


@pytest.mark.parametrize("spare", [0, 1, SPARE])
def test_the_functions_that_fit_are_returned_and_no_byte_more(session, spare):
    layout, there = session.abi.layout("SUPQUERYFUNCS_OUT"), session.greeting["cFunctions"]
    sizes = {count: layout.size_of(count) for count in (1, 2, there - 1, there)}
    replies = {count: ask(session, "QUERY_FUNCS", out_size=size + spare) for count, size in sizes.items()}
    whole = {count: min(there, count + spare // (layout.size_of(2) - layout.size_of(1))) for count in sizes}
    assert returned(replies) == {count: layout.size_of(whole[count]) for count in sizes}
    assert [count for count, reply in replies.items() if not filled(reply, layout.size_of(whole[count]))] == []


def test_an_entry_is_returned_for_each_page_that_is_pinned(session, client):
    layout, address = session.abi.layout("SUPPINPAGES_OUT"), client.alloc(5 * PAGE_SIZE)
    replies = {pages: pin_request(session, address, pages * PAGE_SIZE, room=7) for pages in range(1, 6)}
    assert returned(replies) == {pages: layout.size_of(pages) for pages in replies}
    assert [pages for pages, reply in replies.items() if not filled(reply, layout.size_of(pages))] == []


def test_an_entry_is_returned_for_each_page_of_low_memory(session):
    layout = session.abi.layout("SUPLOWALLOC_OUT")
    sent = {pages: session.input("LOW_ALLOC", cPages=pages) for pages in (1, 2, 5, 256)}
    replies = {
        pages: ask(session, "LOW_ALLOC", data, out_size=layout.size_of(pages) + SPARE) for pages, data in sent.items()
    }
    assert returned(replies) == {pages: layout.size_of(pages) for pages in sent}
    assert [pages for pages, reply in replies.items() if not filled(reply, layout.size_of(pages))] == []


def test_more_room_for_contiguous_memory_is_not_written(session):
    size = good_size(session.abi, "CONT_ALLOC")
    replies = {room: ask(session, "CONT_ALLOC", out_size=room) for room in (size, size + 1, size + SPARE, PAGE_SIZE)}
    assert returned(replies) == dict.fromkeys(replies, size)
    assert [room for room, reply in replies.items() if not filled(reply, size)] == []


def test_a_request_with_wrong_cookies_returns_nothing(session):
    wrong = session.cookies.session ^ 1
    sent = {name: session.input(name, u32SessionCookie=wrong) for name in WITH_COOKIES}
    nothing_came({name: ask(session, name, data) for name, data in sent.items()}, Status.INVALID_MAGIC)


def test_a_request_with_a_byte_too_few_returns_nothing(session):
    sent = {name: good_input(session, name)[:-1] for name in SLOW}
    nothing_came({name: ask(session, name, data) for name, data in sent.items()}, Status.INVALID_PARAM)


def test_an_unknown_request_returns_nothing(session):
    numbers = {function: slow_number(session.abi, function) for function in (13, 21, 67, 127)}
    replies = {
        (function, room): session.device.request(number, bytes(64), out_size=room)
        for function, number in numbers.items()
        for room in (0, 4, 64, PAGE_SIZE)
    }
    nothing_came(replies, Status.GENERAL_FAILURE)


def test_what_was_refused_is_not_made(session, guest):
    before = dict(guest.counters())
    short = {name: good_size(session.abi, name) - 1 for name in WITH_OUTPUT}
    makers = ("CONT_ALLOC", "LOW_ALLOC", "LDR_OPEN", "GIP_MAP")
    nothing_came({name: ask(session, name, out_size=short[name]) for name in makers}, Status.INVALID_PARAM)
    assert dict(guest.counters()) == before


def shorter_than_it_should_be(session, name):
    """Payloads of a request with each shorter input and its right output, and the other way round."""
    handle, number, data = session.device.handle, number_of(session.abi, name), good_input(session, name)
    size = good_size(session.abi, name)
    for length in range(len(data)):
        yield wire.pack_request(handle, number, data=data[:length], out_size=size)
    for length in range(size):
        yield wire.pack_request(handle, number, data=data, out_size=length)


@pytest.mark.parametrize("name", ["COOKIE", "GET_PAGING_MODE", "CONT_ALLOC", "LDR_OPEN"])
def test_every_shorter_length_is_refused(session, guest, name):
    before, process = dict(guest.counters()), session.device.process
    subs = [(wire.Op.REQUEST, payload) for payload in shorter_than_it_should_be(session, name)]
    replies = [wire.parse_request(reply) for reply in process.agent.batch(subs, client=process.number, deadline=30.0)]
    ended = {place: session.device._outcome(reply.os_error) for place, reply in enumerate(replies)}
    assert ended == every(ended, Status.INVALID_PARAM)
    assert {reply.returned for reply in replies} == {0}
    assert {reply.out.strip(b"\xcc") for reply in replies} == {b""}
    assert dict(guest.counters()) == before
