"""Input and output sizes: what a request accepts, to the byte, and what it makes of the longest claims."""

from __future__ import annotations

import pytest
from catalogue import SLOW, WITH_OUTPUT, WITHOUT_OUTPUT, ask, good_input, good_size

from harness.abi import ABI_NAMES, LIMITS, Status, load_abi
from harness.session.device import FILL
from harness.targets import Refusal

# Which sizes are exact and which are minima is the same in every ABI.
RULES = load_abi(ABI_NAMES[0]).requests
SPARE = 16


def wrong(pairs):
    return [pytest.param(name, delta, id=f"{name}{delta:+d}") for name, delta in pairs]


WRONG_INPUTS = wrong(
    (name, delta) for name in SLOW for delta in (-4, -1, 1, 4, 4096) if delta < 0 or RULES[name].in_rule.exact
)
EXACT = tuple(name for name in SLOW if RULES[name].out_rule.exact)
LONG_OUTPUTS = wrong((name, delta) for name in EXACT for delta in (1, 4, 4096))
SHORT_OUTPUTS = wrong((name, -1) for name in WITH_OUTPUT)

WIDE = [pytest.mark.only("amd64"), pytest.mark.needs("wide-lengths")]
"""For lengths that only fit where a length is as wide as an address."""

# Lengths that a cast, a sum or a signed comparison would make something harmless of. The second number says
# whether the right length is added, so that its lower half alone would be accepted.
CLAIMS = [
    pytest.param(LIMITS.transport_bytes + 1, 0, id="limit+1"),
    pytest.param((1 << 31) - 1, 0, id="2^31-1"),
    pytest.param(1 << 31, 0, id="2^31"),
    pytest.param(1 << 31, 1, id="2^31+right"),
    pytest.param((1 << 32) - 1, 0, id="2^32-1"),
    *(
        pytest.param(base, right, id=name, marks=WIDE)
        for name, base, right in (
            ("2^32", 1 << 32, 0),
            ("2^32+right", 1 << 32, 1),
            ("2^33+right", 1 << 33, 1),
            ("2^63", 1 << 63, 0),
            ("2^63+right", 1 << 63, 1),
            ("all-ones", (1 << 64) - 1, 0),
        )
    ),
]


def refused(reply):
    assert reply.outcome == Status.INVALID_PARAM
    assert reply.untouched


def too_long(reply):
    """Refused by the driver, or by a system that looks at both buffers before the driver is asked."""
    assert reply.outcome in (Status.INVALID_PARAM, Refusal.BUFFER_NOT_THERE)
    assert reply.untouched


def check_usable(session):
    assert ask(session, "IDT_REMOVE").outcome == Status.OK


@pytest.mark.parametrize("name", SLOW)
def test_the_right_sizes_are_accepted(session, name):
    assert ask(session, name).outcome == Status.OK


@pytest.mark.parametrize(("name", "delta"), WRONG_INPUTS)
def test_another_input_size_is_refused(session, name, delta):
    data = good_input(session, name)
    resized = data[:delta] if delta < 0 else data + bytes(delta)
    refused(ask(session, name, resized))


@pytest.mark.parametrize("name", SLOW)
def test_no_input_at_all_is_refused(session, name):
    refused(ask(session, name, b""))


@pytest.mark.parametrize("name", SLOW)
def test_a_claim_of_no_input_is_refused(session, name):
    refused(ask(session, name, cb_in=0))


@pytest.mark.parametrize(("name", "delta"), SHORT_OUTPUTS)
def test_a_shorter_output_is_refused(session, name, delta):
    refused(ask(session, name, out_size=good_size(session.abi, name) + delta))


@pytest.mark.parametrize(("name", "delta"), LONG_OUTPUTS)
def test_a_longer_output_is_refused(session, name, delta):
    refused(ask(session, name, out_size=good_size(session.abi, name) + delta))


@pytest.mark.parametrize("name", WITH_OUTPUT)
def test_a_claim_of_no_output_is_refused(session, name):
    refused(ask(session, name, cb_out=0))


@pytest.mark.parametrize("name", SLOW)
def test_neither_input_nor_output_is_refused(session, name):
    refused(ask(session, name, b"", out_size=0))


@pytest.mark.parametrize("name", WITH_OUTPUT)
def test_nothing_is_written_behind_the_output(session, name):
    size = good_size(session.abi, name)
    reply = ask(session, name, out_size=size + SPARE, cb_out=size)
    assert reply.outcome == Status.OK
    assert reply.out[size:] == bytes([FILL]) * SPARE


@pytest.mark.parametrize("name", WITHOUT_OUTPUT)
def test_a_request_without_output_writes_nothing(session, name):
    reply = ask(session, name, out_size=SPARE, cb_out=0)
    assert reply.outcome == Status.OK
    assert reply.untouched


@pytest.mark.parametrize(("claim", "right"), CLAIMS)
@pytest.mark.parametrize("name", SLOW)
def test_a_gigantic_input_is_refused(session, name, claim, right):
    data = good_input(session, name)
    too_long(ask(session, name, data, cb_in=claim + right * len(data)))
    check_usable(session)


@pytest.mark.parametrize(("claim", "right"), CLAIMS)
@pytest.mark.parametrize("name", SLOW)
def test_a_gigantic_output_is_refused(session, name, claim, right):
    size = good_size(session.abi, name)
    too_long(ask(session, name, out_size=size, cb_out=claim + right * size))
    check_usable(session)
