"""The requests that the transport's tests are made with, and a correct call of each."""

from __future__ import annotations

from typing import Any

from harness.abi import COOKIE_MAGIC, INTERFACE_VERSION, Abi
from harness.session.device import Device, Reply
from harness.session.driver_session import DriverSession

SLOW = ("COOKIE", "QUERY_FUNCS", "IDT_INSTALL", "IDT_REMOVE", "GET_PAGING_MODE", "SET_VM_FOR_FAST")
WITH_COOKIES = tuple(name for name in SLOW if name != "COOKIE")
WITH_OUTPUT = ("COOKIE", "QUERY_FUNCS", "IDT_INSTALL", "GET_PAGING_MODE")
WITHOUT_OUTPUT = ("IDT_REMOVE", "SET_VM_FOR_FAST")
FAST = ("FAST_DO_RAW_RUN", "FAST_DO_HWACC_RUN", "FAST_DO_NOP")

GREETING: dict[str, Any] = {"szMagic": COOKIE_MAGIC + b"\0", "u32Version": INTERFACE_VERSION}
"""The fields of COOKIE's input."""


def number_of(abi: Abi, name: str) -> int:
    """The number of a request that the ABI has."""
    number = abi.request(name).number
    assert number is not None, f"{abi.name} has no {name}"
    return number


def good_input(session: DriverSession, name: str) -> bytes:
    """An input of `name` that the driver accepts."""
    return session.input(name, **(GREETING if name == "COOKIE" else {}))


def good_size(abi: Abi, name: str) -> int:
    """The shortest output buffer that `name` accepts."""
    return abi.request(name).out_rule.minimum


def ask(session: DriverSession, name: str, data: bytes | None = None, **transport: Any) -> Reply:
    """Make request `name` correctly but for what is given: `data`, and anything of `Device.request`."""
    transport.setdefault("out_size", good_size(session.abi, name))
    sent = good_input(session, name) if data is None else data
    return session.device.request(number_of(session.abi, name), sent, name=name, **transport)


def greet_with(device: Device, **fields: Any) -> Reply:
    """COOKIE on a device, correct but for `fields`."""
    layout = device.abi.layout("SUPCOOKIE_IN")
    out_size = good_size(device.abi, "COOKIE")
    number = number_of(device.abi, "COOKIE")
    return device.request(number, layout.pack(**{**GREETING, **fields}), out_size=out_size, name="COOKIE")
