"""Numbers of the agent protocol: ops, statuses, flags."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import TypeVar

PROTOCOL_VERSION = 1
BUFFER_MAX = 16 * 1024 * 1024 + 64 * 1024
NOT_TOLD = 0xFFFFFFFF


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
    HANDLE_VALUE = 0x0204
    HANDLE_TAKE = 0x0205
    HANDLE_RECV = 0x02F0
    REQUEST = 0x0300
    IOCTL_RAW = 0x0301
    IOCTL_PACKETS = 0x0302
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
    LIVE = 0x0804


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
    INHERIT = 4
    OVERLAPPED = 8


class RequestFlag(IntFlag):
    """How REQUEST builds its buffers; the bits of docs/agent-protocol.md."""

    NONE = 0
    IN_PTR = 0x01
    OUT_PTR = 0x02
    OVERLAY = 0x04
    RETURN_IN = 0x08
    NO_ARG = 0x10
    OVERLAPPED = 0x20
    CANCEL = 0x40


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


E = TypeVar("E", bound=IntEnum)


def enum_name(kind: type[E], value: int) -> str:
    """The name of a value of an enum, or the number."""
    return kind(value).name if value in kind._value2member_map_ else f"{value:#x}"
