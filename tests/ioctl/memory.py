"""The requests that pin and allocate memory, in the words of tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from catalogue import ask, good_size, number_of

from harness.abi import PAGE_SIZE, Status
from harness.session.client import Client
from harness.session.device import Reply
from harness.session.driver_session import DriverSession
from harness.session.outcome import Outcome
from harness.transport import wire

_AT_ONCE = 500
"""Requests in one go: few enough to end within a request's deadline on the slowest kernel."""

_ROOM = 4 << 20
"""More than a process that has just been forked allocates for itself."""

_REST = 16
"""How many times as many pages as are to be made at least may pass before one comes again."""

FREE = {"CONT_ALLOC": "CONT_FREE", "LOW_ALLOC": "LOW_FREE", "PINPAGES": "UNPINPAGES"}
"""What releases a record that a request made."""


@contextmanager
def room_above(client: Client) -> Iterator[None]:
    """What is mapped meanwhile has free room above it afterwards. That is where kernels put what a process, or a fork
    of it, allocates next; so where the mapping is not inherited, nothing is. Nor is anything there in another copy of
    the agent, which has its memory at the same addresses (agent/buffer.h)."""
    room = client.alloc(_ROOM)
    yield
    client.free(room, _ROOM)


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory that the driver allocated: its address in the client, and for each page its physical address.

    `token` is what stands for the kernel's address, 0 where there is none.
    """

    address: int
    physical: tuple[int, ...]
    token: int = 0

    @property
    def size(self) -> int:
        return len(self.physical) * PAGE_SIZE


def pages_of(size: int) -> int:
    """How many pages `size` bytes need."""
    return -(-size // PAGE_SIZE)


def cont_alloc(session: DriverSession, size: int = PAGE_SIZE) -> Memory:
    """Physically contiguous memory; raises AssertionError if there is none."""
    reply = ask(session, "CONT_ALLOC", session.input("CONT_ALLOC", cb=size))
    assert reply.outcome == Status.OK, f"CONT_ALLOC of {size}: {reply.outcome}"
    out = session.output("CONT_ALLOC", reply)
    first = _integer(out["HCPhys"])
    return Memory(
        address=_integer(out["pvR3"]),
        physical=tuple(first + page * PAGE_SIZE for page in range(pages_of(size))),
        token=_integer(out["pvR0"]),
    )


def low_alloc(session: DriverSession, count: int = 1) -> Memory:
    """Pages below 4 GiB; raises AssertionError if there are none."""
    out_size = session.abi.layout("SUPLOWALLOC_OUT").size_of(count)
    reply = ask(session, "LOW_ALLOC", session.input("LOW_ALLOC", cPages=count), out_size=out_size)
    assert reply.outcome == Status.OK, f"LOW_ALLOC of {count}: {reply.outcome}"
    out = session.output("LOW_ALLOC", reply)
    return Memory(address=_integer(out["pvVirt"]), physical=_addresses(out["aPages"]))


def allocate(session: DriverSession, name: str, count: int = 1) -> Memory:
    """`count` pages by CONT_ALLOC or LOW_ALLOC."""
    return cont_alloc(session, count * PAGE_SIZE) if name == "CONT_ALLOC" else low_alloc(session, count)


def pin_request(session: DriverSession, address: int, size: int, *, room: int | None = None) -> Reply:
    """PINPAGES with room for `room` pages, by default for as many as `size` bytes have."""
    entries = max(pages_of(size) if room is None else room, 1)
    data = session.input("PINPAGES", pv=address, cb=size)
    return ask(session, "PINPAGES", data, out_size=session.abi.layout("SUPPINPAGES_OUT").size_of(entries))


def repeat(session: DriverSession, name: str, data: bytes, *, count: int, **request: Any) -> tuple[int, Outcome]:
    """Make the same request `count` times in the guest: how many failed, and how the first of those did.

    `request` is anything of `wire.pack_request`. There is no 32-bit twin in this.
    """
    process = session.device.process
    request.setdefault("out_size", good_size(session.abi, name))
    payload = wire.pack_request(session.device.handle, number_of(session.abi, name), data=data, **request)
    failures, first_error = 0, 0
    for begun in range(0, count, _AT_ONCE):
        part = min(_AT_ONCE, count - begun)
        done = process.agent.loop(wire.Op.REQUEST, payload, count=part, client=process.number)
        failures, first_error = failures + done.failures, first_error or done.first_error
    return failures, Outcome(code=first_error, abi=session.abi, target=process.target)


def batch(session: DriverSession, requests: list[tuple[str, bytes]]) -> set[Outcome]:
    """Make requests, by name and with their input, in one go; how they ended. There is no 32-bit twin in this."""
    process, abi = session.device.process, session.abi
    subs = [
        (
            wire.Op.REQUEST,
            wire.pack_request(session.device.handle, number_of(abi, name), data=data, out_size=good_size(abi, name)),
        )
        for name, data in requests
    ]
    replies = process.agent.batch(subs, client=process.number, deadline=30.0)
    return {Outcome(code=reply.check().os_error, abi=abi, target=process.target) for reply in replies}


def pin(session: DriverSession, address: int, size: int = PAGE_SIZE) -> tuple[int, ...]:
    """The physical addresses of pages that are now pinned; raises AssertionError if they cannot be."""
    reply = pin_request(session, address, size)
    assert reply.outcome == Status.OK, f"PINPAGES of {size} bytes at {address:#x}: {reply.outcome}"
    return _addresses(session.output("PINPAGES", reply)["aPages"])


def release(session: DriverSession, name: str, address: int) -> Outcome:
    """How CONT_FREE, LOW_FREE or UNPINPAGES of an address ends."""
    return ask(session, name, session.input(name, pv=address)).outcome


def check_that_memory_is_zeroed_again(
    session: DriverSession, client: Client, make: Callable[[], Memory], release_by: str, *, pages: int
) -> None:
    """Make memory, write to it and release it, for `pages` pages and on until one came twice: some kernels let a page
    rest for long before they give it out again."""
    seen: set[int] = set()
    made = 0
    while made < pages or (len(seen) == made and made < _REST * pages):
        memory = make()
        seen.update(memory.physical)
        made += len(memory.physical)
        assert client.read(memory.address, memory.size) == bytes(memory.size)
        client.write(memory.address, b"\x5a" * memory.size)
        assert release(session, release_by, memory.address) == Status.OK
    assert len(seen) < made, "no page came twice, so nothing was shown"


def physical_pages(client: Client, address: int, count: int) -> tuple[int, ...]:
    """What the guest's kernel says about where the client's pages are."""
    return client.target.physical_pages(client.agent, client.pid, address, count)


def _addresses(entries: object) -> tuple[int, ...]:
    assert isinstance(entries, list)
    assert all(entry["uReserved"] == 0 for entry in entries)
    return tuple(entry["Phys"] for entry in entries)


def _integer(value: object) -> int:
    assert isinstance(value, int)
    return value
