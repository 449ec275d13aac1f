"""What the harness asks of an operating system."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.console.crash import Crash
from harness.matrix import Cell
from harness.transport.agent import AgentClient
from harness.transport.wire import RequestReply


@dataclass(frozen=True, slots=True)
class DriverBuild:
    """A built driver: the file to load, its build id (hex) and how long building took (0.0 if nothing had
    changed)."""

    path: Path
    build_id: str
    seconds: float


@dataclass(frozen=True, slots=True)
class GuestImage:
    """What a guest boots: kernel and initial ramdisk, the kernel's release, and the tree to build drivers in, where
    they are built in one, with the directory of its options, where that is another. Without an initial ramdisk the
    kernel and a root of the harness's own come from a disc, see `harness.images.freebsd_disc`."""

    kernel: Path
    initrd: Path
    release: str
    headers: Path = Path()
    options: Path = Path()


class Refusal(enum.Enum):
    """What a request meets before the driver's own checks: refusals of the transport, see docs/driver.md."""

    BAD_ADDRESS = "the argument block, the input or the output cannot be read or written"
    BUFFER_NOT_THERE = "the system looks at the whole of a buffer first, and not all of what was claimed is there"
    BAD_SIZE_FIELD = "the size field of the request's number is not that of the argument block"
    OTHER_CATEGORY = "the category in the request's number is none of the driver's"
    BAD_DIRECTION = "the system has no requests with these direction bits"
    CLOSED = "the handle is not open any more"
    CLOSED_MEANWHILE = "the handle was closed while the request waited for its turn"
    CANCELLED = "the client cancelled the request while it waited"
    NOT_READ_WRITE = "the device was not opened for reading and writing"
    WRONG_WORD_SIZE = "a 32-bit client on a 64-bit kernel"
    NARROW_ADDRESS = "a 32-bit client on a 64-bit kernel, with an address at which there may be nothing"
    NO_MAPPING = "the device cannot be mapped this way"
    NO_STREAM = "the device cannot be read or written as a file"
    IN_USE = "the driver is in use"
    NOT_THE_OPENER = "the device was opened by another process"


class Target(Protocol):
    """One operating system, as the controller sees it."""

    module: str
    """Name of the driver's module, as it stands in backtraces."""

    device: str
    """Path of the device in the guest."""

    opener_only: bool
    """Whether only the process that opened the device may make requests, whoever else has the handle."""

    counters_file: str
    """Path of the file with the driver's counters; empty where they are told otherwise."""

    def build_driver(self, cell: Cell, image: GuestImage, sources: Path, build: Path) -> DriverBuild:
        """Build the driver for `cell` from the project at `sources` into `build`, unless nothing changed.
        Raises DriverBuildError with the compiler's output."""

    def fingerprint(self, agent: AgentClient) -> Mapping[str, str]:
        """What tells this boot of this guest, as it is now, from any other: facts by name."""

    def prepare(self, agent: AgentClient) -> None:
        """Make a guest ready to be kept: what its kernel would take for trouble is its clock's jump at a restore."""

    def refresh(self, agent: AgentClient) -> None:
        """Give a guest that has been kept or restored what it cannot have kept: the time of day, and randomness; and
        undo `prepare`."""

    def load_driver(self, agent: AgentClient, driver: DriverBuild, options: Mapping[str, int]) -> str:
        """Put the driver into the guest and load it with `options` (docs/driver.md), the others at their defaults.
        Returns the build id that the loaded driver carries. Raises DriverLoadError."""

    def reload_driver(self, agent: AgentClient, options: Mapping[str, int]) -> None:
        """Unload the driver and load it again as `load_driver` put it into the guest, without a look at what it is."""

    def prepare_failures(self, agent: AgentClient) -> None:
        """Make every kind of allocation in the guest's kernel one that `failure` can let fail."""

    def failure(self, number: int) -> tuple[int, bytes]:
        """For a batch: the `number`th time from now on that the kernel allocates memory for the thread that runs the
        batch, or copies from or to its memory, it fails. 0: no more failures; where that fails itself, the one that
        was asked for was still to come."""

    def waiting_threads(self, watch: AgentClient) -> str:
        """Where in the kernel the threads of the other agents are: a text with backtraces."""

    def locate(self, crash: Crash, console: str, driver: Path) -> Crash:
        """The crash with frames, where the system tells only an address; `console` is all that the guest printed."""

    def counters(self, agent: AgentClient) -> Mapping[str, int]:
        """The driver's own counters, by name."""

    def physical_pages(self, agent: AgentClient, pid: int, address: int, count: int) -> tuple[int, ...]:
        """The physical addresses of `count` pages of a process; 0 for a page that is not there."""

    def pages_dirty(self, agent: AgentClient, physical: Sequence[int]) -> tuple[bool, ...]:
        """Whether the kernel takes each of these pages for changed."""

    def use_huge_pages(self, agent: AgentClient, *, wanted: bool) -> None:
        """Whether what processes allocate from now on is made of huge pages wherever it can be, or never is."""

    def device_memory(self, agent: AgentClient) -> str:
        """The path of a file of which a process can map a page and has a device's own memory then."""

    def mappings(self, agent: AgentClient, pid: int) -> tuple[tuple[int, int], ...]:
        """Address and size of everything that is mapped in a process."""

    def pages_held(self, agent: AgentClient) -> int:
        """How many pages the kernel holds in place for its drivers and for input and output."""

    def locked_memory(self, agent: AgentClient, pid: int) -> int:
        """Bytes of locked memory that the kernel counts for a process."""

    def memory_used(self, agent: AgentClient) -> int:
        """Bytes of the guest's memory that are in use and could not be given up at once."""

    def abi_name(self, arch: str) -> str:
        """Name of the interface's ABI for a client of word size `arch`."""

    def refusal_codes(self, refusal: Refusal) -> frozenset[int]:
        """The system's own numbers for a refusal of the transport; none if it never refuses for that."""

    def code_name(self, code: int) -> str:
        """The system's own name for one of its error numbers, for messages."""

    def fast_result(self, reply: RequestReply) -> int:
        """The status that a fast request ended with: 0 or more for success, negative for an error."""
