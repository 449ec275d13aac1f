"""COOKIE: the magic word, the version and what the driver tells a client that knows both."""

from __future__ import annotations

import pytest
from addresses import in_kernel_half
from catalogue import GREETING, ask, greet_with

from harness.abi import COOKIE_MAGIC, INTERFACE_VERSION, ORIGINAL_COOKIES, Status

MAGIC = COOKIE_MAGIC + b"\0"
MAGIC_SIZE = 16
WRONG_VERSIONS = (
    0,
    1,
    0x00020001,
    0x00030000,
    0x00030002,
    0x00030101,
    0x00040001,
    0x80030001,
    0x01000300,
    0xFFFFFFFF,
)


def test_a_correct_greeting_is_answered(device):
    reply = greet_with(device)
    assert reply.outcome == Status.OK


def test_the_driver_names_its_own_version(session):
    assert session.greeting["u32Version"] == INTERFACE_VERSION


def test_both_cookies_are_not_zero(session):
    assert session.cookies.device != 0
    assert session.cookies.session != 0


def test_the_device_cookie_is_not_the_session_cookie(session):
    assert session.cookies.device != session.cookies.session


def test_no_cookie_is_one_of_the_original_driver(session):
    known = set(ORIGINAL_COOKIES.values())
    assert session.cookies.device not in known
    assert session.cookies.session not in known


def test_there_is_at_least_one_function(session):
    assert session.greeting["cFunctions"] >= 1


def test_the_session_token_is_not_null(session):
    assert session.greeting["pSession"] != 0


def test_the_session_token_is_no_kernel_address(session):
    assert not in_kernel_half(session.greeting["pSession"], session.abi.word_size)


def test_session_tokens_are_odd(open_session):
    for _ in range(12):
        assert open_session().greeting["pSession"] % 2 == 1


def test_session_tokens_are_where_no_address_space_has_anything(open_session):
    """In the upper half of the lower half: on 64-bit systems such addresses are not canonical."""
    for _ in range(12):
        session = open_session()
        assert session.greeting["pSession"] >> (session.abi.word_size - 2) == 1


def test_a_second_greeting_gives_the_same_answer(session):
    reply = ask(session, "COOKIE")
    assert reply.outcome == Status.OK
    assert session.output("COOKIE", reply) == session.greeting


@pytest.mark.parametrize("position", range(MAGIC_SIZE))
def test_a_wrong_magic_byte_is_refused(device, position):
    for flip in (0x01, 0x20, 0x80):
        magic = bytearray(MAGIC)
        magic[position] ^= flip
        reply = greet_with(device, szMagic=bytes(magic))
        assert reply.outcome == Status.INVALID_MAGIC, f"byte {position} changed by {flip:#x}"
        assert reply.untouched


@pytest.mark.parametrize("magic", [bytes(MAGIC_SIZE), MAGIC[1:] + MAGIC[:1], b"\xff" * MAGIC_SIZE])
def test_another_magic_word_is_refused(device, magic):
    reply = greet_with(device, szMagic=magic)
    assert reply.outcome == Status.INVALID_MAGIC
    assert reply.untouched


@pytest.mark.parametrize("version", [pytest.param(version, id=f"{version:#010x}") for version in WRONG_VERSIONS])
def test_another_version_is_refused(device, version):
    reply = greet_with(device, u32Version=version)
    assert reply.outcome == Status.VERSION_MISMATCH
    assert reply.untouched


def test_the_magic_word_is_checked_before_the_version(device):
    reply = greet_with(device, szMagic=bytes(MAGIC_SIZE), u32Version=0)
    assert reply.outcome == Status.INVALID_MAGIC
    assert reply.untouched


def test_a_refused_greeting_does_not_spoil_the_next_one(device):
    assert greet_with(device, u32Version=0).outcome == Status.VERSION_MISMATCH
    assert greet_with(device, szMagic=bytes(MAGIC_SIZE)).outcome == Status.INVALID_MAGIC
    assert greet_with(device).outcome == Status.OK


def test_a_refused_greeting_does_not_change_the_cookies(session):
    ask(session, "COOKIE", session.input("COOKIE", **{**GREETING, "u32Version": 0}))
    assert ask(session, "IDT_REMOVE").outcome == Status.OK
