"""The guest's kernel has no memory, or no access to the client's, at one place after another in a request.

Each place fails once, from the first on, until a request is through before its turn.
"""

from __future__ import annotations

from itertools import count

import pytest
from catalogue import SLOW, ask, good_input, good_size, number_of
from processes import open_alone

from harness.abi import Status
from harness.session.device import FILL
from harness.session.outcome import Outcome
from harness.targets import Refusal
from harness.transport import wire
from harness.transport.wire import AgentStatus, Op

pytestmark = pytest.mark.only("fault-injection")

FINE_IN_A_ROW = 20
"""After so many failures that a request did not mind there are no others: a kernel that checks itself needs memory for
that, and does without."""


@pytest.fixture
def child(client, guest):
    """A process whose kernel memory may fail."""
    guest.target.prepare_failures(guest.agent)
    return client.start_child()


def request_with_failure(session, name, data, number):
    """Make a request whose `number`th use of kernel memory fails: how it ended, and whether it got that far."""
    process, abi = session.device.process, session.abi
    payload = wire.pack_request(
        session.device.handle, number_of(abi, name), data=data, out_size=good_size(abi, name), fill=FILL
    )
    failure = process.target.failure
    replies = process.agent.batch([failure(number), (Op.REQUEST, payload), failure(0)], client=process.number)
    reply = wire.parse_request(replies[1].check())
    outcome = Outcome(code=reply.os_error, abi=abi, target=process.target)
    if outcome != Status.OK:
        assert reply.out == bytes([FILL]) * good_size(abi, name)
    return outcome, replies[2].status == AgentStatus.OK


def failures(guest, child, name):
    """How requests end when one use of kernel memory after another fails; each is as if it had not been made."""
    fine = 0
    for number in count(1):
        session = open_alone(child)
        data = good_input(session, name)
        before = dict(guest.counters()), guest.target.mappings(guest.agent, child.pid)
        outcome, reached = request_with_failure(session, name, data, number)
        fine += 1
        if outcome != Status.OK:
            fine = 0
            yield outcome
            assert (dict(guest.counters()), guest.target.mappings(guest.agent, child.pid)) == before, number
            assert ask(session, name, data).outcome == Status.OK
        session.close()
        assert not any(guest.counters().values()), number
        if not reached or fine == FINE_IN_A_ROW:
            return


@pytest.mark.parametrize("name", SLOW)
def test_a_request_without_kernel_memory_says_so_and_changes_nothing(guest, child, name):
    found = list(failures(guest, child, name))
    assert Status.NO_MEMORY in found
    assert Refusal.BAD_ADDRESS in found
    assert all(outcome in (Status.NO_MEMORY, Refusal.BAD_ADDRESS) for outcome in found), found
