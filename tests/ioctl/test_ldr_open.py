"""LDR_OPEN: sizes of images, where they are, and who shares one."""

from __future__ import annotations

import pytest
from addresses import bad_address
from catalogue import ask
from images import BOTH_SETTINGS, Image, ask_open, counts

from harness.abi import LIMITS, PAGE_SIZE, Status
from harness.targets import Refusal

pytestmark = BOTH_SETTINGS

LARGEST = LIMITS.image_bytes


def overlap(one, other):
    return one.base < other.base + other.size and other.base < one.base + one.size


@pytest.mark.parametrize("size", [1, 31, 4095, 4096, 4097, LARGEST])
def test_a_size_within_the_limits_is_accepted(session, size):
    assert Image.open(session, size=size).needs_loading


@pytest.mark.parametrize("size", [0, LARGEST + 1, LARGEST + 2, 1 << 31, (1 << 32) - 1])
def test_a_size_beyond_the_limits_is_refused(session, guest, size):
    reply = ask_open(session, "image", size)
    assert reply.outcome == Status.INVALID_PARAM
    assert reply.untouched
    assert counts(guest) == (0, 0)


def test_a_base_is_aligned_and_does_not_wrap(session):
    for number, size in enumerate((1, 4097, LARGEST)):
        image = Image.open(session, f"image {number}", size)
        assert image.base % 32 == 0
        assert image.base + image.size < 1 << session.abi.word_size


def test_images_do_not_overlap(session):
    made = [Image.open(session, f"image {number}", size) for number, size in enumerate((1, 5000, 1 << 20, LARGEST) * 2)]
    assert not any(overlap(one, other) for one in made for other in made if one is not other)


def test_padding_of_the_answer_is_zero(session):
    reply = ask_open(session, "image")
    padding = session.abi.layout("SUPLDROPEN_OUT").padding(reply.out)
    assert padding == bytes(len(padding))


def test_it_needs_loading_until_it_is_loaded(session):
    image = Image.open(session)
    assert image.needs_loading
    assert image.again(session).needs_loading
    image.load_well()
    assert not image.again(session).needs_loading


def test_a_known_name_gives_the_same_image(session):
    image = Image.open(session)
    assert image.again(session).base == image.base


def test_the_size_is_ignored_for_a_known_name(session):
    image = Image.open(session, size=PAGE_SIZE)
    assert Image.open(session, size=1).base == image.base
    image.load_well()


@pytest.mark.parametrize("size", [0, LARGEST + 1])
def test_a_known_name_does_not_save_a_bad_size(session, size):
    Image.open(session)
    assert ask_open(session, "image", size).outcome == Status.INVALID_PARAM


def test_two_sessions_share_an_image_by_its_name(session, open_session, guest):
    image = Image.open(session)
    other = image.again(open_session())
    assert other.base == image.base
    assert other.needs_loading
    assert counts(guest) == (1, 2)
    other.load_well()
    assert not image.again(session).needs_loading


def test_a_name_is_free_again_when_its_image_is_gone(session):
    image = Image.open(session).load_well()
    assert image.free() == Status.OK
    assert image.again(session).needs_loading


def test_each_open_is_counted(session, open_session, guest):
    Image.open(session, "a")
    assert counts(guest) == (1, 1)
    Image.open(session, "a")
    assert counts(guest) == (1, 2)
    Image.open(session, "b")
    assert counts(guest) == (2, 3)
    Image.open(open_session(), "b")
    assert counts(guest) == (2, 4)


@pytest.mark.parametrize("kind", ["null", "unmapped", "kernel-text"])
def test_an_answer_that_cannot_be_delivered_takes_the_open_back(session, client, guest, kind):
    data = session.input("LDR_OPEN", cbImage=PAGE_SIZE, szName="image")
    for opens in range(2):
        reply = ask(session, "LDR_OPEN", data, out_pointer=bad_address(client, kind))
        assert reply.outcome == Refusal.BAD_ADDRESS
        assert counts(guest) == (opens, opens)
        Image.open(session)
    assert counts(guest) == (1, 2)
