"""The fast requests, FAST_DO_RAW_RUN, FAST_DO_HWACC_RUN and FAST_DO_NOP, while no image is there to enter."""

from __future__ import annotations

import pytest
from addresses import bad_address
from catalogue import FAST, ask, number_of
from request_numbers import fast_number, refusal_of_form, slow_number

from harness.abi import PAGE_SIZE, Status

pytestmark = pytest.mark.needs("fast-requests")

NOTHING_TO_ENTER = -32


def set_vm(session, value):
    reply = ask(session, "SET_VM_FOR_FAST", session.input("SET_VM_FOR_FAST", pVMR0=value))
    assert reply.outcome == Status.OK


@pytest.mark.parametrize("name", FAST)
def test_without_a_vm_it_fails(session, name):
    assert session.fast(name) == NOTHING_TO_ENTER


@pytest.mark.parametrize("name", FAST)
def test_with_a_vm_but_no_image_it_fails(session, name):
    set_vm(session, PAGE_SIZE)
    assert session.fast(name) == NOTHING_TO_ENTER


@pytest.mark.parametrize("name", FAST)
def test_after_the_vm_was_taken_away_it_fails(session, name):
    set_vm(session, PAGE_SIZE)
    set_vm(session, 0)
    assert session.fast(name) == NOTHING_TO_ENTER


@pytest.mark.parametrize("kind", ["unmapped", "kernel-text"])
@pytest.mark.parametrize("name", FAST)
def test_the_address_of_the_vm_is_never_looked_at(session, client, name, kind):
    set_vm(session, bad_address(client, kind))
    assert session.fast(name) == NOTHING_TO_ENTER


@pytest.mark.parametrize("name", FAST)
def test_no_greeting_is_needed(device, name):
    target = device.process.target
    assert target.fast_result(device.fast(number_of(device.abi, name), name=name)) == NOTHING_TO_ENTER


@pytest.mark.needs("argument-block")
@pytest.mark.parametrize("kind", ["null", "unmapped", "kernel-text", "wraps-to-null"])
def test_its_argument_is_never_looked_at(session, client, kind):
    nowhere = bad_address(client, kind)
    ended = {name: session.device.raw(number_of(session.abi, name), nowhere).code for name in FAST}
    assert ended == dict.fromkeys(FAST, -NOTHING_TO_ENTER)


@pytest.mark.parametrize("name", FAST)
def test_in_the_form_of_a_slow_request_it_is_unknown(session, name):
    number = slow_number(session.abi, session.abi.request(name).function)
    reply = session.device.request(number, bytes(8), out_size=8)
    assert reply.outcome == Status.GENERAL_FAILURE
    assert reply.untouched


@pytest.mark.parametrize("function", [0, 1, 20, 62, 63, 67, 68, 127])
def test_no_other_function_is_fast(session, client, function):
    outcome = session.device.raw(fast_number(session.abi, function), client.alloc(PAGE_SIZE))
    assert outcome == refusal_of_form(session.abi)


@pytest.mark.parametrize("name", FAST)
def test_a_failed_fast_request_leaves_the_session_working(session, name):
    assert session.fast(name) == NOTHING_TO_ENTER
    assert ask(session, "GET_PAGING_MODE").outcome == Status.OK
