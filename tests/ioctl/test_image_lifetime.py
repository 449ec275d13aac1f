"""Images that run while others load, free, enter or kill: who is in an image keeps it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from catalogue import good_size, number_of
from images import NOP, RING0, Image, ask_vmmr0, call_vmmr0, functions, run_program
from processes import open_alone, send
from programs import program
from scratch import ENTRY_WAITS, INIT_RESULT, INIT_WAITS, INITS, INSIDE, TERMS, WAIT

from harness.abi import Status
from harness.transport.wire import Op, pack_request, parse_request

pytestmark = [*RING0, pytest.mark.needs("handle-passing")]

TRIES = 1000


def start(session, name, data):
    """Begin a request in the process of `session`."""
    device = session.device
    packed = pack_request(device.handle, number_of(session.abi, name), data=data, out_size=good_size(session.abi, name))
    return device.process.agent.start(Op.REQUEST, packed, client=device.process.number)


def end(session, call):
    """How that request ended, and its output."""
    reply = parse_request(call.result().check())
    return session.device._outcome(reply.os_error), reply.out


def until(condition):
    """Wait until it is true, for as long as requests take."""
    assert any(condition() for _ in range(TRIES))


@pytest.fixture
def counting(session, cell, scratch) -> Image:
    """Open, not loaded."""
    return Image.open(session, "counting", program("counting", cell.arch, cell.os).size)


@pytest.fixture
def worker(session, client):
    """The same session in another process, whose requests may last."""
    return send(session, client.start_child())


def load_input(image, cell, scratch, *, entry):
    """LDR_LOAD's input for the counting program."""
    linked = program("counting", cell.arch, cell.os)
    fields = image.entry(linked.symbols["image_entry"]) if entry else {}
    fields["pfnModuleInit"] = image.base + linked.symbols["image_init"]
    fields["pfnModuleTerm"] = image.base + linked.symbols["image_term"]
    return image.load_input(linked.link(image.base, {**functions(image.session), "counting": scratch.base}), **fields)


def is_loading(image):
    return image.load(eEPType=2) == Status.ALREADY_LOADED


def begin_load(worker, image, cell, scratch, *, entry=False):
    """A load by `worker` whose init waits for INIT_WAITS to become 0."""
    scratch[INIT_WAITS] = 1
    theirs = replace(image, session=worker)
    call = start(worker, "LDR_LOAD", load_input(theirs, cell, scratch, entry=entry))
    until(lambda: is_loading(image))
    return call


def begin_call(worker, session, scratch):
    """A call into the counting program that waits for ENTRY_WAITS to become 0."""
    scratch[ENTRY_WAITS] = 1
    call = start(worker, "CALL_VMMR0", worker.input("CALL_VMMR0", uOperation=WAIT))
    until(lambda: call_vmmr0(session, INSIDE) == 1)
    return call


def test_during_init_the_image_is_not_loaded_for_anybody(worker, counting, cell, scratch, open_session):
    load = begin_load(worker, counting, cell, scratch)
    for session in (counting.session, open_session()):
        image = counting.again(scratch.keep(session))
        assert image.needs_loading
        assert image.load() == Status.ALREADY_LOADED
        assert image.symbol("image_init").outcome == Status.ALREADY_LOADED
    scratch[INIT_WAITS] = 0
    assert end(worker, load)[0] == Status.OK
    assert not counting.again(counting.session).needs_loading
    assert scratch[INITS] == 1


def test_during_init_nobody_enters_or_registers(worker, counting, cell, scratch, session):
    load = begin_load(worker, counting, cell, scratch, entry=True)
    assert ask_vmmr0(session, NOP).outcome == Status.GENERAL_FAILURE
    other = Image.open(session, "other")
    assert other.load(**other.entry()) == Status.INVALID_PARAM
    scratch[INIT_WAITS] = 0
    assert end(worker, load)[0] == Status.OK
    assert call_vmmr0(session, INITS) == 1


def test_during_init_other_images_are_opened_loaded_and_freed(worker, counting, cell, scratch, session):
    load = begin_load(worker, counting, cell, scratch)
    other = run_program(session, cell.arch, "operations")
    assert other.free() == Status.OK
    scratch[INIT_WAITS] = 0
    assert end(worker, load)[0] == Status.OK


def test_an_image_that_is_freed_during_its_init_ends_after_it(worker, counting, cell, scratch, guest):
    load = begin_load(worker, counting, cell, scratch)
    images = guest.counters()["images"]
    assert counting.free() == Status.OK
    assert counting.free() == Status.INVALID_HANDLE
    assert guest.counters()["images"] == images
    assert scratch[TERMS] == 0
    again = counting.again(counting.session)
    assert again.needs_loading
    assert again.base != counting.base
    scratch[INIT_WAITS] = 0
    assert end(worker, load)[0] == Status.OK
    assert guest.counters()["images"] == images
    assert scratch[TERMS] == 1


def test_an_image_that_is_freed_during_a_failing_init_has_no_term(worker, counting, cell, scratch):
    scratch[INIT_RESULT] = Status.GENERAL_FAILURE
    load = begin_load(worker, counting, cell, scratch, entry=True)
    assert counting.free() == Status.OK
    scratch[INIT_WAITS] = 0
    assert end(worker, load)[0] == Status.GENERAL_FAILURE
    assert scratch[TERMS] == 0


def test_an_image_that_is_freed_during_a_call_ends_after_it(worker, session, cell, scratch, guest):
    image = run_program(session, cell.arch, "counting", {"counting": scratch.base})
    call = begin_call(worker, session, scratch)
    images = guest.counters()["images"]
    assert image.free() == Status.OK
    assert ask_vmmr0(session, NOP).outcome == Status.GENERAL_FAILURE
    assert guest.counters()["images"] == images
    assert scratch[TERMS] == 0
    scratch[ENTRY_WAITS] = 0
    outcome, out = end(worker, call)
    assert outcome == Status.OK
    assert out == bytes(4)
    assert guest.counters()["images"] == images - 1
    assert scratch[TERMS] == 1


def test_another_image_is_registered_while_a_call_is_still_in_the_first(worker, session, cell, scratch):
    first = run_program(session, cell.arch, "counting", {"counting": scratch.base})
    call = begin_call(worker, session, scratch)
    assert first.free() == Status.OK
    second = run_program(session, cell.arch, "counting", {"counting": scratch.base})
    assert second.base != first.base
    assert call_vmmr0(session, INITS) == 2
    scratch[ENTRY_WAITS] = 0
    assert end(worker, call)[0] == Status.OK
    assert call_vmmr0(session, TERMS) == 1


def test_a_client_that_is_killed_in_a_call_leaves_the_image(session, client, cell, scratch, guest):
    run_program(session, cell.arch, "counting", {"counting": scratch.base})
    child = client.start_child()
    begin_call(open_alone(child), session, scratch)
    before = guest.counters()["sessions"]
    child.kill()
    assert guest.counters()["sessions"] == before - 1
    assert call_vmmr0(session, TERMS) == 0


def test_a_client_that_is_killed_in_a_call_takes_its_own_image_with_it(session, client, cell, scratch, guest):
    child = client.start_child()
    theirs = scratch.keep(open_alone(child))
    run_program(theirs, cell.arch, "counting", {"counting": scratch.base})
    begin_call(theirs, session, scratch)
    child.kill()
    assert ask_vmmr0(session, NOP).outcome == Status.GENERAL_FAILURE
    assert scratch[TERMS] == 1
    assert guest.counters()["images"] == 1


def test_a_client_that_is_killed_in_its_init_leaves_the_image_to_be_loaded(client, counting, cell, scratch, guest):
    child = client.start_child()
    theirs = counting.again(scratch.keep(open_alone(child)))
    begin_load(theirs.session, counting, cell, scratch)
    child.kill()
    assert scratch[TERMS] == 0
    assert guest.counters()["image_references"] == 2
    counting.load_well()
