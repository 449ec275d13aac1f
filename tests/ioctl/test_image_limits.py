"""Limits: how many images there may be, how long they may be together, and how often one is opened."""

from __future__ import annotations

import pytest
from catalogue import ask
from images import Image, ask_open, batch, counts, free_at
from memory import repeat

from harness.abi import LIMITS, PAGE_SIZE, Status

OPENS = 65535
IMAGES = 256
ALL_BYTES = 64 << 20


def opens(session, names):
    return [session.input("LDR_OPEN", cbImage=1, szName=name) for name in names]


@pytest.mark.needs("quick-requests")
def test_a_session_opens_an_image_65535_times_and_frees_it_as_often(session, open_session, guest):
    image = Image.open(session)
    data = session.input("LDR_OPEN", cbImage=PAGE_SIZE, szName="image")
    assert repeat(session, "LDR_OPEN", data, count=OPENS - 1)[0] == 0
    reply = ask(session, "LDR_OPEN", data)
    assert reply.outcome == Status.NO_MEMORY
    assert reply.untouched
    assert counts(guest) == (1, OPENS)
    for another in (image.again(open_session()), Image.open(session, "another")):
        assert another.free() == Status.OK
    free = session.input("LDR_FREE", pvImageBase=image.base)
    assert repeat(session, "LDR_FREE", free, count=OPENS)[0] == 0
    assert counts(guest) == (0, 0)
    assert free_at(session, image.base) == Status.INVALID_HANDLE


def test_there_are_256_images_at_most(session, open_session, guest):
    half = IMAGES // 2
    for owner in (session, open_session()):
        names = [f"image {owner.cookies.session} {number}" for number in range(half)]
        assert not any(reply.os_error for reply in batch(owner, "LDR_OPEN", opens(owner, names)))
    reply = ask_open(session, "one more", 1)
    assert reply.outcome == Status.NO_MEMORY
    assert reply.untouched
    assert counts(guest) == (IMAGES, IMAGES)
    known = Image.open(session, f"image {session.cookies.session} 7", 1)
    assert (known.free(), known.free()) == (Status.OK, Status.OK)
    Image.open(session, "one more", 1)


def test_all_images_have_64_mib_at_most(session, guest):
    largest = LIMITS.image_bytes
    made = [Image.open(session, f"image {number}", largest) for number in range(ALL_BYTES // (largest + 1))]
    left = ALL_BYTES - len(made) * largest
    assert ask_open(session, "too long", left + 1).outcome == Status.NO_MEMORY
    Image.open(session, "just right", left)
    assert ask_open(session, "one byte", 1).outcome == Status.NO_MEMORY
    assert made[0].free() == Status.OK
    Image.open(session, "one byte", 1)


def test_the_longest_image_is_loaded(session, client):
    """From zeroed memory of the client: one symbol with an empty name at the image's last byte."""
    image = Image.open(session, size=LIMITS.image_bytes)
    last = image.size - 1
    tables = {"cSymbols": 1, "offStrTab": 8, "cbStrTab": last - 7}
    head = session.input("LDR_LOAD", pvImageBase=image.base, cbImage=image.size, **tables, achImage=bytes(4))
    head = head[: session.abi.layout("SUPLDRLOAD_IN").size_of(4)] + last.to_bytes(4, "little")
    size = session.abi.layout("SUPLDRLOAD_IN").size_of(image.size)
    address = client.alloc(size)
    client.write(address, head)
    assert ask(session, "LDR_LOAD", b"", in_pointer=address, cb_in=size - 1).outcome == Status.INVALID_PARAM
    assert ask(session, "LDR_LOAD", b"", in_pointer=address, cb_in=size).outcome == Status.OK
    assert image.address("") == image.base + last
