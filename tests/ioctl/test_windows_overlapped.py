"""Requests by an overlapped handle: begun, and waited for or cancelled. Each is over once, as any other would be."""

from __future__ import annotations

import pytest
from catalogue import SLOW, ask, every, good_input, good_size, number_of, outcomes, times, written
from memory import release

from harness.abi import PAGE_SIZE, Status
from harness.session.device import Device
from harness.session.driver_session import greet
from harness.session.outcome import Outcome
from harness.targets import Refusal
from harness.transport import wire
from harness.transport.wire import OpenFlag, RequestFlag

pytestmark = [pytest.mark.only("windows"), pytest.mark.never("compat")]

OVERLAPPED, CANCEL = {"flags": RequestFlag.OVERLAPPED}, {"flags": RequestFlag.CANCEL}
THREADS, CALLS, ROUNDS = 6, 100, 20
CLOSED_AFTER_US, LIMIT_MS = 2000, 10_000


def open_overlapped(client):
    """A session whose handle's requests must be made OVERLAPPED."""
    flags = OpenFlag.READ_WRITE | OpenFlag.OVERLAPPED
    handle = client.agent.open(client.target.device, flags, client=client.number)
    return Device(client, handle, note=lambda _text: None, twin=None)


@pytest.fixture
def overlapped(session, client):
    """A session by an overlapped handle; the greeting was made with another one of the same file object."""
    device = open_overlapped(client)
    original = device.request
    device.request = lambda *args, **request: original(*args, **{**OVERLAPPED, **request})
    return greet(device)


def payload(session, name, flags=RequestFlag.OVERLAPPED):
    data, size = good_input(session, name), good_size(session.abi, name)
    return wire.pack_request(session.device.handle, number_of(session.abi, name), data=data, out_size=size, flags=flags)


def test_every_request_ends_well_with_its_bytes(overlapped):
    replies = {name: ask(overlapped, name) for name in SLOW}
    assert outcomes(replies) == every(SLOW, Status.OK)
    assert {name: reply.raw.returned for name, reply in replies.items()} == {
        name: good_size(overlapped.abi, name) for name in SLOW
    }


def test_the_answer_is_that_of_any_other_handle(overlapped, session):
    names = ("QUERY_FUNCS", "IDT_INSTALL", "GET_PAGING_MODE")
    assert {name: ask(overlapped, name).out for name in names} == {name: ask(session, name).out for name in names}


def test_a_refusal_is_told_without_a_byte(overlapped):
    wrong = overlapped.cookies.session ^ 1
    sent = {name: overlapped.input(name, u32SessionCookie=wrong) for name in SLOW if name != "COOKIE"}
    replies = {name: ask(overlapped, name, data) for name, data in sent.items()}
    assert outcomes(replies) == every(sent, Status.INVALID_MAGIC)
    assert {reply.raw.returned for reply in replies.values()} == {0}
    assert written(replies) == []


@pytest.mark.parametrize("kind", ["overlapped", "plain"])
def test_requests_of_several_threads_are_all_over_once(overlapped, session, client, cell, kind):
    made = {"overlapped": overlapped, "plain": session}[kind]
    flags = {"overlapped": RequestFlag.OVERLAPPED, "plain": RequestFlag.NONE}[kind]
    count = times(cell, CALLS)
    timing = client.agent.loop(
        wire.Op.REQUEST, payload(made, "QUERY_FUNCS", flags), count=count, threads=THREADS, client=client.number
    )
    assert (timing.count, timing.failures) == (count * THREADS, 0)


@pytest.mark.parametrize("name", ["GET_PAGING_MODE", "CONT_ALLOC", "GIP_MAP"])
def test_a_request_that_is_cancelled_is_over_and_costs_nothing(overlapped, guest, name):
    data = overlapped.input(name, **({"cb": PAGE_SIZE} if name == "CONT_ALLOC" else {}))
    replies = [ask(overlapped, name, data, **CANCEL) for _ in range(ROUNDS)]
    for reply in replies:
        assert reply.outcome == Status.OK or (reply.outcome == Refusal.CANCELLED and reply.untouched)
    assert ask(overlapped, "IDT_REMOVE").outcome == Status.OK
    overlapped.close()
    assert guest.counters()["sessions"] == 1
    assert not any(value for counter, value in guest.counters().items() if counter != "sessions")


def test_what_a_request_made_that_was_not_cancelled_in_time_is_there(overlapped):
    data = overlapped.input("CONT_ALLOC", cb=PAGE_SIZE)
    replies = [ask(overlapped, "CONT_ALLOC", data, **CANCEL) for _ in range(ROUNDS)]
    made = [overlapped.output("CONT_ALLOC", reply)["pvR3"] for reply in replies if reply.outcome == Status.OK]
    assert {release(overlapped, "CONT_FREE", address) for address in made} <= {Status.OK}


def test_the_handle_is_closed_under_requests(client, guest):
    child = client.start_child()
    device = open_overlapped(child)
    before = dict(guest.counters())
    greeting = wire.pack_request(
        device.handle, number_of(device.abi, "GET_PAGING_MODE"), data=bytes(8), out_size=4, flags=RequestFlag.OVERLAPPED
    )
    timing, errors = child.agent.close_during(
        device.handle, CLOSED_AFTER_US, greeting, threads=THREADS, limit_ms=LIMIT_MS, client=child.number
    )
    ended = [Outcome(code=code, abi=device.abi, target=child.target) for code in errors]
    allowed = (Status.INVALID_MAGIC, Refusal.CLOSED, Refusal.CLOSED_MEANWHILE, Refusal.CANCELLED)
    assert [outcome for outcome in ended if outcome not in allowed] == []
    assert Refusal.CLOSED in ended
    assert timing.count == timing.failures
    assert guest.counters()["sessions"] == before["sessions"] - 1
