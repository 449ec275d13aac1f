"""Windows, and Wine in its place: a service for the driver, a device with its counters, Win32 error codes."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from harness.console.crash import Crash
from harness.console.windows import locate
from harness.errors import CapabilityMissing, DriverLoadError, GuestError
from harness.matrix import Cell
from harness.targets.base import DriverBuild, GuestImage, Refusal
from harness.targets.counters import parse_counters
from harness.targets.win32 import Win32, win32_name
from harness.targets.windows_build import build_windows_driver
from harness.transport.agent import AgentClient
from harness.transport.wire import AgentOpError, FileFlag, RequestReply

_GUEST_PATH = "C:\\supdrv.sys"
_BOOT_MARK = "C:\\supdrv-boot-mark"
_MARK_BYTES = 16
_LOAD_SECONDS = 30.0
_COUNTERS_BYTES = 4096

# Where there are two, the second one is Wine's: docs/windows.md.
_REFUSALS = {
    Refusal.BAD_ADDRESS: (Win32.NOACCESS, Win32.INVALID_USER_BUFFER),
    Refusal.BUFFER_NOT_THERE: (Win32.NOACCESS, Win32.INVALID_USER_BUFFER, Win32.NO_SYSTEM_RESOURCES),
    Refusal.CLOSED: (Win32.INVALID_HANDLE,),
    Refusal.CLOSED_MEANWHILE: (Win32.INVALID_HANDLE, Win32.ACCESS_DENIED),
    Refusal.CANCELLED: (Win32.OPERATION_ABORTED,),
    Refusal.NOT_READ_WRITE: (Win32.ACCESS_DENIED,),
    Refusal.WRONG_WORD_SIZE: (Win32.NOT_SUPPORTED,),
    Refusal.NARROW_ADDRESS: (Win32.NOT_SUPPORTED, Win32.NOACCESS, Win32.INVALID_USER_BUFFER),
    Refusal.NO_STREAM: (Win32.INVALID_FUNCTION,),
    Refusal.IN_USE: (Win32.INVALID_SERVICE_CONTROL,),
    Refusal.NOT_THE_OPENER: (Win32.ACCESS_DENIED,),
}


class WindowsTarget:
    """See `harness.targets.base.Target`."""

    module = "supdrv"
    device = "\\\\.\\supdrv"
    counters_file = "\\\\.\\supdrv-counters"
    opener_only = True

    def build_driver(self, cell: Cell, image: GuestImage, sources: Path, build: Path) -> DriverBuild:
        """With the cross compiler of the virtual environment; nothing of the guest's image is needed."""
        return build_windows_driver(cell.arch, faults=cell.driver == "faults", sources=sources, build=build)

    def fingerprint(self, agent: AgentClient) -> Mapping[str, str]:
        """What the agent says of itself and the system, and a mark in a file that a boot from the image does not
        have: the first to ask leaves it there."""
        hello = agent.hello()
        return {
            "system": f"{hello.release} {hello.version}",
            "boot": _boot_mark(agent),
            "agent": f"{hello.build_id}, process {hello.pid}",
        }

    def prepare(self, agent: AgentClient) -> None:
        """Nothing in it goes by a clock that runs on while the guest is kept."""

    def refresh(self, agent: AgentClient) -> None:
        """The time of day. Wine has that of the system below it and lets nobody set it: there it stays what it was
        when the guest was kept."""
        try:
            agent.clock(time.time_ns())
        except AgentOpError as error:
            if error.os_error != Win32.PRIVILEGE_NOT_HELD:
                raise

    def load_driver(self, agent: AgentClient, driver: DriverBuild, options: Mapping[str, int]) -> str:
        """Copy the driver into the guest, have the service manager start it with `options` as values of its
        service's Parameters key, and read the build id from what is loaded."""
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
        """Stop the service, and start it again with the file that lies in the guest since `load_driver`."""
        agent.driver_unload(self.module)
        agent.driver_load(_GUEST_PATH, _parameters(options), deadline=_LOAD_SECONDS)

    def prepare_failures(self, agent: AgentClient) -> None:
        _lacks("fault-injection")

    def failure(self, number: int) -> tuple[int, bytes]:
        _lacks("fault-injection")

    def waiting_threads(self, watch: AgentClient) -> str:
        """No program may look into the system from outside: said as it is."""
        return "(the system is alive; it does not tell a program where in the driver a thread stands)"

    def locate(self, crash: Crash, console: str, driver: Path) -> Crash:
        """By the load address that the driver tells, and the debug information of its build."""
        return locate(crash, console, module=self.module, image=driver)

    def counters(self, agent: AgentClient) -> Mapping[str, int]:
        """From the driver's second device: a line `name value` each."""
        return parse_counters(agent.file_read(self.counters_file, length=_COUNTERS_BYTES))

    def physical_pages(self, agent: AgentClient, pid: int, address: int, count: int) -> tuple[int, ...]:
        _lacks("physical-memory")

    def pages_dirty(self, agent: AgentClient, physical: Sequence[int]) -> tuple[bool, ...]:
        _lacks("page-flags")

    def use_huge_pages(self, agent: AgentClient, *, wanted: bool) -> None:
        _lacks("huge-pages")

    def device_memory(self, agent: AgentClient) -> str:
        _lacks("device-memory")

    def mappings(self, agent: AgentClient, pid: int) -> tuple[tuple[int, int], ...]:
        _lacks("process-maps")

    def pages_held(self, agent: AgentClient) -> int:
        _lacks("pin-statistics")

    def locked_memory(self, agent: AgentClient, pid: int) -> int:
        _lacks("memory-limit")

    def memory_used(self, agent: AgentClient) -> int:
        _lacks("steady-memory")

    def abi_name(self, arch: str) -> str:
        return f"windows-{arch}"

    def refusal_codes(self, refusal: Refusal) -> frozenset[int]:
        return frozenset(_REFUSALS.get(refusal, ()))

    def code_name(self, code: int) -> str:
        return win32_name(code) if code else "success"

    def fast_result(self, reply: RequestReply) -> int:
        """The status comes as four bytes of output; a Win32 error means that there is none."""
        if reply.os_error:
            raise GuestError(f"a fast request has no answer: {self.code_name(reply.os_error)}")
        return reply.result


def _lacks(capability: str) -> NoReturn:
    raise CapabilityMissing(capability, "Windows")


def _parameters(options: Mapping[str, int]) -> str:
    return " ".join(f"{name}={value}" for name, value in options.items())


def _boot_mark(agent: AgentClient) -> str:
    try:
        return agent.file_read(_BOOT_MARK, length=_MARK_BYTES).hex()
    except AgentOpError as error:
        if error.os_error != Win32.FILE_NOT_FOUND:
            raise
    mark = secrets.token_bytes(_MARK_BYTES)
    agent.file_write(_BOOT_MARK, mark, flags=FileFlag.CREATE)
    return mark.hex()
