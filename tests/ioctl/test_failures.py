"""Ten thousand failing calls of each request, in every way that its transport knows, leave the driver as it was.

Where a request takes milliseconds there are fewer of them.
"""

from __future__ import annotations

import pytest
from addresses import bad_address
from catalogue import FAST, SLOW, WITH_OUTPUT, ask, good_input, good_size, number_of, times
from memory import repeat

from harness.abi import PAGE_SIZE, Status
from harness.targets import Refusal
from harness.transport.wire import RequestFlag

FAILURES = 10_000
FEW = 100
NO_ENTRY = -32


def wrong_key(client, name, data):
    """The magic word of COOKIE, the device's cookie of all others."""
    return Status.INVALID_MAGIC, {"data": bytes([data[0] ^ 1]) + data[1:]}


def short_input(client, name, data):
    return Status.INVALID_PARAM, {"data": data, "cb_in": 7}


def bad_input(client, name, data):
    nowhere = bad_address(client, "unmapped")
    return Refusal.BAD_ADDRESS, {"data": data, "in_ptr": nowhere, "cb_in": len(data), "flags": RequestFlag.IN_PTR}


def long_output(client, name, data):
    size = good_size(client.abi, name) + 1
    return Status.INVALID_PARAM, {"data": data, "out_size": size}


def bad_output(client, name, data):
    """What the request made is taken back."""
    nowhere = bad_address(client, "unmapped")
    return Refusal.BAD_ADDRESS, {"data": data, "out_ptr": nowhere, "flags": RequestFlag.OUT_PTR}


def ways_of(cell, name):
    """The ways in which a request fails, whatever it asks for, and how often each; taking back takes long."""
    last = bad_output if name in WITH_OUTPUT else long_output
    ways = {wrong_key: 3, short_input: 3, bad_input: 3, last: 1}
    if cell.missing("checked-input"):
        ways = {wrong_key: 5, short_input: 4, last: 1}
    return {way: times(cell, FAILURES, slow=FEW) * tenths // 10 for way, tenths in ways.items()}


@pytest.mark.parametrize("name", SLOW)
def test_ten_thousand_failures_leave_the_counters_alone(session, client, guest, cell, name):
    data = good_input(session, name)
    before = dict(guest.counters())
    ways = ways_of(cell, name)
    assert sum(ways.values()) == times(cell, FAILURES, slow=FEW)
    for way, count in ways.items():
        expected, request = way(client, name, data)
        assert repeat(session, name, count=count, **request) == (count, expected), way.__name__
        assert dict(guest.counters()) == before, way.__name__
    assert ask(session, name, data).outcome == Status.OK


@pytest.mark.needs("fast-requests")
@pytest.mark.parametrize("name", FAST)
def test_ten_thousand_fast_failures_leave_the_counters_alone(session, guest, cell, name):
    before = dict(guest.counters())
    device = session.device
    is_error = device.fast(number_of(device.abi, name), name=name).os_error != 0  # some systems tell it as output
    for vm in (0, PAGE_SIZE):
        assert session.call("SET_VM_FOR_FAST", pVMR0=vm).outcome == Status.OK
        count = times(cell, FAILURES, slow=FEW) // 2
        failures, _ = repeat(session, name, b"", count=count, out_size=0, flags=RequestFlag.NO_ARG)
        assert failures == (count if is_error else 0)
        assert dict(guest.counters()) == before
        assert session.fast(name) == NO_ENTRY
