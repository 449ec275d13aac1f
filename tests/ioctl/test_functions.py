"""QUERY_FUNCS: the table of functions for ring-0 images, cut to the room that the client has."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from addresses import in_kernel_half
from catalogue import ask

from harness.abi import LIMITS, Status, c_string
from harness.session.device import FILL
from harness.targets import Refusal

NAME_SIZE = 32
PLENTY = 5
DRIVERS_PAGE = Path(__file__).parents[2] / "docs/driver.md"


def documented():
    """The functions that the driver's page lists; `-Destroy` there shares the first part of its line's first name."""
    part = DRIVERS_PAGE.read_text().partition("### Functions for images")[2].partition("\n## ")[0]
    names = []
    for line in re.findall(r"^\| (`.*?`) \|", part, re.MULTILINE):
        found = re.findall(r"[` *](-?\w+)(?:\(.*?\))?`", line)
        stem = found[0].removesuffix("Create")
        names += [stem + name[1:] if name.startswith("-") else name for name in found]
    return names


def table(session):
    """The entries of the whole table."""
    count = session.greeting["cFunctions"]
    reply = ask(session, "QUERY_FUNCS", out_size=size(session, count))
    assert reply.outcome == Status.OK
    return session.output("QUERY_FUNCS", reply)["aFunctions"]


def size(session, count):
    return session.abi.layout("SUPQUERYFUNCS_OUT").size_of(count)


def check_part(session, reply, count):
    """`count` entries of the table and nothing else were written."""
    assert reply.outcome == Status.OK
    end = size(session, count)
    layout = session.abi.layout("SUPQUERYFUNCS_OUT")
    assert layout.unpack(reply.out[:end]) == {"cFunctions": count, "aFunctions": table(session)[:count]}
    assert reply.out[end:] == bytes([FILL]) * (len(reply.out) - end)


def test_the_greeting_and_the_table_agree_on_the_number_of_functions(session):
    count = session.greeting["cFunctions"]
    reply = ask(session, "QUERY_FUNCS", out_size=size(session, count + PLENTY))
    assert session.output("QUERY_FUNCS", reply)["cFunctions"] == count


def test_room_for_one_gives_the_first(session):
    check_part(session, ask(session, "QUERY_FUNCS", out_size=size(session, 1)), 1)


@pytest.mark.parametrize("more", [1, 2])
def test_room_for_a_few_gives_the_first_few(session, more):
    check_part(session, ask(session, "QUERY_FUNCS", out_size=size(session, 1 + more)), 1 + more)


def test_room_for_all_but_one_gives_all_but_the_last(session):
    count = session.greeting["cFunctions"] - 1
    check_part(session, ask(session, "QUERY_FUNCS", out_size=size(session, count)), count)


def test_room_for_all_gives_all(session):
    count = session.greeting["cFunctions"]
    check_part(session, ask(session, "QUERY_FUNCS", out_size=size(session, count)), count)


@pytest.mark.parametrize("more", [1, PLENTY, 1000])
def test_room_beyond_the_table_is_left_alone(session, more):
    count = session.greeting["cFunctions"]
    check_part(session, ask(session, "QUERY_FUNCS", out_size=size(session, count + more)), count)


@pytest.mark.parametrize("missing", [1, 4, 8])
def test_an_entry_that_does_not_fit_whole_is_left_out(session, missing):
    check_part(session, ask(session, "QUERY_FUNCS", out_size=size(session, 3) - missing), 2)


def test_one_byte_more_than_an_entry_is_left_alone(session):
    check_part(session, ask(session, "QUERY_FUNCS", out_size=size(session, 2) + 1), 2)


def test_one_byte_more_than_the_table_is_left_alone(session):
    count = session.greeting["cFunctions"]
    check_part(session, ask(session, "QUERY_FUNCS", out_size=size(session, count) + 1), count)


@pytest.mark.parametrize("short", [1, 4])
def test_room_for_less_than_one_is_refused(session, short):
    reply = ask(session, "QUERY_FUNCS", out_size=size(session, 1) - short)
    assert reply.outcome == Status.INVALID_PARAM
    assert reply.untouched


def test_the_longest_claim_is_accepted(session, client):
    count = session.greeting["cFunctions"]
    out_size = size(session, count + 1)
    room = client.alloc(LIMITS.transport_bytes)
    client.write(room, bytes([FILL]) * out_size)
    reply = ask(session, "QUERY_FUNCS", out_pointer=room, cb_out=LIMITS.transport_bytes)
    check_part(session, replace(reply, out=client.read(room, out_size)), count)


@pytest.mark.parametrize("more", [1, 4096])
def test_a_longer_claim_is_refused(session, more):
    out_size = size(session, session.greeting["cFunctions"])
    reply = ask(session, "QUERY_FUNCS", out_size=out_size, cb_out=LIMITS.transport_bytes + more)
    assert reply.outcome in (Status.INVALID_PARAM, Refusal.BUFFER_NOT_THERE)
    assert reply.untouched


def test_padding_is_zero(session):
    count = session.greeting["cFunctions"]
    reply = ask(session, "QUERY_FUNCS", out_size=size(session, count))
    padding = session.abi.layout("SUPQUERYFUNCS_OUT").padding(reply.out)
    assert padding == bytes(len(padding))


def test_the_functions_are_those_of_the_drivers_page_in_its_order(session):
    assert [c_string(entry["szName"]) for entry in table(session)] == documented()


def test_names_are_ended_and_nothing_follows_them(session):
    for entry in table(session):
        name = c_string(entry["szName"])
        assert entry["szName"] == name.encode("ascii").ljust(NAME_SIZE, b"\0")
        assert len(name) < NAME_SIZE


def test_names_are_identifiers(session):
    for entry in table(session):
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", c_string(entry["szName"]))


def test_names_are_unique(session):
    names = [entry["szName"] for entry in table(session)]
    assert len(set(names)) == len(names)


def test_tokens_are_unique_and_not_null(session):
    tokens = [entry["pfn"] for entry in table(session)]
    assert len(set(tokens)) == len(tokens)
    assert 0 not in tokens


@pytest.mark.needs("opaque-functions")
def test_tokens_are_no_kernel_addresses(session):
    for entry in table(session):
        assert not in_kernel_half(entry["pfn"], session.abi.word_size), c_string(entry["szName"])


@pytest.mark.needs("opaque-functions")
def test_the_low_byte_of_a_token_tells_functions_apart(session):
    for index, entry in enumerate(table(session)):
        assert entry["pfn"] & 0xFF == 2 * index + 1


@pytest.mark.needs("opaque-functions")
def test_tokens_do_not_tell_how_far_functions_are_apart(session):
    spread = max(entry["pfn"] for entry in table(session)) - min(entry["pfn"] for entry in table(session))
    assert spread > 64 * 1024 * 1024


def test_every_session_sees_the_same_functions(session, open_session):
    assert table(open_session()) == table(session)


def test_the_table_does_not_change(session):
    assert table(session) == table(session)
