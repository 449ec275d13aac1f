"""Payloads that are sent to the agent."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from harness.errors import ProtocolError
from harness.transport.wire.ops import Op, enum_name
from harness.transport.wire.values import Carry

Packet = tuple[int, int]
"""Address and length of one of OS/2's packets."""

_U32 = struct.Struct("<I")
_SUB = struct.Struct("<HI")
_REQUEST = struct.Struct("<IIIIQQQQIB3xI")
_LOOP = struct.Struct("<IIIIHI")


def describe(op: int, payload: bytes, *, client: int = 0) -> str:
    """A frame in words, for messages: "REQUEST 0xc0205681 on handle 3 (client 1)"."""
    text = enum_name(Op, op)
    if op == Op.REQUEST and len(payload) >= _REQUEST.size:
        handle, number = struct.unpack_from("<II", payload)
        text += f" {number:#x} on handle {handle}"
    elif op == Op.IOCTL_RAW and len(payload) == 20:
        handle, number, arg = struct.unpack("<IQQ", payload)
        text += f" {number:#x} with {arg:#x} on handle {handle}"
    elif op == Op.LOOP and len(payload) >= _LOOP.size:
        count, threads, _limit, _stride, sub, _length = _LOOP.unpack_from(payload)
        text += f" of {count} by {threads}: " + describe(sub, payload[_LOOP.size :])
    return text + (f" (client {client})" if client else "")


def blob(data: bytes) -> bytes:
    """u32 length and bytes."""
    return _U32.pack(len(data)) + data


def text(value: str) -> bytes:
    """u16 length and UTF-8; raises ProtocolError when it does not fit."""
    data = value.encode()
    if len(data) > 0xFFFF:
        raise ProtocolError(f"agent: a text of {len(data)} bytes is too long to send")
    return struct.pack("<H", len(data)) + data


def pack_request(
    handle: int,
    number: int,
    *,
    data: bytes = b"",
    out_size: int = 0,
    cb_in: int | None = None,
    cb_out: int | None = None,
    in_ptr: int = 0,
    out_ptr: int = 0,
    fill: int = 0xCC,
    flags: int = 0,
    category: int = 0,
) -> bytes:
    """Payload of REQUEST. cb_in and cb_out are the claimed lengths, by default the true ones."""
    return (
        _REQUEST.pack(
            handle,
            number,
            category,
            flags,
            len(data) if cb_in is None else cb_in,
            out_size if cb_out is None else cb_out,
            in_ptr,
            out_ptr,
            out_size,
            fill,
            len(data),
        )
        + data
    )


def pack_ioctl_raw(handle: int, number: int, arg: int) -> bytes:
    """Payload of IOCTL_RAW."""
    return struct.pack("<IQQ", handle, number, arg)


def pack_ioctl_packets(handle: int, number: int, *, parameters: Packet, data: Packet) -> bytes:
    """Payload of IOCTL_PACKETS; `number` has the category in its second byte, above the function."""
    category, function = number >> 8 & 0xFF, number & 0xFF
    return struct.pack("<IHHIIII", handle, category, function, *parameters, *data)


def pack_loop(op: int, payload: bytes, *, count: int, threads: int, limit_ms: int, stride: int) -> bytes:
    """Payload of LOOP."""
    return _LOOP.pack(count, threads, limit_ms, stride, op, len(payload)) + payload


def pack_kills(
    path: str, steps: Iterable[tuple[bytes, Iterable[Carry]]], *, count: int, spread_us: int, repeat_from: int
) -> bytes:
    """Payload of KILLS. A step is the payload of a REQUEST and what it takes from earlier steps."""
    parts = [text(path), struct.pack("<III", count, spread_us, repeat_from)]
    for payload, carries in steps:
        taken = [struct.pack("<IIII", one.source, one.start, one.to, one.length) for one in carries]
        parts += (blob(payload), struct.pack("<H", len(taken)), *taken)
    return b"".join(parts)


def pack_open(path: str, flags: int) -> bytes:
    """Payload of OPEN: OpenFlag's bits."""
    return text(path) + _U32.pack(flags)


def pack_file_read(path: str, length: int, *, offset: int = 0) -> bytes:
    """Payload of FILE_READ: up to `length` bytes from byte `offset` on."""
    return text(path) + struct.pack("<QI", offset, length)


def pack_file_write(path: str, data: bytes, *, offset: int = 0, flags: int = 0, mode: int = 0o644) -> bytes:
    """Payload of FILE_WRITE."""
    return text(path) + struct.pack("<IIQ", flags, mode, offset) + blob(data)


def pack_batch(subs: Iterable[tuple[int, bytes]], *, stop_on_error: bool = False) -> bytes:
    """Payload of BATCH: ops with their payloads, in order."""
    parts, head = [_U32.pack(int(stop_on_error))], _SUB.pack
    for op, payload in subs:
        parts.append(head(op, len(payload)))
        parts.append(payload)
    return b"".join(parts)
