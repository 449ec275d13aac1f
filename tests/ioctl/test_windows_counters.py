"""Windows' second device: the driver's counters and its build id, for reading, and no requests."""

from __future__ import annotations

import pytest
from catalogue import FAST, SLOW, every, number_of, outcomes, written
from memory import cont_alloc, pin

from harness.abi import PAGE_SIZE
from harness.session.device import Device
from harness.session.outcome import Outcome
from harness.targets import Refusal
from harness.transport.wire import AgentOpError

pytestmark = pytest.mark.only("windows")

BUILD_ID_AT = 0x10000
BUILD_ID_BYTES = 20


def read(guest, offset=0, length=PAGE_SIZE):
    return guest.agent.file_read(guest.target.counters_file, length, offset=offset)


def test_it_takes_no_request(client, guest):
    handle = client.agent.open(guest.target.counters_file, client=client.number)
    device = Device(client, handle, note=lambda _text: None, twin=None)
    names = (*SLOW, *FAST)
    replies = {name: device.request(number_of(client.abi, name), bytes(64), out_size=64) for name in names}
    assert outcomes(replies) == every(names, Refusal.NO_STREAM)
    assert written(replies) == []


def test_opening_it_is_no_session(client, guest):
    before = dict(guest.counters())
    client.agent.open(guest.target.counters_file, client=client.number)
    assert dict(guest.counters()) == before


def test_it_cannot_be_written(client, guest):
    before = read(guest)
    with pytest.raises(AgentOpError) as caught:
        client.agent.file_write(guest.target.counters_file, bytes(16))
    assert Outcome(code=caught.value.os_error, abi=client.abi, target=client.target) == Refusal.NO_STREAM
    assert read(guest) == before


def test_the_counters_can_be_read_in_parts(session, client, guest):
    cont_alloc(session, 3 * PAGE_SIZE)
    pin(session, client.alloc(2 * PAGE_SIZE), 2 * PAGE_SIZE)
    whole = read(guest)
    assert b"pages_cont 3\n" in whole
    for cut in (1, 7, len(whole) // 2, len(whole) - 1):
        assert read(guest, length=cut) == whole[:cut]
        assert read(guest, offset=cut) == whole[cut:]


def test_nothing_lies_between_the_counters_and_the_build_id(guest):
    end = len(read(guest))
    for offset in (end, end + 1, PAGE_SIZE, BUILD_ID_AT - 1):
        assert read(guest, offset=offset) == b""


def test_the_build_id_is_that_of_the_file(guest):
    build_id = read(guest, offset=BUILD_ID_AT)
    assert len(build_id) == BUILD_ID_BYTES
    assert build_id.hex() == guest.driver
    assert read(guest, offset=BUILD_ID_AT + 5) == build_id[5:]
    assert read(guest, offset=BUILD_ID_AT, length=7) == build_id[:7]


@pytest.mark.parametrize("behind", [0, 1, PAGE_SIZE, 1 << 32, (1 << 63) - 1 - BUILD_ID_AT - BUILD_ID_BYTES])
def test_nothing_lies_behind_the_build_id(guest, behind):
    assert read(guest, offset=BUILD_ID_AT + BUILD_ID_BYTES + behind) == b""
