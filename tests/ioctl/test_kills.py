"""A thousand clients, each killed in the middle of a request, leave everything as it was before them."""

from __future__ import annotations

import pytest
from catalogue import GREETING, good_size, number_of
from processes import open_alone

from harness.abi import CONSTANTS, PAGE_SIZE
from harness.transport.wire import Carry, ClientDiedError, pack_request

CLIENTS = 1000
SPREAD_US = {True: 2000, False: 0}
"""Over which time clients are killed: if they pile up memory, and if any moment is like any other."""

LIVED_MS = {True: 20, False: 50}
"""How long a client lives from its open on, where it is a program of its own. That takes long to start: there is one
for each life."""

FAILURES = {True: 0xFFFFFFFF, False: 1}
"""How many of its steps must fail to end it."""

LOOKS, LOOK_MS = 200, 5
SECONDS = 60.0
ONCE = 1
"""How many steps a client makes once: it greets the driver."""

COOKIES_SIZE = 8
"""Both are the first fields of the greeting's answer and of every later request."""

PAGES = {True: 256, False: 32}
"""How many pages a client pins or gets at once: if it keeps them, and if it is to come to releasing them."""

CONT_BYTES = 0xFFFFF
SYMBOL = b"start\0"
IMAGE = (SYMBOL.ljust(16, b"\xcc") + bytes(8)).ljust(256 << 10, b"\xcc")
"""A name, then a symbol of that name at offset 0, then code that is not called."""

RELEASING = (
    *(("COOKIE",), ("QUERY_FUNCS",), ("IDT_INSTALL", "IDT_REMOVE"), ("GET_PAGING_MODE",), ("SET_VM_FOR_FAST",)),
    *(("PINPAGES", "UNPINPAGES"), ("CONT_ALLOC", "CONT_FREE"), ("LOW_ALLOC", "LOW_FREE"), ("GIP_MAP", "GIP_UNMAP")),
    *(("LDR_OPEN", "LDR_FREE"), ("LDR_OPEN", "LDR_LOAD", "LDR_GET_SYMBOL", "CALL_VMMR0", "LDR_FREE")),
)
KEEPING = (("PINPAGES",), ("CONT_ALLOC",), ("LOW_ALLOC",), ("LDR_OPEN",), ("GIP_MAP",))
LIVES = (*RELEASING, *KEEPING)
"""What clients do again and again until they are killed. Those that release nothing may find that they have it all."""

EACH = -(-CLIENTS // len(LIVES))

BASE = {"pvImageBase": ("LDR_OPEN", "pvImageBase")}
TAKEN = {
    "CONT_FREE": {"pv": ("CONT_ALLOC", "pvR3")},
    "LOW_FREE": {"pv": ("LOW_ALLOC", "pvVirt")},
    "LDR_LOAD": {**BASE, "pvVMMR0": BASE["pvImageBase"], "pvVMMR0Entry": BASE["pvImageBase"]},
    "LDR_GET_SYMBOL": BASE,
    "LDR_FREE": BASE,
}
"""Fields of a request that are the answer of another one: its name, and the field there."""


def fields_of(name, memory, pages):
    """What a request has in its other fields, if that is not 0; `memory` is the client's own."""
    return {
        "COOKIE": GREETING,
        "PINPAGES": {"pv": memory, "cb": pages * PAGE_SIZE},
        "UNPINPAGES": {"pv": memory},
        "CONT_ALLOC": {"cb": CONT_BYTES},
        "LOW_ALLOC": {"cPages": pages},
        "LDR_OPEN": {"cbImage": len(IMAGE), "szName": "killed"},
        "LDR_LOAD": {
            **{"cbImage": len(IMAGE), "achImage": IMAGE, "eEPType": CONSTANTS["EP_VMMR0"]},
            **{"offSymbols": 16, "cSymbols": 1, "offStrTab": 0, "cbStrTab": len(SYMBOL)},
        },
        "LDR_GET_SYMBOL": {"szSymbol": SYMBOL},
        "CALL_VMMR0": {"uOperation": CONSTANTS["VMMR0_DO_NOP"]},
    }.get(name, {})


def out_size(abi, name, pages):
    """Room for the whole answer."""
    layout = {"PINPAGES": "SUPPINPAGES_OUT", "LOW_ALLOC": "SUPLOWALLOC_OUT"}.get(name)
    return abi.layout(layout).size_of(pages) if layout else good_size(abi, name)


def taken(abi, name, before):
    """What a request takes from the answers of those before it."""
    if abi.request(name).cookies:
        yield Carry(source=0, start=0, to=0, length=COOKIES_SIZE)
    for field, (source, answer) in TAKEN.get(name, {}).items():
        there = abi.request(source).out_rule.layout.field(answer)
        here = abi.request(name).in_rule.layout.field(field)
        yield Carry(source=before.index(source), start=there.offset, to=here.offset, length=here.size)


def steps(session, life, memory):
    """The greeting, then that life, as a client makes them on its own device."""
    names, pages = ("COOKIE", *life), PAGES[life in KEEPING]
    for index, name in enumerate(names):
        payload = pack_request(
            session.device.handle,
            number_of(session.abi, name),
            data=session.input(name, **fields_of(name, memory, pages)),
            out_size=out_size(session.abi, name, pages),
        )
        yield payload, list(taken(session.abi, name, names[:index]))


def killed_forks(client, _guest, life):
    """Forks of the client, killed by it."""
    session, memory = open_alone(client), client.alloc(max(PAGES.values()) * PAGE_SIZE)
    died = client.agent.kills(
        client.target.device,
        steps(session, life, memory),
        count=EACH,
        spread_us=SPREAD_US[life in KEEPING],
        repeat_from=ONCE,
        client=client.number,
        deadline=SECONDS,
    )
    assert died.killed == EACH
    assert died.inside > EACH // 2
    assert died.failures == 0 or life in KEEPING
    session.close()


def begun(guest, sessions):
    """There are so many sessions, before long."""
    for _ in range(LOOKS):
        if guest.counters()["sessions"] == sessions:
            return True
        guest.agent.sleep(LOOK_MS)
    return False


def killed_program(client, guest, life):
    """A program of its own."""
    child, before = client.start_child(), guest.counters()["sessions"]
    session, memory = open_alone(child), child.alloc(max(PAGES.values()) * PAGE_SIZE)
    living = child.agent.live(
        child.target.device,
        steps(session, life, memory),
        repeat_from=ONCE,
        failures=FAILURES[life in KEEPING],
        client=child.number,
    )
    assert begun(guest, before + 2)
    child.agent.sleep(LIVED_MS[life in KEEPING])
    child.kill()
    with pytest.raises(ClientDiedError):
        living.result().check()  # or steps have failed, and ended it


@pytest.mark.parametrize("life", LIVES, ids="-".join)
def test_killed_clients_leave_nothing(client, guest, cell, life):
    before = guest.counters()
    kill = killed_program if cell.missing("fork") else killed_forks
    kill(client, guest, life)
    assert guest.counters() == before
