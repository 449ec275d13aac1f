"""Sessions and processes: the open file counts, not the process that made it."""

from __future__ import annotations

import pytest
from catalogue import ask
from memory import cont_alloc, release
from processes import in_process, open_alone, send

from harness.abi import Status
from harness.targets import Refusal


def sessions(guest):
    return guest.counters()["sessions"]


def works(session):
    return ask(session, "GET_PAGING_MODE").outcome == Status.OK


def test_two_processes_have_sessions_of_their_own(session, client):
    other = open_alone(client.start_child())
    assert other.cookies.session != session.cookies.session
    assert other.greeting["pSession"] != session.greeting["pSession"]
    assert works(other)
    assert works(session)


def test_the_cookie_of_another_process_is_refused(session, client):
    other = open_alone(client.start_child())
    stolen = other.input("GET_PAGING_MODE", u32SessionCookie=session.cookies.session)
    reply = ask(other, "GET_PAGING_MODE", stolen)
    assert reply.outcome == Status.INVALID_MAGIC
    assert reply.untouched


def test_the_session_of_a_killed_process_is_closed(client, guest):
    before = sessions(guest)
    child = client.start_child()
    made = [open_alone(child) for _ in range(3)]
    assert sessions(guest) == before + len(made)
    child.kill()
    assert sessions(guest) == before


def test_killing_a_process_leaves_the_sessions_of_others(session, client):
    child = client.start_child()
    open_alone(child)
    child.kill()
    assert works(session)


@pytest.mark.needs("handle-passing")
def test_a_session_works_in_the_process_it_was_passed_to(session, client):
    there = send(session, client.start_child())
    assert works(there)
    assert works(session)


@pytest.mark.needs("handle-passing")
def test_passing_a_session_on_makes_no_new_one(session, client, guest):
    before = sessions(guest)
    there = send(session, client.start_child())
    assert sessions(guest) == before
    reply = ask(there, "COOKIE")
    assert there.output("COOKIE", reply) == session.greeting


@pytest.mark.needs("handle-passing")
def test_a_passed_session_outlives_the_close_of_the_first_process(session, client, guest):
    there = send(session, client.start_child())
    before = sessions(guest)
    session.close()
    assert sessions(guest) == before
    assert works(there)
    there.close()
    assert sessions(guest) == before - 1


@pytest.mark.needs("handle-passing")
def test_a_passed_session_outlives_the_death_of_the_other_process(session, client, guest):
    child = client.start_child()
    send(session, child)
    before = sessions(guest)
    child.kill()
    assert sessions(guest) == before
    assert works(session)


@pytest.mark.needs("fork")
def test_a_fork_keeps_the_session_until_it_ends(session, agent, guest):
    before = sessions(guest)
    fork = agent.client_start(inherit=True)
    session.close()
    assert sessions(guest) == before
    agent.client_kill(fork.id)
    assert sessions(guest) == before - 1


@pytest.mark.needs("fork")
@pytest.mark.never("compat")
def test_a_fork_can_use_the_session_it_inherited(session, client):
    there = in_process(session, client.start_child(inherit=True), session.device.handle)
    assert works(there)
    assert works(session)


@pytest.mark.needs("fork")
@pytest.mark.never("compat")
def test_a_fork_can_use_the_session_after_its_parent_closed_it(session, client):
    there = in_process(session, client.start_child(inherit=True), session.device.handle)
    session.close()
    assert works(there)
    reply = ask(there, "COOKIE")
    assert there.output("COOKIE", reply) == session.greeting


@pytest.mark.needs("fork")
@pytest.mark.never("compat")
def test_a_session_survives_the_death_of_a_fork(session, client):
    child = client.start_child(inherit=True)
    assert works(in_process(session, child, session.device.handle))
    child.kill()
    assert works(session)


def test_a_duplicate_handle_is_the_same_session(session, agent, guest):
    owner = session.device.twin or session.device
    before = sessions(guest)
    agent.dup(owner.handle)
    assert sessions(guest) == before
    session.close()
    assert sessions(guest) == before


@pytest.mark.never("compat")
def test_a_session_works_by_a_duplicate_of_its_handle_after_the_first_was_closed(session, client, guest):
    again = in_process(session, client, client.agent.dup(session.device.handle))
    reply = ask(again, "COOKIE")
    assert again.output("COOKIE", reply) == session.greeting
    memory = cont_alloc(session)
    session.close()
    assert works(again)
    assert release(again, "CONT_FREE", memory.address) == Status.OK
    again.close()
    assert not any(guest.counters().values())


@pytest.mark.never("compat")
def test_a_session_outlives_a_duplicate_of_its_handle(session, client, guest):
    again = in_process(session, client, client.agent.dup(session.device.handle))
    again.close()
    assert works(session)
    assert sessions(guest) == 1


@pytest.mark.only("windows")
def test_another_process_than_the_opener_is_refused_whatever_handle_it_has(session, client, guest):
    before = dict(guest.counters())
    theirs = send(session, client.start_child())
    for name in ("GET_PAGING_MODE", "CONT_ALLOC", "GIP_MAP"):
        reply = ask(theirs, name, session.input(name))
        assert reply.outcome == Refusal.NOT_THE_OPENER
        assert reply.untouched
    assert dict(guest.counters()) == before
    assert ask(session, "GET_PAGING_MODE").outcome == Status.OK
