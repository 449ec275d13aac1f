"""What the agent tells, as values."""

from __future__ import annotations

from dataclasses import dataclass


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
