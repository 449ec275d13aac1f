"""Watching a Windows that installs itself or starts: what it says, whether it goes on, and when to give it up."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Protocol

from harness.console.follower import ConsoleFollower
from harness.errors import BootError, HarnessError, ProvisionError
from harness.events import Progress, Step

FAILED = "failed: "
"""What the guest says of a step that failed."""

_LOOK_SECONDS = 0.25
_TAIL_LINES = 40
_BLOCK = 512


class Screen(Protocol):
    """What is watched of a domain."""

    def running(self) -> bool:
        """Whether its processors run."""

    def press_space(self) -> None:
        """Press a key."""

    def screenshot(self, path: Path) -> None:
        """Write its screen to a file."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: for all of it, for a guest that does nothing that can be seen, and how long keys are pressed."""

    whole: float
    silence: float
    any_key: float = 0.0


class Watch:
    """Follows one start of a guest. Use it as a context: the console is followed until its end. `evidence` is the
    folder for what explains a failure."""

    def __init__(
        self, domain: Screen, *, name: str, console: Path, disk: Path, evidence: Path, progress: Progress
    ) -> None:
        self._domain = domain
        self._name = name
        self._console = console
        self._disk = disk
        self._evidence = evidence
        self._progress = progress
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._follower = ConsoleFollower(console, lambda _crash: None, self._lines.put)
        self._step: Step | None = None

    def __enter__(self) -> Watch:
        self._follower.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._follower.stop()
        self._close_step("failed" if error else "done")

    def until(self, line: str, limits: Limits, *, then_off: bool) -> None:
        """Wait until the guest has said `line`, and has powered itself off if `then_off`. Each other line that it
        says is a step of the progress. Raises BootError with the console's end and a picture of the screen."""
        begin = seen = time.monotonic()
        written = 0
        said = False
        while True:
            news = self._news()
            stopped = not news and not self._domain.running()
            if stopped:
                news = self._news()  # its last words
            for told in news:
                self._tell(told)
                said = said or told == line
                if told.startswith(FAILED):
                    raise self._trouble(f"has a step that {told.replace(':', '', 1)}")
            if said and (stopped or not then_off):
                return
            if stopped:
                raise self._trouble(f"has stopped without having said {line!r}")
            now = time.monotonic()
            if news or self._written() != written:
                written, seen = self._written(), now
                self._show(written)
            if now - begin > limits.whole:
                raise self._trouble(f"was given up after {now - begin:.0f} s")
            if now - seen > limits.silence:
                raise self._trouble(f"has said nothing and written nothing for {now - seen:.0f} s")
            if now - begin < limits.any_key:
                self._press_space()

    def _press_space(self) -> None:
        try:
            self._domain.press_space()
        except ProvisionError:
            if self._domain.running():  # else it has ended meanwhile, which the next look finds
                raise

    def _news(self) -> list[str]:
        """What has been said since the last time; waits a moment for it if it is nothing."""
        self._follower.poll()
        try:
            found = [self._lines.get(timeout=_LOOK_SECONDS)]
        except Empty:
            return []
        while not self._lines.empty():
            found.append(self._lines.get())
        return found

    def _written(self) -> int:
        """Bytes that the disk's file takes."""
        return self._disk.stat().st_blocks * _BLOCK

    def _tell(self, line: str) -> None:
        self._close_step("done")
        self._step = self._progress.step(f"{self._name}: {line}")

    def _show(self, written: int) -> None:
        if self._step is not None:
            self._step.advance(written)

    def _close_step(self, note: str) -> None:
        if self._step is not None:
            self._step.done(note)
            self._step = None

    def _trouble(self, what: str) -> BootError:
        tail = "\n".join(self._follower.text().replace("\r", "").splitlines()[-_TAIL_LINES:])
        self._evidence.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._console, self._evidence / "console.log")
        return BootError(
            f"the Windows of {self._name} {what}",
            hint=self._picture(),
            evidence=tail or "(nothing was said on the console)",
        )

    def _picture(self) -> str:
        if not self._domain.running():
            return f"see {self._evidence}"
        try:
            self._domain.screenshot(self._evidence / "screen.ppm")
        except HarnessError as error:
            return f"see {self._evidence}; its screen could not be kept: {error.message}"
        return f"see {self._evidence / 'screen.ppm'}"
