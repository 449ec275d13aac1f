"""LDR_LOAD: which image may be loaded, with which entry and callbacks, and in which order that is checked."""

from __future__ import annotations

import pytest
from catalogue import ask
from image_tables import END, SIZE, TABLES, content, refused
from images import BOTH_SETTINGS, Image, ask_vmmr0

from harness.abi import Status

pytestmark = BOTH_SETTINGS


@pytest.fixture
def image(session) -> Image:
    return Image.open(session, size=SIZE)


def test_a_correct_load_succeeds_once(image):
    image.load_well(content(), **TABLES)
    assert image.load(content(), **TABLES) == Status.ALREADY_LOADED
    assert image.address("first") == image.base + 10


def test_another_session_sees_it_loaded(image, open_session):
    other = image.again(open_session())
    image.load_well(content(), **TABLES)
    assert other.load(content(), **TABLES) == Status.ALREADY_LOADED
    assert other.address("second") == image.address("second")


def test_any_session_that_has_it_open_can_load_it(image, open_session):
    other = image.again(open_session()).load_well(content(), **TABLES)
    assert image.load(content(), **TABLES) == Status.ALREADY_LOADED
    assert other.address("first") == image.address("first")


# Checks 8 to 10: the image.


@pytest.mark.parametrize("offset", [-32, -1, 1, 32, SIZE])
def test_only_the_base_is_the_image(image, offset):
    refused(image, Status.INVALID_HANDLE, pvImageBase=image.base + offset)


@pytest.mark.parametrize("base", [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_what_was_never_a_base_is_refused(image, base):
    refused(image, Status.INVALID_HANDLE, pvImageBase=base)


def test_the_image_of_another_session_is_refused(image, open_session):
    data = {"pvImageBase": image.base, "cbImage": SIZE, "achImage": bytes(SIZE)}
    other = open_session()
    assert ask(other, "LDR_LOAD", other.input("LDR_LOAD", **data)).outcome == Status.INVALID_HANDLE
    image.load_well()


def test_an_image_that_was_freed_is_refused(image):
    assert image.free() == Status.OK
    assert image.load() == Status.INVALID_HANDLE


@pytest.mark.parametrize("size", [0, 1, SIZE - 32, SIZE - 1])
def test_another_size_than_that_of_the_open_is_refused(image, size):
    refused(image, Status.INVALID_HANDLE, cbImage=size)


def test_a_longer_image_than_that_of_the_open_is_refused(image):
    refused(image, Status.INVALID_HANDLE, bytes(SIZE + 1), cbImage=SIZE + 1)


def test_the_size_is_that_of_the_first_open(session):
    image = Image.open(session, size=SIZE)
    second = Image.open(session, size=SIZE + 1)
    assert second.load() == Status.INVALID_HANDLE
    image.load_well()


def test_the_size_is_checked_before_the_state(image):
    image.load_well()
    assert image.load(cbImage=SIZE - 1) == Status.INVALID_HANDLE


def test_the_state_is_checked_before_the_entry(image):
    image.load_well()
    assert image.load(eEPType=2) == Status.ALREADY_LOADED
    assert image.load(pfnModuleInit=1) == Status.ALREADY_LOADED


def test_the_image_is_looked_for_before_the_entry_is_checked(image):
    refused(image, Status.INVALID_HANDLE, pvImageBase=image.base + 32, eEPType=2)


# Checks 11 to 13: the entry and the callbacks.


@pytest.mark.parametrize("kind", [2, 3, 0x100, 0x101, 1 << 16, (1 << 16) + 1, 1 << 31, (1 << 31) + 1, END - 1])
def test_an_unknown_kind_of_entry_is_refused(image, kind):
    refused(image, Status.INVALID_PARAM, **{**image.entry(), "eEPType": kind})


@pytest.mark.parametrize("offset", [-1, SIZE, SIZE + 1, 1 << 30])
def test_an_entry_that_is_not_inside_is_refused(image, offset):
    refused(image, Status.INVALID_PARAM, **image.entry(offset))


@pytest.mark.parametrize("offset", [0, 1, SIZE - 1])
def test_an_entry_may_be_anywhere_inside(image, offset):
    image.load_well(**image.entry(offset))


@pytest.mark.parametrize("field", ["pvVMMR0", "pvVMMR0Entry"])
def test_an_entry_needs_both_addresses(image, field):
    refused(image, Status.INVALID_PARAM, **{**image.entry(), field: 0})


@pytest.mark.parametrize("offset", [-32, -1, 1, 32])
def test_an_entry_belongs_to_its_own_image(image, offset):
    fields = {**image.entry(64), "pvVMMR0": image.base + offset}
    assert image.load(**fields) == Status.INVALID_PARAM
    assert ask_vmmr0(image.session, 14).outcome == Status.GENERAL_FAILURE
    image.load_well()


def test_without_an_entry_its_addresses_are_not_looked_at(image):
    image.load_well(pvVMMR0=1, pvVMMR0Entry=2)
    assert ask_vmmr0(image.session, 14).outcome == Status.GENERAL_FAILURE


@pytest.mark.parametrize("offset", [-1, SIZE, SIZE + 1, 1 << 30])
@pytest.mark.parametrize("field", ["pfnModuleInit", "pfnModuleTerm"])
def test_a_callback_that_is_not_inside_is_refused(image, field, offset):
    refused(image, Status.INVALID_PARAM, **{field: image.at(offset)})


@pytest.mark.parametrize("value", [1, 4096, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("field", ["pfnModuleInit", "pfnModuleTerm"])
def test_an_address_that_is_no_callback_is_refused(image, field, value):
    refused(image, Status.INVALID_PARAM, **{field: value})


# Check 15: the registration.


def test_a_second_entry_is_refused_while_there_is_one(image, open_session):
    image.load_well(**image.entry())
    for session in (image.session, open_session()):
        other = Image.open(session, "other", SIZE)
        refused(other, Status.INVALID_PARAM, **other.entry())
        assert other.free() == Status.OK
        assert other.free() == Status.OK


def test_an_image_without_entry_is_loaded_beside_one_with_it(image):
    image.load_well(**image.entry())
    Image.open(image.session, "other", SIZE).load_well(content(), **TABLES)


def test_an_entry_can_be_registered_after_the_first_is_gone(image):
    image.load_well(**image.entry())
    other = Image.open(image.session, "other", SIZE)
    assert other.load(**other.entry()) == Status.INVALID_PARAM
    assert image.free() == Status.OK
    other.load_well(**other.entry())
