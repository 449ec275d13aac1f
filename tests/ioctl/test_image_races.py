"""Threads that enter an image while others load and free it."""

from __future__ import annotations

import pytest
from images import NOP, Image, call_vmmr0, run_program, set_vm, start_repeating
from processes import open_alone
from scratch import CALLS_OUT_OF_LIFE, INITS, TERMS

from harness.abi import PAGE_SIZE, Status
from harness.transport.wire import parse_loop

MILLISECONDS = 400
FOR_EVER = 0


def begin_calls(client, *, threads=2):
    """Threads of another process that enter whatever is registered; and what ends them."""
    session = open_alone(client.start_child())
    set_vm(session, PAGE_SIZE)
    data = session.input("CALL_VMMR0", uOperation=NOP)
    return session, start_repeating(session, "CALL_VMMR0", data, FOR_EVER, threads=threads, limit_ms=MILLISECONDS)


def check_calls(session, loop):
    """Calls were made, and were refused for want of an image only."""
    timing = parse_loop(loop.result().check().body)
    assert timing.count > 0
    if timing.failures:
        assert session.device._outcome(timing.first_error) == Status.GENERAL_FAILURE


def test_loads_and_frees_against_calls(session, client, guest):
    calling, loop = begin_calls(client)
    while not loop.done:
        image = Image.open(session)
        image.load_well(**image.entry())
        assert call_vmmr0(session, NOP) == 0
        assert image.free() == Status.OK
    check_calls(calling, loop)
    assert guest.counters()["images"] == 0


@pytest.mark.driver_options(ring0_images=1)
@pytest.mark.needs("ring0-images")
def test_nobody_enters_an_image_before_its_init_or_after_its_term(session, client, cell, scratch, guest):
    calling, loop = begin_calls(client)
    rounds = 0
    while not loop.done:
        image = run_program(session, cell.arch, "counting", {"counting": scratch.base})
        assert image.free() == Status.OK
        rounds += 1
    check_calls(calling, loop)
    assert scratch[CALLS_OUT_OF_LIFE] == 0
    assert (scratch[INITS], scratch[TERMS]) == (rounds, rounds)
    assert guest.counters()["images"] == 1
