"""Frames of the agent protocol, and a stream of them."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from harness.errors import ProtocolError
from harness.transport.wire.ops import Op, enum_name

MAGIC = b"SDA1"
HEADER = struct.Struct("<4sIIHH")
MAX_PAYLOAD = 16 * 1024 * 1024 + 128 * 1024
REPLY_BIT = 0x8000


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame in either direction; a reply has REPLY_BIT in `op`."""

    id: int
    op: int
    client: int = 0
    payload: bytes = b""


class FrameDecoder:
    """Cuts a byte stream into frames.

    With resync, bytes before the first frame are dropped: a port that outlived its last user may still hold
    the end of an old reply.
    """

    def __init__(self, *, resync: bool = False) -> None:
        self._buffer = bytearray()
        self._resync = resync

    def feed(self, data: bytes) -> list[Frame]:
        """The frames completed by data; raises ProtocolError on bytes that are no frame."""
        buffer = self._buffer
        buffer += data
        frames: list[Frame] = []
        at = 0
        while len(buffer) - at >= HEADER.size:
            if self._resync and not buffer.startswith(MAGIC, at):
                found = buffer.find(MAGIC, at)
                at = found if found >= 0 else len(buffer) - len(MAGIC) + 1
                continue
            magic, length, number, client, op = HEADER.unpack_from(buffer, at)
            if magic != MAGIC:
                raise ProtocolError(f"agent stream: no frame starts with {bytes(buffer[at : at + 16])!r}")
            if length > MAX_PAYLOAD:
                raise ProtocolError(f"agent stream: a frame claims {length} bytes, {MAX_PAYLOAD} are allowed")
            end = at + HEADER.size + length
            if len(buffer) < end:
                break
            self._resync = False
            frames.append(Frame(number, op, client, bytes(buffer[at + HEADER.size : end])))
            at = end
        del buffer[:at]
        return frames


def encode(frame: Frame) -> bytes:
    """The bytes of a frame; raises ProtocolError when the payload is longer than MAX_PAYLOAD."""
    if len(frame.payload) > MAX_PAYLOAD:
        raise ProtocolError(f"agent: {enum_name(Op, frame.op)} of {len(frame.payload)} bytes is too long to send")
    header = HEADER.pack(MAGIC, len(frame.payload), frame.id, frame.client, frame.op)
    return header + frame.payload
