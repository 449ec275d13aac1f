"""Read what kmemleak says it found. Pure: text in, values out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.console.crash import Frame, find_frames

_OBJECT = re.compile(r"^(?=unreferenced object )", re.MULTILINE)
_FACTS = re.compile(r"unreferenced object 0x[0-9a-f]+ \(size (\d+)\):\n  comm \"(.*)\", pid \d+, jiffies (\d+)")
_ADDRESS = re.compile(r"^ *\[<[0-9a-fx]+>\] ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Leak:
    """Memory that nothing in the kernel points to any more: `size` in bytes, when it was allocated in `jiffies`, by
    which `task`, from where (`frames`, from the inside out), and kmemleak's own text."""

    size: int
    jiffies: int
    task: str
    frames: tuple[Frame, ...]
    report: str


def find_leaks(text: str) -> list[Leak]:
    """Every object in `text`, the content of kmemleak's file in debugfs, in order."""
    return [_leak(match, report) for report in _OBJECT.split(text) if (match := _FACTS.match(report))]


def _leak(facts: re.Match[str], report: str) -> Leak:
    frames = find_frames(_ADDRESS.sub("", report))
    return Leak(size=int(facts[1]), jiffies=int(facts[3]), task=facts[2], frames=frames, report=report.rstrip())
