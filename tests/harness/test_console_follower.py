"""Following a console file: every byte, across a change of files, and a crash in it at once."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.console.crash import Crash
from harness.console.follower import ConsoleFollower


class Following:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.crashes: list[Crash] = []
        self.crashed = threading.Event()
        self.lines: list[str] = []
        self.follower = ConsoleFollower(path, self._on_crash, self.lines.append)

    def _on_crash(self, crash: Crash) -> None:
        self.crashes.append(crash)
        self.crashed.set()

    def print(self, text: str) -> None:
        with self.path.open("a") as stream:
            stream.write(text)


@pytest.fixture
def following(tmp_path: Path) -> Iterator[Following]:
    following = Following(tmp_path / "console.log")
    following.follower.start()
    yield following
    following.follower.stop()


def alive() -> bool:
    return True


def test_a_file_that_comes_later_is_read_from_its_first_byte(following: Following) -> None:
    following.print("first\n")
    assert following.follower.wait_for("first", 5, alive=alive)


def test_nothing_is_lost_when_the_file_is_renamed_and_begun_again(following: Following) -> None:
    following.print("old\n")
    assert following.follower.wait_for("old", 5, alive=alive)
    following.path.rename(following.path.with_suffix(".0"))
    following.print("new\n")
    assert following.follower.wait_for("new", 5, alive=alive)
    assert following.follower.text() == "old\nnew\n"


def test_waiting_ends_when_nobody_prints_any_more(following: Following) -> None:
    assert not following.follower.wait_for("never", 60, alive=lambda: False)


def test_a_crash_is_announced_by_itself(following: Following) -> None:
    following.print("[ 1.0] Kernel panic - not syncing: x\n")
    assert following.crashed.wait(5)
    assert following.crashes[0].title == "Kernel panic - not syncing: x"


def test_a_crash_before_the_mark_is_not_this_tests(following: Following) -> None:
    following.print("[ 1.0] WARNING: CPU: 0 PID: 1 at x\n")
    following.follower.mark()
    following.print("well\n")
    assert following.follower.crash() is None


def test_asking_where_the_console_is_leaves_a_crash_this_tests(following: Following) -> None:
    following.print("[ 1.0] WARNING: CPU: 0 PID: 1 at x\n")
    position = following.follower.position()
    following.print("well\n")
    crash = following.follower.crash()
    assert crash is not None
    assert following.follower.text(position) == "well\n"


def test_each_stretch_announces_its_own_crash(following: Following) -> None:
    following.print("[ 1.0] WARNING: CPU: 0 PID: 1 at x\n")
    assert following.crashed.wait(5)
    following.crashed.clear()
    following.follower.mark()
    following.print("[ 2.0] WARNING: CPU: 0 PID: 1 at y\n")
    assert following.crashed.wait(5)
    assert [crash.title[-1] for crash in following.crashes] == ["x", "y"]


def test_what_was_printed_stays_readable_after_the_end(tmp_path: Path) -> None:
    following = Following(tmp_path / "console.log")
    following.follower.start()
    following.print("last words\n")
    following.follower.stop()
    assert following.follower.text() == "last words\n"
    assert following.follower.crash() is None


def test_what_programs_of_the_harness_say_is_told_line_by_line(following: Following) -> None:
    following.print("supdrv-guest: ready\r\nsomebody: else\nsupdrv-guest: agent en")
    following.follower.poll()
    assert following.lines == ["ready"]
    following.print("ded: supdrv.agent, status 139\n")
    following.follower.poll()
    assert following.lines == ["ready", "agent ended: supdrv.agent, status 139"]


def test_they_are_told_after_a_crash_too(following: Following) -> None:
    following.print("Kernel panic - not syncing: it\nsupdrv-guest: agent ended: supdrv.agent, status 1\n")
    following.follower.poll()
    assert following.lines == ["agent ended: supdrv.agent, status 1"]


KEPT = 64 << 10
FLOOD = "[ 1.0] supdrv: as much as the console takes\n" * 100


@pytest.fixture
def flood(following: Following, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Prints three times of what is kept."""
    monkeypatch.setattr("harness.console.follower.KEPT_BYTES", KEPT)
    monkeypatch.setattr("harness.console.follower._REPORT_BYTES", 4 << 10)

    def print_it() -> None:
        for _ in range(3 * KEPT // len(FLOOD)):
            following.print(FLOOD)
            following.follower.poll()

    return print_it


def test_of_a_flood_the_newest_part_is_kept(following: Following, flood: Callable[[], None]) -> None:
    flood()
    following.print("the last line\n")
    following.follower.poll()
    text = following.follower.text()
    assert len(text) <= KEPT + 100
    assert text.endswith("the last line\n")
    assert re.match(r"\[\d+ bytes are left out\]\n", text)


def test_a_mark_after_a_flood_is_where_it_was_set(following: Following, flood: Callable[[], None]) -> None:
    flood()
    mark = following.follower.mark()
    following.print("after it\n")
    following.follower.poll()
    assert following.follower.text(mark) == "after it\n"


def test_the_first_report_survives_the_flood_behind_it(following: Following, flood: Callable[[], None]) -> None:
    following.follower.mark()
    following.print("[ 1.0] WARNING: CPU: 0 PID: 1 at the first\n")
    flood()
    following.print("[ 2.0] WARNING: CPU: 0 PID: 1 at the second\n")
    crash = following.follower.crash()
    assert crash is not None
    assert crash.title.endswith("at the first")
    following.follower.mark()
    assert following.follower.crash() is None


def test_what_a_kernel_has_said_is_not_announced_to_the_next_one(following: Following) -> None:
    following.print("[ 1.0] WARNING: CPU: 0 PID: 1 at the end of the first\n")
    following.follower.poll()  # an announcement waits for the report to be whole
    following.follower.begin_kernel()
    following.print("[ 0.0] the second boots\n")
    time.sleep(1.0)
    assert following.crashes == []
