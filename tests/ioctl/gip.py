"""The global information page as a client sees it."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from catalogue import ask, number_of

from harness.abi import ABI_NAMES, PAGE_SIZE, Status, load_abi
from harness.session.device import FILL
from harness.session.driver_session import DriverSession
from harness.transport import wire
from harness.transport.wire import AgentOpError, Op, Reply

Fields: TypeAlias = "dict[str, Any]"
"""All of a structure's fields by name."""

SubFrame: TypeAlias = "tuple[int, bytes]"

IDS_PER_UPDATE = 2
HISTORY = 8
_TRIES = 20

# The page is the same in every ABI.
_LAYOUT = load_abi(ABI_NAMES[0]).layout("SUPGLOBALINFOPAGE")
FIELDS_SIZE = _LAYOUT.size
_ID = _LAYOUT.field("u32TransactionId")


@dataclass(frozen=True, slots=True)
class Page:
    """The page as a process has it mapped: `address` there, `token` for the kernel's address, `physical`."""

    session: DriverSession
    address: int
    token: int
    physical: int

    def bytes(self, size: int = PAGE_SIZE) -> bytes:
        """The start of the page as it is in one moment. Raises AssertionError if it never holds still."""
        for _ in range(_TRIES):
            pages = take_looks(self._batch(look(self.address, size=size)))
            if pages:
                return pages[0]
        raise AssertionError(f"the page changed during {_TRIES} looks, or does not hold an even id")

    def fields(self) -> Fields:
        """All fields as they are in one moment."""
        return parse(self.bytes(FIELDS_SIZE))

    def samples(self, count: int, *, pause_ms: int = 0) -> list[Fields]:
        """The fields at up to `count` moments in one round trip, in order."""
        pause = [(Op.SLEEP, struct.pack("<I", pause_ms))] if pause_ms else []
        frames = [*look(self.address), *pause] * count
        return [parse(data) for data in take_looks(self._batch(frames))]

    @property
    def readable(self) -> bool:
        """Whether the process can still read it."""
        process = self.session.device.process
        try:
            process.agent.mem_read(self.address, 4, client=process.number)
        except AgentOpError:
            return False
        return True

    def _batch(self, frames: list[SubFrame]) -> list[Reply]:
        process = self.session.device.process
        return process.agent.batch(frames, client=process.number)


def gip_map(session: DriverSession) -> Page:
    """Map the page; raises AssertionError if that is refused."""
    reply = ask(session, "GIP_MAP")
    assert reply.outcome == Status.OK, f"GIP_MAP: {reply.outcome}"
    out: Fields = session.output("GIP_MAP", reply)
    return Page(session=session, address=out["pGipR3"], token=out["pGipR0"], physical=out["HCPhysGip"])


def gip_unmap(session: DriverSession) -> None:
    """Unmap the page; raises AssertionError if that is refused."""
    reply = ask(session, "GIP_UNMAP")
    assert reply.outcome == Status.OK, f"GIP_UNMAP: {reply.outcome}"


def parse(data: bytes) -> Fields:
    """All fields in a copy of the page's first FIELDS_SIZE bytes."""
    return _LAYOUT.unpack(data)


def look(address: int, *, size: int = FIELDS_SIZE) -> list[SubFrame]:
    """For a batch: a copy of the page at `address` between two looks at its id."""
    at_id = (Op.MEM_READ, struct.pack("<QI", address + _ID.offset, _ID.size))
    return [at_id, (Op.MEM_READ, struct.pack("<QI", address, size)), at_id]


def take_looks(replies: Iterable[Reply]) -> list[bytes]:
    """The copies among a batch's replies that are no mix, as a client tells: an even id that has not changed."""
    reads = [reply.check().body for reply in replies if reply.op == Op.MEM_READ]
    looks = zip(reads[::3], reads[1::3], reads[2::3], strict=True)
    return [page for before, page, after in looks if before == after and before[0] % IDS_PER_UPDATE == 0]


def frame_of(session: DriverSession, name: str) -> SubFrame:
    """For a batch or loop: a GIP request as `ask` makes it."""
    size = session.abi.request(name).out_rule.minimum
    data = session.input(name)
    handle, number = session.device.handle, number_of(session.abi, name)
    return Op.REQUEST, wire.pack_request(handle, number, data=data, out_size=size, fill=FILL)


def updates_between(first: Fields, second: Fields) -> int:
    """How often the page was updated from one moment to a later one."""
    return int((second["u32TransactionId"] - first["u32TransactionId"]) % (1 << 32)) // IDS_PER_UPDATE
