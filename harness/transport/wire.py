"""The agent protocol as values: frames, payloads, replies. The specification is docs/agent-protocol.md."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import TypeVar

from harness.errors import GuestError, ProtocolError

PROTOCOL_VERSION = 1
MAGIC = b"SDA1"
HEADER = struct.Struct("<4sIIHH")
MAX_PAYLOAD = 16 * 1024 * 1024 + 128 * 1024
BUFFER_MAX = 16 * 1024 * 1024 + 64 * 1024
REPLY_BIT = 0x8000
NOT_TOLD = 0xFFFFFFFF

_REPLY_HEAD = struct.Struct("<II")
_REQUEST = struct.Struct("<IIIIQQQQIB3xI")
_REQUEST_REPLY = struct.Struct("<qI")
_LOOP = struct.Struct("<IIIIHI")
_LOOP_REPLY = struct.Struct("<QQIQIIIIII")
_TALLIED = struct.Struct("<IQ")
_U32 = struct.Struct("<I")


class Op(IntEnum):
    HELLO = 0x0001
    PING = 0x0002
    EXIT = 0x0003
    RESET = 0x0004
    SLEEP = 0x0005
    BATCH = 0x0006
    LOOP = 0x0007
    CLOCK = 0x0008
    DRIVER_LOAD = 0x0100
    DRIVER_UNLOAD = 0x0101
    DRIVER_STATUS = 0x0102
    OPEN = 0x0200
    CLOSE = 0x0201
    DUP = 0x0202
    HANDLE_SEND = 0x0203
    HANDLE_RECV = 0x02F0
    REQUEST = 0x0300
    IOCTL_RAW = 0x0301
    MEM_ALLOC = 0x0400
    MEM_FREE = 0x0401
    MEM_PROTECT = 0x0402
    MEM_READ = 0x0403
    MEM_WRITE = 0x0404
    MEM_FILL = 0x0405
    MEM_MAP = 0x0406
    MEM_TOUCH = 0x0407
    MEM_MOVE = 0x0408
    MEM_TRAP = 0x0409
    MEM_UNTRAP = 0x040A
    FILE_READ = 0x0500
    FILE_WRITE = 0x0501
    FILE_LIST = 0x0502
    FILE_STAT = 0x0503
    CLIENT_START = 0x0600
    CLIENT_KILL = 0x0601
    DISTURB = 0x0700
    CLOSE_DURING = 0x0701
    PROCESS_WRITE = 0x0800
    DEMOTE = 0x0801
    EXEC = 0x0802
    KILLS = 0x0803


class AgentStatus(IntEnum):
    OK = 0
    BAD_FRAME = 1
    BAD_OP = 2
    BAD_PAYLOAD = 3
    BAD_VALUE = 4
    TOO_LONG = 5
    NO_MEMORY = 6
    NO_HANDLE = 7
    OS_ERROR = 8
    UNSUPPORTED = 9
    TABLE_FULL = 10
    NO_CLIENT = 16
    CLIENT_BUSY = 17
    CLIENT_DIED = 18
    CLIENT_STUCK = 19


class OpenFlag(IntFlag):
    READ = 1
    WRITE = 2
    READ_WRITE = 3


class RequestFlag(IntFlag):
    """How REQUEST builds its buffers; the bits of docs/agent-protocol.md."""

    NONE = 0
    IN_PTR = 0x01
    OUT_PTR = 0x02
    OVERLAY = 0x04
    RETURN_IN = 0x08
    NO_ARG = 0x10


class Prot(IntFlag):
    NONE = 0
    READ = 1
    WRITE = 2
    EXEC = 4
    RW = 3
    RWX = 7


class Touch(IntEnum):
    READ = 0
    WRITE = 1
    EXECUTE = 2


class WriteHow(IntEnum):
    """How PROCESS_WRITE writes: with the kernel's copy between processes, or as a debugger, one word at most."""

    COPY = 0
    DEBUG = 1


class MemFlag(IntFlag):
    NONE = 0
    GUARD = 0x01
    FIXED = 0x02
    LOW = 0x04
    AT_END = 0x08
    SHARED = 0x10


class FileFlag(IntFlag):
    NONE = 0
    CREATE = 1
    TRUNCATE = 2
    APPEND = 4


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


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame in either direction; a reply has REPLY_BIT in `op`."""

    id: int
    op: int
    client: int = 0
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to one op. `body` is what follows status and os_error."""

    op: int
    status: int
    os_error: int
    body: bytes = field(repr=False)

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


@dataclass(frozen=True, slots=True)
class Hello:
    """`arch` and `word_bits` are the agent's, `machine` is the kernel's: amd64 or x86."""

    protocol: int
    word_bits: int
    pid: int
    page_size: int
    os: str
    arch: str
    machine: str
    release: str
    version: str
    build_id: str


@dataclass(frozen=True, slots=True)
class RequestReply:
    """What the native call did.

    result: its raw return value (-1 on Unix when os_error is set). returned: bytes, NOT_TOLD where the OS
    does not tell. block: the argument block after the call. out: the whole out buffer. in_after: with
    RETURN_IN only.
    """

    result: int
    os_error: int
    returned: int
    block: bytes
    out: bytes
    in_after: bytes


@dataclass(frozen=True, slots=True)
class IoctlReply:
    result: int
    os_error: int


@dataclass(frozen=True, slots=True)
class DriverStatus:
    """`references` is -1 where the OS does not tell; `build_id` is empty where there is none."""

    loaded: bool
    references: int
    build_id: bytes


@dataclass(frozen=True, slots=True)
class ClientInfo:
    id: int
    pid: int


@dataclass(frozen=True, slots=True)
class ClientExit:
    """Exit code, or the number of the signal that ended it."""

    by_signal: bool
    code: int


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file: its POSIX mode with its type, whose it is, its size in bytes."""

    mode: int
    user: int
    group: int
    size: int


@dataclass(frozen=True, slots=True)
class ResetCounts:
    """What a reset dropped; `stuck` clients were killed but did not die in time."""

    clients: int
    handles: int
    regions: int
    stuck: int


@dataclass(frozen=True, slots=True)
class LoopTiming:
    """Times in ns. `elapsed_ns` is wall time of the whole loop; min to max are of the `samples` timed calls,
    which are every `stride`-th."""

    count: int
    failures: int
    first_error: int
    elapsed_ns: int
    stride: int
    samples: int
    min_ns: int
    median_ns: int
    p99_ns: int
    max_ns: int


@dataclass(frozen=True, slots=True)
class Carry:
    """Bytes of the output of step `source` that become bytes of a later step's input before each call of it."""

    source: int
    start: int
    to: int
    length: int


@dataclass(frozen=True, slots=True)
class Kills:
    """Of processes: `killed` ended by the kill, `inside` of them in the middle of a request. `begun` requests were
    made by all, not counting those that each one makes once; `failures` of all requests failed."""

    killed: int
    inside: int
    begun: int
    failures: int


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


E = TypeVar("E", bound=IntEnum)


def enum_name(kind: type[E], value: int) -> str:
    """The name of a value of an enum, or the number."""
    return kind(value).name if value in kind._value2member_map_ else f"{value:#x}"


def encode(frame: Frame) -> bytes:
    """The bytes of a frame; raises ProtocolError when the payload is longer than MAX_PAYLOAD."""
    if len(frame.payload) > MAX_PAYLOAD:
        raise ProtocolError(f"agent: {enum_name(Op, frame.op)} of {len(frame.payload)} bytes is too long to send")
    header = HEADER.pack(MAGIC, len(frame.payload), frame.id, frame.client, frame.op)
    return header + frame.payload


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


def pack_file_write(path: str, data: bytes, *, offset: int = 0, flags: int = 0, mode: int = 0o644) -> bytes:
    """Payload of FILE_WRITE."""
    return text(path) + struct.pack("<IIQ", flags, mode, offset) + blob(data)


def pack_batch(subs: Iterable[tuple[int, bytes]], *, stop_on_error: bool = False) -> bytes:
    """Payload of BATCH: ops with their payloads, in order."""
    parts = [_U32.pack(int(stop_on_error))]
    for op, payload in subs:
        parts += (struct.pack("<HI", op, len(payload)), payload)
    return b"".join(parts)


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
        replies = []
        for op in ops[:count]:
            (length,) = _U32.unpack_from(body, at)
            at += _U32.size
            replies.append(_reply(op, body[at : at + length]))
            at += length
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
