"""Another thread changes a request's argument block and input while the driver fetches them: each word is fetched once.

The rest of what is being fetched lies on a page that is missing. While the driver waits for that page another thread
changes what it has fetched by then, so a driver that fetches it again meets something else.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from addresses import bad_address
from argument_block import ArgumentBlock, place_bytes
from catalogue import SAME_OUTPUT, SLOW, WITH_OUTPUT, ask, every, good_input, good_size, number_of
from processes import open_alone

from harness.abi import PAGE_SIZE, Status
from harness.session.client import Client
from harness.session.device import FILL
from harness.session.driver_session import DriverSession
from harness.targets import Refusal

pytestmark = pytest.mark.needs("memory-traps")

UNIT = 8
"""A processor fetches so many bytes in one go at most."""

COOKIES_ALONE = ("QUERY_FUNCS", "IDT_INSTALL", "IDT_REMOVE", "GET_PAGING_MODE", "GIP_MAP", "GIP_UNMAP")
LONG = tuple(name for name in SLOW if name not in COOKIES_ALONE)
"""Those whose input is fetched in more than one go."""

BEHIND = 64
"""Bytes behind the output that are looked at."""

GIGANTIC = 0xFFFFFFFF


@pytest.fixture
def session(client):
    """A session without a 32-bit twin, which could not see this process's memory."""
    return open_alone(client)


def inverted(data):
    return bytes(byte ^ 0xFF for byte in data)


def across(client, data, cut):
    """The address of `data` in new memory that has its first `cut` bytes on one page and the rest on another."""
    address = client.alloc(2 * PAGE_SIZE) + PAGE_SIZE - cut
    client.write(address, data)
    return address


def ask_changed(session, client, name, data, cut, later):
    """The outcome of a request whose input begins with `later` instead as soon as its first `cut` bytes are fetched."""
    address = across(client, data, cut)
    client.trap(address + cut, address, later)
    reply = ask(session, name, data, in_pointer=address, cb_in=len(data))
    assert client.untrap()
    assert client.read(address, len(data)) == later + data[cut:]
    return reply.outcome


def cuts(session):
    """Every place at which a request's input can be cut in two fetches: its name, and the bytes before."""
    return [(name, cut) for name in LONG for cut in range(UNIT, len(good_input(session, name)), UNIT)]


def test_input_that_is_spoilt_after_it_was_fetched_is_good(session, client):
    ended = {}
    for name, cut in cuts(session):
        data = good_input(session, name)
        ended[name, cut] = ask_changed(session, client, name, data, cut, inverted(data[:cut]))
    assert ended == every(ended, Status.OK)


def test_input_that_is_mended_after_it_was_fetched_is_refused(session, client):
    ended = {}
    for name, cut in cuts(session):
        data = good_input(session, name)
        ended[name, cut] = ask_changed(session, client, name, inverted(data[:cut]) + data[cut:], cut, data[:cut])
    assert ended == every(ended, Status.INVALID_MAGIC)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Input and room for the output of one request, in the memory of `client`."""

    session: DriverSession
    client: Client
    name: str
    data: bytes
    output: int
    block: bytes

    @classmethod
    def prepare(cls, session, client, name, *, at=None):
        """`at` is where the input goes, new memory if None."""
        data, size = good_input(session, name), good_size(session.abi, name)
        address = place_bytes(client, data) if at is None else at
        client.write(address, data)
        output = place_bytes(client, bytes([FILL]) * (size + BEHIND))
        block = ArgumentBlock.place(client, pv_in=address, cb_in=len(data), pv_out=output, cb_out=size)
        return cls(session, client, name, data, output, block.data)

    @property
    def size(self):
        return good_size(self.session.abi, self.name)

    def ask(self, block):
        """The outcome, with the argument block at that address; the trap was touched."""
        outcome = self.session.device.raw(number_of(self.session.abi, self.name), block)
        assert self.client.untrap()
        return outcome

    def answered(self):
        """Whether the right answer is in the output, and nothing behind it."""
        out = self.client.read(self.output, self.size + BEHIND)
        answer, behind = out[: self.size], out[self.size :]
        same = self.name not in SAME_OUTPUT or answer == ask(self.session, self.name, self.data).out
        return same and (answer != bytes([FILL]) * self.size or not self.size) and behind == bytes([FILL]) * BEHIND

    def unanswered(self):
        return self.client.read(self.output, self.size + BEHIND) == bytes([FILL]) * (self.size + BEHIND)


def useless_block(client):
    """An argument block in which every word is wrong."""
    nowhere = bad_address(client, "unmapped")
    return client.abi.layout("SUPDRVIOCTLDATA").pack(pvIn=nowhere, cbIn=GIGANTIC, pvOut=nowhere, cbOut=GIGANTIC)


@pytest.mark.needs("argument-block")
@pytest.mark.parametrize("words", [1, 2, 3])
def test_a_block_that_is_spoilt_after_it_was_fetched_is_good(session, client, words):
    cut, ended, answered = words * client.abi.pointer_size, {}, {}
    for name in SLOW:
        exchange = Exchange.prepare(session, client, name)
        address = across(client, exchange.block, cut)
        client.trap(address + cut, address, useless_block(client)[:cut])
        ended[name] = exchange.ask(address)
        answered[name] = exchange.answered()
    assert ended == every(SLOW, Status.OK)
    assert answered == dict.fromkeys(SLOW, True)


@pytest.mark.needs("argument-block")
@pytest.mark.parametrize(
    ("words", "refusal"), [(1, Refusal.BAD_ADDRESS), (2, Status.INVALID_PARAM), (3, Status.INVALID_PARAM)]
)
def test_a_block_that_is_mended_after_it_was_fetched_is_refused(session, client, words, refusal):
    cut, ended, unanswered = words * client.abi.pointer_size, {}, {}
    for name in SLOW:
        exchange = Exchange.prepare(session, client, name)
        address = across(client, useless_block(client)[:cut] + exchange.block[cut:], cut)
        client.trap(address + cut, address, exchange.block[:cut])
        ended[name] = exchange.ask(address)
        unanswered[name] = exchange.unanswered()
    assert ended == every(SLOW, refusal)
    assert unanswered == dict.fromkeys(SLOW, True)


def changed_block(exchange, other):
    """A block that leads to more input and to another output."""
    layout = exchange.session.abi.layout("SUPDRVIOCTLDATA")
    fields = {**layout.unpack(exchange.block), "pvIn": other, "pvOut": other, "cbOut": exchange.size + BEHIND}
    return layout.pack(**fields)


@pytest.mark.needs("argument-block")
def test_a_block_that_changes_while_the_input_is_fetched_does_not_count(session, client):
    other, ended, answered = client.alloc(PAGE_SIZE), {}, {}
    for name in SLOW:
        page = client.alloc(PAGE_SIZE)
        exchange = Exchange.prepare(session, client, name, at=page)
        address = place_bytes(client, exchange.block)
        client.trap(page, address, changed_block(exchange, other))
        ended[name] = exchange.ask(address)
        answered[name] = exchange.answered()
    assert ended == every(SLOW, Status.OK)
    assert answered == dict.fromkeys(SLOW, True)
    assert client.read(other, PAGE_SIZE) == bytes(PAGE_SIZE)


@pytest.mark.needs("argument-block")
def test_what_changes_while_the_answer_is_delivered_does_not_count(session, client):
    other, ended, answered = client.alloc(PAGE_SIZE), {}, {}
    for name in WITH_OUTPUT:
        memory = client.alloc(PAGE_SIZE)
        exchange = Exchange.prepare(session, client, name, at=memory + len(useless_block(client)))
        client.write(memory, exchange.block)
        client.trap(exchange.output, memory, changed_block(exchange, other) + inverted(exchange.data))
        ended[name] = exchange.ask(memory)
        answered[name] = exchange.answered()
    assert ended == every(WITH_OUTPUT, Status.OK)
    assert answered == dict.fromkeys(WITH_OUTPUT, True)
    assert client.read(other, PAGE_SIZE) == bytes(PAGE_SIZE)
