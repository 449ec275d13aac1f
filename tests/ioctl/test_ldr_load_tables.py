"""LDR_LOAD: the checks of the request alone, before any image is looked for: lengths, symbols and strings."""

from __future__ import annotations

import pytest
from catalogue import ask, number_of
from image_tables import END, SIZE, STRINGS, STRINGS_AT, SYMBOL_BYTES, SYMBOLS_MAX, TABLES, content, refused, symbol
from images import Image

from harness.abi import PAGE_SIZE, Status
from harness.session.device import FILL


@pytest.fixture
def image(session) -> Image:
    return Image.open(session, size=SIZE)


# Check 1: lengths of the request.


@pytest.mark.parametrize("missing", [1, 2])
def test_a_request_that_is_no_longer_than_its_structure_is_refused(session, missing):
    small = Image.open(session, "small", 1)
    data = small.load_input()
    reply = ask(session, "LDR_LOAD", data[:-missing])
    assert reply.outcome == Status.INVALID_PARAM
    assert ask(session, "LDR_LOAD", data).outcome == Status.OK


@pytest.mark.parametrize("out_size", [1, 4, 64])
def test_an_output_is_refused(image, out_size):
    session = image.session
    reply = ask(session, "LDR_LOAD", image.load_input(), out_size=out_size)
    assert reply.outcome == Status.INVALID_PARAM
    assert reply.out == bytes([FILL]) * out_size


def test_lengths_are_checked_before_cookies(image):
    data = image.load_input(u32Cookie=image.session.cookies.device ^ 1)
    reply = image.session.device.request(number_of(image.session.abi, "LDR_LOAD"), data, out_size=1)
    assert reply.outcome == Status.INVALID_PARAM


# Check 2 before check 3.


def test_cookies_are_checked_before_the_image(image):
    refused(image, Status.INVALID_MAGIC, u32Cookie=image.session.cookies.device ^ 1, cbImage=SIZE + 1)


# Check 3: the image is in the request.


@pytest.mark.parametrize(
    "size", [SIZE + 1, SIZE + 8, 1 << 24, 1 << 31, END - 16, END - 52, END - 72, END - 71, END - 1]
)
def test_an_image_that_is_longer_than_the_request_is_refused(image, size):
    refused(image, Status.INVALID_PARAM, cbImage=size)


@pytest.mark.parametrize("size", [END - 16, END - 72])
def test_a_length_that_wraps_makes_no_table_readable(image, size):
    refused(image, Status.INVALID_PARAM, cbImage=size, cSymbols=1, offSymbols=size - 8, offStrTab=0, cbStrTab=8)


@pytest.mark.parametrize("more", [1, 100, PAGE_SIZE])
def test_what_follows_the_image_is_ignored(image, more):
    assert ask(image.session, "LDR_LOAD", image.load_input() + bytes(more)).outcome == Status.OK


def test_the_image_is_checked_before_the_tables(image):
    refused(image, Status.INVALID_PARAM, cbImage=SIZE + 1, cSymbols=SYMBOLS_MAX + 1)


# Checks 4 to 7: the tables.


def test_16384_symbols_are_accepted(session):
    long = Image.open(session, "long", SYMBOLS_MAX * SYMBOL_BYTES + 16)
    table = symbol(0, 5) * SYMBOLS_MAX + b"name\0"
    tables = {"offSymbols": 0, "cSymbols": SYMBOLS_MAX, "offStrTab": SYMBOLS_MAX * SYMBOL_BYTES, "cbStrTab": 5}
    assert long.load(table, **{**tables, "cSymbols": SYMBOLS_MAX + 1}) == Status.INVALID_PARAM
    long.load_well(table, **tables)
    assert long.address("name") == long.base + 5


@pytest.mark.parametrize("count", [SYMBOLS_MAX + 1, 1 << 29, (1 << 29) + 1, 1 << 31, END - 1])
def test_more_symbols_are_refused(image, count):
    refused(image, Status.INVALID_PARAM, **{**TABLES, "cSymbols": count, "offSymbols": 0})


@pytest.mark.parametrize(
    ("offset", "count"),
    [
        *((SIZE, 1), (SIZE - 8, 2), (SIZE - 7, 1), (SIZE - 1, 1), (SIZE - 15, 2), (0, SIZE // 8 + 1)),
        *((1 << 31, 1), (END - 1, 1), (END - 8, 1), (END - 16, 2), (END - 8 * SYMBOLS_MAX, SYMBOLS_MAX)),
    ],
)
def test_a_symbol_table_that_is_not_inside_is_refused(image, offset, count):
    data = content(strings=b"\0" * 16)
    refused(image, Status.INVALID_PARAM, data, **{**TABLES, "offSymbols": offset, "cSymbols": count})


@pytest.mark.parametrize("offset", [0, 1, 3, SIZE - 8])
def test_a_symbol_table_may_be_anywhere_inside(image, offset):
    data = bytearray(content())
    data[offset : offset + 8] = symbol(0, 77)
    image.load_well(bytes(data), **{**TABLES, "offSymbols": offset, "cSymbols": 1})
    assert image.address("first") == image.base + 77


@pytest.mark.parametrize(
    ("offset", "size"),
    [
        *((SIZE, 1), (SIZE - 1, 2), (0, SIZE + 1), (STRINGS_AT, SIZE - STRINGS_AT + 1)),
        *(
            (END - 1, 1),
            (END - 1, 2),
            (1, END - 1),
            (STRINGS_AT, END - STRINGS_AT),
            (STRINGS_AT, END - 1),
            (1 << 31, 1),
        ),
    ],
)
@pytest.mark.parametrize("count", [0, 2])
def test_a_string_table_that_is_not_inside_is_refused(image, offset, size, count):
    refused(
        image, Status.INVALID_PARAM, content(), **{**TABLES, "offStrTab": offset, "cbStrTab": size, "cSymbols": count}
    )


def test_a_string_table_may_end_with_the_image(image):
    strings = b"end\0"
    data = content()[: -len(strings)] + strings
    tables = {**TABLES, "cSymbols": 1, "offStrTab": SIZE - len(strings), "cbStrTab": len(strings)}
    image.load_well(data, **tables)
    assert image.address("end") == image.base + 10


def test_offsets_of_empty_tables_are_not_looked_at(image):
    image.load_well(offSymbols=END - 1, offStrTab=END - 1)


def test_strings_need_no_symbols(image):
    image.load_well(content(), **{**TABLES, "cSymbols": 0})
    assert image.symbol("first").outcome == Status.GENERAL_FAILURE


@pytest.mark.parametrize("count", [1, 2])
def test_symbols_need_strings(image, count):
    refused(image, Status.INVALID_PARAM, content(), **{**TABLES, "cSymbols": count, "cbStrTab": 0})


@pytest.mark.parametrize("offset", [SIZE, SIZE + 1, 1 << 31, END - 1])
@pytest.mark.parametrize("place", [0, 1])
def test_a_symbol_that_is_not_inside_is_refused(image, offset, place):
    symbols = [symbol(0, 0), symbol(6, 0)]
    symbols[place] = symbol(0, offset)
    refused(image, Status.INVALID_PARAM, content(*symbols), **TABLES)


@pytest.mark.parametrize("offset", [0, SIZE - 1])
def test_a_symbol_may_be_anywhere_inside(image, offset):
    image.load_well(content(symbol(0, offset), symbol(6, 0)), **TABLES)
    assert image.address("first") == image.base + offset


@pytest.mark.parametrize("name", [len(STRINGS), len(STRINGS) + 1, 1 << 31, END - STRINGS_AT, END - 1])
def test_a_name_that_does_not_start_in_the_strings_is_refused(image, name):
    refused(image, Status.INVALID_PARAM, content(symbol(0, 0), symbol(name, 0)), **TABLES)


@pytest.mark.parametrize("size", [len(STRINGS) - 1, 7, 6, 1])
def test_a_name_that_does_not_end_in_the_strings_is_refused(image, size):
    refused(image, Status.INVALID_PARAM, content(), **{**TABLES, "cbStrTab": size})


def test_only_names_that_symbols_have_must_end(image):
    image.load_well(content(symbol(0, 10), symbol(0, 20)), **{**TABLES, "cbStrTab": len(STRINGS) - 1})


def test_tables_are_checked_before_the_image_is_looked_for(image):
    refused(image, Status.INVALID_PARAM, cSymbols=SYMBOLS_MAX + 1, pvImageBase=image.base + 32)
    other = Image.open(image.session, "other", SIZE)
    refused(other, Status.INVALID_PARAM, content(symbol(0, SIZE), symbol(0, 0)), **TABLES, pvImageBase=image.base + 32)
