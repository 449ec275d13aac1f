"""Linux: kbuild against the guest kernel's own headers, a misc device, errno."""

from __future__ import annotations

import errno
import os
import re
import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.abi import PAGE_SIZE
from harness.console.crash import Crash
from harness.errors import DriverLoadError, GuestError
from harness.matrix import Cell
from harness.targets.base import DriverBuild, GuestImage, Refusal
from harness.targets.counters import parse_counters
from harness.targets.linux_build import as_loaded, build_linux_driver
from harness.transport import wire
from harness.transport.agent import AgentClient
from harness.transport.wire import AgentOpError, FileFlag, Op, OpenFlag, RequestReply

_GUEST_PATH = "/tmp/supdrv.ko"  # noqa: S108 - a path in the guest, whose only user is us
_LOAD_SECONDS = 30.0
_COUNTERS_BYTES = 4096
_FAILURES = {
    **{f"{kind}/verbose": b"0" for kind in ("failslab", "fail_page_alloc", "fail_usercopy")},
    **{f"{kind}/ignore-gfp-wait": b"N" for kind in ("failslab", "fail_page_alloc")},
    **{"fail_page_alloc/ignore-gfp-highmem": b"N", "fail_page_alloc/min-order": b"0"},
}
_PAGE_DIRTY = 1 << 4  # KPF_DIRTY in linux/kernel-page-flags.h
_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_LINE_BYTES = 256
_STACK_BYTES = 8192
_RANDOM = "/dev/urandom"
_SEED_BYTES = 64
_RNDRESEEDCRNG = 0x5207  # random(4)
_WATCHDOG = "/proc/sys/kernel/watchdog"
_NOT_THERE = 2  # ENOENT
_AT_HAND = re.compile(rb"^ +count: +(\d+)$", re.MULTILINE)
_STATISTICS = "/proc/sys/vm/stat_refresh"
_STALLS_SUPPRESSED = "/sys/module/rcupdate/parameters/rcu_cpu_stall_suppress"

# Numbers of Linux, whatever system the controller runs on. EBADF and ENOTTY: docs/driver.md; EAGAIN: delete_module(2).
_REFUSALS = {
    Refusal.BAD_ADDRESS: 14,
    Refusal.BAD_SIZE_FIELD: 22,
    Refusal.CLOSED: 9,
    Refusal.NOT_READ_WRITE: 9,
    Refusal.WRONG_WORD_SIZE: 25,
    Refusal.NARROW_ADDRESS: 25,
    Refusal.NO_MAPPING: 19,
    Refusal.NO_STREAM: 22,
    Refusal.IN_USE: 11,
}


class LinuxTarget:
    """See `harness.targets.base.Target`."""

    module = "supdrv"
    device = "/dev/supdrv"
    opener_only = False
    counters_file = "/sys/kernel/debug/supdrv/counters"

    def build_driver(self, cell: Cell, image: GuestImage, sources: Path, build: Path) -> DriverBuild:
        """Run kbuild in a copy of `core/` and `kmod/`; nothing is done if sources, options and headers are the
        ones of the last build there."""
        return build_linux_driver(cell, image, sources, build)

    def fingerprint(self, agent: AgentClient) -> Mapping[str, str]:
        """The boot's id, its modules with their sizes (not what uses them), and what the agent says of itself."""
        hello = agent.hello()
        modules = agent.file_read("/proc/modules").decode("ascii").splitlines()
        return {
            "kernel": f"{hello.release} {hello.version}",
            "boot": agent.file_read(_BOOT_ID, length=_LINE_BYTES).decode("ascii").strip(),
            "modules": ", ".join(sorted(" ".join(line.split()[:2]) for line in modules)),
            "agent": f"{hello.build_id}, process {hello.pid}",
        }

    def prepare(self, agent: AgentClient) -> None:
        """Under emulation the clock that the kernel's watchdogs go by does not go back at a restore: the longer the
        guest has run, the longer a processor seems to have been stuck."""
        _switch(agent, _WATCHDOG, b"0")
        _switch(agent, _STALLS_SUPPRESSED, b"1")

    def refresh(self, agent: AgentClient) -> None:
        """New random bytes into the pool, used from now on, and the time. The watchdogs begin anew."""
        _switch(agent, _WATCHDOG, b"1")
        _switch(agent, _STALLS_SUPPRESSED, b"0")
        agent.file_write(_RANDOM, os.urandom(_SEED_BYTES))
        handle = agent.open(_RANDOM, OpenFlag.READ_WRITE)
        reseeded = agent.ioctl_raw(handle, _RNDRESEEDCRNG)
        agent.close_handle(handle)
        if reseeded.os_error:
            raise GuestError(f"the guest takes no new randomness: {self.code_name(reseeded.os_error)}")
        agent.clock(time.time_ns())

    def load_driver(self, agent: AgentClient, driver: DriverBuild, options: Mapping[str, int]) -> str:
        """Copy the module into the guest, load it with finit_module(2) and `options` as its parameters, and ask the
        kernel for the build id of what it loaded."""
        put_file(agent, as_loaded(driver.path).read_bytes(), _GUEST_PATH)
        try:
            agent.driver_load(_GUEST_PATH, _parameters(options), deadline=_LOAD_SECONDS)
        except AgentOpError as error:
            raise DriverLoadError(
                f"the guest's kernel did not load the driver: {self.code_name(error.os_error)}"
            ) from error
        loaded = agent.driver_status(self.module).build_id.hex()
        if loaded != driver.build_id:
            raise DriverLoadError(
                f"the guest's kernel runs driver build {loaded or 'none'}, not {driver.build_id} that was loaded"
            )
        return loaded

    def reload_driver(self, agent: AgentClient, options: Mapping[str, int]) -> None:
        """delete_module(2), and finit_module(2) of the file that lies in the guest since `load_driver`."""
        agent.driver_unload(self.module)
        agent.driver_load(_GUEST_PATH, _parameters(options), deadline=_LOAD_SECONDS)

    def prepare_failures(self, agent: AgentClient) -> None:
        """In debugfs: by default the kernel fails neither single pages nor what a process can wait for."""
        for path, value in _FAILURES.items():
            agent.file_write(f"/sys/kernel/debug/{path}", value)

    def failure(self, number: int) -> tuple[int, bytes]:
        """A write to the thread's own fail-nth, which needs memory itself: Documentation/fault-injection."""
        return Op.FILE_WRITE, wire.pack_file_write("/proc/thread-self/fail-nth", str(number).encode())

    def waiting_threads(self, watch: AgentClient) -> str:
        """From /proc: each thread's kernel stack."""
        own = watch.hello().pid
        processes = [int(name) for name in watch.file_list("/proc") if name.isdecimal() and int(name) != own]
        return "\n".join(
            _thread(watch, f"/proc/{process}/task/{thread}")
            for process in processes
            if _line(watch, f"/proc/{process}/comm").startswith("agent")
            for thread in watch.file_list(f"/proc/{process}/task")
        )

    def locate(self, crash: Crash, console: str, driver: Path) -> Crash:
        """A report has its backtrace."""
        return crash

    def counters(self, agent: AgentClient) -> Mapping[str, int]:
        """From debugfs: a line `name value` each."""
        return parse_counters(agent.file_read(self.counters_file, length=_COUNTERS_BYTES))

    def physical_pages(self, agent: AgentClient, pid: int, address: int, count: int) -> tuple[int, ...]:
        """From the process's page map: a word for each page, its frame below bit 55, bit 63 if it is there."""
        words = agent.file_read(f"/proc/{pid}/pagemap", count * 8, offset=address // PAGE_SIZE * 8)
        return tuple(
            (word & (1 << 55) - 1) * PAGE_SIZE if word >> 63 else 0 for (word,) in struct.iter_unpack("<Q", words)
        )

    def pages_dirty(self, agent: AgentClient, physical: Sequence[int]) -> tuple[bool, ...]:
        """From /proc/kpageflags, which has a word for each frame."""
        words = (agent.file_read("/proc/kpageflags", 8, offset=address // PAGE_SIZE * 8) for address in physical)
        return tuple(bool(int.from_bytes(word, "little") & _PAGE_DIRTY) for word in words)

    def use_huge_pages(self, agent: AgentClient, *, wanted: bool) -> None:
        """By the policy for transparent ones, and that a process waits for one rather than go without."""
        for name in ("enabled", "defrag"):
            agent.file_write(f"/sys/kernel/mm/transparent_hugepage/{name}", b"always" if wanted else b"never")

    def device_memory(self, agent: AgentClient) -> str:
        """A region of a PCI device without a driver: a driver's own cannot be mapped. /proc/bus/pci/devices has for
        each device where it is, what it is, its interrupt, seven addresses whose bit 0 says port, their sizes, and
        the driver."""
        for line in agent.file_read("/proc/bus/pci/devices").decode("ascii").splitlines():
            place, _, _, *numbers = (int(word, 16) for word in line.split()[:17])
            for region, (address, size) in enumerate(zip(numbers[:6], numbers[7:13], strict=True)):
                if len(line.split()) == 17 and size >= PAGE_SIZE and not address & 1:
                    slot = f"{place >> 8:02x}:{place >> 3 & 0x1F:02x}.{place & 7}"
                    return f"/sys/bus/pci/devices/0000:{slot}/resource{region}"
        raise GuestError("the guest has no PCI device without a driver and with memory")

    def mappings(self, agent: AgentClient, pid: int) -> tuple[tuple[int, int], ...]:
        """From the process's maps, whose lines begin with "start-end" in hexadecimal."""
        lines = agent.file_read(f"/proc/{pid}/maps").decode("utf-8", "replace").splitlines()
        ranges = ([int(bound, 16) for bound in line.split(maxsplit=1)[0].split("-")] for line in lines)
        return tuple((start, end - start) for start, end in ranges)

    def pages_held(self, agent: AgentClient) -> int:
        """From /proc/vmstat: pages pinned so far without those released again. What the processors have not
        reported yet is added to it when stat_refresh is read."""
        agent.file_read("/proc/sys/vm/stat_refresh")
        counts = dict(line.split() for line in agent.file_read("/proc/vmstat").decode("ascii").splitlines())
        return int(counts["nr_foll_pin_acquired"]) - int(counts["nr_foll_pin_released"])

    def locked_memory(self, agent: AgentClient, pid: int) -> int:
        """From the process's status: a line `VmLck: N kB`."""
        lines = agent.file_read(f"/proc/{pid}/status").decode("ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmLck:"))

    def memory_used(self, agent: AgentClient) -> int:
        """From /proc/meminfo, in which values are KiB: without the caches of files and of the kernel's objects, and
        without the free pages that the kernel keeps at hand for each processor, now hundreds, now none (`count` in
        /proc/zoneinfo)."""
        agent.file_write(_STATISTICS, b"1")
        at_hand = sum(map(int, _AT_HAND.findall(agent.file_read("/proc/zoneinfo"))))
        lines = (line.split() for line in agent.file_read("/proc/meminfo").decode("ascii").splitlines())
        kib = {name.rstrip(":"): int(value) for name, value, *_unit in lines}
        free = sum(kib[name] for name in ("MemFree", "Buffers", "Cached", "SReclaimable"))
        return (kib["MemTotal"] - free) * 1024 - at_hand * PAGE_SIZE

    def abi_name(self, arch: str) -> str:
        return f"linux-{arch}"

    def refusal_codes(self, refusal: Refusal) -> frozenset[int]:
        return frozenset({_REFUSALS[refusal]} if refusal in _REFUSALS else ())

    def code_name(self, code: int) -> str:
        return f"{errno.errorcode.get(code, 'errno')} {code}" if code else "success"

    def fast_result(self, reply: RequestReply) -> int:
        """A negative status comes as the errno of its absolute value."""
        return -reply.os_error if reply.os_error else reply.result


def _parameters(options: Mapping[str, int]) -> str:
    return " ".join(f"{name}={value}" for name, value in options.items())


def _line(agent: AgentClient, path: str) -> str:
    """A short file of the kernel's; empty if what it tells of has just ended."""
    try:
        return agent.file_read(path, length=_STACK_BYTES).decode("ascii", errors="replace").rstrip("\n")
    except AgentOpError:
        return ""


def _thread(agent: AgentClient, path: str) -> str:
    """A thread in words. Its state is the first letter behind its name in parentheses."""
    state = _line(agent, f"{path}/stat").rpartition(")")[2].strip()[:1]
    stack = _line(agent, f"{path}/stack").replace("[<0>] ", "")
    return f"thread {path.rpartition('/')[2]} of {_line(agent, f'{path}/comm')}, state {state}:\n{stack}"


def _switch(agent: AgentClient, path: str, value: bytes) -> None:
    """Set what not every kernel has: one built without that watchdog has no switch for it either."""
    try:
        agent.file_write(path, value)
    except AgentOpError as error:
        if error.os_error != _NOT_THERE:
            raise


def put_file(agent: AgentClient, data: bytes, path: str) -> None:
    """Write a whole file in the guest, whatever was there."""
    agent.file_write(path, data, flags=FileFlag.CREATE | FileFlag.TRUNCATE)
