"""Progress as live bars on a terminal."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichBars


@dataclass(slots=True)
class _Bar:
    owner: RichProgress
    text: str
    task: TaskID
    started: float
    open: bool = True

    def advance(self, done: int, *, total: int | None = None) -> None:
        self.owner.bars.update(self.task, completed=done, total=total)

    def done(self, note: str = "done") -> None:
        if self.open:
            self.open = False
            self.owner.end(self, f"{note} in {time.monotonic() - self.started:.1f} s")


class RichProgress:
    """Live bars on a terminal; what has ended stays above them as a line."""

    def __init__(self, stream: TextIO) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(bar_width=24))
        console = Console(file=stream)
        self.bars = RichBars(*columns, DownloadColumn(), TimeElapsedColumn(), console=console, transient=True)
        self._lock = Lock()
        self._open = 0

    def step(self, text: str, *, total: int | None = None) -> _Bar:
        with self._lock:
            self._open += 1
            if self._open == 1:
                self.bars.start()
            return _Bar(self, text, self.bars.add_task(text, total=total), time.monotonic())

    def end(self, bar: _Bar, note: str) -> None:
        """Replace `bar` by a line of text; the live display stops with the last bar."""
        with self._lock:
            self.bars.remove_task(bar.task)
            self.bars.console.print(f"{bar.text} ... {note}", markup=False, highlight=False)
            self._open -= 1
            if self._open == 0:
                self.bars.stop()
