"""Payloads that the agent answers with, and its errors."""

from __future__ import annotations

import struct
from typing import NamedTuple

from harness.errors import GuestError, ProtocolError
from harness.transport.wire.frames import REPLY_BIT, Frame
from harness.transport.wire.ops import AgentStatus, Op, enum_name
from harness.transport.wire.values import ClientExit, DriverStatus, Hello, Kills, LoopTiming, RequestReply

_REPLY_HEAD = struct.Struct("<II")
_SUB_REPLY_HEAD = struct.Struct("<III")
_REQUEST_REPLY = struct.Struct("<qI")
_LOOP_REPLY = struct.Struct("<QQIQIIIIII")
_TALLIED = struct.Struct("<IQ")
_U32 = struct.Struct("<I")


class AgentOpError(GuestError):
    """The agent answered with a status other than OK. `os_error` is errno or GetLastError, or 0."""

    def __init__(self, op: int, status: int, os_error: int) -> None:
        self.op = op
        self.status = status
        self.os_error = os_error
        detail = f", OS error {os_error}" if os_error else ""
        super().__init__(f"agent: {enum_name(Op, op)}: {enum_name(AgentStatus, status)}{detail}")


class ClientDiedError(AgentOpError):
    """The client process is dead. `exit` says how it ended, where the agent knows."""

    def __init__(self, op: int, os_error: int, end: ClientExit | None) -> None:
        super().__init__(op, AgentStatus.CLIENT_DIED, os_error)
        self.exit = end
        if end is not None:
            self.message += f", {'signal' if end.by_signal else 'exit code'} {end.code}"


class Reply(NamedTuple):
    """The reply to one op; `body` is what follows status and os_error. A tuple, since a batch has thousands."""

    op: int
    status: int
    os_error: int
    body: bytes

    def check(self) -> Reply:
        """This reply if its status is OK.

        Raises ClientDiedError, AgentOpError, or ProtocolError where the status says that our own frame was
        wrong.
        """
        if self.status == AgentStatus.OK:
            return self
        if self.status == AgentStatus.CLIENT_DIED:
            raise ClientDiedError(self.op, self.os_error, parse_exit(self.body) if self.body else None)
        if self.status in (AgentStatus.BAD_FRAME, AgentStatus.BAD_OP, AgentStatus.BAD_PAYLOAD):
            raise ProtocolError(
                f"agent: {enum_name(Op, self.op)}: {enum_name(AgentStatus, self.status)}",
                hint="is the agent in the guest older than this harness?",
            )
        raise AgentOpError(self.op, self.status, self.os_error)


def parse_reply(frame: Frame) -> Reply:
    """The reply in a frame; raises ProtocolError if it has no status."""
    return _reply(frame.op & ~REPLY_BIT, frame.payload)


def _reply(op: int, payload: bytes) -> Reply:
    if len(payload) < _REPLY_HEAD.size:
        raise ProtocolError(f"agent: the reply to {enum_name(Op, op)} has no status")
    status, os_error = _REPLY_HEAD.unpack_from(payload)
    return Reply(op, status, os_error, payload[_REPLY_HEAD.size :])


def _wrong(what: str, body: bytes) -> ProtocolError:
    return ProtocolError(f"agent: a {what} reply of {len(body)} bytes has the wrong shape")


def parse_fields(layout: struct.Struct, body: bytes) -> tuple[int, ...]:
    """The integers of a body of exactly this layout; raises ProtocolError."""
    if len(body) != layout.size:
        raise _wrong(layout.format, body)
    return layout.unpack(body)


def parse_batch(body: bytes, ops: list[int]) -> list[Reply]:
    """The replies of a BATCH whose sub-frames were `ops`; shorter than it when stopped by an error."""
    try:
        (count,) = _U32.unpack_from(body)
        at = _U32.size
        head, make = _SUB_REPLY_HEAD.unpack_from, tuple.__new__
        replies = []
        # A batch has thousands: each is made as the tuple that it is, without a call of its class.
        for op in ops[:count]:
            length, status, os_error = head(body, at)
            if length < _REPLY_HEAD.size:
                raise _wrong("BATCH", body)
            end = at + _U32.size + length
            replies.append(make(Reply, (op, status, os_error, body[at + _SUB_REPLY_HEAD.size : end])))
            at = end
    except struct.error:
        raise _wrong("BATCH", body) from None
    if at != len(body) or count > len(ops):
        raise _wrong("BATCH", body)
    return replies


def _string(body: bytes, at: int) -> tuple[str, int]:
    """The string at an offset, and the offset behind it. Raises ProtocolError."""
    end = at + 2 + int.from_bytes(body[at : at + 2], "little")
    if at + 2 > len(body) or end > len(body):
        raise _wrong("a string", body)
    return body[at + 2 : end].decode(errors="replace"), end


def parse_hello(body: bytes) -> Hello:
    try:
        protocol, bits, pid, page = struct.unpack_from("<HHII", body)
        at = 12
        texts = []
        for _ in range(6):
            text, at = _string(body, at)
            texts.append(text)
    except struct.error:
        raise _wrong("HELLO", body) from None
    return Hello(protocol, bits, pid, page, *texts)


def parse_strings(body: bytes) -> list[str]:
    """Strings up to the end of the body."""
    texts, at = [], 0
    while at < len(body):
        text, at = _string(body, at)
        texts.append(text)
    return texts


def parse_request(reply: Reply) -> RequestReply:
    body = reply.body
    try:
        result, returned = _REQUEST_REPLY.unpack_from(body)
        at = _REQUEST_REPLY.size
        blobs = []
        for _ in range(3):
            (length,) = _U32.unpack_from(body, at)
            at += _U32.size + length
            blobs.append(body[at - length : at])
    except struct.error:
        raise _wrong("REQUEST", body) from None
    if at != len(body):
        raise _wrong("REQUEST", body)
    return RequestReply(result, reply.os_error, returned, *blobs)


def parse_driver_status(body: bytes) -> DriverStatus:
    if len(body) < 9 or len(body) != 9 + _U32.unpack_from(body, 5)[0]:
        raise _wrong("DRIVER_STATUS", body)
    loaded, references = struct.unpack_from("<Bi", body)
    return DriverStatus(bool(loaded), references, body[9:])


def parse_exit(body: bytes) -> ClientExit:
    how, code = parse_fields(struct.Struct("<BI"), body)
    return ClientExit(how == 1, code)


def parse_loop(body: bytes) -> LoopTiming:
    return LoopTiming(*parse_fields(_LOOP_REPLY, body))


def parse_tallied_loop(body: bytes) -> tuple[LoopTiming, dict[int, int]]:
    """A loop's reply, and how often each error ended a call."""
    end = _LOOP_REPLY.size + _U32.size
    try:
        (kinds,) = _U32.unpack_from(body, _LOOP_REPLY.size)
        tally = dict(_TALLIED.unpack_from(body, end + kind * _TALLIED.size) for kind in range(kinds))
    except struct.error:
        raise _wrong("tallied LOOP", body) from None
    if len(body) != end + kinds * _TALLIED.size:
        raise _wrong("tallied LOOP", body)
    return parse_loop(body[: _LOOP_REPLY.size]), tally


def parse_kills(body: bytes) -> Kills:
    return Kills(*parse_fields(struct.Struct("<IIQQ"), body))
