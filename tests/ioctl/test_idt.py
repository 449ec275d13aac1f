"""IDT_INSTALL and IDT_REMOVE: nothing is ever patched, and clients are told so."""

from __future__ import annotations

from catalogue import ask

from harness.abi import Status
from harness.session.device import FILL

NOTHING_INSTALLED = 3


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
