"""What the fuzzer begins with: short sequences of requests as tests/core/fuzz reads them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

# In the order of enum form_name: how many bytes a request's fields take in the fuzzer's input.
FIELD_BYTES = {
    "COOKIE": 2,
    "QUERY_FUNCS": 1,
    "IDT_INSTALL": 0,
    "IDT_REMOVE": 0,
    "PINPAGES": 3,
    "UNPINPAGES": 1,
    "CONT_ALLOC": 1,
    "CONT_FREE": 1,
    "LDR_OPEN": 2,
    "LDR_LOAD": 3,
    "LDR_FREE": 1,
    "LDR_GET_SYMBOL": 2,
    "CALL_VMMR0": 2,
    "GET_PAGING_MODE": 0,
    "LOW_ALLOC": 2,
    "LOW_FREE": 1,
    "GIP_MAP": 0,
    "GIP_UNMAP": 0,
    "SET_VM_FOR_FAST": 1,
}
_NAMES = list(FIELD_BYTES)
_FORM, _FAST, _OPEN, _CLOSE, _DURING = 0x00, 0xB0, 0xB8, 0xC4, 0xD0
_MEMORY, _SEALS, _PINS, _CHANCE, _PROCESSOR, _TIME = 0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD
_COPY_OUT_FAILS = 0xA0
_IMAGES_RUN = bytes([8])
_SYMBOLS = 3
_BUDGETS = 6
_MAPPING = ("CONT_ALLOC", "LOW_ALLOC", "GIP_MAP")
_INTERVALS_NS = (0, 1_000_000, 10_000_000, 100_000_000, 4_000_000_000)
_WINDOWS = 9  # of 256 ticks; the rate is measured anew after eight
_INTERVALS_TSC = (0, 3_000_000, 0xFF_FFFF_FFFF)


def _request(name: str, *fields: int, session: int = 0, fault: int = 0) -> bytes:
    filled = [*fields, *[0] * FIELD_BYTES[name]][: max(FIELD_BYTES[name], len(fields))]
    return bytes([_FORM, session, _NAMES.index(name), *filled, fault])


def _image(*, pointers: int) -> bytes:
    """An image that is opened, loaded, asked for a symbol, called and freed."""
    pointed = bin(pointers).count("1")
    load = _request("LDR_LOAD", 0, _SYMBOLS, pointers, *[0] * pointed)
    used = _request("LDR_GET_SYMBOL", 0, 1) + _request("SET_VM_FOR_FAST") + bytes([_FAST, 0, 1])
    return _request("LDR_OPEN") + load + used + _request("CALL_VMMR0", 0, 13) + _request("LDR_FREE")


def seeds() -> Iterator[bytes]:
    """Each request alone, after each other one, with a failing copy-out and with few allocations; images; sessions."""
    begin = bytes([0])
    for name in _NAMES:
        yield begin + _request(name)
        yield begin + _request(name, fault=_COPY_OUT_FAILS)
        for budget in range(_BUDGETS):
            yield begin + bytes([_MEMORY, 1 + budget]) + _request(name) + _request(name)
        yield begin + bytes([_CHANCE, 1]) + _request(name)
    for first, second in itertools.permutations(_NAMES, 2):
        yield begin + _request(first) + _request(second)
    for pointers in range(8):
        yield begin + _image(pointers=pointers)
        yield _IMAGES_RUN + _image(pointers=pointers)
        yield _IMAGES_RUN + bytes([_SEALS, 1]) + _image(pointers=pointers)
    for name in _MAPPING:
        for other in _NAMES:
            meanwhile = _request(other)[1:]
            yield begin + bytes([_DURING, len(meanwhile)]) + meanwhile + _request(name) + _request("GIP_UNMAP")
    for budget in range(_BUDGETS):
        yield bytes([1 + budget]) + _request("GIP_MAP")
    yield begin + bytes([_PINS, 1]) + _request("PINPAGES")
    yield begin + bytes([_OPEN, 0]) + _request("LDR_OPEN", session=1) + _request("LDR_OPEN") + bytes([_CLOSE, 0])
    yield begin + bytes([_PROCESSOR, 1]) + bytes(range(12)) + _request("GET_PAGING_MODE")
    for interval, step in itertools.product(_INTERVALS_NS, _INTERVALS_TSC):
        ticks = bytes([_TIME, 255]) + interval.to_bytes(4, "little") + step.to_bytes(5, "little")
        yield begin + _request("GIP_MAP") + _WINDOWS * ticks + _request("GIP_UNMAP")
