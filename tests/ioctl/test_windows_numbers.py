"""The fields of an I/O control code: device type, access, function, method. A request is the whole of it."""

from __future__ import annotations

import pytest
from catalogue import FAST, SLOW, ask, every, good_input, good_size, number_of, outcomes, times, written
from request_numbers import with_changed_direction

from harness.abi import Status
from harness.session.outcome import Outcome
from harness.transport import wire

pytestmark = pytest.mark.only("windows")

DIRECT = {"in": 1, "out": 2}
NEITHER = 3
FUNCTION_SHIFT, TYPE_SHIFT = 2, 16
FEW = ("COOKIE", "IDT_REMOVE", "GIP_MAP", "FAST_DO_NOP")
ROOM = 64


def ended(session, numbers):
    """How each number ends, all in one go, with an input and a room that some request would take."""
    process, data = session.device.process, session.input("IDT_REMOVE")
    subs = [
        (wire.Op.REQUEST, wire.pack_request(session.device.handle, number, data=data, out_size=ROOM))
        for number in numbers.values()
    ]
    replies = process.agent.batch(subs, client=process.number, deadline=60.0)
    codes = [reply.check().os_error for reply in replies]
    return {
        case: Outcome(code=code, abi=session.abi, target=process.target)
        for case, code in zip(numbers, codes, strict=True)
    }


def unknown(session, guest, numbers):
    """No request has these numbers: nothing is made by them, and the session works."""
    before = dict(guest.counters())
    assert ended(session, numbers) == every(numbers, Status.GENERAL_FAILURE)
    assert dict(guest.counters()) == before
    assert ask(session, "IDT_REMOVE").outcome == Status.OK


MAKERS = ("UNPINPAGES", "CONT_FREE", "LOW_FREE", "LDR_LOAD", "LDR_FREE", "LDR_GET_SYMBOL", "CALL_VMMR0")
"""Those whose good input needs something else to be made."""


def by_method(session, guest, method):
    """The replies to good inputs of requests, each by its number but for the method: unknown, and nothing is made."""
    before, replies = dict(guest.counters()), {}
    for name in SLOW:
        if name not in MAKERS:
            number, size = number_of(session.abi, name) | method, good_size(session.abi, name)
            replies[name] = session.device.request(number, good_input(session, name), out_size=size)
    assert outcomes(replies) == every(replies, Status.GENERAL_FAILURE)
    assert dict(guest.counters()) == before
    return replies


@pytest.mark.parametrize("method", DIRECT)
def test_a_slow_request_by_direct_input_or_output_is_unknown(session, guest, method):
    by_method(session, guest, DIRECT[method])


def test_a_slow_request_with_the_clients_own_addresses_is_unknown(session, guest):
    assert written(by_method(session, guest, NEITHER)) == []


@pytest.mark.parametrize("method", [0, *DIRECT.values()])
def test_a_fast_request_by_another_method_is_unknown(session, guest, method):
    unknown(session, guest, {name: number_of(session.abi, name) & ~NEITHER | method for name in FAST})


@pytest.mark.parametrize("access", [1, 2, 3])
def test_a_fast_request_with_other_access_is_unknown(session, guest, access):
    unknown(
        session,
        guest,
        {name: with_changed_direction(session.abi, number_of(session.abi, name), access) for name in FAST},
    )


def test_every_bit_of_the_device_type_counts(session, guest):
    unknown(
        session,
        guest,
        {
            (name, bit): number_of(session.abi, name) ^ (1 << bit)
            for name in FEW
            for bit in range(TYPE_SHIFT, 2 * TYPE_SHIFT)
        },
    )


def test_the_upper_bits_of_the_function_count(session, guest):
    unknown(
        session,
        guest,
        {
            (name, bit): number_of(session.abi, name) ^ (1 << FUNCTION_SHIFT + bit)
            for name in (*SLOW, *FAST)
            for bit in range(8, 12)
        },
    )


@pytest.mark.parametrize("like", ["COOKIE", "FAST_DO_NOP"])
def test_no_other_function_is_known(session, guest, cell, like):
    known = {number_of(session.abi, name) for name in (*SLOW, *FAST)}
    form = number_of(session.abi, like) & ~(0xFF << FUNCTION_SHIFT)
    step = 256 // times(cell, 256, slow=128)
    numbers = {function: form | function << FUNCTION_SHIFT for function in range(0, 256, step)}
    numbers |= {function: form | function << FUNCTION_SHIFT for function in range(60, 70)}
    unknown(session, guest, {function: number for function, number in numbers.items() if number not in known})


@pytest.mark.parametrize("number", [0, 3, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_a_number_at_the_edge_is_unknown(session, guest, number):
    unknown(session, guest, {number: number})
