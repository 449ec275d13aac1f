"""CALL_VMMR0 and the fast requests where images are data: a built-in entry answers while an image is registered."""

from __future__ import annotations

import pytest
from addresses import BAD_KINDS, bad_address
from catalogue import FAST, ask
from images import NOP, NOT_SUPPORTED, NOTHING_TO_ENTER, TESTS, Image, ask_vmmr0, call_vmmr0, set_vm

from harness.abi import PAGE_SIZE, Status

UNKNOWN = (
    *range(14),
    16,
    17,
    255,
    256,
    270,
    1 << 16,
    (1 << 16) + 14,
    (1 << 31) - 1,
    1 << 31,
    (1 << 31) + 14,
    (1 << 32) - 1,
)
ANSWERS = {"FAST_DO_NOP": 0, "FAST_DO_RAW_RUN": NOT_SUPPORTED, "FAST_DO_HWACC_RUN": NOT_SUPPORTED}


def no_entry(session):
    reply = ask_vmmr0(session, NOP)
    assert reply.outcome == Status.GENERAL_FAILURE
    assert reply.untouched


@pytest.fixture
def image(session) -> Image:
    """A registered image full of int3."""
    made = Image.open(session)
    return made.load_well(**made.entry(64))


def test_without_an_image_there_is_nothing_to_call(session):
    no_entry(session)


def test_an_open_image_is_not_called(session):
    Image.open(session)
    no_entry(session)


def test_an_image_without_entry_is_not_called(session):
    Image.open(session).load_well()
    no_entry(session)


@pytest.mark.parametrize("operation", [NOP, TESTS])
def test_a_known_operation_succeeds(image, operation):
    assert call_vmmr0(image.session, operation) == 0


@pytest.mark.parametrize("operation", UNKNOWN)
def test_an_unknown_operation_is_answered_but_not_supported(image, operation):
    assert call_vmmr0(image.session, operation) == NOT_SUPPORTED


@pytest.mark.parametrize("size", [0, 1, PAGE_SIZE, 1 << 31, (1 << 32) - 1])
def test_the_size_of_the_argument_is_ignored(image, size):
    reply = ask_vmmr0(image.session, NOP, cbArg=size)
    assert reply.outcome == Status.OK
    assert image.session.output("CALL_VMMR0", reply)["rc"] == 0


@pytest.mark.parametrize("kind", BAD_KINDS)
@pytest.mark.parametrize("field", ["vm", "argument"])
def test_addresses_are_never_looked_at(image, client, field, kind):
    assert call_vmmr0(image.session, NOP, **{field: bad_address(client, kind)}) == 0


def test_a_session_that_never_opened_the_image_may_call(image, open_session):
    assert call_vmmr0(open_session(), NOP) == 0


def test_the_entry_is_gone_with_its_image(image):
    assert image.free() == Status.OK
    no_entry(image.session)


def test_the_entry_stays_as_long_as_its_image(image, open_session):
    other = image.again(open_session())
    assert image.free() == Status.OK
    assert call_vmmr0(image.session, NOP) == 0
    other.session.close()
    no_entry(image.session)


def test_the_entry_is_gone_when_its_session_closes(session, open_session):
    other = open_session()
    image = Image.open(other)
    image.load_well(**image.entry())
    assert call_vmmr0(session, NOP) == 0
    other.close()
    no_entry(session)


def test_freeing_another_image_leaves_the_entry(image):
    other = Image.open(image.session, "other").load_well()
    assert other.free() == Status.OK
    assert call_vmmr0(image.session, NOP) == 0


def test_a_refused_load_registers_nothing(session):
    image = Image.open(session)
    for fields in ({"pvVMMR0": image.base + 32}, {"pfnModuleInit": image.base}, {"pfnModuleTerm": image.base}):
        assert image.load(**{**image.entry(), **fields}) != Status.OK
        no_entry(session)


def test_a_refused_registration_leaves_the_entry(image):
    other = Image.open(image.session, "other")
    assert other.load(**other.entry()) == Status.INVALID_PARAM
    assert other.free() == Status.OK
    assert call_vmmr0(image.session, NOP) == 0


@pytest.mark.needs("fast-requests")
@pytest.mark.parametrize("name", FAST)
def test_a_fast_request_enters_the_image(image, name):
    set_vm(image.session, PAGE_SIZE)
    assert image.session.fast(name) == ANSWERS[name]


@pytest.mark.needs("fast-requests")
@pytest.mark.parametrize("name", FAST)
def test_a_fast_request_needs_a_vm(image, name):
    assert image.session.fast(name) == NOTHING_TO_ENTER
    set_vm(image.session, PAGE_SIZE)
    set_vm(image.session, 0)
    assert image.session.fast(name) == NOTHING_TO_ENTER


@pytest.mark.needs("fast-requests")
@pytest.mark.parametrize("name", FAST)
def test_the_vm_of_another_session_does_not_count(image, open_session, name):
    set_vm(image.session, PAGE_SIZE)
    assert open_session().fast(name) == NOTHING_TO_ENTER


@pytest.mark.needs("fast-requests")
@pytest.mark.parametrize("name", FAST)
def test_a_fast_request_needs_an_image(image, name):
    set_vm(image.session, PAGE_SIZE)
    assert image.free() == Status.OK
    assert image.session.fast(name) == NOTHING_TO_ENTER
    ready = image.again(image.session)
    ready.load_well(**ready.entry())
    assert image.session.fast(name) == ANSWERS[name]


@pytest.mark.needs("fast-requests")
@pytest.mark.parametrize("kind", ["kernel-start", "kernel-text", "unmapped"])
@pytest.mark.parametrize("name", FAST)
def test_the_vm_of_a_fast_request_is_never_looked_at(image, client, name, kind):
    set_vm(image.session, bad_address(client, kind))
    assert image.session.fast(name) == ANSWERS[name]


@pytest.mark.needs("fast-requests")
def test_a_fast_request_needs_no_open_image_in_its_session(image, open_session):
    other = open_session()
    set_vm(other, PAGE_SIZE)
    assert other.fast("FAST_DO_NOP") == 0


def test_requests_of_other_kinds_work_while_an_image_is_registered(image):
    assert ask(image.session, "GET_PAGING_MODE").outcome == Status.OK
