"""The limit of locked memory, which pins of a client without privileges count against."""

from __future__ import annotations

import pytest
from memory import pin, pin_request, release
from processes import send

from harness.abi import PAGE_SIZE, Status

pytestmark = pytest.mark.needs("memory-limit")

NOBODY = 65534
LIMIT = 8 * PAGE_SIZE


@pytest.fixture
def child(client):
    """A process that may lose its privileges."""
    return client.start_child()


@pytest.fixture
def there(session, child):
    """The test's session in that process."""
    return send(session, child)


def demote(child):
    child.agent.demote(NOBODY, LIMIT, client=child.number)


def locked(guest, process):
    """How much locked memory the kernel counts for a process."""
    return guest.target.locked_memory(guest.agent, process.pid)


def test_pins_up_to_the_limit_are_allowed(there, child, guest):
    address = child.alloc(LIMIT)
    demote(child)
    pin(there, address, LIMIT)
    assert locked(guest, child) == LIMIT


def test_a_pin_beyond_the_limit_is_refused(there, child, guest):
    address = child.alloc(LIMIT + PAGE_SIZE)
    demote(child)
    assert pin_request(there, address, LIMIT + PAGE_SIZE).outcome == Status.NO_MEMORY
    assert locked(guest, child) == 0


def test_all_pins_together_have_the_limit(there, child, guest):
    address = child.alloc(LIMIT)
    demote(child)
    pin(there, address, LIMIT - PAGE_SIZE)
    assert pin_request(there, address, 2 * PAGE_SIZE).outcome == Status.NO_MEMORY
    pin(there, address + PAGE_SIZE)
    assert release(there, "UNPINPAGES", address) == Status.OK
    assert locked(guest, child) == PAGE_SIZE
    pin(there, address, LIMIT - PAGE_SIZE)


def test_the_limit_is_not_for_the_administrator(session, client, guest):
    before = locked(guest, client)
    address = client.alloc(16 * 1024 * 1024)
    pin(session, address, 16 * 1024 * 1024)
    assert locked(guest, client) == before + 16 * 1024 * 1024
    session.close()
    assert locked(guest, client) == before


def test_a_refused_pin_counts_for_nothing(there, child, guest):
    address = child.alloc(4 * PAGE_SIZE)
    child.protect(address + 3 * PAGE_SIZE, PAGE_SIZE, read=True, write=False)
    assert pin_request(there, address, 4 * PAGE_SIZE).outcome == Status.LOCK_FAILED
    assert locked(guest, child) == 0


def test_what_another_process_releases_is_given_back_to_the_one_that_pinned(session, there, client, child, guest):
    address, before = child.alloc(LIMIT), locked(guest, client)
    demote(child)
    pin(there, address, LIMIT)
    assert release(session, "UNPINPAGES", address) == Status.OK
    assert locked(guest, child) == 0
    assert locked(guest, client) == before
    pin(there, address, LIMIT)


def test_the_close_by_another_process_gives_it_back(session, there, client, child, guest):
    address, before = child.alloc(LIMIT), locked(guest, client)
    pin(there, address, LIMIT)
    there.close()
    session.close()
    assert locked(guest, child) == 0
    assert locked(guest, client) == before
