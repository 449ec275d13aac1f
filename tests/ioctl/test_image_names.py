"""LDR_OPEN: names of images, to the character."""

from __future__ import annotations

import pytest
from images import Image, ask_open, counts

from harness.abi import LIMITS, Status

NAME_BYTES = LIMITS.image_name_bytes
FORBIDDEN = ";:()[]{}/\\|&*%#@!~`\"'"
ALLOWED = sorted({chr(code) for code in range(1, 256)} - set(FORBIDDEN))


@pytest.mark.parametrize("name", ["a", "VMMR0.r0", "x" * (NAME_BYTES - 1), " ", ".", "..", "\x01\x7f\x80\xff"])
def test_a_good_name_is_accepted(session, name):
    Image.open(session, name)


@pytest.mark.parametrize("name", [b"", b"\0hidden", b"x" * NAME_BYTES])
def test_a_name_that_is_empty_or_does_not_end_is_refused(session, guest, name):
    reply = ask_open(session, name)
    assert reply.outcome == Status.INVALID_PARAM
    assert reply.untouched
    assert counts(guest) == (0, 0)


@pytest.mark.parametrize("character", FORBIDDEN)
def test_a_forbidden_character_is_refused_wherever_it_is(session, guest, character):
    for name in (character, character + "x", "x" + character, "x" * (NAME_BYTES - 2) + character):
        assert ask_open(session, name).outcome == Status.INVALID_PARAM
    assert counts(guest) == (0, 0)


def test_every_other_character_is_accepted(session, guest):
    for start in range(0, len(ALLOWED), NAME_BYTES - 1):
        Image.open(session, "".join(ALLOWED[start : start + NAME_BYTES - 1]))


def test_what_follows_the_end_of_a_name_does_not_count(session):
    image = Image.open(session, "image")
    assert Image.open(session, b"image\0/".ljust(NAME_BYTES, b"#")).base == image.base


@pytest.mark.parametrize("other", ["Image", "imag", "image ", "image.", "\xe9mage"])
def test_another_name_gives_another_image(session, other):
    assert Image.open(session, other).base != Image.open(session, "image").base
