"""Processes that open and load the same image at the same time."""

from __future__ import annotations

from catalogue import times
from images import BOTH_SETTINGS, Image, start_repeating
from processes import open_alone

from harness.abi import PAGE_SIZE, Status
from harness.transport.wire import parse_loop

pytestmark = BOTH_SETTINGS

PROCESSES, THREADS = 2, 2


def test_an_image_is_found_or_made_whoever_was_first(client, guest, cell):
    opens = times(cell, 1000, slow=50)
    loops = []
    for _ in range(PROCESSES):
        session = open_alone(client.start_child())
        data = session.input("LDR_OPEN", cbImage=PAGE_SIZE, szName="contended")
        loops.append(start_repeating(session, "LDR_OPEN", data, opens, threads=THREADS))
    for loop in loops:
        assert parse_loop(loop.result().check().body).failures == 0
    assert guest.counters()["images"] == 1
    assert guest.counters()["image_references"] == PROCESSES * THREADS * opens


def test_only_one_of_many_loads_succeeds(session, client):
    image = Image.open(session)
    loops = []
    for _ in range(PROCESSES):
        theirs = image.again(open_alone(client.start_child()))
        loops.append(start_repeating(theirs.session, "LDR_LOAD", theirs.load_input(), 50, threads=THREADS))
    timings = [parse_loop(loop.result().check().body) for loop in loops]
    assert sum(timing.count - timing.failures for timing in timings) == 1
    assert image.load() == Status.ALREADY_LOADED
