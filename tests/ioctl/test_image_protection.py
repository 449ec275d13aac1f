"""What the CPU may do in an image that runs: write or execute, never both. Its own page tables say so."""

from __future__ import annotations

import pytest
from images import RING0, Image, call_vmmr0, functions, run_program
from programs import program
from scratch import INIT_RESULT

from harness.abi import PAGE_SIZE, Status

pytestmark = [pytest.mark.only("linux"), *RING0]

MAPPED, WRITABLE, EXECUTABLE = 1, 2, 4
DATA = MAPPED | WRITABLE
CODE = MAPPED | EXECUTABLE
PAGES = 5


@pytest.fixture
def protection(session, cell):
    """Asks for one address."""
    run_program(session, cell.arch, "protection")
    return lambda address: call_vmmr0(session, 0, vm=address)


def pages(image):
    """The addresses of its pages, and of the last byte."""
    return [*range(image.base, image.base + image.size, PAGE_SIZE), image.base + image.size - 1]


@pytest.fixture
def image(session) -> Image:
    """Its last page is not full."""
    return Image.open(session, size=(PAGES - 1) * PAGE_SIZE + 10)


def test_an_open_image_can_be_written_and_not_executed(image, protection):
    assert {protection(address) for address in pages(image)} == {DATA}


def test_a_loaded_image_can_be_executed_and_not_written(image, protection):
    image.load_well()
    assert {protection(address) for address in pages(image)} == {CODE}


def test_an_image_can_be_written_again_when_its_init_has_failed(session, cell, scratch, protection):
    scratch[INIT_RESULT] = Status.GENERAL_FAILURE
    linked = program("counting", cell.arch, cell.os)
    image = Image.open(session, "counting", linked.size)
    imports = {**functions(session), "counting": scratch.base}
    assert image.load_program(linked, imports) == Status.GENERAL_FAILURE
    assert protection(image.base) == DATA
    scratch[INIT_RESULT] = Status.OK
    assert image.load_program(linked, imports) == Status.OK
    assert protection(image.base) == CODE


def test_the_pages_around_an_image_are_not_mapped(image, protection):
    image.load_well()
    assert protection(image.base + PAGES * PAGE_SIZE) == 0


def test_nothing_is_left_where_an_image_was(image, protection):
    image.load_well()
    assert image.free() == Status.OK
    assert {protection(address) & EXECUTABLE for address in pages(image)} == {0}
