"""The contents of the global information page: what each field says, and that it is kept up to date."""

from __future__ import annotations

import struct
from itertools import pairwise
from statistics import median

import pytest
from gip import (
    FIELDS_SIZE,
    HISTORY,
    IDS_PER_UPDATE,
    frame_of,
    gip_map,
    gip_unmap,
    look,
    parse,
    take_looks,
    updates_between,
)

from harness.abi import PAGE_SIZE
from harness.transport import wire
from harness.transport.wire import Op, Touch

pytestmark = pytest.mark.needs("kernel-memory")

HZ = 100
NS = 1_000_000_000
WINDOW_IDS = 0x1000
SLICE_MS = 2
A_WHILE_MS = 300
A_PAUSE_MS = 200
MEASUREMENTS = 3
MEASUREMENT_MS = 100
TRIES = 8
RARELY = 1 << 30
"""How often a call is timed in a loop whose time as a whole is wanted."""


@pytest.fixture
def page(session):
    return gip_map(session)


@pytest.fixture
def samples(page):
    """The page at some 50 moments, of which several lie between two updates."""
    taken = page.samples(50, pause_ms=SLICE_MS)
    assert len(taken) > 20
    assert updates_between(taken[0], taken[-1]) >= HISTORY
    return taken


def neighbours(samples):
    """Pairs of samples with exactly one update between them."""
    found = [(one, two) for one, two in pairwise(samples) if updates_between(one, two) == 1]
    assert found
    return found


def newest(sample, count):
    """The newest entries of the history, the newest one first."""
    return [sample["au32TSCHistory"][(sample["iTSCHistoryHead"] - back) % HISTORY] for back in range(count)]


def last_look(page):
    """The fields directly before the page is unmapped."""
    return parse(in_one_go(page, *look(page.address) * 3, frame_of(page.session, "GIP_UNMAP"))[-1])


def first_look(page):
    """The fields directly after the page is mapped again, where it was before."""
    return parse(in_one_go(page, frame_of(page.session, "GIP_MAP"), *look(page.address) * 3)[0])


def in_one_go(page, *frames):
    process = page.session.device.process
    return take_looks(process.agent.batch(frames, client=process.number))


def counter_reader(word_size, address):
    """Code that stores the processor's counter at `address`: rdtsc, the two stores, ret."""
    if word_size == 64:
        return b"\x0f\x31\x48\xb9" + struct.pack("<Q", address) + b"\x89\x01\x89\x51\x04\xc3"
    return b"\x0f\x31\xa3" + struct.pack("<I", address) + b"\x89\x15" + struct.pack("<I", address + 4) + b"\xc3"


def measured_rate(session, client):
    """Cycles a second by the client's own clock. What comes between the counter and the clock makes it too high."""
    code = client.alloc(PAGE_SIZE, execute=True)
    counter = code + PAGE_SIZE // 2
    client.write(code, counter_reader(client.abi.word_size, counter))
    count = [(Op.MEM_TOUCH, struct.pack("<QB", code, Touch.EXECUTE)), (Op.MEM_READ, struct.pack("<QI", counter, 8))]
    unknown = wire.pack_ioctl_raw(session.device.handle, 0, 0)
    spend = wire.pack_loop(Op.IOCTL_RAW, unknown, count=0, threads=1, limit_ms=MEASUREMENT_MS, stride=RARELY)
    replies = client.agent.batch([*count, (Op.LOOP, spend), *count], client=client.number)
    _, first, spent, _, last = [reply.check().body for reply in replies]
    cycles = int.from_bytes(last, "little") - int.from_bytes(first, "little")
    return cycles * NS / wire.parse_loop(spent).elapsed_ns


def test_the_magic_is_there(page):
    assert page.fields()["u32Magic"] == 0xBEEF0001


def test_the_rate_is_100_hz(page):
    assert page.fields()["u32UpdateHz"] == HZ


def test_the_interval_is_that_of_the_rate(page):
    fields = page.fields()
    assert fields["u32UpdateIntervalNS"] == NS // fields["u32UpdateHz"]


def test_what_is_no_field_is_zero(page):
    assert page.fields()["au32Padding0"] == [0] * 5
    assert page.bytes()[FIELDS_SIZE:] == bytes(PAGE_SIZE - FIELDS_SIZE)


def test_the_id_is_even_while_nothing_changes(samples):
    assert all(sample["u32TransactionId"] % IDS_PER_UPDATE == 0 for sample in samples)


def test_updates_come_at_the_rate(page, agent):
    shares = []
    for _ in range(TRIES):
        first = page.fields()
        agent.sleep(A_WHILE_MS)
        last = page.fields()
        elapsed = last["u64NanoTS"] - first["u64NanoTS"]
        due, done = elapsed / first["u32UpdateIntervalNS"], updates_between(first, last)
        assert done <= due + 1, "too early"
        assert elapsed >= (A_WHILE_MS - 2 * 1000 // HZ) * 1_000_000
        shares.append(done / due)
        # A guest that does not get its share of the processor misses some, but not always.
        if shares[-1] >= 3 / 4:
            return
    pytest.fail(f"shares of the updates that were due: {shares}")


def test_times_never_go_back(samples):
    for one, two in pairwise(samples):
        assert two["u64NanoTS"] >= one["u64NanoTS"]
        assert two["u64TSC"] >= one["u64TSC"]


def test_times_change_only_with_the_id(samples):
    for one, two in pairwise(samples):
        if updates_between(one, two):
            assert two["u64NanoTS"] > one["u64NanoTS"]
            assert two["u64TSC"] > one["u64TSC"]
        else:
            assert one == two


def test_the_head_of_the_history_moves_with_each_update(samples):
    for one, two in pairwise(samples):
        moved = (two["iTSCHistoryHead"] - one["iTSCHistoryHead"]) % HISTORY
        assert moved == updates_between(one, two) % HISTORY


def test_the_newest_entry_is_the_interval_since_the_update_before(samples):
    for one, two in neighbours(samples):
        assert newest(two, 1) == [two["u64TSC"] - one["u64TSC"]]


def test_an_update_keeps_the_other_entries_of_the_history(samples):
    for one, two in neighbours(samples):
        assert newest(two, HISTORY)[1:] == newest(one, HISTORY - 1)


def test_the_interval_is_the_mean_of_two_with_slack(samples):
    for sample in samples:
        mean = sum(newest(sample, 2)) // 2
        assert sample["u32UpdateIntervalTSC"] == mean + mean // 128


def test_the_cpu_rate_is_the_mean_interval_at_the_update_rate(samples):
    for sample in samples:
        assert sample["u64CpuHz"] == sum(newest(sample, 2)) // 2 * sample["u32UpdateHz"]


@pytest.mark.needs("steady-clock")
def test_the_cpu_rate_is_what_a_client_measures(session, client, page):
    """A busy host delays updates and measurements now and then; a rate that is wrong is wrong each time."""
    found = []
    for _ in range(TRIES):
        measured = min(measured_rate(session, client) for _ in range(MEASUREMENTS))
        said = median(sample["u64CpuHz"] for sample in page.samples(40, pause_ms=SLICE_MS))
        if abs(said - measured) < measured / 20:
            return
        found.append((said, measured))
    pytest.fail(f"the page's rate and the client's: {found}")


def test_nothing_is_counted_as_an_error(page, samples):
    assert samples[-1]["cErrors"] == samples[0]["cErrors"] == page.fields()["cErrors"]


def test_the_window_of_the_rate_begins_after_the_mapping(page, samples):
    begins = {sample["u64NanoTSLastUpdateHz"] for sample in samples} - {0}
    assert len(begins) == 1
    assert begins.pop() <= samples[-1]["u64NanoTS"]


def around_a_pause(page, agent, late):
    """The last look before nobody has the page for a while, the first one afterwards, and how many updates there were
    between its mapping and that. A busy host may delay the first look until the history has no more room for `late`
    entries from before; then it tells nothing, and another pause is looked at."""
    for _ in range(TRIES):
        agent.sleep(A_PAUSE_MS)
        before = last_look(page)
        agent.sleep(A_PAUSE_MS)
        after = first_look(page)
        recent = (after["u32TransactionId"] % WINDOW_IDS) // IDS_PER_UPDATE
        if recent + late < HISTORY:
            return before, after, recent
    return pytest.fail(f"none of {TRIES} first looks came in time")


def test_nothing_is_updated_while_nobody_has_the_page(page, agent, cell):
    # The last entries before the pause are there still; an update may have come between look and pause, and some
    # where the request in between takes long.
    late = 5 if cell.missing("quick-requests") else 2
    before, after, recent = around_a_pause(page, agent, late)
    kept = [HISTORY - recent - number for number in range(late)]
    assert any(newest(after, HISTORY)[-count:] == newest(before, HISTORY)[:count] for count in kept)


def test_a_new_mapping_shows_the_present_time(session, page, agent):
    before = page.fields()
    gip_unmap(session)
    agent.sleep(A_PAUSE_MS)
    after = gip_map(session).fields()
    assert after["u64NanoTS"] - before["u64NanoTS"] >= (A_PAUSE_MS - 1000 // HZ) * 1_000_000


def test_a_pause_is_no_interval_and_no_error(page, agent):
    before = last_look(page)
    agent.sleep(A_PAUSE_MS)
    paused = first_look(page)["u64TSC"] - before["u64TSC"]
    agent.sleep(3 * 1000 // HZ)
    after = page.fields()
    assert after["u32TransactionId"] // IDS_PER_UPDATE != before["u32TransactionId"] // IDS_PER_UPDATE
    assert all(entry < paused for entry in newest(after, HISTORY) if entry not in newest(before, HISTORY))
    assert after["cErrors"] == before["cErrors"]


def test_ids_go_on_to_a_new_window_after_a_pause(session, page):
    for _ in range(3):
        before = page.fields()["u32TransactionId"]
        gip_unmap(session)
        after = gip_map(session).fields()["u32TransactionId"]
        assert (after // WINDOW_IDS - before // WINDOW_IDS) % (1 << 20) == 1
        assert after % WINDOW_IDS < WINDOW_IDS // 2


def test_a_second_user_does_not_disturb_the_page(page, open_session):
    before = page.fields()
    other = open_session()
    second = gip_map(other)
    between = page.fields()
    gip_unmap(other)
    after = page.fields()
    assert not second.readable
    assert updates_between(before, between) < WINDOW_IDS // 4
    assert updates_between(before, after) < WINDOW_IDS // 4
    assert between["cErrors"] == after["cErrors"] == before["cErrors"]
