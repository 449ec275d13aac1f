"""Sessions: one for each open of the device, with a cookie and a token of its own, until the last close."""

from __future__ import annotations

import pytest
from catalogue import ask, greet_with

from harness.abi import PAGE_SIZE, Status
from harness.targets.counters import parse_counters
from harness.transport import wire
from harness.transport.ops import U32
from harness.transport.wire import Op, OpenFlag

MANY = 256


def sessions(guest):
    return guest.counters()["sessions"]


def test_two_opens_have_different_session_cookies(session, open_session):
    assert open_session().cookies.session != session.cookies.session


def test_two_opens_have_the_same_device_cookie(session, open_session):
    assert open_session().cookies.device == session.cookies.device


def test_two_opens_have_different_tokens(session, open_session):
    assert open_session().greeting["pSession"] != session.greeting["pSession"]


def test_opening_again_gives_a_new_cookie_and_token(session, open_session):
    session.close()
    again = open_session()
    assert again.cookies.session != session.cookies.session
    assert again.greeting["pSession"] != session.greeting["pSession"]


def test_cookies_are_not_counted_up(open_session):
    cookies = [open_session().cookies.session for _ in range(4)]
    assert min(abs(one - other) for one in cookies for other in cookies if one != other) > 1


def test_tokens_are_not_counted_up(open_session):
    tokens = [open_session().greeting["pSession"] for _ in range(4)]
    assert min(abs(one - other) for one in tokens for other in tokens if one != other) > 4096


def test_many_opens_have_as_many_cookies_and_tokens(open_session):
    made = [open_session() for _ in range(MANY)]
    assert len({session.cookies.session for session in made}) == MANY
    assert len({session.greeting["pSession"] for session in made}) == MANY
    assert len({session.cookies.device for session in made}) == 1
    assert all(session.cookies.session != 0 for session in made)


def test_many_sessions_all_work(open_session):
    made = [open_session() for _ in range(MANY // 4)]
    for session in reversed(made):
        assert ask(session, "IDT_REMOVE").outcome == Status.OK


def test_closing_one_session_leaves_the_other(session, open_session):
    open_session().close()
    assert ask(session, "GET_PAGING_MODE").outcome == Status.OK


@pytest.mark.parametrize("first", range(3))
def test_sessions_can_be_closed_in_any_order(open_session, guest, first):
    before = sessions(guest)
    made = [open_session() for _ in range(3)]
    made.pop(first).close()
    made.pop(first % 2).close()
    assert sessions(guest) == before + 1
    assert ask(made[0], "IDT_REMOVE").outcome == Status.OK
    made[0].close()
    assert sessions(guest) == before


def test_an_open_is_counted_until_it_is_closed(client, guest):
    before = sessions(guest)
    device = client.open()
    assert sessions(guest) == before + 1
    device.close()
    assert sessions(guest) == before


def test_a_greeting_makes_no_further_session(client, guest):
    before = sessions(guest)
    device = client.open()
    for _ in range(3):
        assert greet_with(device).outcome == Status.OK
    assert sessions(guest) == before + 1


def test_many_opens_are_counted(client, guest):
    before = sessions(guest)
    made = [client.open() for _ in range(MANY // 8)]
    assert sessions(guest) == before + len(made)
    for count, device in enumerate(made, start=1):
        device.close()
        assert sessions(guest) == before + len(made) - count


def test_a_session_is_gone_when_it_is_closed_as_soon_as_it_was_opened(guest):
    """The agent does all of it without a request or a word to the harness in between."""
    agent, target = guest.agent, guest.target
    number = agent.open(target.device)
    agent.close_handle(number)
    opening = wire.pack_open(target.device, OpenFlag.READ_WRITE)
    reading = wire.pack_file_read(target.counters_file, PAGE_SIZE)
    ops = [(Op.OPEN, opening), (Op.CLOSE, U32.pack(number)), (Op.FILE_READ, reading)]
    replies = [reply.check().body for reply in agent.batch(ops * MANY)]
    seen = [parse_counters(text.rstrip(b"\0"))["sessions"] for text in replies[2::3]]
    assert seen == [0] * MANY


def test_the_other_counters_stay_at_zero(session, guest):
    assert {name: value for name, value in guest.counters().items() if value} == {"sessions": 1}
