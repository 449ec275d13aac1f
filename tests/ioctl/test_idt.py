"""IDT_INSTALL and IDT_REMOVE: nothing is ever patched, and clients are told so."""

from __future__ import annotations

import pytest
from catalogue import ask, times
from processes import open_alone

from harness.abi import PAGE_SIZE, Status
from harness.session.device import FILL
from harness.transport.wire import ClientDiedError, Touch

NOTHING_INSTALLED = 3
CANDIDATES = (
    *(0xEF, 0xEE, 0xED, 0xEC, 0xEB, 0xEA, 0xE9, 0xE8, 0xDF, 0xDE, 0xDD, 0xDC),
    *(0x7B, 0x7A, 0x79, 0x78, 0xBF, 0xBE, 0xBD, 0xBC),
)
"""The vectors that a driver of this kind looks through for one that it can make its gate."""
RETURN = b"\xc3"


def interrupt(vector):
    """Code that executes an interrupt instruction and returns."""
    return bytes([0xCD, vector]) + RETURN


def install(session):
    reply = ask(session, "IDT_INSTALL")
    assert reply.outcome == Status.OK
    return session.output("IDT_INSTALL", reply)["u8Idt"]


def test_install_answers_that_nothing_is_needed(session):
    assert install(session) == NOTHING_INSTALLED


def test_install_twice_gives_the_same_answer(session):
    assert [install(session), install(session)] == [NOTHING_INSTALLED, NOTHING_INSTALLED]


def test_install_writes_one_byte(session):
    reply = ask(session, "IDT_INSTALL", out_size=9, cb_out=1)
    assert reply.outcome == Status.OK
    assert reply.out == bytes([NOTHING_INSTALLED]) + bytes([FILL]) * 8


def test_install_over_its_own_input_leaves_the_rest_of_it(session):
    data = session.input("IDT_INSTALL")
    reply = ask(session, "IDT_INSTALL", data, out_size=len(data), cb_out=1, overlay=True)
    assert reply.outcome == Status.OK
    assert reply.out == bytes([NOTHING_INSTALLED]) + data[1:]


def test_remove_needs_no_install(session):
    assert ask(session, "IDT_REMOVE").outcome == Status.OK


def test_remove_three_times_after_one_install_succeeds(session):
    install(session)
    for _ in range(3):
        assert ask(session, "IDT_REMOVE").outcome == Status.OK


def test_install_after_remove_gives_the_same_answer(session):
    install(session)
    assert ask(session, "IDT_REMOVE").outcome == Status.OK
    assert install(session) == NOTHING_INSTALLED


def test_remove_does_not_depend_on_another_sessions_install(session, open_session):
    install(open_session())
    assert ask(session, "IDT_REMOVE").outcome == Status.OK
    assert install(session) == NOTHING_INSTALLED


def test_install_keeps_nothing_in_the_driver(session, guest):
    before = dict(guest.counters())
    install(session)
    assert dict(guest.counters()) == before


def test_no_process_can_enter_the_kernel_by_a_vector_of_such_drivers(session, client, cell):
    install(session)
    for vector in CANDIDATES[: times(cell, len(CANDIDATES), slow=2)]:
        child = client.start_child()
        install(open_alone(child))
        code = child.alloc(PAGE_SIZE, execute=True)
        child.write(code, RETURN)
        child.agent.mem_touch(code, Touch.EXECUTE, client=child.number)
        child.write(code, interrupt(vector))
        with pytest.raises(ClientDiedError) as caught:
            child.agent.mem_touch(code, Touch.EXECUTE, client=child.number)
        assert caught.value.exit is not None
        assert caught.value.exit.by_signal, f"vector {vector:#x}"
