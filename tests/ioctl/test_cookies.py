"""The cookies at the start of every other request: both are compared, in full, with the right session's."""

from __future__ import annotations

import pytest
from catalogue import WITH_COOKIES, ask

from harness.abi import ORIGINAL_COOKIES, Status

ALL_BITS = 0xFFFFFFFF
BOTH_WRONG = ((1, 1), (1, ALL_BITS), (ALL_BITS, 1), (1 << 31, 1 << 31), (ALL_BITS, ALL_BITS))


def refused(session, name, device_cookie, session_cookie):
    data = session.input(name, u32Cookie=device_cookie, u32SessionCookie=session_cookie)
    reply = ask(session, name, data)
    assert reply.outcome == Status.INVALID_MAGIC, f"{name} with {device_cookie:#x}, {session_cookie:#x}"
    assert reply.untouched


@pytest.mark.parametrize("name", WITH_COOKIES)
def test_the_right_cookies_are_accepted(session, name):
    assert ask(session, name).outcome == Status.OK


@pytest.mark.parametrize("name", WITH_COOKIES)
def test_a_wrong_device_cookie_is_refused(session, name):
    for byte in range(4):
        refused(session, name, session.cookies.device ^ (1 << (8 * byte)), session.cookies.session)
    refused(session, name, session.cookies.device ^ (1 << 31), session.cookies.session)
    refused(session, name, 0, session.cookies.session)


@pytest.mark.parametrize("name", WITH_COOKIES)
def test_a_wrong_session_cookie_is_refused(session, name):
    for byte in range(4):
        refused(session, name, session.cookies.device, session.cookies.session ^ (1 << (8 * byte)))
    refused(session, name, session.cookies.device, session.cookies.session ^ (1 << 31))
    refused(session, name, session.cookies.device, 0)


@pytest.mark.parametrize("name", WITH_COOKIES)
def test_two_wrong_cookies_do_not_make_up_for_each_other(session, name):
    for device_flip, session_flip in BOTH_WRONG:
        refused(session, name, session.cookies.device ^ device_flip, session.cookies.session ^ session_flip)


@pytest.mark.parametrize("name", WITH_COOKIES)
def test_cookies_in_the_wrong_places_are_refused(session, name):
    refused(session, name, session.cookies.session, session.cookies.device)
    refused(session, name, session.cookies.session, session.cookies.session)
    refused(session, name, session.cookies.device, session.cookies.device)


@pytest.mark.parametrize("name", WITH_COOKIES)
def test_the_cookies_of_the_original_driver_are_refused(session, name):
    device, own = ORIGINAL_COOKIES["device"], ORIGINAL_COOKIES["session"]
    refused(session, name, device, own)
    refused(session, name, device, session.cookies.session)
    refused(session, name, session.cookies.device, own)


@pytest.mark.parametrize("name", WITH_COOKIES)
def test_the_cookie_of_another_session_is_refused(session, open_session, name):
    other = open_session()
    refused(session, name, session.cookies.device, other.cookies.session)
    refused(other, name, other.cookies.device, session.cookies.session)


@pytest.mark.parametrize("name", WITH_COOKIES)
def test_the_cookie_of_a_closed_session_is_refused(session, open_session, name):
    closed = open_session()
    closed.close()
    refused(session, name, session.cookies.device, closed.cookies.session)


def test_a_session_survives_requests_with_wrong_cookies(session):
    for _ in range(20):
        refused(session, "GET_PAGING_MODE", 0, 0)
    assert ask(session, "GET_PAGING_MODE").outcome == Status.OK
