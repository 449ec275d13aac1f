"""Follow a guest's console file while the guest writes it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from io import FileIO
from pathlib import Path

from harness.console.crash import Crash, crash_title, find_crash

GUEST_SAYS = "supdrv-guest: "
"""How a line begins that a program of the harness in the guest has written, and not the kernel."""

KEPT_BYTES = 2 << 20
"""How much text is kept in memory, at most. Of a guest that prints more, the newest part."""

_REPORT_BYTES = 64 << 10
"""More than a report has, from its title line to its end."""

_POLL_SECONDS = 0.02
_SETTLE_SECONDS = 0.25


class ConsoleFollower:
    """Reads the console from its first byte and watches for the title line of a crash report.

    `on_crash` is called once, from a thread of its own, when the first report after the last `mark` has had a moment to
    be printed whole; `on_line` with what programs of the harness in the guest say, without `GUEST_SAYS`.
    """

    def __init__(
        self,
        path: Path,
        on_crash: Callable[[Crash], None],
        on_line: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._path = path
        self._on_crash = on_crash
        self._on_line = on_line
        self._text = bytearray()
        self._dropped = 0
        self._early: Crash | None = None
        self._kernel = 0
        self._marked = 0
        self._scanned = 0
        self._reported = False
        self._closed = False
        self._stream: FileIO | None = None
        self._grown = threading.Condition(threading.RLock())
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"console {path.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop following; what has been read stays readable."""
        self._stopping.set()
        self._thread.join()

    def mark(self) -> int:
        """Begin a new stretch of the console, for example a test; returns its offset in bytes."""
        self.poll()
        with self._grown:
            self._marked = self._scanned = self._end
            self._reported = False
            self._early = None
            return self._marked

    def position(self) -> int:
        """The offset in bytes of what is printed next. The stretch goes on."""
        self.poll()
        with self._grown:
            return self._end

    def begin_kernel(self) -> None:
        """Begin the stretch of another kernel: what the one before it has said is not announced any more."""
        with self._grown:
            self._kernel = self.mark()

    def text(self, since: int = 0) -> str:
        """What has been printed, from byte `since` on, and is kept."""
        with self._grown:
            kept = self._text[max(since - self._dropped, 0) :].decode("utf-8", errors="replace")
            lost = self._dropped - since
        return f"[{lost} bytes are left out]\n{kept}" if lost > 0 else kept

    def crash(self) -> Crash | None:
        """The first report since the last mark, as far as it is printed now."""
        self.poll()
        with self._grown:
            since, early = self._marked, self._early
        return early or find_crash(self.text(since))

    @property
    def _end(self) -> int:
        return self._dropped + len(self._text)

    def settle(self, deadline: float) -> None:
        """Wait until nothing has been printed for a moment, at most `deadline` seconds."""
        end = time.monotonic() + deadline
        with self._grown:
            size = -1
            while size != self._end and time.monotonic() < end:
                size = self._end
                self._grown.wait(_SETTLE_SECONDS)

    def wait_for(self, needle: str, deadline: float, *, alive: Callable[[], bool]) -> bool:
        """Wait until `needle` is printed. False at the deadline, or when `alive` says that nobody prints."""
        end = time.monotonic() + deadline
        wanted = needle.encode()
        with self._grown:
            while wanted not in self._text:
                remaining = end - time.monotonic()
                if remaining <= 0:
                    return False
                self._grown.wait(min(0.2, remaining))
                if not alive():
                    return wanted in self._text
        return True

    def poll(self) -> None:
        """Read what the guest has printed so far, now, in the caller's thread."""
        with self._grown:
            if self._closed:
                return
            if self._stream is None:
                try:
                    self._stream = self._path.open("rb", buffering=0)
                except FileNotFoundError:
                    return
            while data := self._stream.read(1 << 16) or self._next_file():
                self._text += data
                self._grown.notify_all()
            fresh = self._fresh_lines()
            reported = not self._reported and any(crash_title(line) for line in fresh)
            self._reported = self._reported or reported
            since = self._marked
            self._drop_old()
        for line in fresh:
            if line.startswith(GUEST_SAYS):
                self._on_line(line.removeprefix(GUEST_SAYS).rstrip())
        if reported:
            threading.Thread(target=self._announce, args=(since,), name="crash", daemon=True).start()

    def _fresh_lines(self) -> list[str]:
        """The whole lines that have not been looked at."""
        end = self._text.rfind(b"\n") + 1
        fresh = self._text[max(self._scanned - self._dropped, 0) : end].decode("utf-8", errors="replace")
        self._scanned = max(self._scanned, self._dropped + end)
        return fresh.splitlines()

    def _drop_old(self) -> None:
        """Keep the newest half of what may be kept, when there is more, and the first report of the stretch."""
        if len(self._text) <= KEPT_BYTES:
            return
        cut = len(self._text) - KEPT_BYTES // 2
        if self._reported and self._early is None:
            begin = max(self._marked - self._dropped, 0)
            self._early = find_crash(self._text[begin : cut + _REPORT_BYTES].decode("utf-8", errors="replace"))
        del self._text[:cut]
        self._dropped += cut

    def _next_file(self) -> bytes:
        """The start of a new file at our path: libvirt's log daemon renames a console of 2 MiB and begins another."""
        if self._stream is None or not self._path.exists():
            return b""
        if self._path.stat().st_ino == os.fstat(self._stream.fileno()).st_ino:
            return b""
        self._stream.close()
        self._stream = self._path.open("rb", buffering=0)
        return self._stream.read(1 << 16)

    def _follow(self) -> None:
        while not self._stopping.wait(_POLL_SECONDS):
            self.poll()
        self.poll()
        with self._grown:
            self._closed = True
            if self._stream is not None:
                self._stream.close()

    def _announce(self, since: int) -> None:
        self.settle(2.0)
        with self._grown:
            early = self._early if since == self._marked else None
        crash = early or find_crash(self.text(since))
        with self._grown:  # no other kernel begins meanwhile
            if crash is not None and since >= self._kernel:
                self._on_crash(crash)
