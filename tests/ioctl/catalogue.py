"""The requests that the transport's tests are made with, and a correct call of each."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from itertools import count
from typing import Any, TypeAlias, TypeVar

from harness.abi import CONSTANTS, COOKIE_MAGIC, INTERFACE_VERSION, PAGE_SIZE, Abi, Status
from harness.matrix import Cell
from harness.session.device import Device, Reply
from harness.session.driver_session import DriverSession
from harness.session.outcome import Outcome
from harness.targets import Refusal

SLOW = (
    *("COOKIE", "QUERY_FUNCS", "IDT_INSTALL", "IDT_REMOVE", "GET_PAGING_MODE", "SET_VM_FOR_FAST"),
    *("PINPAGES", "UNPINPAGES", "CONT_ALLOC", "CONT_FREE", "LOW_ALLOC", "LOW_FREE"),
    *("LDR_OPEN", "LDR_LOAD", "LDR_FREE", "LDR_GET_SYMBOL", "CALL_VMMR0"),
    *("GIP_MAP", "GIP_UNMAP"),
)
WITH_COOKIES = tuple(name for name in SLOW if name != "COOKIE")
WITHOUT_OUTPUT = (
    *("IDT_REMOVE", "SET_VM_FOR_FAST", "UNPINPAGES", "CONT_FREE", "LOW_FREE", "LDR_LOAD", "LDR_FREE", "GIP_UNMAP"),
)
WITH_OUTPUT = tuple(name for name in SLOW if name not in WITHOUT_OUTPUT)
SAME_OUTPUT = tuple(name for name in WITH_OUTPUT if name not in ("CONT_ALLOC", "LOW_ALLOC"))
"""Those that give the same answer to the same input."""
FAST = ("FAST_DO_RAW_RUN", "FAST_DO_HWACC_RUN", "FAST_DO_NOP")

Fields: TypeAlias = "dict[str, Any]"
Case = TypeVar("Case", bound=Hashable)

GREETING: Fields = {"szMagic": COOKIE_MAGIC + b"\0", "u32Version": INTERFACE_VERSION}
"""The fields of COOKIE's input."""


def times(cell: Cell, count: int, *, slow: int | None = None) -> int:
    """How often to do what is to be done `count` times: `slow` times (a tenth) where a request takes milliseconds."""
    few = count // 10 if slow is None else slow
    return few if cell.missing("quick-requests") else count


def number_of(abi: Abi, name: str) -> int:
    """The number of a request that the ABI has."""
    number = abi.request(name).number
    assert number is not None, f"{abi.name} has no {name}"
    return number


def good_input(session: DriverSession, name: str) -> bytes:
    """An input of `name` that the driver accepts once; what it needs is made first."""
    return session.input(name, **_FIELDS[name](session) if name in _FIELDS else {})


def _own_page(session: DriverSession) -> Fields:
    process = session.device.process
    return {"pv": process.agent.mem_alloc(PAGE_SIZE, client=process.number), "cb": PAGE_SIZE}


def _pinned(session: DriverSession) -> Fields:
    fields = _own_page(session)
    ask(session, "PINPAGES", session.input("PINPAGES", **fields))
    return {"pv": fields["pv"]}


def _allocated(maker: str, answer: str) -> Callable[[DriverSession], Fields]:
    return lambda session: {"pv": session.output(maker, ask(session, maker))[answer]}


_IMAGE = b"image_start\0".ljust(16, b"\xcc") + bytes(8)
"""A name, then code that is not called, then a symbol of that name at offset 0."""
_SYMBOLS = {"offSymbols": 16, "cSymbols": 1, "offStrTab": 0, "cbStrTab": 12}
_numbers = count()


def _open_image(session: DriverSession, name: str) -> Fields:
    data = session.input("LDR_OPEN", cbImage=len(_IMAGE), szName=name)
    return {"pvImageBase": session.output("LDR_OPEN", ask(session, "LDR_OPEN", data))["pvImageBase"]}


def _image_to_load(session: DriverSession) -> Fields:
    opened = _open_image(session, f"catalogue {next(_numbers)}")
    return {**opened, "cbImage": len(_IMAGE), "achImage": _IMAGE, **_SYMBOLS}


def _image_with_a_symbol(session: DriverSession) -> Fields:
    fields = _image_to_load(session)
    ask(session, "LDR_LOAD", session.input("LDR_LOAD", **fields))
    return {"pvImageBase": fields["pvImageBase"], "szSymbol": b"image_start\0"}


def _registered_image(session: DriverSession) -> Fields:
    fields = _image_to_load(session)
    base = fields["pvImageBase"]
    entry = {"eEPType": CONSTANTS["EP_VMMR0"], "pvVMMR0": base, "pvVMMR0Entry": base}
    ask(session, "LDR_LOAD", session.input("LDR_LOAD", **fields, **entry))
    return {"uOperation": CONSTANTS["VMMR0_DO_NOP"]}


_FIELDS: dict[str, Callable[[DriverSession], Fields]] = {
    "COOKIE": lambda _session: GREETING,
    "PINPAGES": _own_page,
    "UNPINPAGES": _pinned,
    "CONT_ALLOC": lambda _session: {"cb": PAGE_SIZE},
    "CONT_FREE": _allocated("CONT_ALLOC", "pvR3"),
    "LOW_ALLOC": lambda _session: {"cPages": 1},
    "LOW_FREE": _allocated("LOW_ALLOC", "pvVirt"),
    "LDR_OPEN": lambda _session: {"cbImage": len(_IMAGE), "szName": b"catalogue"},
    "LDR_LOAD": _image_to_load,
    "LDR_FREE": lambda session: _open_image(session, "catalogue"),
    "LDR_GET_SYMBOL": _image_with_a_symbol,
    "CALL_VMMR0": _registered_image,
}
"""What a good input has behind the cookies, for requests whose other fields cannot be 0."""


def good_size(abi: Abi, name: str) -> int:
    """The shortest output buffer that `name` accepts."""
    return abi.request(name).out_rule.minimum


def ask(session: DriverSession, name: str, data: bytes | None = None, **transport: Any) -> Reply:
    """Make request `name` correctly but for what is given: `data`, and anything of `Device.request`."""
    transport.setdefault("out_size", good_size(session.abi, name))
    sent = good_input(session, name) if data is None else data
    return session.device.request(number_of(session.abi, name), sent, name=name, **transport)


def every(cases: Iterable[Case], expected: Status | Refusal) -> dict[Case, Status | Refusal]:
    """What `outcomes` has to be if all cases are to end alike."""
    return dict.fromkeys(cases, expected)


def outcomes(replies: Mapping[Case, Reply]) -> dict[Case, Outcome]:
    """How each case ended."""
    return {case: reply.outcome for case, reply in replies.items()}


def written(replies: Mapping[Case, Reply]) -> list[Case]:
    """The cases in which something was written to the output."""
    return [case for case, reply in replies.items() if not reply.untouched]


def check_unread(cell: Cell, replies: Mapping[Case, Reply]) -> None:
    """None of the requests was made, because its input cannot be read. Wine takes the room for the output for a handle
    then, and tells what came of a wait for that."""
    assert cell.missing("checked-input") or outcomes(replies) == every(replies, Refusal.BAD_ADDRESS)
    assert written(replies) == []


def greet_with(device: Device, **fields: Any) -> Reply:
    """COOKIE on a device, correct but for `fields`."""
    layout = device.abi.layout("SUPCOOKIE_IN")
    out_size = good_size(device.abi, "COOKIE")
    number = number_of(device.abi, "COOKIE")
    return device.request(number, layout.pack(**{**GREETING, **fields}), out_size=out_size, name="COOKIE")
