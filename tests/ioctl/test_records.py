"""What a session has pinned and allocated: whose it is, how much it may be, and that nothing is left over."""

from __future__ import annotations

import pytest
from addresses import bad_address, end_of_memory
from catalogue import ask, good_size
from memory import FREE, allocate, batch, cont_alloc, low_alloc, pin, pin_request, release, repeat
from processes import open_alone, send

from harness.abi import LIMITS, PAGE_SIZE, Status
from harness.targets import Refusal
from harness.transport import wire

pytestmark = [pytest.mark.needs("kernel-memory"), pytest.mark.needs("pinned-pages")]

RECORDS_MOST = 4096
MAPPED_MOST = 64 * 1024 * 1024 // PAGE_SIZE
PINNED_MOST = 1024 * 1024 * 1024 // PAGE_SIZE
PAIRS = 2000
FAULTS = 10_000
REFUSALS = 100_000
"""Each would cost 64 bytes at least."""

MEMORY_NOISE = 2 * 1024 * 1024
"""How much of the guest's memory may come into use meanwhile for other reasons, much less than a page for each."""

PINNED_AT_DEATH = 4 * 1024 * 1024
DEATHS = 5

MAKERS = pytest.mark.parametrize("name", list(FREE))
MAPPERS = pytest.mark.parametrize("name", ["CONT_ALLOC", "LOW_ALLOC"])


def left(guest):
    """Everything that the driver counts but sessions."""
    return {name: value for name, value in guest.counters().items() if value and name != "sessions"}


def make(session, client, name):
    """A record of one page; its address."""
    if name != "PINPAGES":
        return allocate(session, name).address
    address = client.alloc(PAGE_SIZE)
    pin(session, address)
    return address


def make_some(session, client):
    """Records of every kind."""
    for name in FREE:
        make(session, client, name)
    allocate(session, "CONT_ALLOC", 16)
    low_alloc(session, 33)
    pin(session, client.alloc(21 * PAGE_SIZE), 21 * PAGE_SIZE)


def good_fields(client, name):
    """What a request that makes a record of one page has behind the cookies."""
    if name == "PINPAGES":
        return {"pv": client.alloc(PAGE_SIZE), "cb": PAGE_SIZE}
    return {"CONT_ALLOC": {"cb": PAGE_SIZE}, "LOW_ALLOC": {"cPages": 1}}[name]


@MAKERS
@pytest.mark.parametrize("wrong", ["UNPINPAGES", "CONT_FREE", "LOW_FREE"])
def test_a_record_is_released_by_its_own_request_only(session, client, guest, name, wrong):
    address = make(session, client, name)
    before = left(guest)
    expected = Status.OK if wrong == FREE[name] else Status.INVALID_PARAM
    assert release(session, wrong, address) == expected
    assert (left(guest) == before) == (expected != Status.OK)


@MAKERS
def test_a_record_is_released_once(session, client, name):
    address = make(session, client, name)
    assert release(session, FREE[name], address) == Status.OK
    assert release(session, FREE[name], address) == Status.INVALID_PARAM


@MAKERS
def test_another_session_cannot_release_a_record(session, client, open_session, guest, name):
    address = make(session, client, name)
    other, before = open_session(), left(guest)
    assert release(other, FREE[name], address) == Status.INVALID_PARAM
    assert left(guest) == before
    assert release(session, FREE[name], address) == Status.OK


def test_another_session_cannot_free_by_a_token(session, open_session, guest):
    memory = cont_alloc(session)
    assert release(open_session(), "CONT_FREE", memory.token) == Status.INVALID_PARAM
    assert left(guest) == {"records_cont": 1, "pages_cont": 1}


@MAKERS
@pytest.mark.parametrize("address", [0, 1, PAGE_SIZE, 0x7FFFF000, 0xFFFFF000])
def test_an_address_of_nothing_releases_nothing(session, client, guest, name, address):
    make(session, client, name)
    before = left(guest)
    assert release(session, FREE[name], address) == Status.INVALID_PARAM
    assert left(guest) == before


def test_two_sessions_pin_the_same_page_each_for_itself(session, client, open_session, guest):
    address, other = client.alloc(PAGE_SIZE), open_session()
    assert pin(session, address) == pin(other, address)
    assert release(session, "UNPINPAGES", address) == Status.OK
    assert left(guest) == {"records_pin": 1, "pages_pinned": 1}
    assert release(other, "UNPINPAGES", address) == Status.OK


def test_records_are_released_in_any_order(session, client, guest):
    made = [(name, make(session, client, name)) for name in (*FREE, *FREE, *FREE)]
    for index in (8, 0, 4, 2, 7, 1, 3, 6, 5):
        name, address = made[index]
        assert release(session, FREE[name], address) == Status.OK
    assert left(guest) == {}


def test_the_close_releases_what_is_left(session, client, guest):
    make_some(session, client)
    assert left(guest) == {
        **{"records_pin": 2, "records_cont": 2, "records_low": 2},
        **{"pages_pinned": 22, "pages_cont": 17, "pages_low": 34},
    }
    session.close()
    assert left(guest) == {}


def test_the_close_leaves_the_records_of_others(session, client, open_session, guest):
    other = open_session()
    address = make(other, client, "LOW_ALLOC")
    make_some(session, client)
    session.close()
    assert left(guest) == {"records_low": 1, "pages_low": 1}
    assert release(other, "LOW_FREE", address) == Status.OK


def test_a_killed_process_leaves_nothing(client, guest):
    child = client.start_child()
    for session in (open_alone(child), open_alone(child)):
        make_some(session, child)
    child.kill()
    assert not any(guest.counters().values())


@pytest.mark.needs("handle-passing")
def test_records_of_a_killed_process_live_as_long_as_the_session(session, client, guest):
    child = client.start_child()
    make_some(send(session, child), child)
    child.kill()
    before = left(guest)
    assert before["pages_pinned"] == 22
    assert before["pages_low"] == 34
    session.close()
    assert left(guest) == {}


@pytest.mark.needs("pin-statistics")
@pytest.mark.needs("handle-passing")
def test_pins_of_a_killed_process_are_given_back_at_the_close(session, client, guest):
    before = guest.target.pages_held(guest.agent)
    child = client.start_child()
    make_some(send(session, child), child)
    child.kill()
    assert guest.target.pages_held(guest.agent) == before + 22
    session.close()
    assert guest.target.pages_held(guest.agent) == before


@MAKERS
@pytest.mark.parametrize("where", ["unmapped", "read-only", "cut-off"])
def test_what_cannot_be_answered_is_not_kept(session, client, guest, name, where):
    size = good_size(session.abi, name)
    places = {
        "unmapped": lambda: bad_address(client, "unmapped"),
        "read-only": lambda: client.alloc(PAGE_SIZE, write=False),
        "cut-off": lambda: end_of_memory(client, size - 1),
    }
    assert ask(session, name, out_pointer=places[where]()).outcome == Refusal.BAD_ADDRESS
    assert left(guest) == {}


@MAPPERS
@pytest.mark.needs("process-maps")
def test_what_cannot_be_answered_leaves_no_mapping(client, guest, name):
    child = client.start_child()
    session, nowhere = open_alone(child), bad_address(child, "unmapped")

    def mappings_after_a_failure():
        assert ask(session, name, out_pointer=nowhere).outcome == Refusal.BAD_ADDRESS
        return guest.target.mappings(guest.agent, child.pid)

    # The first request makes the agent map buffers of its own.
    mappings_after_a_failure()
    assert mappings_after_a_failure() == mappings_after_a_failure()


@MAKERS
@pytest.mark.needs("steady-memory")
def test_many_answers_that_fail_cost_nothing(session, client, guest, name):
    data, nowhere = session.input(name, **good_fields(client, name)), bad_address(client, "unmapped")
    before = guest.target.memory_used(guest.agent)
    count = FAULTS if name == "PINPAGES" else FAULTS // 5  # mapping takes longer
    found = repeat(session, name, data, count=count, out_ptr=nowhere, flags=wire.RequestFlag.OUT_PTR)
    assert found == (count, Refusal.BAD_ADDRESS)
    assert left(guest) == {}
    assert guest.target.memory_used(guest.agent) - before < MEMORY_NOISE


def test_an_older_pin_of_the_same_address_outlives_a_failed_answer(session, client, guest):
    address = client.alloc(2 * PAGE_SIZE)
    pin(session, address, 2 * PAGE_SIZE)
    data = session.input("PINPAGES", pv=address, cb=PAGE_SIZE)
    nowhere = bad_address(client, "unmapped")
    assert ask(session, "PINPAGES", data, out_pointer=nowhere).outcome == Refusal.BAD_ADDRESS
    assert left(guest) == {"records_pin": 1, "pages_pinned": 2}


@pytest.mark.needs("quick-requests")
def test_a_session_has_4096_records_at_most(session, client, guest):
    address = client.alloc(PAGE_SIZE)
    data = session.input("PINPAGES", pv=address, cb=PAGE_SIZE)
    failures, outcome = repeat(session, "PINPAGES", data, count=RECORDS_MOST + 3)
    assert (failures, outcome) == (3, Status.NO_MEMORY)
    assert left(guest)["records_pin"] == RECORDS_MOST
    for name in ("CONT_ALLOC", "LOW_ALLOC"):
        assert ask(session, name).outcome == Status.NO_MEMORY
    assert release(session, "UNPINPAGES", address) == Status.OK
    low_alloc(session)
    assert pin_request(session, address, PAGE_SIZE).outcome == Status.NO_MEMORY


def test_contiguous_and_low_memory_share_64_mebibytes(session, open_session, guest):
    most = LIMITS.low_pages_max
    data = session.input("LOW_ALLOC", cPages=most)
    out_size = session.abi.layout("SUPLOWALLOC_OUT").size_of(most)
    cont_alloc(session, PAGE_SIZE)
    count = MAPPED_MOST // most
    assert repeat(session, "LOW_ALLOC", data, count=count, out_size=out_size) == (1, Status.NO_MEMORY)
    last = low_alloc(session, most - 1)
    assert sum(left(guest)[name] for name in ("pages_cont", "pages_low")) == MAPPED_MOST
    assert ask(session, "LOW_ALLOC").outcome == Status.NO_MEMORY
    assert ask(session, "CONT_ALLOC").outcome == Status.NO_MEMORY
    low_alloc(open_session())
    assert release(session, "LOW_FREE", last.address) == Status.OK
    cont_alloc(session, last.size)


def test_pins_have_a_gibibyte(session, client, open_session, guest):
    size = 16 * 1024 * 1024
    address, count = client.alloc(size), PINNED_MOST * PAGE_SIZE // size
    data = session.input("PINPAGES", pv=address, cb=size)
    out_size = session.abi.layout("SUPPINPAGES_OUT").size_of(size // PAGE_SIZE)
    assert repeat(session, "PINPAGES", data, count=count, out_size=out_size)[0] == 0
    assert left(guest)["pages_pinned"] == PINNED_MOST
    assert pin_request(session, address, PAGE_SIZE).outcome == Status.NO_MEMORY
    pin(open_session(), address)
    assert release(session, "UNPINPAGES", address) == Status.OK
    pin(session, address, size)


def test_a_range_above_the_quota_is_refused_before_it_is_looked_at(session, client):
    for pages in (PINNED_MOST + 1, 0xFFFFF):
        data = session.input("PINPAGES", pv=PAGE_SIZE, cb=pages * PAGE_SIZE)
        size = session.abi.layout("SUPPINPAGES_OUT").size_of(pages)
        room = client.alloc(size)
        reply = ask(session, "PINPAGES", data, out_pointer=room, cb_out=size)
        assert reply.outcome == Status.NO_MEMORY
        assert client.read(room, 64) == bytes(64)
        client.free(room, size)


@pytest.mark.needs("steady-memory")
def test_pins_beyond_the_limit_cost_nothing(session, client, guest):
    data = session.input("PINPAGES", **good_fields(client, "PINPAGES"))
    assert repeat(session, "PINPAGES", data, count=RECORDS_MOST)[0] == 0
    before = guest.target.memory_used(guest.agent)
    assert repeat(session, "PINPAGES", data, count=REFUSALS) == (REFUSALS, Status.NO_MEMORY)
    assert guest.target.memory_used(guest.agent) - before < MEMORY_NOISE


@pytest.mark.needs("steady-memory")
def test_pinning_and_unpinning_again_and_again_costs_nothing(session, client, guest):
    fields = good_fields(client, "PINPAGES")
    pair = [
        ("PINPAGES", session.input("PINPAGES", **fields)),
        ("UNPINPAGES", session.input("UNPINPAGES", pv=fields["pv"])),
    ]
    before = guest.target.memory_used(guest.agent)
    assert batch(session, pair * PAIRS) == {Status.OK}
    assert left(guest) == {}
    assert guest.target.memory_used(guest.agent) - before < MEMORY_NOISE


@pytest.mark.needs("steady-memory")
def test_what_a_client_had_pinned_when_it_died_is_free_again(client, guest):
    def pin_and_die():
        child = client.start_child()
        pin(open_alone(child), child.alloc(PINNED_AT_DEATH), PINNED_AT_DEATH)
        child.kill()

    pin_and_die()
    before = guest.target.memory_used(guest.agent)
    for _ in range(DEATHS):
        pin_and_die()
    assert left(guest) == {}
    assert guest.target.memory_used(guest.agent) - before < DEATHS * PINNED_AT_DEATH // 2
