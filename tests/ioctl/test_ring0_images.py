"""Images that run, with `ring0_images=1`: init, entry and term are called, and call back into the driver."""

from __future__ import annotations

import pytest
from addresses import in_kernel_half
from catalogue import FAST
from images import NOP, NOTHING_TO_ENTER, RING0, Image, ask_vmmr0, call_vmmr0, functions, run_program, set_vm
from programs import program
from scratch import INIT_RESULT, INITS, TERMS, Scratch

from harness.abi import PAGE_SIZE, Status

pytestmark = RING0

RETURN, PEEK, POKE = 100, 101, 102
PRINTF, MEMORY, MUTEX, SPINLOCK, SELF, SLEEP, YIELD = range(7)


@pytest.fixture
def operations(session, cell) -> Image:
    return run_program(session, cell.arch, "operations")


@pytest.fixture
def callbacks(session, cell) -> Image:
    return run_program(session, cell.arch, "callbacks")


def counting(session, cell, scratch, *, entry=False):
    return run_program(session, cell.arch, "counting", {"counting": scratch.base}, entry=entry)


def load_counting(session, cell, scratch):
    """Open and load it, whatever comes of it."""
    linked = program("counting", cell.arch, cell.os)
    image = Image.open(session, "counting", linked.size)
    imports = {**functions(session), "counting": scratch.base}
    return image, image.load_program(linked, imports, entry=True)


# The entry.


@pytest.mark.parametrize("answer", [0, 1, -1, -37, 12345, (1 << 31) - 1, -(1 << 31)])
def test_the_answer_of_the_entry_is_told_as_it_is(operations, answer):
    assert call_vmmr0(operations.session, RETURN, argument=answer % (1 << 32)) == answer


def test_the_entry_gets_vm_and_argument_unchanged(operations, scratch):
    assert call_vmmr0(operations.session, POKE, vm=scratch.base + 16, argument=0x1234567) == 0
    assert call_vmmr0(operations.session, PEEK, vm=scratch.base + 16) == 0x1234567
    assert call_vmmr0(operations.session, PEEK, vm=scratch.base + 12) == 0


def test_any_session_enters_the_image(operations, open_session):
    assert call_vmmr0(open_session(), RETURN, argument=7) == 7


def test_the_entry_is_gone_with_its_image(operations):
    assert operations.free() == Status.OK
    assert ask_vmmr0(operations.session, NOP).outcome == Status.GENERAL_FAILURE


@pytest.mark.needs("fast-requests")
def test_fast_requests_enter_the_image_with_the_vm_and_no_argument(operations):
    session = operations.session
    assert [session.fast(name) for name in FAST] == [NOTHING_TO_ENTER] * 3
    set_vm(session, 5 * PAGE_SIZE)
    assert session.fast("FAST_DO_RAW_RUN") == 5
    assert session.fast("FAST_DO_HWACC_RUN") == 1
    assert session.fast("FAST_DO_NOP") == 0


@pytest.mark.needs("fast-requests")
@pytest.mark.parametrize(("page", "answer"), [(4095, 4095), (0x7FFFE, 0x7FFFE)])
def test_a_fast_request_tells_an_answer_that_is_no_error_as_it_is(operations, page, answer):
    set_vm(operations.session, page * PAGE_SIZE)
    assert operations.session.fast("FAST_DO_RAW_RUN") == answer


# Init and term.


def test_init_is_called_once_and_term_with_the_last_free(session, cell, scratch, open_session):
    image = counting(session, cell, scratch)
    assert (scratch[INITS], scratch[TERMS]) == (1, 0)
    other = image.again(scratch.keep(open_session()))
    assert other.load() == Status.ALREADY_LOADED
    assert image.free() == Status.OK
    assert (scratch[INITS], scratch[TERMS]) == (1, 0)
    assert other.free() == Status.OK
    assert (scratch[INITS], scratch[TERMS]) == (1, 1)


def test_term_is_called_when_its_session_closes(session, cell, scratch, open_session):
    other = scratch.keep(open_session())
    counting(other, cell, scratch, entry=True)
    assert call_vmmr0(session, INITS) == 1
    other.close()
    assert (scratch[INITS], scratch[TERMS]) == (1, 1)
    assert ask_vmmr0(session, NOP).outcome == Status.GENERAL_FAILURE


def test_a_term_may_use_what_its_session_opened_before(session, cell, open_session, guest):
    """Its memory is gone, and the kernel says so, if the images are freed in another order than last to first."""
    other = open_session()
    counting(other, cell, Scratch.open(other, cell.arch))
    other.close()
    assert guest.counters()["images"] == 0


def test_an_image_that_was_not_loaded_has_no_term(session, cell, scratch):
    linked = program("counting", cell.arch, cell.os)
    assert Image.open(session, "counting", linked.size).free() == Status.OK
    assert (scratch[INITS], scratch[TERMS]) == (0, 0)


@pytest.mark.parametrize("status", [status for status in Status if status != Status.OK])
def test_a_failed_init_is_the_result_of_the_load(session, cell, scratch, status):
    scratch[INIT_RESULT] = status
    image, outcome = load_counting(session, cell, scratch)
    assert outcome == status
    assert image.again(session).needs_loading


@pytest.mark.parametrize("result", [1, 14, -13, -1000, -(1 << 31), (1 << 31) - 1])
def test_an_unknown_result_of_init_is_a_refusal_too(session, cell, scratch, result):
    scratch[INIT_RESULT] = result
    image, outcome = load_counting(session, cell, scratch)
    assert outcome.code == session.abi.client_code(result)
    assert image.symbol("image_init").outcome == Status.ALREADY_LOADED


def test_after_a_failed_init_nothing_is_registered_and_the_load_can_be_repeated(session, cell, scratch):
    scratch[INIT_RESULT] = -1
    image, _ = load_counting(session, cell, scratch)
    assert ask_vmmr0(session, NOP).outcome == Status.GENERAL_FAILURE
    scratch[INIT_RESULT] = 0
    again, outcome = load_counting(session, cell, scratch)
    assert outcome == Status.OK
    assert again.base == image.base
    assert call_vmmr0(session, INITS) == 2
    assert (image.free(), image.free()) == (Status.OK, Status.OK)
    assert (scratch[INITS], scratch[TERMS]) == (2, 1)


def test_an_image_whose_init_failed_has_no_term(session, cell, scratch):
    scratch[INIT_RESULT] = -1
    image, _ = load_counting(session, cell, scratch)
    assert image.free() == Status.OK
    assert (scratch[INITS], scratch[TERMS]) == (1, 0)


def test_a_refused_load_calls_nothing(session, cell, scratch):
    linked = program("counting", cell.arch, cell.os)
    image = Image.open(session, "counting", linked.size)
    data = linked.link(image.base, {**functions(session), "counting": scratch.base})
    init = image.base + linked.symbols["image_init"]
    assert image.load(data, pfnModuleInit=init, pfnModuleTerm=image.base + image.size) == Status.INVALID_PARAM
    assert image.load(data, pfnModuleInit=init, eEPType=2) == Status.INVALID_PARAM
    assert (scratch[INITS], scratch[TERMS]) == (0, 0)


# What images call.


@pytest.mark.parametrize("size", [1, 16, PAGE_SIZE, 100 * PAGE_SIZE])
def test_memory_is_allocated_zeroed_and_freed(callbacks, size):
    assert call_vmmr0(callbacks.session, MEMORY, vm=size) == 0


@pytest.mark.parametrize(
    "operation", [MUTEX, SPINLOCK, YIELD, pytest.param(SELF, marks=pytest.mark.needs("processor-block"))]
)
def test_locks_and_threads_work(callbacks, operation):
    assert call_vmmr0(callbacks.session, operation) == 0


@pytest.mark.parametrize("milliseconds", [0, 1, 20])
def test_a_thread_sleeps(callbacks, agent, milliseconds):
    assert call_vmmr0(callbacks.session, SLEEP, vm=milliseconds) == 0


def test_a_message_goes_to_the_kernels_log(callbacks, guest):
    assert call_vmmr0(callbacks.session, PRINTF, vm=4711) == 0
    assert guest.guest.console.wait_for("callbacks: number 4711 0beef", 5, alive=lambda: True)


# Addresses.


@pytest.mark.needs("kernel-half")
def test_base_and_symbols_are_addresses_in_the_kernel(operations, cell):
    assert in_kernel_half(operations.base, operations.session.abi.word_size)
    assert operations.base % PAGE_SIZE == 0
    offset = program("operations", cell.arch, cell.os).symbols["image_entry"]
    assert operations.address("image_entry") == operations.base + offset


@pytest.mark.needs("kernel-half")
def test_functions_are_addresses_in_the_kernel(session):
    addresses = functions(session).values()
    assert all(in_kernel_half(address, session.abi.word_size) for address in addresses)
    assert len(set(addresses)) == len(addresses)
