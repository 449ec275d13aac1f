"""Input and output sizes: what a request accepts, to the byte, and what it makes of the longest claims."""

from __future__ import annotations

import pytest
from catalogue import (
    SLOW,
    WITH_OUTPUT,
    WITHOUT_OUTPUT,
    ask,
    check_unread,
    every,
    good_input,
    good_size,
    outcomes,
    written,
)

from harness.abi import ABI_NAMES, LIMITS, Status, load_abi
from harness.session.device import FILL
from harness.targets import Refusal

# Which sizes are exact and which are minima is the same in every ABI.
RULES = load_abi(ABI_NAMES[0]).requests
SPARE = 16

EXACT_INPUT = tuple(name for name in SLOW if RULES[name].in_rule.exact)
EXACT_OUTPUT = tuple(name for name in SLOW if RULES[name].out_rule.exact)
SHORTER, LONGER = (-4, -1), (1, 4, 4096)

# Lengths that a cast, a sum or a signed comparison would make something harmless of. The second number says
# whether the right length is added, so that its lower half alone would be accepted.
CLAIMS = {
    "limit+1": (LIMITS.transport_bytes + 1, 0),
    "2^31-1": ((1 << 31) - 1, 0),
    "2^31": (1 << 31, 0),
    "2^31+right": (1 << 31, 1),
    "2^32-1": ((1 << 32) - 1, 0),
}
WIDE_CLAIMS = {
    "2^32": (1 << 32, 0),
    "2^32+right": (1 << 32, 1),
    "2^33+right": (1 << 33, 1),
    "2^63": (1 << 63, 0),
    "2^63+right": (1 << 63, 1),
    "all-ones": ((1 << 64) - 1, 0),
}
"""Those that only fit where a length is as wide as an address."""


def all_refused(replies):
    assert outcomes(replies) == every(replies, Status.INVALID_PARAM)
    assert written(replies) == []


def all_too_long(cell, replies):
    """Refused by the driver, or by a system that looks at both buffers before the driver is asked."""
    refusals = (Status.INVALID_PARAM, Refusal.BUFFER_NOT_THERE)
    check_unread(cell, {claim: reply for claim, reply in replies.items() if reply.outcome not in refusals})
    assert written(replies) == []


@pytest.mark.parametrize("name", SLOW)
def test_the_right_sizes_are_accepted(session, name):
    assert ask(session, name).outcome == Status.OK


@pytest.mark.parametrize("name", SLOW)
def test_another_input_size_is_refused(session, name):
    data = good_input(session, name)
    resized = {change: data[:change] for change in SHORTER}
    if name in EXACT_INPUT:
        resized |= {change: data + bytes(change) for change in LONGER}
    all_refused({change: ask(session, name, other) for change, other in resized.items()})


def test_no_input_at_all_is_refused(session):
    all_refused({name: ask(session, name, b"") for name in SLOW})


def test_a_claim_of_no_input_is_refused(session):
    all_refused({name: ask(session, name, cb_in=0) for name in SLOW})


def test_a_shorter_output_is_refused(session):
    all_refused({name: ask(session, name, out_size=good_size(session.abi, name) - 1) for name in WITH_OUTPUT})


@pytest.mark.parametrize("name", EXACT_OUTPUT)
def test_a_longer_output_is_refused(session, name):
    size = good_size(session.abi, name)
    all_refused({change: ask(session, name, out_size=size + change) for change in LONGER})


def test_a_claim_of_no_output_is_refused(session):
    all_refused({name: ask(session, name, cb_out=0) for name in WITH_OUTPUT})


def test_neither_input_nor_output_is_refused(session):
    all_refused({name: ask(session, name, b"", out_size=0) for name in SLOW})


@pytest.mark.parametrize("name", WITH_OUTPUT)
def test_nothing_is_written_behind_the_output(session, name):
    size = good_size(session.abi, name)
    reply = ask(session, name, out_size=size + SPARE, cb_out=size)
    assert reply.outcome == Status.OK
    assert reply.out[size:] == bytes([FILL]) * SPARE


def test_a_request_without_output_writes_nothing(session):
    replies = {name: ask(session, name, out_size=SPARE, cb_out=0) for name in WITHOUT_OUTPUT}
    assert outcomes(replies) == every(WITHOUT_OUTPUT, Status.OK)
    assert written(replies) == []


def gigantic_inputs(session, name, claims):
    """The outcome of each claim of more input than there is."""
    data = good_input(session, name)
    lengths = {claim: base + right * len(data) for claim, (base, right) in claims.items()}
    return {(name, claim): ask(session, name, data, cb_in=length) for claim, length in lengths.items()}


def gigantic_outputs(session, name, claims):
    """The outcome of each claim of more room for output than there is."""
    data, size = good_input(session, name), good_size(session.abi, name)
    lengths = {claim: base + right * size for claim, (base, right) in claims.items()}
    return {(name, claim): ask(session, name, data, out_size=size, cb_out=length) for claim, length in lengths.items()}


@pytest.mark.needs("gigantic-input")
@pytest.mark.parametrize("name", SLOW)
def test_a_gigantic_input_is_refused(session, cell, name):
    all_too_long(cell, gigantic_inputs(session, name, CLAIMS))
    assert ask(session, "IDT_REMOVE").outcome == Status.OK


@pytest.mark.parametrize("name", SLOW)
def test_a_gigantic_output_is_refused(session, cell, name):
    all_too_long(cell, gigantic_outputs(session, name, CLAIMS))
    assert ask(session, "IDT_REMOVE").outcome == Status.OK


@pytest.mark.only("amd64")
@pytest.mark.needs("wide-lengths")
@pytest.mark.parametrize("gigantic", [gigantic_inputs, gigantic_outputs])
def test_a_length_wider_than_32_bits_is_refused(session, gigantic):
    for name in SLOW:
        all_refused(gigantic(session, name, WIDE_CLAIMS))
    assert ask(session, "IDT_REMOVE").outcome == Status.OK
