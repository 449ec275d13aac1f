"""Recognise a crash in what a kernel printed. Pure: text in, values out.

The first report in a text is the cause; what follows it is usually its consequence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_REPORT_LINES = 120


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of a backtrace: `function+0xoffset/0xsize [module]`; `sure` is False for a `?` line.

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
        return f"{self.function}+{self.offset:#x}/{self.size:#x}{module}"


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
        ends = [number for number, line in enumerate(lines) if line.strip() == "Call Trace:"]
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
    )
)

_STAMP = re.compile(r"^(<\d+>)?\[\s*\d+\.\d+\](\[\s*[TC]\d+\])?\s?")
_FRAME = re.compile(
    r"^\s*(?:(?:RIP|EIP):\s*(?:[0-9a-f]{2,4}:)?)?\s*(\?\s+)?"
    r"([A-Za-z_][\w.$]*)\+0x([0-9a-f]+)/0x([0-9a-f]+)(?:\s+\[(\w+)[^\]]*\])?"
)
_END = re.compile(r"---\[ end (trace|Kernel panic)|^The system is stopped\.")


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
        report = _report(lines, start)
        return Crash(kind=kind, title=title, frames=_frames(report), report="\n".join(report))
    return None


def _report(lines: list[str], start: int) -> list[str]:
    report: list[str] = []
    for line in lines[start : start + MAX_REPORT_LINES]:
        report.append(strip_stamp(line))
        if _END.search(line):
            break
    return report


def find_frames(text: str) -> tuple[Frame, ...]:
    """The frames of every backtrace in `text`, in order."""
    return _frames(text.splitlines())


def _frames(report: list[str]) -> tuple[Frame, ...]:
    frames: list[Frame] = []
    seen: set[tuple[str, int]] = set()
    for line in report:
        match = _FRAME.match(line)
        if match is None:
            continue
        doubt, function, offset, size, module = match.groups()
        key = (function, int(offset, 16))
        if key in seen:
            continue
        seen.add(key)
        frames.append(Frame(function=function, offset=key[1], size=int(size, 16), module=module, sure=doubt is None))
    return tuple(frames)
