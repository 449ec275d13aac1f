"""FreeBSD: a module of its kernel, a device node, sysctl, its own error numbers."""

from __future__ import annotations

import os
import re
import secrets
import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from harness.abi import PAGE_SIZE
from harness.console.crash import Crash
from harness.console.freebsd import locate
from harness.errors import CapabilityMissing, DriverBuildError, DriverLoadError
from harness.matrix import Cell
from harness.targets.base import DriverBuild, GuestImage, Refusal
from harness.targets.counters import parse_counters
from harness.targets.freebsd_build import COMPILER_MAJOR, OwnKernel, build_freebsd_driver
from harness.transport.agent import AgentClient
from harness.transport.wire import AgentOpError, FileFlag, RequestReply

_GUEST_PATH = "/tmp/supdrv.ko"  # noqa: S108 - a path in the guest, whose only user is us
_BOOT_MARK = "/tmp/supdrv-boot-mark"  # noqa: S108 - likewise
_MARK_BYTES = 16
_LOAD_SECONDS = 30.0
_COUNTERS_BYTES = 4096
_RANDOM = "/dev/random"
_SEED_BYTES = 64
_NOT_THERE = 2  # ENOENT
_MAJOR = re.compile(r"(\d+)\.\d+")
_LOCKED = "sysctl:hw.supdrv.locked.{}"
_PAGES = "sysctl:vm.stats.vm.{}"
_AT_HAND = ("v_free_count", "v_inactive_count", "v_laundry_count")

# What the agent asks of a kernel about a process's memory: struct kinfo_vmentry begins with its size, its kind, and the
# first and the last address (sys/user.h of FreeBSD 12 to 15).
_ENTRY = struct.Struct("<iiQQ")
_MAPPINGS_BYTES = 1 << 20

# errno.h of FreeBSD 12 to 15, as far as the driver, its transport and the system calls around it use them.
_ERRORS = {
    1: "EPERM",
    2: "ENOENT",
    3: "ESRCH",
    5: "EIO",
    6: "ENXIO",
    8: "ENOEXEC",
    9: "EBADF",
    12: "ENOMEM",
    13: "EACCES",
    14: "EFAULT",
    16: "EBUSY",
    17: "EEXIST",
    19: "ENODEV",
    22: "EINVAL",
    25: "ENOTTY",
    32: "EPIPE",
    35: "EAGAIN",
    45: "EOPNOTSUPP",
    77: "ENOLCK",
    78: "ENOSYS",
    86: "EILSEQ",
}

# Before the driver is asked, the kernel copies as many bytes of a block as the number's size field says, and refuses a
# number that says it has a block of no bytes. See docs/freebsd.md.
_REFUSALS = {
    Refusal.BAD_ADDRESS: (14,),
    Refusal.BAD_SIZE_FIELD: (22, 14, 25),
    Refusal.BAD_DIRECTION: (25,),
    Refusal.CLOSED: (9,),
    Refusal.NOT_READ_WRITE: (9,),
    Refusal.WRONG_WORD_SIZE: (25, 14),
    Refusal.NARROW_ADDRESS: (25, 14),
    Refusal.NO_MAPPING: (22, 13),
    Refusal.NO_STREAM: (19,),
    Refusal.IN_USE: (16,),
}


class FreeBsdTarget:
    """See `harness.targets.base.Target`."""

    module = "supdrv"
    device = "/dev/supdrv"
    opener_only = False
    counters_file = "sysctl:hw.supdrv.counters"

    def build_driver(self, cell: Cell, image: GuestImage, sources: Path, build: Path) -> DriverBuild:
        """With the cross compiler of the virtual environment: for the guest's own kernel where its sources are named,
        else for the one that the compiler has headers of."""
        own = None if image.headers == Path() else OwnKernel(image.headers, image.options)
        if own is None:
            check_headers(image.release)
        return build_freebsd_driver(
            cell.arch,
            faults=cell.driver == "faults",
            sources=sources,
            build=build,
            kernel=own,
        )

    def fingerprint(self, agent: AgentClient) -> Mapping[str, str]:
        """What the agent says of itself and the system, and a mark in a file that a boot does not have: the first to
        ask leaves it there."""
        hello = agent.hello()
        return {
            "kernel": f"{hello.release} {hello.version}",
            "boot": _boot_mark(agent),
            "agent": f"{hello.build_id}, process {hello.pid}",
        }

    def prepare(self, agent: AgentClient) -> None:
        """Nothing in it goes by a clock that runs on while the guest is kept."""

    def refresh(self, agent: AgentClient) -> None:
        """New random bytes for the pool, and the time."""
        agent.file_write(_RANDOM, os.urandom(_SEED_BYTES))
        agent.clock(time.time_ns())

    def load_driver(self, agent: AgentClient, driver: DriverBuild, options: Mapping[str, int]) -> str:
        """Copy the module into the guest, load it with kldload(2) and `options` in the kernel's environment, and ask
        what is loaded for its build id."""
        agent.file_write(_GUEST_PATH, driver.path.read_bytes(), flags=FileFlag.CREATE | FileFlag.TRUNCATE)
        try:
            agent.driver_load(_GUEST_PATH, _parameters(options), deadline=_LOAD_SECONDS)
        except AgentOpError as error:
            raise DriverLoadError(
                f"the guest's kernel did not load the driver: {self.code_name(error.os_error)}",
                hint="the kernel says why on its console; a module fits one major version",
            ) from error
        loaded = agent.driver_status(self.module).build_id.hex()
        if loaded != driver.build_id:
            raise DriverLoadError(f"the guest runs driver build {loaded or 'none'}, not {driver.build_id} of the file")
        return loaded

    def reload_driver(self, agent: AgentClient, options: Mapping[str, int]) -> None:
        """kldunload(2), and kldload(2) of the file that lies in the guest since `load_driver`."""
        agent.driver_unload(self.module)
        agent.driver_load(_GUEST_PATH, _parameters(options), deadline=_LOAD_SECONDS)

    def prepare_failures(self, agent: AgentClient) -> None:
        _lacks("fault-injection")

    def failure(self, number: int) -> tuple[int, bytes]:
        _lacks("fault-injection")

    def waiting_threads(self, watch: AgentClient) -> str:
        """Each thread of the other agents with its kernel stack, by the kernel's own account."""
        return "(the system is alive; its kernel was not asked where its threads stand)"

    def locate(self, crash: Crash, console: str, driver: Path) -> Crash:
        """By the names of the functions in the build."""
        return locate(crash, module=self.module, image=driver)

    def counters(self, agent: AgentClient) -> Mapping[str, int]:
        """From a sysctl: a line `name value` each, and a NUL."""
        return parse_counters(agent.file_read(self.counters_file, length=_COUNTERS_BYTES).rstrip(b"\0"))

    def physical_pages(self, agent: AgentClient, pid: int, address: int, count: int) -> tuple[int, ...]:
        _lacks("physical-memory")

    def pages_dirty(self, agent: AgentClient, physical: Sequence[int]) -> tuple[bool, ...]:
        _lacks("page-flags")

    def use_huge_pages(self, agent: AgentClient, *, wanted: bool) -> None:
        _lacks("huge-pages")

    def device_memory(self, agent: AgentClient) -> str:
        _lacks("device-memory")

    def mappings(self, agent: AgentClient, pid: int) -> tuple[tuple[int, int], ...]:
        """From a sysctl: records that begin with their length."""
        return parse_mappings(agent.file_read(f"sysctl:kern.proc.vmmap.{pid}", length=_MAPPINGS_BYTES))

    def pages_held(self, agent: AgentClient) -> int:
        _lacks("pin-statistics")

    def locked_memory(self, agent: AgentClient, pid: int) -> int:
        """From the driver: the kernel's own count knows nothing of its pins."""
        return int.from_bytes(agent.file_read(_LOCKED.format(pid), length=8), "little")

    def memory_used(self, agent: AgentClient) -> int:
        """All pages but those that are free or could be, by the kernel's own count. It has none of those that were
        given back while somebody held them."""
        total, *rest = (
            int.from_bytes(agent.file_read(_PAGES.format(name), length=8), "little")
            for name in ("v_page_count", *_AT_HAND)
        )
        return (total - sum(rest)) * PAGE_SIZE

    def abi_name(self, arch: str) -> str:
        return f"bsd-{arch}"

    def refusal_codes(self, refusal: Refusal) -> frozenset[int]:
        return frozenset(_REFUSALS.get(refusal, ()))

    def code_name(self, code: int) -> str:
        return f"{_ERRORS.get(code, 'errno')} {code}" if code else "success"

    def fast_result(self, reply: RequestReply) -> int:
        """A negative status comes as the errno of its absolute value."""
        return -reply.os_error if reply.os_error else reply.result


def check_headers(release: str) -> None:
    """Raises DriverBuildError where a driver that is built with the compiler's headers would not fit."""
    match = _MAJOR.search(release)
    if match and int(match[1]) != COMPILER_MAJOR:
        raise DriverBuildError(
            f"the driver for {release} needs the sources of its kernel: the compiler has headers of {COMPILER_MAJOR}",
            hint="unpack src.txz of the release, and name its sys as `sources` under [image]: docs/freebsd.md",
        )


def parse_mappings(records: bytes) -> tuple[tuple[int, int], ...]:
    """Address and size of each mapping in the kernel's list of a process's memory."""
    found: list[tuple[int, int]] = []
    place = 0
    while place + _ENTRY.size <= len(records):
        size, _kind, start, end = _ENTRY.unpack_from(records, place)
        if size < _ENTRY.size:
            break
        found.append((start, end - start))
        place += size
    return tuple(found)


def _lacks(capability: str) -> NoReturn:
    raise CapabilityMissing(capability, "FreeBSD")


def _parameters(options: Mapping[str, int]) -> str:
    return " ".join(f"{name}={value}" for name, value in options.items())


def _boot_mark(agent: AgentClient) -> str:
    try:
        return agent.file_read(_BOOT_MARK, length=_MARK_BYTES).hex()
    except AgentOpError as error:
        if error.os_error != _NOT_THERE:
            raise
    mark = secrets.token_bytes(_MARK_BYTES)
    agent.file_write(_BOOT_MARK, mark, flags=FileFlag.CREATE)
    return mark.hex()
