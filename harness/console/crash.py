"""Recognise a crash in what a kernel printed. Pure: text in, values out.

The first report in a text is the cause; what follows it is usually its consequence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_REPORT_LINES = 120

_BACKTRACES = ("Call Trace:", "KDB: stack backtrace:", "stack backtrace:")
"""What stands above the frames."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of a backtrace: `function+0xoffset/0xsize [module]`; `sure` is False for a `?` line. FreeBSD tells no
    size (0) and no module.

    With a `place` (`FILE:LINE`) it is no line of a backtrace but an address that was looked up: offset and size are
    the module's then.
    """

    function: str
    offset: int
    size: int
    module: str | None
    sure: bool = True
    place: str = ""

    def __str__(self) -> str:
        if self.place:
            return f"{self.function} at {self.place} [{self.module}+{self.offset:#x}]"
        module = f" [{self.module}]" if self.module else ""
        size = f"/{self.size:#x}" if self.size else ""
        return f"{self.function}+{self.offset:#x}{size}{module}"


@dataclass(frozen=True, slots=True)
class Crash:
    """One report: `kind` (panic, oops, bug, warning, lockup, or what in the kernel made the report: kasan report,
    lockdep report...), its title, the frames of its backtrace from the inside out, and the report's own lines."""

    kind: str
    title: str
    frames: tuple[Frame, ...]
    report: str

    @property
    def head(self) -> str:
        """The report up to its backtrace: what happened, where, and the registers."""
        lines = self.report.splitlines()
        ends = [number for number, line in enumerate(lines) if line.strip() in _BACKTRACES]
        return "\n".join(lines[: ends[0]] if ends else lines)


# What a Linux kernel prints first, and what it means; the title is the group in the pattern, or all of it. Sources:
# arch/x86/mm/fault.c, kernel/panic.c, lib/bug.c, mm/kasan/report.c, mm/kmemleak.c, kernel/watchdog.c,
# kernel/hung_task.c, kernel/locking/lockdep.c, lib/ubsan.c, mm/slub.c and kernel/rcu of Linux 6.1.
_TITLES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("kasan report", r"BUG: KASAN: (.*)"),
        ("kfence report", r"BUG: KFENCE: (.*)"),
        ("kcsan report", r"BUG: KCSAN: (.*)"),
        ("kmsan report", r"BUG: KMSAN: (.*)"),
        ("ubsan report", r"UBSAN: (.*)"),
        ("kmemleak report", r"kmemleak: (\d+ new suspected memory leaks)"),
        ("lockdep report", r"WARNING: (possible .* detected|inconsistent lock state|.* lock order detected)"),
        ("lockdep report", r"WARNING: (held lock freed!|bad (?:unlock balance|contention) detected!)"),
        ("lockdep report", r"WARNING: (Nested lock was not taken|.* still has locks held!|lock held when returning.*)"),
        ("lockdep report", r"WARNING: (suspicious RCU usage)"),
        ("lockdep report", r"\[ BUG: (Invalid wait context) \]"),
        ("lockdep report", r"INFO: (trying to register non-static key)"),
        ("lockdep report", r"BUG: (MAX_\w+ too low!)"),
        ("lockup", r"(?:watchdog: )?BUG: soft lockup.*"),
        ("lockup", r"NMI watchdog: Watchdog detected hard LOCKUP.*"),
        ("lockup", r"INFO: task .* blocked for more than \d+ seconds.*"),
        ("lockup", r"rcu: INFO: rcu_\w+ (?:self-)?detected.*stall.*"),
        ("oops", r"BUG: (?:kernel NULL pointer dereference|unable to handle .*|stack guard page was hit.*).*"),
        ("oops", r"(?:general protection fault|stack segment|divide error|invalid opcode|int3|double fault)\b.*"),
        ("bug", r"kernel BUG at .*"),
        ("bug", r"BUG: (sleeping function called from invalid context.*)"),
        ("bug", r"BUG:? .*"),
        ("bug", r"list_(?:add|del) corruption.*"),
        ("oops", r"Oops: .*"),
        ("panic", r"Kernel panic - not syncing: .*"),
        # Wine: dlls/ntdll/signal_*.c, dlls/kernelbase/debug.c and dlls/ntoskrnl.exe/ntoskrnl.c of Wine 10.0.
        ("oops", r"wine: (Unhandled .*) at address [0-9A-Fa-fx]+"),
        ("oops", r"wine: (Unimplemented function \S+) called at address .*"),
        ("panic", r"[0-9a-f]{4}:err:ntoskrnl:(KeBugCheckEx .*)"),
        ("warning", r"WARNING: CPU: \d+ PID: \d+ at .*"),
        # The OS/2-like guest: guests/os2/kernel/trap.c.
        ("trap", r"(TRAP [0-9a-f]{4}) +ERRCD=[0-9a-f]{4} .*"),
        ("panic", r"Internal error: (.*)"),
        # FreeBSD: sys/amd64/amd64/trap.c, sys/i386/i386/trap.c, sys/kern/kern_shutdown.c, sys/kern/kern_malloc.c and
        # sys/kern/subr_witness.c of FreeBSD 12.1. What WITNESS says of the kernel's own locks is no report: it does so
        # at every shutdown. So a report of WITNESS begins where it names the driver, see _WITNESS_HEAD.
        ("oops", r"^(Fatal (?:double fault|trap \d+: .*))"),
        ("oops", r"^panic: vm_fault\w*: fault on nofault entry.*"),
        ("leak report", r"^Warning: (memory type supdrv leaked memory on destroy.*)"),
        ("witness report", r"^ (?:1st|2nd|3rd) 0x[0-9a-f]+ (supdrv.* @ .*)"),
        ("witness report", r"^(?:exclusive|shared) [\w ]+ (supdrv.* locked @ .*)"),
        ("witness report", r"^#\d+ 0x[0-9a-f]+ at (supdrv_\w+\+0x[0-9a-f]+)"),
        ("panic", r"^panic: .*"),
    )
)

_WITNESS = "witness report"
_WITNESS_HEAD = re.compile(r"^(lock order reversal|acquiring duplicate lock|.* with the following .*locks? held)")
_WITNESS_REACH = 24  # lines from the head to the driver's name

_STAMP = re.compile(r"^(<\d+>)?\[\s*\d+\.\d+\](\[\s*[TC]\d+\])?\s?")
_FRAME = re.compile(
    r"^\s*(?:(?:RIP|EIP):\s*(?:[0-9a-f]{2,4}:)?)?\s*(\?\s+)?"
    r"([A-Za-z_][\w.$]*)\+0x([0-9a-f]+)/0x([0-9a-f]+)(?:\s+\[(\w+)[^\]]*\])?"
)
_BSD_FRAME = re.compile(
    r"^(?:#\d+ (?:0x)?[0-9a-f]+|[A-Za-z_][\w.$]*\([^)]*\)) at ([A-Za-z_][\w.$]*)\+0x([0-9a-f]+)(?:/frame 0x[0-9a-f]+)?$"
)
_END = re.compile(r"---\[ end (trace|Kernel panic)|^The system is stopped\.|^Automatic reboot in \d+ seconds")


def strip_stamp(line: str) -> str:
    """A console line without its time stamp and carriage return."""
    return _STAMP.sub("", line.rstrip("\r\n"))


def crash_title(line: str) -> tuple[str, str] | None:
    """(kind, title) if `line` begins a report, else None."""
    text = strip_stamp(line)
    for kind, pattern in _TITLES:
        match = pattern.search(text)
        # A report's title starts its line; quoting it in the middle of a sentence does not make a report.
        if match and match.start() <= len("watchdog: "):
            return kind, match[match.re.groups]
    return None


def find_crash(log: str) -> Crash | None:
    """The first report in `log` (console text), or None. A panic that follows an oops belongs to the oops."""
    lines = log.splitlines()
    for start, line in enumerate(lines):
        found = crash_title(line)
        if found is None:
            continue
        kind, title = found
        report = _witness_report(lines, start) if kind == _WITNESS else _report(lines, start)
        return Crash(kind=kind, title=title, frames=_frames(report), report="\n".join(report))
    return None


def _report(lines: list[str], start: int) -> list[str]:
    report: list[str] = []
    for line in lines[start : start + MAX_REPORT_LINES]:
        report.append(strip_stamp(line))
        if _END.search(line):
            break
    return report


def _witness_report(lines: list[str], named: int) -> list[str]:
    """From what WITNESS complains of to the end of the backtrace, where line `named` names the driver."""
    heads = (n for n in range(named, max(named - _WITNESS_REACH, -1), -1) if _WITNESS_HEAD.match(strip_stamp(lines[n])))
    start = next(heads, named)
    report: list[str] = []
    for line in _report(lines, start):
        if _is_numbered(report[-1:]) and not _is_numbered([line]):
            break
        report.append(line)
    return report


def _is_numbered(line: list[str]) -> bool:
    return bool(line) and line[0].startswith("#")


def is_whole(crash: Crash) -> bool:
    """Whether the report has its last line: a kernel that prints none, or was cut short, leaves that open."""
    return _END.search(crash.report.rpartition("\n")[2]) is not None


def find_frames(text: str) -> tuple[Frame, ...]:
    """The frames of every backtrace in `text`, in order."""
    return _frames(text.splitlines())


def _frames(report: list[str]) -> tuple[Frame, ...]:
    frames: list[Frame] = []
    seen: set[tuple[str, int]] = set()
    for line in report:
        match = _FRAME.match(line)
        if match is not None:
            doubt, function, offset, size, module = match.groups()
        elif (match := _BSD_FRAME.match(line)) is not None:
            doubt, function, offset, size, module = None, *match.groups(), "0", None
        else:
            continue
        key = (function, int(offset, 16))
        if key in seen:
            continue
        seen.add(key)
        frames.append(Frame(function=function, offset=key[1], size=int(size, 16), module=module, sure=doubt is None))
    return tuple(frames)
