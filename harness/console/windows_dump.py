"""What a crash dump of Windows says in its header: bug check, exception, and modules where it lists them.

Layouts as in Microsoft's debugger headers: DUMP_HEADER64 and DUMP_HEADER32, and in a minidump TRIAGE_DUMP behind them.
Pure but for the reads of its caller; numbers that make no sense are an error, never a guess.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.errors import ProtocolError

Read = Callable[[int, int], bytes]
"""Bytes of the dump: offset and size; fewer at its end."""

_MINIDUMP = 4
_KINDS = {1: "full dump", 2: "kernel dump", _MINIDUMP: "minidump", 5: "full dump", 6: "kernel dump", 7: "kernel dump"}
_MOST_MODULES = 4096
_MOST_NAME = 260
_PAGE = 4096

_NAMES = {
    0x0A: "IRQL_NOT_LESS_OR_EQUAL",
    0x19: "BAD_POOL_HEADER",
    0x1A: "MEMORY_MANAGEMENT",
    0x1E: "KMODE_EXCEPTION_NOT_HANDLED",
    0x3B: "SYSTEM_SERVICE_EXCEPTION",
    0x4E: "PFN_LIST_CORRUPT",
    0x50: "PAGE_FAULT_IN_NONPAGED_AREA",
    0x76: "PROCESS_HAS_LOCKED_PAGES",
    0x7E: "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED",
    0x7F: "UNEXPECTED_KERNEL_MODE_TRAP",
    0x80: "NMI_HARDWARE_FAILURE",
    0xBE: "ATTEMPTED_WRITE_TO_READONLY_MEMORY",
    0xC2: "BAD_POOL_CALLER",
    0xC4: "DRIVER_VERIFIER_DETECTED_VIOLATION",
    0xC5: "DRIVER_CORRUPTED_EXPOOL",
    0xCE: "DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS",
    0xD1: "DRIVER_IRQL_NOT_LESS_OR_EQUAL",
    0xD5: "DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL",
    0xFC: "ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY",
    0x101: "CLOCK_WATCHDOG_TIMEOUT",
    0x133: "DPC_WATCHDOG_VIOLATION",
    0x139: "KERNEL_SECURITY_CHECK_FAILURE",
    0x1000007E: "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED_M",
    0x1000008E: "KERNEL_MODE_EXCEPTION_NOT_HANDLED_M",
}


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things lie for one word size. `module_*`: in an entry of the list of drivers, whose length depends on the
    version of Windows: one of `strides`."""

    arch: str
    header: int
    word: str
    code: int
    parameters: int
    exception: int
    exception_address: int
    kind: int
    module_base: int
    module_size: int
    strides: range


_LAYOUTS = {
    b"PAGEDU64": _Layout("amd64", 0x2000, "Q", 0x38, 0x40, 0xF00, 0xF10, 0xF98, 0x38, 0x48, range(0x80, 0x140, 8)),
    b"PAGEDUMP": _Layout("x86", 0x1000, "I", 0x28, 0x2C, 0x7D0, 0x7DC, 0xF88, 0x1C, 0x24, range(0x40, 0xC0, 4)),
}

# In TRIAGE_DUMP, behind the header, for both word sizes.
_DRIVERS, _DRIVER_COUNT = 0x30, 0x34


@dataclass(frozen=True, slots=True)
class Module:
    """A driver or the kernel: its file's name and where it was loaded."""

    name: str
    base: int
    size: int


@dataclass(frozen=True, slots=True)
class WindowsDump:
    """`kind` is `minidump`, `kernel dump` or `full dump`; `exception` is 0 where there was none; `modules` is empty
    but in a minidump."""

    kind: str
    arch: str
    build: int
    code: int
    parameters: tuple[int, ...]
    exception: int
    address: int
    modules: tuple[Module, ...]

    @property
    def name(self) -> str:
        """The bug check's name, or its code where we know none."""
        return _NAMES.get(self.code, f"bug check {self.code:#x}")

    def place(self, address: int) -> str:
        """`supdrv.sys+0x1234`, or empty if no module that we know of is there."""
        for module in self.modules:
            if module.base <= address < module.base + module.size:
                return f"{module.name}+{address - module.base:#x}"
        return ""

    def lines(self) -> list[str]:
        """A summary for people; an address in a module is followed by its place."""
        found = [f"{self.name} ({self.code:#x}), {self.kind} of Windows build {self.build} ({self.arch})"]
        if self.exception:
            found.append(f"exception {self.exception:#x} at {self._told(self.address)}")
        found += [f"parameter {number}: {self._told(value)}" for number, value in enumerate(self.parameters, 1)]
        return found

    def _told(self, value: int) -> str:
        place = self.place(value)
        return f"{value:#x} ({place})" if place else f"{value:#x}"


def parse_dump(read: Read) -> WindowsDump:
    """Raises ProtocolError if the file is no crash dump of a Windows kernel, or is damaged."""
    layout = _LAYOUTS.get(read(0, 8))
    if layout is None:
        raise ProtocolError("no crash dump of a Windows kernel: it does not begin as one")
    header = read(0, layout.header)
    if len(header) < layout.header:
        raise ProtocolError(f"the crash dump ends in its header, after {len(header)} bytes")
    (build,) = struct.unpack_from("<I", header, 0x0C)
    (code,) = struct.unpack_from("<I", header, layout.code)
    parameters = struct.unpack_from(f"<4{layout.word}", header, layout.parameters)
    (exception,) = struct.unpack_from("<I", header, layout.exception)
    (address,) = struct.unpack_from(f"<{layout.word}", header, layout.exception_address)
    (kind,) = struct.unpack_from("<I", header, layout.kind)
    return WindowsDump(
        kind=_KINDS.get(kind, f"dump of kind {kind}"),
        arch=layout.arch,
        build=build,
        code=code,
        parameters=parameters,
        exception=exception,
        address=address,
        modules=_modules(read, layout) if kind == _MINIDUMP else (),
    )


def _modules(read: Read, layout: _Layout) -> tuple[Module, ...]:
    """The list of drivers. The length of an entry is the one with which every entry makes sense."""
    offset, count = struct.unpack("<II", _exactly(read, layout.header + _DRIVERS, 8))
    if count > _MOST_MODULES:
        raise ProtocolError(f"the crash dump claims to have {count} modules")
    longest = max(layout.strides)
    table = read(offset, count * longest)
    for stride in layout.strides:
        found = tuple(_entries(read, layout, table, count=count, stride=stride))
        if len(found) == count:
            return found
    raise ProtocolError("the crash dump's list of modules makes no sense")


def _entries(read: Read, layout: _Layout, table: bytes, *, count: int, stride: int) -> Iterator[Module]:
    """The entries up to the first that makes no sense."""
    word = struct.Struct(f"<{layout.word}")
    for start in range(0, count * stride, stride):
        if start + stride > len(table):
            return
        (name_offset,) = struct.unpack_from("<I", table, start)
        (base,) = word.unpack_from(table, start + layout.module_base)
        (size,) = struct.unpack_from("<I", table, start + layout.module_size)
        name = _name(read, name_offset)
        if not name or not size or not base or base % _PAGE:
            return
        yield Module(name.rpartition("\\")[2], base, size)


def _name(read: Read, offset: int) -> str:
    """A string of the dump: its length in characters, then UTF-16. Empty if there is none."""
    length = read(offset, 4)
    if len(length) < 4:
        return ""
    (characters,) = struct.unpack("<I", length)
    if not 0 < characters <= _MOST_NAME:
        return ""
    try:
        text = read(offset + 4, 2 * characters).decode("utf-16-le")
    except UnicodeDecodeError:
        return ""
    return text if len(text) == characters and text.isprintable() else ""


def _exactly(read: Read, offset: int, size: int) -> bytes:
    data = read(offset, size)
    if len(data) < size:
        raise ProtocolError("the crash dump ends before its list of modules")
    return data
