"""GIP_MAP and GIP_UNMAP: one page for all, one mapping for each session."""

from __future__ import annotations

import pytest
from addresses import in_kernel_half
from catalogue import ask
from gip import gip_map, gip_unmap
from processes import open_alone

from harness.abi import PAGE_SIZE
from harness.targets import Refusal

pytestmark = pytest.mark.needs("kernel-memory")

MAGIC = 0xBEEF0001


def users(guest):
    return guest.counters()["gip_users"]


def test_the_page_can_be_read_where_the_driver_says(session):
    assert gip_map(session).fields()["u32Magic"] == MAGIC


def test_the_mapping_starts_at_a_page(session):
    page = gip_map(session)
    assert page.address != 0
    assert page.address % PAGE_SIZE == 0


def test_the_physical_address_is_that_of_a_page_below_4_gib(session):
    physical = gip_map(session).physical
    assert 0 < physical < 1 << 32
    assert physical % PAGE_SIZE == 0


@pytest.mark.needs("physical-memory")
def test_the_physical_address_is_where_the_kernel_has_the_page(session, client):
    page = gip_map(session)
    assert client.target.physical_pages(client.agent, client.pid, page.address, 1) == (page.physical,)


def test_the_kernel_address_is_a_token(session):
    page = gip_map(session)
    assert page.token % 2 == 1
    assert not in_kernel_half(page.token, session.abi.word_size)
    assert page.token not in (page.address, page.physical)


def test_mapping_again_gives_the_same(session):
    page = gip_map(session)
    assert gip_map(session) == page
    assert gip_map(session) == page


def test_mapping_again_counts_no_further_user(session, guest):
    for _ in range(3):
        gip_map(session)
        assert users(guest) == 1


def test_unmapping_takes_the_page_away(session, guest):
    page = gip_map(session)
    assert page.readable
    gip_unmap(session)
    assert not page.readable
    assert users(guest) == 0


def test_unmapping_what_is_not_mapped_succeeds(session, guest):
    gip_unmap(session)
    gip_map(session)
    gip_unmap(session)
    gip_unmap(session)
    assert users(guest) == 0


def test_the_page_can_be_mapped_again_after_unmapping(session, guest):
    first = gip_map(session)
    gip_unmap(session)
    again = gip_map(session)
    assert again.fields()["u32Magic"] == MAGIC
    assert (again.physical, again.token) == (first.physical, first.token)
    assert users(guest) == 1


def test_two_sessions_of_a_process_have_mappings_of_their_own(session, open_session, guest):
    first, second = gip_map(session), gip_map(open_session())
    assert first.address != second.address
    assert users(guest) == 2


def test_all_sessions_see_the_same_page(session, open_session, client):
    first, second = gip_map(session), gip_map(open_session())
    third = gip_map(open_alone(client.start_child()))
    assert first.physical == second.physical == third.physical
    assert first.token == second.token == third.token


def test_unmapping_leaves_the_mappings_of_other_sessions(session, open_session, guest):
    first, second = gip_map(session), gip_map(open_session())
    gip_unmap(session)
    assert not first.readable
    assert second.fields()["u32Magic"] == MAGIC
    assert users(guest) == 1


def test_closing_takes_the_page_away(session, client, guest):
    page = gip_map(session)
    session.close()
    assert guest.counters() == dict.fromkeys(guest.counters(), 0)
    assert not page.readable


def test_killing_the_client_drops_its_use(client, guest):
    child = client.start_child()
    gip_map(open_alone(child))
    assert users(guest) == 1
    child.kill()
    assert users(guest) == 0


def test_a_mapping_that_cannot_be_answered_is_undone(session, client, guest):
    nowhere = client.alloc(PAGE_SIZE, write=False)
    for _ in range(3):
        assert ask(session, "GIP_MAP", out_pointer=nowhere).outcome == Refusal.BAD_ADDRESS
        assert users(guest) == 0
    assert gip_map(session).fields()["u32Magic"] == MAGIC


def test_an_undone_mapping_is_gone_from_the_process(session, client):
    nowhere = client.alloc(PAGE_SIZE, write=False)
    page = gip_map(session)
    gip_unmap(session)
    assert ask(session, "GIP_MAP", out_pointer=nowhere).outcome == Refusal.BAD_ADDRESS
    assert not page.readable


def test_an_earlier_mapping_survives_an_answer_that_cannot_be_delivered(session, client, guest):
    page = gip_map(session)
    nowhere = client.alloc(PAGE_SIZE, write=False)
    assert ask(session, "GIP_MAP", out_pointer=nowhere).outcome == Refusal.BAD_ADDRESS
    assert page.readable
    assert gip_map(session) == page
    assert users(guest) == 1


def test_many_sessions_map_the_page(open_session, guest):
    sessions = [open_session() for _ in range(32)]
    pages = [gip_map(session) for session in sessions]
    assert len({page.address for page in pages}) == len(pages)
    assert len({page.physical for page in pages}) == 1
    assert users(guest) == len(pages)
    for count, session in enumerate(sessions, start=1):
        (session.close if count % 2 else lambda session=session: gip_unmap(session))()
        assert users(guest) == len(pages) - count
