"""OS/2: requests of category and function, a second device with the driver's counters, OS/2's error codes."""

from __future__ import annotations

import secrets
import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from harness.abi import PAGE_SIZE, Status
from harness.console.crash import Crash
from harness.console.os2 import locate
from harness.errors import CapabilityMissing, DriverLoadError, GuestError
from harness.matrix import Cell
from harness.targets.base import DriverBuild, GuestImage, Refusal
from harness.targets.counters import parse_counters
from harness.targets.os2_build import build_os2_driver
from harness.targets.os2_errors import Os2Error, os2_name
from harness.transport.agent import AgentClient
from harness.transport.wire import AgentOpError, FileFlag, RequestReply

_GUEST_PATH = "C:\\SUPDRV.SYS"
_BOOT_MARK = "C:\\BOOT.MRK"
_MARK_BYTES = 16
_LOAD_SECONDS = 30.0
_COUNTERS_BYTES = 4096
_TEXT_BYTES = 1 << 16
# Of the kernel: guests/os2/include/os2_guest.h.
_MEMORY = "G:\\MEMORY"
_THREADS = "G:\\THREADS"
_MAPS = "G:\\MAPS\\{pid}"
_PAGES = "G:\\PAGES\\{pid}"

_UNREADABLE = Status.INVALID_POINTER & 0xFFFFFFFF
_REFUSALS = {
    Refusal.BAD_ADDRESS: (_UNREADABLE,),
    Refusal.BUFFER_NOT_THERE: (_UNREADABLE,),
    Refusal.BAD_SIZE_FIELD: (Os2Error.INVALID_PARAMETER,),
    Refusal.OTHER_CATEGORY: (Os2Error.BAD_COMMAND,),
    Refusal.CLOSED: (Os2Error.INVALID_HANDLE,),
    Refusal.CLOSED_MEANWHILE: (Os2Error.INVALID_HANDLE, Os2Error.GEN_FAILURE),
    Refusal.NO_STREAM: (Os2Error.BAD_COMMAND,),
    Refusal.IN_USE: (Os2Error.DEVICE_IN_USE,),
    Refusal.NOT_THE_OPENER: (Os2Error.GEN_FAILURE,),
}


class Os2Target:
    """See `harness.targets.base.Target`."""

    module = "supdrv"
    device = "SUPDRV$"
    counters_file = "SUPDRVC$"
    opener_only = True

    def build_driver(self, cell: Cell, image: GuestImage, sources: Path, build: Path) -> DriverBuild:
        """With the cross compiler of the virtual environment; nothing of the guest's image is needed."""
        return build_os2_driver(faults=cell.driver == "faults", sources=sources, build=build)

    def fingerprint(self, agent: AgentClient) -> Mapping[str, str]:
        """What the agent says of itself and the system, and a mark in a file in memory, which no boot has kept: the
        first to ask leaves it there."""
        hello = agent.hello()
        return {
            "system": f"{hello.release} {hello.version}",
            "boot": _boot_mark(agent),
            "agent": f"{hello.build_id}, process {hello.pid}",
        }

    def prepare(self, agent: AgentClient) -> None:
        """Nothing in it goes by a clock that runs on while the guest is kept."""

    def refresh(self, agent: AgentClient) -> None:
        """The time of day. The system has no randomness that could be kept."""
        agent.clock(time.time_ns())

    def load_driver(self, agent: AgentClient, driver: DriverBuild, options: Mapping[str, int]) -> str:
        """Copy the driver into the guest and load it with `options` as on a DEVICE= line. The kernel tells the build
        id of what it loaded."""
        agent.file_write(_GUEST_PATH, driver.path.read_bytes(), flags=FileFlag.CREATE | FileFlag.TRUNCATE)
        try:
            agent.driver_load(_GUEST_PATH, _parameters(options), deadline=_LOAD_SECONDS)
        except AgentOpError as error:
            raise DriverLoadError(f"the guest did not load the driver: {self.code_name(error.os_error)}") from error
        loaded = agent.driver_status(self.module).build_id.hex()
        if loaded != driver.build_id:
            raise DriverLoadError(f"the guest runs driver build {loaded or 'none'}, not {driver.build_id} of the file")
        return loaded

    def reload_driver(self, agent: AgentClient, options: Mapping[str, int]) -> None:
        """Have the driver leave (DEINSTALL), and load the file that lies in the guest since `load_driver`."""
        agent.driver_unload(self.module)
        agent.driver_load(_GUEST_PATH, _parameters(options), deadline=_LOAD_SECONDS)

    def prepare_failures(self, agent: AgentClient) -> None:
        _lacks("fault-injection")

    def failure(self, number: int) -> tuple[int, bytes]:
        _lacks("fault-injection")

    def waiting_threads(self, watch: AgentClient) -> str:
        """As the kernel tells: each thread, and where those are that wait in it."""
        return watch.file_read(_THREADS, _TEXT_BYTES).decode("ascii", "replace")

    def locate(self, crash: Crash, console: str, driver: Path) -> Crash:
        """By the offsets in the driver that the trap screen has, and the debug information of its build."""
        return locate(crash, module=self.module, image=driver)

    def counters(self, agent: AgentClient) -> Mapping[str, int]:
        """From the driver's second device: a line `name value` each."""
        return parse_counters(agent.file_read(self.counters_file, length=_COUNTERS_BYTES))

    def physical_pages(self, agent: AgentClient, pid: int, address: int, count: int) -> tuple[int, ...]:
        """From the kernel's file of the process's pages: a word of 64 bits for each, 0 if it is not there."""
        offset = address // PAGE_SIZE * 8
        words = agent.file_read(_PAGES.format(pid=pid), count * 8, offset=offset)
        return tuple(word for (word,) in struct.iter_unpack("<Q", words))

    def pages_dirty(self, agent: AgentClient, physical: Sequence[int]) -> tuple[bool, ...]:
        _lacks("page-flags")

    def use_huge_pages(self, agent: AgentClient, *, wanted: bool) -> None:
        _lacks("huge-pages")

    def device_memory(self, agent: AgentClient) -> str:
        _lacks("device-memory")

    def mappings(self, agent: AgentClient, pid: int) -> tuple[tuple[int, int], ...]:
        """From the kernel's file of the process's objects, whose lines begin with start and size in hexadecimal."""
        lines = agent.file_read(_MAPS.format(pid=pid), _TEXT_BYTES).decode("ascii").splitlines()
        return tuple((int(start, 16), int(size, 16)) for start, size, *_kind in (line.split() for line in lines))

    def pages_held(self, agent: AgentClient) -> int:
        """Pages that drivers have locked."""
        return _memory(agent)["locked"]

    def locked_memory(self, agent: AgentClient, pid: int) -> int:
        _lacks("memory-limit")

    def memory_used(self, agent: AgentClient) -> int:
        """All pages that are not free: the kernel keeps none for later."""
        pages = _memory(agent)
        return (pages["total"] - pages["free"]) * PAGE_SIZE

    def abi_name(self, arch: str) -> str:
        return f"os2-{arch}"

    def refusal_codes(self, refusal: Refusal) -> frozenset[int]:
        return frozenset(_REFUSALS.get(refusal, ()))

    def code_name(self, code: int) -> str:
        return os2_name(code) if code else "success"

    def fast_result(self, reply: RequestReply) -> int:
        """There are no fast requests, so that no answer can be one's."""
        raise GuestError(f"OS/2 has no fast requests, and this was answered: {self.code_name(reply.os_error)}")


def _lacks(capability: str) -> NoReturn:
    raise CapabilityMissing(capability, "OS/2")


def _parameters(options: Mapping[str, int]) -> str:
    return " ".join(f"{name}={value}" for name, value in options.items())


def _memory(agent: AgentClient) -> Mapping[str, int]:
    return parse_counters(agent.file_read(_MEMORY, _COUNTERS_BYTES))


def _boot_mark(agent: AgentClient) -> str:
    try:
        return agent.file_read(_BOOT_MARK, length=_MARK_BYTES).hex()
    except AgentOpError as error:
        if error.os_error not in {Os2Error.FILE_NOT_FOUND, Os2Error.OPEN_FAILED}:
            raise
    mark = secrets.token_bytes(_MARK_BYTES)
    agent.file_write(_BOOT_MARK, mark, flags=FileFlag.CREATE)
    return mark.hex()
