"""LDR_FREE and close: an image lives as long as a session has it open."""

from __future__ import annotations

import pytest
from images import BOTH_SETTINGS, Image, counts, free_at
from processes import open_alone, send

from harness.abi import Status

pytestmark = BOTH_SETTINGS


def test_it_takes_as_many_frees_as_opens(session, guest):
    image = Image.open(session)
    image.again(session)
    assert image.free() == Status.OK
    assert counts(guest) == (1, 1)
    assert image.free() == Status.OK
    assert counts(guest) == (0, 0)
    assert image.free() == Status.INVALID_HANDLE


@pytest.mark.parametrize("loaded", [False, True])
def test_an_image_that_is_open_elsewhere_survives(session, open_session, guest, loaded):
    image = Image.open(session)
    other = image.again(open_session())
    if loaded:
        image.load_well()
    assert image.free() == Status.OK
    assert counts(guest) == (1, 1)
    assert other.again(other.session).needs_loading is not loaded


def test_a_session_frees_no_open_of_another(session, open_session, guest):
    image = Image.open(session)
    other = open_session()
    assert free_at(other, image.base) == Status.INVALID_HANDLE
    image.again(other)
    assert free_at(other, image.base) == Status.OK
    assert free_at(other, image.base) == Status.INVALID_HANDLE
    assert counts(guest) == (1, 1)


@pytest.mark.parametrize("offset", [-32, -1, 1, 32, 4096])
def test_only_the_base_is_the_image(session, guest, offset):
    image = Image.open(session)
    assert free_at(session, image.base + offset) == Status.INVALID_HANDLE
    assert counts(guest) == (1, 1)


@pytest.mark.parametrize("base", [0, 1, 4096, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_what_was_never_a_base_is_refused(session, base):
    assert free_at(session, base) == Status.INVALID_HANDLE


def test_the_other_images_stay(session, guest):
    first, second, third = (Image.open(session, name) for name in "abc")
    assert second.free() == Status.OK
    assert counts(guest) == (2, 2)
    assert first.load() == Status.OK
    assert third.load() == Status.OK
    assert second.load() == Status.INVALID_HANDLE


@pytest.mark.parametrize("loaded", [False, True])
def test_closing_a_session_frees_all_its_opens(session, open_session, guest, loaded):
    other = open_session()
    for name in ("a", "a", "b"):
        image = Image.open(other, name)
    if loaded:
        image.load_well()
    Image.open(session, "a")
    other.close()
    assert counts(guest) == (1, 1)


def test_a_killed_process_has_its_images_freed(session, client, guest):
    child = client.start_child()
    theirs = open_alone(child)
    Image.open(theirs, "a").load_well()
    image = Image.open(theirs, "b")
    image.again(session)
    child.kill()
    assert counts(guest) == (1, 1)
    assert Image.open(session, "b").load() == Status.OK


@pytest.mark.needs("handle-passing")
def test_any_process_that_has_the_session_can_free(session, client, guest):
    there = send(session, client.start_child())
    image = Image.open(session).load_well()
    assert free_at(there, image.base) == Status.OK
    assert counts(guest) == (0, 0)
    assert image.free() == Status.INVALID_HANDLE
