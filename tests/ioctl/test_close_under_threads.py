"""A handle is closed while other threads of its process are inside requests on it."""

from __future__ import annotations

import pytest
from catalogue import ask, good_input, good_size, number_of, times
from processes import open_alone

from harness.abi import Status
from harness.session.outcome import Outcome
from harness.targets import Refusal
from harness.transport import wire

THREADS = 6
ROUNDS = 4
CLOSED_AFTER_US = 2000
LIMIT_MS = 10_000
REQUESTS = (
    *("COOKIE", "QUERY_FUNCS", "PINPAGES", "UNPINPAGES", "CONT_ALLOC", "LOW_ALLOC"),
    *("LDR_OPEN", "LDR_LOAD", "LDR_GET_SYMBOL", "CALL_VMMR0", "GIP_MAP", "GIP_UNMAP"),
)
LATER = {"UNPINPAGES": Status.INVALID_PARAM, "LDR_LOAD": Status.ALREADY_LOADED}
"""How a request ends that has been made before."""


def storm(session, name):
    """Close the session under threads that make request `name`; how often, and the ways in which calls failed."""
    process, abi = session.device.process, session.abi
    handle = session.device.handle
    payload = wire.pack_request(
        handle, number_of(abi, name), data=good_input(session, name), out_size=good_size(abi, name)
    )
    timing, errors = process.agent.close_during(
        handle, CLOSED_AFTER_US, payload, threads=THREADS, limit_ms=LIMIT_MS, client=process.number
    )
    return timing, [Outcome(code=code, abi=abi, target=process.target) for code in errors]


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_that_have_begun_end_and_nothing_is_left(client, guest, cell, name):
    child = client.start_child()
    allowed = (Refusal.CLOSED, Refusal.CLOSED_MEANWHILE, Status.NO_MEMORY, LATER.get(name, Status.OK))
    for _ in range(times(cell, ROUNDS, slow=1)):
        timing, failures = storm(open_alone(child), name)
        assert [outcome for outcome in failures if outcome not in allowed] == []
        assert Refusal.CLOSED in failures
        assert timing.count > timing.failures or name in LATER
        assert not any(guest.counters().values())
    assert ask(open_alone(child), name).outcome == Status.OK
