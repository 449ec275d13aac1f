"""Each of the driver's codes is a Win32 error of its own, as docs/windows.md has them."""

from __future__ import annotations

import pytest
from catalogue import ask, greet_with
from images import Image, functions
from memory import pin_request
from programs import program
from request_numbers import slow_number
from scratch import INIT_RESULT

from harness.abi import PAGE_SIZE
from harness.targets.win32 import Win32

pytestmark = pytest.mark.only("windows")


def code(reply):
    """The error of a request that failed: without a byte, and with nothing written."""
    assert reply.raw.returned == 0
    assert reply.untouched
    return reply.outcome.code


def test_success_is_no_error(session):
    assert ask(session, "GET_PAGING_MODE").outcome.code == 0


def test_general_failure(session):
    assert code(session.device.request(slow_number(session.abi, 127), bytes(8), out_size=8)) == Win32.NOT_SUPPORTED
    assert code(ask(session, "CALL_VMMR0", session.input("CALL_VMMR0"))) == Win32.NOT_SUPPORTED


def test_invalid_param(session):
    assert code(ask(session, "CONT_ALLOC", session.input("CONT_ALLOC", cb=0))) == Win32.INVALID_PARAMETER


def test_invalid_magic(session, device):
    assert code(greet_with(device, szMagic=bytes(16))) == Win32.UNKNOWN_REVISION
    wrong = session.input("GET_PAGING_MODE", u32Cookie=session.cookies.device ^ 1)
    assert code(ask(session, "GET_PAGING_MODE", wrong)) == Win32.UNKNOWN_REVISION


def test_invalid_handle(session):
    image = Image.open(session)
    image.free()
    assert code(ask(session, "LDR_FREE", session.input("LDR_FREE", pvImageBase=image.base))) == Win32.INVALID_HANDLE


def test_lock_failed(session, client):
    assert code(pin_request(session, client.alloc(PAGE_SIZE, write=False), PAGE_SIZE)) == Win32.NOT_LOCKED


def test_invalid_pointer(session):
    wrong = session.input("SET_VM_FOR_FAST", pVMR0=1)
    assert code(ask(session, "SET_VM_FOR_FAST", wrong)) == Win32.UNEXP_NET_ERR


def test_no_memory(session, client):
    gibibyte = 1 << 30
    room = session.abi.layout("SUPPINPAGES_OUT").size_of(gibibyte // PAGE_SIZE + 1)
    place = client.alloc(room)
    data = session.input("PINPAGES", pv=PAGE_SIZE, cb=gibibyte + PAGE_SIZE)
    assert code(ask(session, "PINPAGES", data, out_pointer=place, cb_out=room)) == Win32.NOT_ENOUGH_MEMORY


def test_already_loaded(session):
    image = Image.open(session).load_well()
    assert code(ask(session, "LDR_LOAD", image.load_input())) == Win32.SERVICE_ALREADY_RUNNING


def test_permission_denied(session):
    image = Image.open(session)
    reply = ask(session, "LDR_LOAD", image.load_input(pfnModuleInit=image.base))
    assert code(reply) == Win32.ACCESS_DENIED


def test_version_mismatch(device):
    assert code(greet_with(device, u32Version=0x00030000)) == Win32.REVISION_MISMATCH


@pytest.mark.driver_options(ring0_images=1)
@pytest.mark.needs("ring0-images")
@pytest.mark.parametrize("result", [-7, -12, 1])
def test_whatever_else_an_image_says(session, cell, scratch, result):
    scratch[INIT_RESULT] = result
    linked = program("counting", cell.arch, cell.os)
    image = Image.open(session, "counting", linked.size)
    imports = {**functions(session), "counting": scratch.base}
    assert image.load_program(linked, imports, entry=True).code == Win32.GEN_FAILURE
