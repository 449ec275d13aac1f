"""Images as a client has them: opened, loaded, searched, entered and freed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from catalogue import ask, good_size, number_of
from programs import Program, program

from harness.abi import CONSTANTS, PAGE_SIZE, Record, Status, c_string
from harness.session.cell_session import CellSession
from harness.session.device import Reply
from harness.session.driver_session import DriverSession
from harness.session.outcome import Outcome
from harness.transport.connection import PendingCall
from harness.transport.wire import LoopTiming, Op, RequestReply, pack_loop, pack_request, parse_loop, parse_request

NOP = CONSTANTS["VMMR0_DO_NOP"]
TESTS = CONSTANTS["VMMR0_DO_TESTS"]
NOT_SUPPORTED = -37
NOTHING_TO_ENTER = -32
INT3 = b"\xcc"

RING0 = [pytest.mark.driver_options(ring0_images=1), pytest.mark.needs("ring0-images")]
"""For a test whose images run."""

BOTH_SETTINGS = [
    pytest.mark.usefixtures("setting"),
    pytest.mark.parametrize("setting", ["data", pytest.param("ring0", marks=RING0)], indirect=True),
]
"""For a test that means the same whether images are data or run."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image that `session` has open."""

    session: DriverSession
    name: str
    base: int
    size: int
    needs_loading: bool

    @classmethod
    def open(cls, session: DriverSession, name: str = "image", size: int = PAGE_SIZE) -> Image:
        """Open it; raises AssertionError if that is refused."""
        reply = ask_open(session, name, size)
        assert reply.outcome == Status.OK, f"LDR_OPEN {name}: {reply.outcome}"
        out = session.output("LDR_OPEN", reply)
        return cls(session, name, out["pvImageBase"], size, bool(out["fNeedsLoading"]))

    def again(self, session: DriverSession) -> Image:
        """The same image opened once more, by any session."""
        return Image.open(session, self.name, self.size)

    def load_input(self, content: bytes = b"", **fields: Any) -> bytes:
        """The input of a correct LDR_LOAD but for `fields`: `content`, then int3 up to the size."""
        content = content.ljust(self.size, INT3)
        fields = {"pvImageBase": self.base, "cbImage": self.size, "achImage": content, **fields}
        return self.session.input("LDR_LOAD", **fields)

    def load(self, content: bytes = b"", **fields: Any) -> Outcome:
        """LDR_LOAD, correct but for `fields`."""
        reply = ask(self.session, "LDR_LOAD", self.load_input(content, **fields))
        return reply.outcome

    def load_well(self, content: bytes = b"", **fields: Any) -> Image:
        """The same image, loaded; raises AssertionError if that is refused."""
        outcome = self.load(content, **fields)
        assert outcome == Status.OK, f"LDR_LOAD {self.name}: {outcome}"
        return self

    def at(self, offset: int) -> int:
        """The address `offset` bytes behind the base, in the word size of the kernel."""
        return (self.base + offset) % (1 << self.session.abi.word_size)

    def entry(self, offset: int = 0) -> dict[str, int]:
        """The fields of LDR_LOAD that register base + `offset` as the VMMR0 entry."""
        return {"eEPType": CONSTANTS["EP_VMMR0"], "pvVMMR0": self.base, "pvVMMR0Entry": self.at(offset)}

    def symbol(self, name: str | bytes) -> Reply:
        """LDR_GET_SYMBOL for a name that ends with a NUL."""
        data = name.encode() if isinstance(name, str) else name
        minimum = self.session.abi.request("LDR_GET_SYMBOL").in_rule.minimum
        layout = self.session.abi.layout("SUPLDRGETSYMBOL_IN")
        packed = self.session.input("LDR_GET_SYMBOL", pvImageBase=self.base, szSymbol=data + b"\0")
        return ask(self.session, "LDR_GET_SYMBOL", packed[: max(layout.size_of(len(data) + 1), minimum)])

    def address(self, name: str | bytes) -> int:
        """The address of a symbol that the image has."""
        reply = self.symbol(name)
        assert reply.outcome == Status.OK, f"LDR_GET_SYMBOL {name!r}: {reply.outcome}"
        address = self.session.output("LDR_GET_SYMBOL", reply)["pvSymbol"]
        assert isinstance(address, int)
        return address

    def free(self) -> Outcome:
        """LDR_FREE."""
        return free_at(self.session, self.base)

    def load_program(self, linked: Program, imports: Mapping[str, int], *, entry: bool = False) -> Outcome:
        """Load a program that the image was opened for; its init and term are called if it has them."""
        fields = self.entry(linked.symbols["image_entry"]) if entry else {}
        for field, name in (("pfnModuleInit", "image_init"), ("pfnModuleTerm", "image_term")):
            if name in linked.symbols:
                fields[field] = self.base + linked.symbols[name]
        tables = {
            "offSymbols": linked.symbol_table,
            "cSymbols": len(linked.symbols),
            "offStrTab": linked.string_table,
            "cbStrTab": len(linked.strings),
        }
        return self.load(linked.link(self.base, imports), **fields, **tables)


def ask_open(session: DriverSession, name: str | bytes, size: int = PAGE_SIZE) -> Reply:
    """LDR_OPEN; `name` is filled up with NULs."""
    return ask(session, "LDR_OPEN", session.input("LDR_OPEN", cbImage=size, szName=name))


def free_at(session: DriverSession, base: int) -> Outcome:
    """LDR_FREE for any base."""
    return ask(session, "LDR_FREE", session.input("LDR_FREE", pvImageBase=base)).outcome


def ask_vmmr0(session: DriverSession, operation: int, **fields: int) -> Reply:
    """CALL_VMMR0."""
    return ask(session, "CALL_VMMR0", session.input("CALL_VMMR0", uOperation=operation, **fields))


def call_vmmr0(session: DriverSession, operation: int, *, vm: int = 0, argument: int = 0) -> int:
    """What the entry answers; raises AssertionError if there is none."""
    reply = ask_vmmr0(session, operation, pVM=vm, pvArg=argument)
    assert reply.outcome == Status.OK, f"CALL_VMMR0: {reply.outcome}"
    answer = session.output("CALL_VMMR0", reply)["rc"]
    assert isinstance(answer, int)
    return answer


def set_vm(session: DriverSession, vm: int) -> None:
    """SET_VM_FOR_FAST."""
    assert ask(session, "SET_VM_FOR_FAST", session.input("SET_VM_FOR_FAST", pVMR0=vm)).outcome == Status.OK


def functions(session: DriverSession) -> dict[str, int]:
    """What QUERY_FUNCS lists: the address, or the token, of each function by its name."""
    count = session.greeting["cFunctions"]
    assert isinstance(count, int)
    size = session.abi.layout("SUPQUERYFUNCS_OUT").size_of(count)
    entries = session.output("QUERY_FUNCS", ask(session, "QUERY_FUNCS", out_size=size))["aFunctions"]
    assert isinstance(entries, list)
    return dict(_name_and_address(entry) for entry in entries)


def _name_and_address(entry: Record | int) -> tuple[str, int]:
    assert isinstance(entry, dict)
    name, address = entry["szName"], entry["pfn"]
    assert isinstance(name, bytes)
    assert isinstance(address, int)
    return c_string(name), address


def run_program(
    session: DriverSession, arch: str, name: str, imports: Mapping[str, int] | None = None, *, entry: bool = True
) -> Image:
    """A program of `tests/images`, opened and loaded; `imports` are added to the driver's functions."""
    linked = program(name, arch, session.abi.os)
    image = Image.open(session, name, linked.size)
    outcome = image.load_program(linked, {**functions(session), **(imports or {})}, entry=entry)
    assert outcome == Status.OK, f"{name}: {outcome}"
    return image


def counts(guest: CellSession) -> tuple[int, int]:
    """Images, and opens of them, by the driver's own counters."""
    counters = guest.counters()
    return counters["images"], counters["image_references"]


def batch(session: DriverSession, name: str, inputs: Sequence[bytes]) -> list[RequestReply]:
    """The same request with one input after the other, in one round trip."""
    device, out_size = session.device, good_size(session.abi, name)
    number = number_of(session.abi, name)
    ops = [(Op.REQUEST, pack_request(device.handle, number, data=data, out_size=out_size)) for data in inputs]
    replies = device.process.agent.batch(ops, client=device.process.number)
    return [parse_request(reply.check()) for reply in replies]


def repeat(
    session: DriverSession, name: str, data: bytes, count: int, *, threads: int = 1, limit_ms: int = 0
) -> LoopTiming:
    """The same request again and again in the guest, without a round trip for each."""
    start = start_repeating(session, name, data, count, threads=threads, limit_ms=limit_ms)
    return parse_loop(start.result().check().body)


def start_repeating(
    session: DriverSession, name: str, data: bytes, count: int, *, threads: int = 1, limit_ms: int = 0
) -> PendingCall:
    """`repeat`, but at once; `parse_loop` reads what it comes to."""
    device = session.device
    packed = pack_request(device.handle, number_of(session.abi, name), data=data, out_size=good_size(session.abi, name))
    loop = pack_loop(Op.REQUEST, packed, count=count, threads=threads, limit_ms=limit_ms, stride=0)
    return device.process.agent.start(Op.LOOP, loop, client=device.process.number)
