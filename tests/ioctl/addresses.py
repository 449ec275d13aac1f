"""Addresses that a client must not get away with."""

from __future__ import annotations

import pytest

from harness.abi import PAGE_SIZE
from harness.session.client import Client

_FAR = {
    # Below the program and far from where new memory is put: a hole elsewhere is where the driver would map.
    "unmapped": {32: 0x00100000, 64: 0x00100000},
    "kernel-start": {32: 0xC0000000, 64: 0xFFFF888000000000},
    "kernel-text": {32: 0xC1000000, 64: 0xFFFFFFFF81000000},
    "last-page": {32: 0xFFFFF000, 64: 0xFFFFFFFFFFFFF000},
    "wraps-to-null": {32: 0xFFFFFFFC, 64: 0xFFFFFFFFFFFFFFFC},
    "not-canonical": {64: 0x4141414141414000},
    "first-not-canonical": {64: 0x0000800000000000},
}

_UNMAPPED = {"windows": {32: 0x7FFE8000, 64: 0x300000000000}, "os2": {32: 0x8000}}
"""Where that is not so. Windows: behind the page that the system shares with every process; far from all memory."""

BAD_KINDS = (
    "null",
    "first-page",
    "inaccessible",
    *(
        pytest.param(kind, marks=() if 32 in places else pytest.mark.only("amd64"), id=kind)
        for kind, places in _FAR.items()
    ),
)
"""For parametrisation: what `bad_address` knows, in the cells that have it."""


def bad_address(client: Client, kind: str) -> int:
    """An address of that kind, which the process can neither read nor write."""
    if kind == "unmapped" and client.abi.os in _UNMAPPED:
        return _UNMAPPED[client.abi.os][client.abi.word_size]
    if kind in _FAR:
        return _FAR[kind][client.abi.word_size]
    if kind == "inaccessible":
        return client.alloc(PAGE_SIZE, read=False, write=False)
    return {"null": 0, "first-page": 16}[kind]


def end_of_memory(client: Client, before: int) -> int:
    """An address `before` bytes ahead of the end of readable and writable memory."""
    return client.alloc(PAGE_SIZE) + PAGE_SIZE - before


def in_kernel_half(token: int, word_size: int) -> bool:
    """Whether a value could be a kernel's address: the upper half of the address space is the kernel's."""
    return bool(token >> (word_size - 1))
