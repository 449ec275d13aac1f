"""Many clients map and unmap the global information page at once, while others read it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from catalogue import times
from gip import IDS_PER_UPDATE, frame_of, gip_map, gip_unmap, look, parse, take_looks, updates_between
from processes import open_alone, send

from harness.transport import wire
from harness.transport.wire import Op

pytestmark = pytest.mark.needs("kernel-memory")

CHILDREN = 3
ROUNDS = 150
LOOKS = 400
HALF_OF_ALL_IDS = 1 << 31
STORM_SECONDS = 20.0


def start(session, frames):
    """Send a batch and return at once; the second value makes the replies of the first."""
    process = session.device.process
    call = process.agent.start(Op.BATCH, wire.pack_batch(frames), client=process.number)
    ops = [op for op, _ in frames]
    return lambda: wire.parse_batch(call.result(STORM_SECONDS).check().body, ops)


def on_and_off(session, rounds, *between):
    return [frame_of(session, "GIP_MAP"), *between, frame_of(session, "GIP_UNMAP")] * rounds


def succeeded(replies):
    return all(reply.check().os_error == 0 for reply in replies)


def check_order(samples):
    for one, two in pairwise(samples):
        assert updates_between(one, two) * IDS_PER_UPDATE < HALF_OF_ALL_IDS
        assert two["u64NanoTS"] >= one["u64NanoTS"]
        assert two["u64TSC"] >= one["u64TSC"]
    assert samples[0]["cErrors"] == samples[-1]["cErrors"]


@pytest.fixture
def rounds(cell):
    return times(cell, ROUNDS)


@pytest.fixture
def others(client):
    """Sessions of as many other processes."""
    return [open_alone(client.start_child()) for _ in range(CHILDREN)]


def test_a_reader_sees_the_page_go_on_while_others_come_and_go(client, others, guest, cell, rounds):
    page = gip_map(open_alone(client.start_child()))
    looks_at_most = times(cell, LOOKS)
    storm = [start(other, on_and_off(other, rounds)) for other in others]
    looks = start(page.session, look(page.address) * looks_at_most)
    samples = [parse(data) for data in take_looks(looks())]
    assert all(succeeded(replies()) for replies in storm)
    assert len(samples) > looks_at_most // 2
    check_order(samples)
    assert updates_between(samples[0], samples[-1]) < looks_at_most
    assert guest.counters()["gip_users"] == 1


@pytest.mark.parametrize(("count", "share"), [(1, 1), (CHILDREN, 10)], ids=["alone", "together"])
def test_an_id_never_comes_back_with_other_contents(others, guest, rounds, count, share):
    pages = [gip_map(other) for other in others[:count]]
    for page in pages:
        gip_unmap(page.session)
    storm = [start(page.session, on_and_off(page.session, rounds, *look(page.address))) for page in pages]
    contents = {}
    for replies in storm:
        taken = take_looks(replies())
        check_order([parse(data) for data in taken])
        for data in taken:
            assert contents.setdefault(parse(data)["u32TransactionId"], data) == data
    assert len(contents) > rounds // share // 2  # looks meet updates, on a slow kernel many do
    assert guest.counters()["gip_users"] == 0


def test_threads_of_one_session_share_one_mapping(session, guest, rounds):
    process = session.device.process
    done = process.agent.loop(*frame_of(session, "GIP_MAP"), count=rounds, threads=4, client=process.number)
    assert done.failures == 0
    assert guest.counters()["gip_users"] == 1
    assert gip_map(session).readable
    gip_unmap(session)
    assert guest.counters()["gip_users"] == 0


@pytest.mark.needs("handle-passing")
def test_two_processes_map_and_unmap_the_page_of_one_session(session, client, guest, rounds):
    shared = [send(session, client.start_child()) for _ in range(2)]
    storm = [start(one, on_and_off(one, rounds)) for one in shared]
    assert all(succeeded(replies()) for replies in storm)
    gip_unmap(session)
    assert guest.counters()["gip_users"] == 0
    assert gip_map(session).readable


def test_clients_killed_in_the_middle_leave_nothing(client, guest, rounds):
    for _ in range(3):
        children = [client.start_child() for _ in range(CHILDREN)]
        for child in children:
            own = open_alone(child)
            start(own, on_and_off(own, rounds))
        for child in children:
            child.kill()
        assert guest.counters()["gip_users"] == 0
        assert guest.counters()["sessions"] == 0
