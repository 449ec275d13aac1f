"""A 32-bit client on a 64-bit kernel: refused at once, whatever it asks, with no side effect.

The `agent` of a compat cell is that client. The other modules have its requests refused as well, one before
each request of the 64-bit client; here is what those do not ask.
"""

from __future__ import annotations

import pytest
from catalogue import SLOW, WITH_COOKIES, ask, good_size, number_of

from harness.abi import ABI_NAMES, COOKIE_MAGIC, INTERFACE_VERSION, PAGE_SIZE, Status, load_abi
from harness.session.device import FILL, Device
from harness.targets import Refusal

pytestmark = pytest.mark.only("compat")

ALL = tuple(load_abi(ABI_NAMES[0]).requests)
BAD_ARGUMENTS = {"null": 0, "first-page": 16, "unmapped": 0x10000, "kernel": 0xC1000000, "end": 0xFFFFFFFC}


@pytest.fixture
def narrow(session) -> Device:
    """The open device of `session` as the 32-bit client has it."""
    assert session.device.twin is not None
    return session.device.twin


def words(session, name, narrow):
    """The input of `name` in the layout of the 32-bit client, with the right cookies."""
    request = narrow.abi.request(name)
    if request.in_rule.layout is None:
        return b""
    fields = {"szMagic": COOKIE_MAGIC + b"\0", "u32Version": INTERFACE_VERSION}
    if request.cookies:
        fields = {"u32Cookie": session.cookies.device, "u32SessionCookie": session.cookies.session}
    return request.in_rule.layout.pack(**fields)


def refused(reply):
    assert reply.outcome == Refusal.WRONG_WORD_SIZE
    assert reply.untouched


def test_the_client_really_is_a_32_bit_one(agent, narrow):
    assert agent.hello().word_bits == 32
    assert narrow.abi.word_size == 32


@pytest.mark.parametrize("name", ALL)
def test_its_own_number_is_refused(session, narrow, name):
    data = words(session, name, narrow)
    refused(narrow.request(number_of(narrow.abi, name), data, out_size=64))


@pytest.mark.parametrize("name", ALL)
def test_the_64_bit_number_is_refused(session, narrow, name):
    data = words(session, name, narrow)
    refused(narrow.request(number_of(session.abi, name), data, out_size=64))


@pytest.mark.needs("argument-block")
@pytest.mark.parametrize("name", ALL)
def test_a_64_bit_block_by_a_64_bit_number_is_refused(session, agent, narrow, name):
    """What a client could try that builds the block of a 64-bit one by hand."""
    memory = agent.mem_alloc(PAGE_SIZE)
    data = session.input("IDT_INSTALL")
    layout = session.abi.layout("SUPDRVIOCTLDATA")
    block = layout.pack(pvIn=memory + 256, cbIn=len(data), pvOut=memory + 512, cbOut=1)
    before = block.ljust(256, b"\0") + data.ljust(256, b"\0") + bytes([FILL]) * 512
    agent.mem_write(memory, before)
    assert narrow.raw(number_of(session.abi, name), memory) == Refusal.WRONG_WORD_SIZE
    assert agent.mem_read(memory, len(before)) == before


@pytest.mark.parametrize("argument", [pytest.param(value, id=name) for name, value in BAD_ARGUMENTS.items()])
def test_a_bad_pointer_is_refused_before_it_is_looked_at(session, narrow, argument):
    for name in SLOW:
        for abi in (narrow.abi, session.abi):
            assert narrow.raw(number_of(abi, name), argument) == Refusal.NARROW_ADDRESS


@pytest.mark.parametrize("function", [0, 13, 63, 67, 127])
def test_an_unknown_function_is_refused_alike(session, narrow, function):
    for abi in (narrow.abi, session.abi):
        number = number_of(abi, "COOKIE") + function - 1
        refused(narrow.request(number, out_size=8))


@pytest.mark.parametrize("size", [0, 8, 15, 17, 24, 31, 33])
def test_a_wrong_size_field_is_refused_alike(session, narrow, size):
    for abi in (narrow.abi, session.abi):
        number = number_of(abi, "COOKIE") & ~(0x3FFF << 16) | size << 16
        refused(narrow.request(number, words(session, "COOKIE", narrow), out_size=20))


@pytest.mark.needs("half-open-refusal")
@pytest.mark.parametrize("mode", [{"read": True, "write": False}, {"read": False, "write": True}])
def test_a_half_open_device_is_refused_alike(client, mode):
    narrow = client.open(**mode).twin
    assert narrow.raw(number_of(narrow.abi, "COOKIE"), 0) == Refusal.WRONG_WORD_SIZE


@pytest.mark.parametrize("name", WITH_COOKIES)
def test_a_refused_request_changes_nothing_in_the_session(session, narrow, name, guest):
    before = dict(guest.counters())
    for number in (number_of(narrow.abi, name), number_of(session.abi, name)):
        refused(narrow.request(number, words(session, name, narrow), out_size=64))
    assert dict(guest.counters()) == before
    reply = ask(session, "COOKIE")
    assert session.output("COOKIE", reply) == session.greeting
    assert ask(session, name).outcome == Status.OK


def test_a_refused_greeting_gives_no_cookies(session, narrow):
    data = words(session, "COOKIE", narrow)
    refused(narrow.request(number_of(narrow.abi, "COOKIE"), data, out_size=good_size(narrow.abi, "COOKIE")))


def test_opening_and_closing_works_and_is_counted(agent, client, guest):
    before = guest.counters()["sessions"]
    handle = agent.open(client.target.device)
    assert guest.counters()["sessions"] == before + 1
    agent.close_handle(handle)
    assert guest.counters()["sessions"] == before
