"""PINPAGES and UNPINPAGES: a client's own pages, held where they are."""

from __future__ import annotations

import pytest
from gip import gip_map
from memory import allocate, physical_pages, pin, pin_request, release, repeat

from harness.abi import PAGE_SIZE, Status
from harness.session.device import FILL

pytestmark = pytest.mark.needs("pinned-pages")

FAILURES = 10_000
HUGE_SIZE = 2 * 1024 * 1024
HUGE_PAGES = HUGE_SIZE // PAGE_SIZE


@pytest.fixture
def own(client):
    """The address of 16 pages of the client."""
    return client.alloc(16 * PAGE_SIZE)


def pinned(guest):
    """How many records of pins and how many pinned pages the driver counts."""
    counters = guest.counters()
    return counters["records_pin"], counters["pages_pinned"]


def refused(reply, status):
    assert reply.outcome == status
    assert reply.untouched


@pytest.mark.needs("physical-memory")
@pytest.mark.parametrize("count", [1, 2, 15])
def test_the_physical_addresses_are_those_of_the_pages(session, client, own, count):
    found = pin(session, own, count * PAGE_SIZE)
    assert found == physical_pages(client, own, count)
    assert all(address % PAGE_SIZE == 0 and address for address in found)
    assert len(set(found)) == count


@pytest.mark.needs("physical-memory")
def test_18432_pages_are_pinned_in_one_request(session, client, guest):
    count = 18432
    address = client.alloc(count * PAGE_SIZE)
    found = pin(session, address, count * PAGE_SIZE)
    assert pinned(guest) == (1, count)
    assert len(set(found)) == count
    assert found == physical_pages(client, address, count)
    assert release(session, "UNPINPAGES", address) == Status.OK
    assert pinned(guest) == (0, 0)


def test_pinned_memory_keeps_its_contents_and_can_be_written(session, client, own):
    client.write(own, b"before" + bytes(PAGE_SIZE))
    pin(session, own, 2 * PAGE_SIZE)
    assert client.read(own, 6) == b"before"
    client.write(own, b"during")
    assert release(session, "UNPINPAGES", own) == Status.OK
    assert client.read(own, 6) == b"during"


@pytest.mark.needs("physical-memory")
def test_pages_stay_where_they_are_while_they_are_written(session, client, own):
    found = pin(session, own, 4 * PAGE_SIZE)
    client.write(own, b"\x5a" * 4 * PAGE_SIZE)
    assert physical_pages(client, own, 4) == found


@pytest.mark.needs("fork")
@pytest.mark.needs("physical-memory")
@pytest.mark.never("compat")
def test_pages_stay_the_clients_own_when_it_has_forked(session, client, own):
    found = pin(session, own, 2 * PAGE_SIZE)
    child = client.start_child(inherit=True)
    client.write(own, b"parent")
    assert physical_pages(client, own, 2) == found
    assert child.read(own, 6) == bytes(6)


@pytest.mark.needs("physical-memory")
def test_pinning_again_gives_the_same_addresses_and_another_record(session, own, guest):
    assert pin(session, own, 3 * PAGE_SIZE) == pin(session, own, 3 * PAGE_SIZE)
    assert pinned(guest) == (2, 6)


def test_overlapping_ranges_can_be_pinned(session, own, guest):
    whole = pin(session, own, 4 * PAGE_SIZE)
    assert pin(session, own + PAGE_SIZE, 2 * PAGE_SIZE) == whole[1:3]
    assert pinned(guest) == (2, 6)


@pytest.mark.parametrize("count", [1, 7])
def test_room_for_exactly_the_pages_is_enough(session, own, count):
    reply = pin_request(session, own, count * PAGE_SIZE, room=count)
    assert reply.outcome == Status.OK


@pytest.mark.parametrize("count", [2, 16])
def test_room_for_a_page_less_is_refused(session, own, guest, count):
    refused(pin_request(session, own, count * PAGE_SIZE, room=count - 1), Status.INVALID_PARAM)
    assert pinned(guest) == (0, 0)


def test_room_beyond_the_pages_is_left_alone(session, own):
    reply = pin_request(session, own, 2 * PAGE_SIZE, room=5)
    assert reply.outcome == Status.OK
    end = session.abi.layout("SUPPINPAGES_OUT").size_of(2)
    assert reply.out[end:] == bytes([FILL]) * (len(reply.out) - end)
    assert FILL not in reply.out[end - session.abi.pointer_size : end]


@pytest.mark.parametrize("size", [0, 1, PAGE_SIZE - 1, PAGE_SIZE + 1, 2 * PAGE_SIZE - 1, 0xFFFFF001, 0xFFFFFFFF])
def test_a_size_that_is_not_whole_pages_is_refused(session, own, guest, size):
    refused(pin_request(session, own, size, room=2), Status.INVALID_PARAM)
    assert pinned(guest) == (0, 0)


@pytest.mark.parametrize("offset", [1, 8, PAGE_SIZE // 2, PAGE_SIZE - 1])
def test_an_address_inside_a_page_is_refused(session, own, guest, offset):
    refused(pin_request(session, own + offset, PAGE_SIZE, room=2), Status.INVALID_PARAM)
    assert pinned(guest) == (0, 0)


def test_no_address_is_refused(session, guest):
    refused(pin_request(session, 0, PAGE_SIZE), Status.INVALID_PARAM)
    assert pinned(guest) == (0, 0)


def hole(client, own):
    client.free(own + 4 * PAGE_SIZE, PAGE_SIZE)
    return own


def read_only(client, own):
    client.protect(own + 7 * PAGE_SIZE, PAGE_SIZE, read=True, write=False)
    return own


def inaccessible(client, own):
    client.protect(own + 7 * PAGE_SIZE, PAGE_SIZE, read=False, write=False)
    return own


def unmapped(client, own):
    client.free(own, 16 * PAGE_SIZE)
    return own


def before_memory(client, own):
    return own + 9 * PAGE_SIZE  # the eighth page from there is the guard page


def kernel(client, own):
    return 0xC0000000 if client.abi.word_size == 32 else 0xFFFFFFFF81000000


def last_page(client, own):
    return (1 << client.abi.word_size) - PAGE_SIZE


def first_page(client, own):
    return PAGE_SIZE


UNFIT = (hole, read_only, inaccessible, unmapped, before_memory, kernel, last_page, first_page)


@pytest.mark.parametrize("spoil", UNFIT, ids=[spoil.__name__ for spoil in UNFIT])
def test_a_range_that_is_not_all_there_and_writable_is_refused(session, client, own, guest, spoil):
    refused(pin_request(session, spoil(client, own), 8 * PAGE_SIZE), Status.LOCK_FAILED)
    assert pinned(guest) == (0, 0)


@pytest.mark.needs("device-memory")
def test_memory_of_a_device_is_refused(session, client, guest):
    handle = client.agent.open(guest.target.device_memory(guest.agent), client=client.number)
    address = client.agent.mem_map(handle, PAGE_SIZE, client=client.number)
    refused(pin_request(session, address, PAGE_SIZE), Status.LOCK_FAILED)
    assert pinned(guest) == (0, 0)


def test_the_global_information_page_is_refused(session, guest):
    refused(pin_request(session, gip_map(session).address, PAGE_SIZE), Status.LOCK_FAILED)
    assert pinned(guest) == (0, 0)


@pytest.fixture
def huge(client, guest):
    """The address of a huge page of the client."""
    guest.target.use_huge_pages(guest.agent, wanted=True)
    address = -(-client.alloc(2 * HUGE_PAGES * PAGE_SIZE) // HUGE_SIZE) * HUGE_SIZE
    client.write(address, b"here")
    guest.target.use_huge_pages(guest.agent, wanted=False)
    first = physical_pages(client, address, 1)[0]
    assert first % HUGE_SIZE == 0
    assert physical_pages(client, address, HUGE_PAGES) == tuple(range(first, first + HUGE_SIZE, PAGE_SIZE))
    return address


@pytest.mark.needs("huge-pages")
@pytest.mark.needs("physical-memory")
@pytest.mark.parametrize(("start", "count"), [(0, HUGE_PAGES), (0, 1), (3, 7), (HUGE_PAGES - 1, 1)])
def test_pages_of_a_huge_page_can_be_pinned(session, client, guest, huge, start, count):
    address = huge + start * PAGE_SIZE
    found = pin(session, address, count * PAGE_SIZE)
    assert found == physical_pages(client, address, count)
    assert pinned(guest) == (1, count)
    assert release(session, "UNPINPAGES", address) == Status.OK
    assert pinned(guest) == (0, 0)


@pytest.mark.needs("huge-pages")
@pytest.mark.needs("physical-memory")
def test_a_huge_page_may_be_unmapped_in_part_while_it_is_pinned(session, client, huge):
    found = pin(session, huge, HUGE_SIZE)
    client.free(huge + PAGE_SIZE, PAGE_SIZE)
    assert physical_pages(client, huge, 3) == (found[0], 0, found[2])
    assert release(session, "UNPINPAGES", huge) == Status.OK


@pytest.mark.needs("pin-statistics")
@pytest.mark.parametrize("spoil", [hole, read_only], ids=["hole", "read_only"])
def test_ten_thousand_refusals_hold_no_page(session, client, own, guest, spoil):
    address = spoil(client, own)
    before = guest.target.pages_held(guest.agent)
    data = session.input("PINPAGES", pv=address, cb=8 * PAGE_SIZE)
    out_size = session.abi.layout("SUPPINPAGES_OUT").size_of(8)
    assert repeat(session, "PINPAGES", data, count=FAILURES, out_size=out_size) == (FAILURES, Status.LOCK_FAILED)
    assert guest.target.pages_held(guest.agent) == before
    assert pinned(guest) == (0, 0)


@pytest.mark.needs("pin-statistics")
def test_a_pin_holds_its_pages_until_it_is_released(session, own, guest):
    before = guest.target.pages_held(guest.agent)
    pin(session, own, 5 * PAGE_SIZE)
    assert guest.target.pages_held(guest.agent) == before + 5
    assert release(session, "UNPINPAGES", own) == Status.OK
    assert guest.target.pages_held(guest.agent) == before


def test_pinned_memory_may_be_unmapped_and_released_later(session, client, own, guest):
    pin(session, own, 2 * PAGE_SIZE)
    client.free(own, 16 * PAGE_SIZE)
    assert pinned(guest) == (1, 2)
    assert release(session, "UNPINPAGES", own) == Status.OK
    assert pinned(guest) == (0, 0)


@pytest.mark.needs("physical-memory")
def test_what_is_mapped_there_later_is_another_pin(session, client, own):
    first = pin(session, own)
    client.free(own, 16 * PAGE_SIZE)
    client.alloc_at(own, PAGE_SIZE)
    assert pin(session, own) != first


@pytest.mark.needs("page-flags")
def test_a_release_marks_the_pages_dirty(session, client, guest, own):
    client.write(own, bytes(3 * PAGE_SIZE))
    found = pin(session, own, 3 * PAGE_SIZE)
    assert guest.target.pages_dirty(guest.agent, found) == (False, False, False)
    assert release(session, "UNPINPAGES", own) == Status.OK
    assert guest.target.pages_dirty(guest.agent, found) == (True, True, True)


def test_the_start_of_a_pin_releases_it(session, own, guest):
    pin(session, own, 3 * PAGE_SIZE)
    assert release(session, "UNPINPAGES", own) == Status.OK
    assert pinned(guest) == (0, 0)


@pytest.mark.parametrize("offset", [1, PAGE_SIZE, 2 * PAGE_SIZE, 3 * PAGE_SIZE, -PAGE_SIZE])
def test_another_address_does_not_release_a_pin(session, own, guest, offset):
    pin(session, own, 3 * PAGE_SIZE)
    assert release(session, "UNPINPAGES", own + offset) == Status.INVALID_PARAM
    assert pinned(guest) == (1, 3)


@pytest.mark.parametrize("name", ["CONT_ALLOC", "LOW_ALLOC"])
def test_allocated_memory_is_no_pin_until_it_is_pinned(session, guest, name):
    memory = allocate(session, name, 2)
    assert release(session, "UNPINPAGES", memory.address) == Status.INVALID_PARAM
    assert pin(session, memory.address, 2 * PAGE_SIZE) == memory.physical
    assert release(session, "UNPINPAGES", memory.address) == Status.OK


def test_several_pins_of_an_address_are_released_one_by_one_the_oldest_first(session, own, guest):
    for count in (1, 2, 3):
        pin(session, own, count * PAGE_SIZE)
    for left in ((2, 5), (1, 3), (0, 0)):
        assert release(session, "UNPINPAGES", own) == Status.OK
        assert pinned(guest) == left
    assert release(session, "UNPINPAGES", own) == Status.INVALID_PARAM
