"""Loading and unloading: not while the device is open, and with new cookies and tokens each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from catalogue import ask
from gip import gip_map, gip_unmap

from harness.abi import PAGE_SIZE, Status
from harness.session.cell_session import CellSession
from harness.session.outcome import Outcome
from harness.targets import Refusal
from harness.targets.os2_errors import Os2Error
from harness.transport.wire import AgentOpError

FILE_OF_OS2 = "C:\\SUPDRV.SYS"
"""Where the driver lies in the guest."""
LOADS = 20
ROUNDS = 4
NOISE = LOADS * PAGE_SIZE // 2
WARM_UP_LOADS = 6


@contextmanager
def unloaded(guest: CellSession) -> Iterator[None]:
    """Without the driver; it is there again at the end, whatever happened."""
    guest.agent.driver_unload(guest.target.module)
    try:
        yield
    finally:
        guest.load_driver()


def reload(guest):
    guest.target.reload_driver(guest.agent, guest.options)


def cannot_be_unloaded(guest, abi):
    """How the guest refuses to unload the driver. Some lose the ability to unload it by that."""
    with pytest.raises(AgentOpError) as caught, unloaded(guest):
        pass
    if guest.cell.missing("second-stop"):
        guest.retire()
    return Outcome(code=caught.value.os_error, abi=abi, target=guest.target)


def function_tokens(session):
    size = session.abi.layout("SUPQUERYFUNCS_OUT").size_of(session.greeting["cFunctions"])
    reply = ask(session, "QUERY_FUNCS", out_size=size)
    return {entry["pfn"] for entry in session.output("QUERY_FUNCS", reply)["aFunctions"]}


@pytest.mark.needs("unload-refusal")
def test_an_open_driver_cannot_be_unloaded(session, guest):
    assert cannot_be_unloaded(guest, session.abi) == Refusal.IN_USE


@pytest.mark.needs("unload-refusal")
def test_a_device_that_was_never_greeted_keeps_the_driver_too(device, guest):
    assert cannot_be_unloaded(guest, device.abi) == Refusal.IN_USE


@pytest.mark.needs("unload-refusal")
def test_a_driver_that_was_not_unloaded_still_answers(session, open_session, guest):
    cannot_be_unloaded(guest, session.abi)
    assert ask(session, "GET_PAGING_MODE").outcome == Status.OK
    assert open_session().cookies.device == session.cookies.device


@pytest.mark.needs("unload-refusal")
@pytest.mark.needs("second-stop")
def test_the_driver_can_be_unloaded_after_the_last_close(session, open_session, guest):
    other = open_session()
    session.close()
    cannot_be_unloaded(guest, session.abi)
    other.close()
    with unloaded(guest):
        assert not guest.agent.driver_status(guest.target.module).loaded


def test_the_device_comes_and_goes_with_the_driver(client, guest):
    with unloaded(guest), pytest.raises(AgentOpError):
        client.open()
    client.open()


def test_the_counters_come_and_go_with_the_driver(guest):
    with unloaded(guest), pytest.raises(AgentOpError):
        guest.counters()
    guest.counters()


def growth(guest):
    """Bytes of memory that some loads cost."""
    before = guest.target.memory_used(guest.agent)
    for _ in range(LOADS):
        reload(guest)
    return guest.target.memory_used(guest.agent) - before


@pytest.mark.needs("steady-memory")
def test_loading_again_and_again_costs_nothing(guest):
    """What the driver loses, it loses each time; what the kernel puts aside for itself, it does not."""
    for _ in range(WARM_UP_LOADS):
        reload(guest)
    costs = [growth(guest)]
    while costs[-1] >= NOISE and len(costs) < ROUNDS:
        costs.append(growth(guest))
    assert costs[-1] < NOISE, f"bytes lost in each {LOADS} loads: {costs}"


def test_every_load_has_another_device_cookie(open_session, guest):
    seen = set()
    for _ in range(3):
        session = open_session()
        seen.add(session.cookies.device)
        session.close()
        reload(guest)
    assert len(seen) == 3


def test_the_cookies_of_an_earlier_load_are_refused(session, open_session, guest):
    session.close()
    reload(guest)
    again = open_session()
    for cookies in (
        {"u32Cookie": session.cookies.device},
        {"u32Cookie": session.cookies.device, "u32SessionCookie": session.cookies.session},
    ):
        reply = ask(again, "GET_PAGING_MODE", again.input("GET_PAGING_MODE", **cookies))
        assert reply.outcome == Status.INVALID_MAGIC
        assert reply.untouched


@pytest.mark.needs("opaque-functions")
def test_every_load_has_other_function_tokens(session, open_session, guest):
    before = function_tokens(session)
    session.close()
    reload(guest)
    assert not before & function_tokens(open_session())


def test_a_new_load_starts_without_sessions(session, guest):
    session.close()
    reload(guest)
    assert not any(guest.counters().values())


def test_every_load_has_another_token_of_the_global_information_page(session, open_session, guest):
    before = gip_map(session).token
    gip_unmap(session)
    session.close()
    reload(guest)
    assert gip_map(open_session()).token != before


def test_a_new_load_starts_with_a_new_global_information_page(session, open_session, guest, cell):
    session.close()
    reload(guest)
    page = gip_map(open_session()).fields()
    assert 0x1000 <= page["u32TransactionId"] < 0x2000
    assert page["cErrors"] == 0
    # Eight updates later it is gone.
    assert cell.missing("quick-requests") or 0x20000000 in page["au32TSCHistory"]


@pytest.mark.needs("move")
@pytest.mark.needs("unload-refusal")
def test_a_mapping_that_a_client_hid_from_the_driver_keeps_it_loaded(session, client, guest):
    page = gip_map(session)
    hidden = client.agent.mem_move(page.address, PAGE_SIZE, client=client.number)
    session.close()
    assert cannot_be_unloaded(guest, session.abi) == Refusal.IN_USE
    client.free(hidden, PAGE_SIZE)
    reload(guest)


@pytest.mark.only("os2")
@pytest.mark.parametrize("options", ["ring0_images=2", "ring0_images=1 /X"])
def test_an_option_that_is_none_keeps_the_driver_out(guest, options):
    with unloaded(guest), pytest.raises(AgentOpError) as caught:
        guest.agent.driver_load(FILE_OF_OS2, options)
    assert caught.value.os_error == Os2Error.OPEN_FAILED
