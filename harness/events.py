"""Progress of slow work, told to whoever watches: a terminal, a log, a test.

Whoever does slow work takes a `Progress` and opens a step for each thing that can take longer than a
blink; downloads say their size. Nothing here decides anything, so any of these can be swapped for another.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol, TextIO


class Step(Protocol):
    """One thing under way, from `Progress.step` to `done`."""

    def advance(self, done: int, *, total: int | None = None) -> None:
        """`done` bytes of `total` are there now (a running count, not a difference)."""

    def done(self, note: str = "done") -> None:
        """The step is over and `note` says how. Only the first call counts."""


class Progress(Protocol):
    """Where steps are shown. Safe to use from several threads."""

    def step(self, text: str, *, total: int | None = None) -> Step:
        """Open a step called `text`; `total` bytes are expected, if that is known."""


@contextmanager
def stage(progress: Progress, text: str, *, total: int | None = None) -> Iterator[Step]:
    """A step around a block: `done` when the block ends without having said so, `failed` if it raises."""
    step = progress.step(text, total=total)
    try:
        yield step
    except BaseException:
        step.done("failed")
        raise
    step.done()


def megabytes(count: int) -> str:
    """A byte count for people, in units of 1000: `26.7 MB`, `928 kB`, `83 B`."""
    if count >= 1_000_000:
        return f"{count / 1e6:.1f} MB"
    return f"{round(count / 1e3)} kB" if count >= 1_000 else f"{count} B"


@dataclass(slots=True)
class _Silent:
    def advance(self, done: int, *, total: int | None = None) -> None:
        pass

    def done(self, note: str = "done") -> None:
        pass


class SilentProgress:
    """Shows nothing."""

    def step(self, text: str, *, total: int | None = None) -> Step:
        return _Silent()


SILENT = SilentProgress()


@dataclass(slots=True)
class _Recorded:
    owner: RecordingProgress
    text: str
    open: bool = True

    def advance(self, done: int, *, total: int | None = None) -> None:
        self.owner.bytes[self.text] = done

    def done(self, note: str = "done") -> None:
        if self.open:
            self.owner.lines.append(f"{self.text} ... {note}")
        self.open = False


@dataclass(slots=True)
class RecordingProgress:
    """Keeps what was said, for tests: `steps` as opened, `lines` as ended, `bytes` as last reported."""

    steps: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    bytes: dict[str, int] = field(default_factory=dict)

    def step(self, text: str, *, total: int | None = None) -> Step:
        self.steps.append(text)
        return _Recorded(self, text)


@dataclass(slots=True)
class _Line:
    owner: LineProgress
    text: str
    started: float
    open: bool = True

    def advance(self, done: int, *, total: int | None = None) -> None:
        pass  # a log has no use for a line for every block

    def done(self, note: str = "done") -> None:
        if self.open:
            self.open = False
            self.owner.end(self, f"{note} in {time.monotonic() - self.started:.1f} s")


class LineProgress:
    """Plain text for logs: `fetch x (amd64) 25.9 MB ... done in 2.1 s`, up to the dots when it starts."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = Lock()
        self._current: _Line | None = None

    def step(self, text: str, *, total: int | None = None) -> Step:
        line = _Line(self, text, time.monotonic())
        with self._lock:
            self._write(("\n" if self._current else "") + f"{text} ...")
            self._current = line
        return line

    def end(self, line: _Line, note: str) -> None:
        """Finish `line`: on its own line of text if that is still the last one, else on a new one."""
        with self._lock:
            if self._current is line:
                self._write(f" {note}\n")
            else:
                self._write(("\n" if self._current else "") + f"{line.text} ... {note}\n")
            self._current = None

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def terminal_progress(stream: TextIO | None = None) -> Progress:
    """Progress on `stream` (default stderr): live bars if it is a terminal, plain lines if it is not."""
    out = sys.stderr if stream is None else stream
    if not out.isatty():
        return LineProgress(out)
    from harness.bars import RichProgress  # noqa: PLC0415 - slow

    return RichProgress(out)
