"""What an open that is not for reading and writing may do, and what a device is not: a file."""

from __future__ import annotations

import pytest
from catalogue import FAST, GREETING, SLOW, every, good_size, number_of, outcomes, written
from request_numbers import slow_number

from harness.abi import PAGE_SIZE
from harness.targets import Refusal
from harness.transport.wire import AgentOpError

MODES = [
    pytest.param({"read": True, "write": False}, id="read-only"),
    pytest.param({"read": False, "write": True}, id="write-only"),
]
REFUSED_MODES = [
    pytest.param(*MODES[0].values, id="read-only", marks=pytest.mark.needs("read-only-refusal")),
    pytest.param(*MODES[1].values, id="write-only", marks=pytest.mark.needs("half-open-refusal")),
]
"""Not every system tells a driver what a file is not open for."""


@pytest.mark.parametrize("mode", REFUSED_MODES)
def test_a_request_needs_reading_and_writing(client, session, mode):
    half_open, replies = client.open(**mode), {}
    for name in SLOW:
        data = session.input(name, **(GREETING if name == "COOKIE" else {}))
        size = good_size(client.abi, name)
        replies[name] = half_open.request(number_of(client.abi, name), data, out_size=size, name=name)
    assert outcomes(replies) == every(SLOW, Refusal.NOT_READ_WRITE)
    assert written(replies) == []


@pytest.mark.needs("fast-requests")
@pytest.mark.parametrize("mode", REFUSED_MODES)
def test_a_fast_request_needs_reading_and_writing(client, mode):
    half_open, output = client.open(**mode), client.alloc(PAGE_SIZE)
    ended = {name: half_open.raw(number_of(client.abi, name), output) for name in FAST}
    assert ended == every(FAST, Refusal.NOT_READ_WRITE)


@pytest.mark.parametrize("mode", REFUSED_MODES)
def test_an_unknown_request_needs_reading_and_writing(client, mode):
    reply = client.open(**mode).request(slow_number(client.abi, 127), bytes(8), out_size=8)
    assert reply.outcome == Refusal.NOT_READ_WRITE
    assert reply.untouched


@pytest.mark.parametrize("mode", MODES)
def test_a_half_open_device_does_not_disturb_a_session(client, session, mode):
    client.open(**mode).close()
    assert session.call("IDT_REMOVE").outcome.code == 0


@pytest.mark.parametrize("mode", MODES)
def test_a_half_open_device_is_a_session_until_it_is_closed(client, guest, mode):
    before = guest.counters()["sessions"]
    half_open = client.open(**mode)
    assert guest.counters()["sessions"] == before + 1
    half_open.close()
    assert guest.counters()["sessions"] == before


@pytest.mark.only("windows")
def test_nothing_lies_below_the_device(client, guest):
    before = dict(guest.counters())
    with pytest.raises(AgentOpError):
        client.agent.open(f"{guest.target.device}\\x", client=client.number)
    assert dict(guest.counters()) == before
