"""LDR_GET_SYMBOL: names are compared whole, the first match wins, and the table is the one that was checked."""

from __future__ import annotations

import pytest
from catalogue import ask
from images import BOTH_SETTINGS, Image

from harness.abi import LIMITS, PAGE_SIZE, Status

pytestmark = BOTH_SETTINGS

LONGEST = LIMITS.symbol_name_bytes - 1
NAMES = [b"first", b"second", b"twice", b"twice", b"", b"last"]
OFFSETS = [0, 7, 100, 200, 300, PAGE_SIZE - 1]


def with_symbols(image, names, offsets):
    """Load `image` with these symbols, names in the middle and the table behind them."""
    strings, table = b"", b""
    for name, offset in zip(names, offsets, strict=True):
        table += len(strings).to_bytes(4, "little") + offset.to_bytes(4, "little")
        strings += name + b"\0"
    content = (bytes(64) + strings).ljust(image.size - len(table), b"x") + table
    tables = {"offSymbols": image.size - len(table), "cSymbols": len(names), "offStrTab": 64, "cbStrTab": len(strings)}
    return image.load_well(content, **tables)


def refused(image, name, status):
    reply = image.symbol(name)
    assert reply.outcome == status, name
    assert reply.untouched


@pytest.fixture
def image(session) -> Image:
    return with_symbols(Image.open(session), NAMES, OFFSETS)


@pytest.mark.parametrize(("name", "offset"), [("first", 0), ("second", 7), ("", 300), ("last", PAGE_SIZE - 1)])
def test_a_symbol_is_found_by_its_name(image, name, offset):
    assert image.address(name) == image.base + offset


def test_the_first_of_two_with_the_same_name_is_found(image):
    assert image.address("twice") == image.base + 100


@pytest.mark.parametrize(
    "name", ["missing", "firs", "firsts", "First", " first", "first ", "irst", "f", "x", "seconde"]
)
def test_another_name_is_not_found(image, name):
    refused(image, name, Status.GENERAL_FAILURE)


def test_an_image_without_symbols_has_none(session):
    image = Image.open(session).load_well()
    for name in ("first", ""):
        refused(image, name, Status.GENERAL_FAILURE)


def test_what_follows_the_end_of_a_name_does_not_count(image):
    assert image.address(b"first\0more") == image.base
    assert image.address(b"second\0") == image.base + 7


def test_a_name_with_1023_characters_is_the_longest(session):
    names = [b"x" * (LONGEST - 1), b"x" * LONGEST, b"x" * (LONGEST + 1)]
    image = with_symbols(Image.open(session), names, [1, 2, 3])
    assert image.address(names[0]) == image.base + 1
    assert image.address(names[1]) == image.base + 2
    refused(image, names[2], Status.INVALID_PARAM)


@pytest.mark.parametrize("length", [LONGEST + 1, LONGEST + 2, 4095, 65536])
def test_a_longer_name_is_refused(image, length):
    refused(image, b"x" * length, Status.INVALID_PARAM)


@pytest.mark.parametrize("length", [2, 8, 100, LONGEST, LONGEST + 1, 5000])
def test_a_name_that_does_not_end_is_refused(image, length):
    session = image.session
    data = session.input("LDR_GET_SYMBOL", pvImageBase=image.base)
    start = session.abi.layout("SUPLDRGETSYMBOL_IN").size_of(0)
    reply = ask(session, "LDR_GET_SYMBOL", data[:start] + b"x" * length)
    assert reply.outcome == Status.INVALID_PARAM
    assert reply.untouched


def test_a_request_without_a_name_is_refused(image):
    session = image.session
    data = session.input("LDR_GET_SYMBOL", pvImageBase=image.base)
    start = session.abi.layout("SUPLDRGETSYMBOL_IN").size_of(0)
    assert ask(session, "LDR_GET_SYMBOL", data[:start]).outcome == Status.INVALID_PARAM
    assert ask(session, "LDR_GET_SYMBOL", data[:start] + b"\0").outcome == Status.INVALID_PARAM
    assert ask(session, "LDR_GET_SYMBOL", data[:start] + b"\0\0").outcome == Status.OK


def test_an_image_that_is_not_loaded_has_no_symbols_yet(session):
    refused(Image.open(session), "first", Status.ALREADY_LOADED)


def test_a_refused_load_leaves_no_symbols(session):
    image = Image.open(session)
    assert image.load(eEPType=2) == Status.INVALID_PARAM
    refused(image, "first", Status.ALREADY_LOADED)


def test_the_name_is_checked_before_the_image(image, session):
    assert image.free() == Status.OK
    refused(image, "first", Status.INVALID_HANDLE)
    refused(image, b"x" * (LONGEST + 1), Status.INVALID_PARAM)


def test_the_image_is_looked_for_before_its_state(session, open_session):
    image = Image.open(session)
    stranger = Image(open_session(), image.name, image.base, image.size, needs_loading=True)
    refused(stranger, "first", Status.INVALID_HANDLE)


@pytest.mark.parametrize("offset", [-32, -1, 1, 7, 32])
def test_only_the_base_is_the_image(image, offset):
    wrong = Image(image.session, image.name, image.base + offset, image.size, needs_loading=False)
    refused(wrong, "first", Status.INVALID_HANDLE)


def test_every_session_finds_the_same_but_only_if_it_opened_the_image(image, open_session):
    other = open_session()
    stranger = Image(other, image.name, image.base, image.size, needs_loading=False)
    refused(stranger, "first", Status.INVALID_HANDLE)
    assert image.again(other).address("second") == image.address("second")
    assert image.free() == Status.OK
    refused(image, "second", Status.INVALID_HANDLE)
    assert stranger.address("second") == image.base + 7


def test_symbols_are_gone_with_their_image(image):
    assert image.free() == Status.OK
    again = image.again(image.session)
    refused(again, "first", Status.ALREADY_LOADED)
    again.load_well()
    refused(again, "first", Status.GENERAL_FAILURE)


def test_many_symbols_are_found(session):
    names = [f"symbol {number}".encode() for number in range(200)]
    image = with_symbols(Image.open(session, size=2 * PAGE_SIZE), names, range(200))
    for number in (0, 1, 99, 199):
        assert image.address(names[number]) == image.base + number
