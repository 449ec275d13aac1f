"""Requests as OS/2 has them: a parameter packet, a data packet that need not be there, a category; and that there are
no fast requests."""

from __future__ import annotations

import catalogue
import pytest
from addresses import BAD_KINDS, bad_address, end_of_memory
from argument_block import ArgumentBlock, place_bytes
from catalogue import good_input, good_size, number_of
from memory import cont_alloc, release
from request_numbers import slow_number, with_type

from harness.abi import PAGE_SIZE, Status, load_abi
from harness.targets.os2_errors import Os2Error

pytestmark = pytest.mark.only("os2")

ALIAS = 0xC0
FAST_CATEGORY = 0xC1
"""Of fast requests in later versions of the interface."""
FAST = [load_abi("os2-x86").request(name).function for name in catalogue.FAST]
CODE_BYTES = 4
UNTOUCHED = b"\x5a" * 16


class Packets:
    """A request of a session, made with packets at any addresses."""

    def __init__(self, session, client):
        self.session = session
        self.client = client
        self.data = place_bytes(client, UNTOUCHED)

    def block(self, name, data=None, *, pv_in=None, pv_out=None):
        """The address of a good parameter packet but for what is given."""
        data = good_input(self.session, name) if data is None else data
        return ArgumentBlock.place(
            self.client,
            pv_in=place_bytes(self.client, data) if pv_in is None else pv_in,
            cb_in=len(data),
            pv_out=self.client.alloc(PAGE_SIZE) if pv_out is None else pv_out,
            cb_out=good_size(self.session.abi, name),
        ).address

    def make(self, number, parameters, data=(0, 0)):
        """The system's error; `parameters` is an address, or an address and a length."""
        packet = parameters if isinstance(parameters, tuple) else (parameters, 16)
        device, client = self.session.device, self.client
        return client.agent.ioctl_packets(device.handle, number, parameters=packet, data=data, client=client.number)

    def number(self, name):
        return number_of(self.session.abi, name)

    @property
    def code(self):
        """What the data packet has taken."""
        return int.from_bytes(self.client.read(self.data, CODE_BYTES), "little", signed=True)

    @property
    def data_untouched(self):
        return self.client.read(self.data, len(UNTOUCHED)) == UNTOUCHED


@pytest.fixture
def packets(session, client):
    return Packets(session, client)


def test_the_data_packet_takes_the_code_and_nothing_more(packets):
    assert packets.make(packets.number("IDT_REMOVE"), packets.block("IDT_REMOVE"), (packets.data, 16)) == 0
    assert packets.code == Status.OK
    assert packets.client.read(packets.data + CODE_BYTES, 12) == UNTOUCHED[CODE_BYTES:]


@pytest.mark.parametrize(
    ("name", "data", "status"),
    [
        ("IDT_REMOVE", bytes(8), Status.INVALID_MAGIC),
        ("IDT_REMOVE", bytes(7), Status.INVALID_PARAM),
        ("COOKIE", bytes(20), Status.INVALID_MAGIC),
    ],
)
def test_a_refused_request_has_its_code_in_the_data_packet(packets, name, data, status):
    assert packets.make(packets.number(name), packets.block(name, data), (packets.data, CODE_BYTES)) == 0
    assert packets.code == status


@pytest.mark.parametrize("length", [0, 1, 3])
@pytest.mark.parametrize(
    ("data", "error"),
    [(None, 0), (bytes(7), Os2Error.INVALID_PARAMETER), (bytes(8), Os2Error.GEN_FAILURE)],
    ids=["good", "wrong size", "wrong cookies"],
)
def test_without_room_for_the_code_the_systems_error_tells(packets, data, error, length):
    block = packets.block("IDT_REMOVE", data)
    assert packets.make(packets.number("IDT_REMOVE"), block, (packets.data, length)) == error
    assert packets.data_untouched


@pytest.mark.parametrize("kind", BAD_KINDS)
def test_a_data_packet_at_a_bad_address_is_refused_and_nothing_done(packets, client, guest, kind):
    before = guest.counters()
    block = packets.block("CONT_ALLOC")
    error = packets.make(packets.number("CONT_ALLOC"), block, (bad_address(client, kind), CODE_BYTES))
    assert error == Os2Error.INVALID_PARAMETER
    assert guest.counters() == before


def test_a_data_packet_in_read_only_memory_is_refused(packets, client):
    client.protect(packets.data, PAGE_SIZE, read=True, write=False)
    block = packets.block("IDT_REMOVE")
    error = packets.make(packets.number("IDT_REMOVE"), block, (packets.data, CODE_BYTES))
    assert error == Os2Error.INVALID_PARAMETER
    assert packets.data_untouched


def test_nothing_is_released_where_its_code_cannot_be_written(packets, client, session, guest):
    memory = cont_alloc(session)
    before = guest.counters()
    client.protect(packets.data, PAGE_SIZE, read=True, write=False)
    block = packets.block("CONT_FREE", session.input("CONT_FREE", pv=memory.address))
    error = packets.make(packets.number("CONT_FREE"), block, (packets.data, CODE_BYTES))
    assert error == Os2Error.INVALID_PARAMETER
    assert guest.counters() == before
    assert release(session, "CONT_FREE", memory.address) == Status.OK


@pytest.mark.parametrize("there", [1, 3])
def test_a_data_packet_that_runs_out_of_memory_is_refused(packets, client, there):
    address = end_of_memory(client, there)
    block = packets.block("IDT_REMOVE")
    assert packets.make(packets.number("IDT_REMOVE"), block, (address, CODE_BYTES)) == Os2Error.INVALID_PARAMETER


@pytest.mark.parametrize("length", [0, 1, 15, 17, 20, 32, 0xFFFF])
def test_a_parameter_packet_of_another_length_is_refused(packets, length):
    block = packets.block("IDT_REMOVE")
    error = packets.make(packets.number("IDT_REMOVE"), (block, length), (packets.data, CODE_BYTES))
    assert error == Os2Error.INVALID_PARAMETER
    assert packets.data_untouched


@pytest.mark.parametrize("kind", BAD_KINDS)
def test_a_parameter_packet_at_a_bad_address_is_refused(packets, client, kind):
    error = packets.make(packets.number("IDT_REMOVE"), bad_address(client, kind), (packets.data, CODE_BYTES))
    assert (error, packets.code) == (0, Status.INVALID_POINTER)


@pytest.mark.parametrize("name", ["IDT_REMOVE", "COOKIE", "GET_PAGING_MODE", "LOW_ALLOC"])
def test_the_other_category_is_the_same(packets, name):
    number = with_type(packets.session.abi, packets.number(name), ALIAS)
    assert packets.make(number, packets.block(name), (packets.data, CODE_BYTES)) == 0
    assert packets.code == Status.OK


@pytest.mark.parametrize("category", [0x00, 0x55, 0x57, 0x7F, 0x80, 0xBF, FAST_CATEGORY, 0xD6, 0xFF])
def test_any_other_category_is_an_unknown_command(packets, category):
    number = with_type(packets.session.abi, packets.number("IDT_REMOVE"), category)
    error = packets.make(number, packets.block("IDT_REMOVE"), (packets.data, CODE_BYTES))
    assert error == Os2Error.BAD_COMMAND
    assert packets.data_untouched


@pytest.mark.parametrize("function", FAST)
def test_no_request_is_fast(packets, function):
    number = slow_number(packets.session.abi, function)
    assert packets.make(number, packets.block("IDT_REMOVE"), (packets.data, CODE_BYTES)) == 0
    assert packets.code == Status.GENERAL_FAILURE
    assert packets.make(number, packets.block("IDT_REMOVE")) == Os2Error.GEN_FAILURE
    assert packets.make(number, (0, 0)) == Os2Error.INVALID_PARAMETER


@pytest.mark.parametrize("function", FAST)
def test_no_request_of_the_later_category_is_there(packets, function):
    number = with_type(packets.session.abi, slow_number(packets.session.abi, function), FAST_CATEGORY)
    assert packets.make(number, (0, 0), (packets.data, CODE_BYTES)) == Os2Error.BAD_COMMAND
    assert packets.data_untouched


def test_what_the_client_cannot_be_told_of_is_undone(packets, client, guest):
    before = guest.counters()
    output = bad_address(client, "inaccessible")
    block = packets.block("CONT_ALLOC", pv_out=output)
    assert packets.make(packets.number("CONT_ALLOC"), block, (packets.data, CODE_BYTES)) == 0
    assert packets.code == Status.INVALID_POINTER
    assert guest.counters() == before


def test_the_counters_device_makes_no_requests(packets, client, guest):
    handle = client.agent.open(guest.target.counters_file, client=client.number)
    block = packets.block("IDT_REMOVE")
    number = packets.number("IDT_REMOVE")
    assert (
        client.agent.ioctl_packets(handle, number, parameters=(block, 16), client=client.number) == Os2Error.BAD_COMMAND
    )
    client.agent.close_handle(handle, client=client.number)


def test_no_more_of_the_counters_is_given_than_was_asked_for(guest):
    text = guest.agent.file_read(guest.target.counters_file)
    for length in (1, 8, len(text) - 1):
        assert guest.agent.file_read(guest.target.counters_file, length) == text[:length]
