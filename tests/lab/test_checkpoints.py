"""Checkpoints in real guests: used, right, never in the way, and isolation as far as it was asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.events import RecordingProgress
from harness.provision.guest import READY_LINE
from harness.session.cell_session import CellSession
from harness.transport.wire import FileFlag

CLOCK_SECONDS = 2.0
MARK = "/tmp/mark"
KEPT_FREE_MIB = 16
"""What of its free memory a guest may have in its checkpoint: a part of what it needs while the rest is cleared."""


def booted(session: CellSession) -> bool:
    return READY_LINE in session.guest.console.text()


def works(session: CellSession) -> None:
    session.new_client().open_session().call("GET_PAGING_MODE")
    session.end_test()


def test_the_second_run_starts_where_the_first_had_booted(new_session: Callable[..., CellSession]) -> None:
    first, second = new_session(), new_session()
    for session in (first, second):
        session.begin_test("test")
        works(session)
    assert booted(first)
    assert not booted(second)
    assert first.kernel == second.kernel


def test_a_restored_guest_knows_the_time_and_new_random_numbers(new_session: Callable[..., CellSession]) -> None:
    new_session().begin_test("test")
    cookies = set()
    for _ in range(2):
        session = new_session()
        session.begin_test("test")
        assert not booted(session)
        assert abs(session.agent.clock() / 1e9 - time.time()) < CLOCK_SECONDS
        cookies.add(session.new_client().open_session().cookies)
        session.end_test()
    assert len(cookies) == 2


@pytest.mark.parametrize("damage", ["cut", "garbage", "gone", "keys.json", "facts.json"])
def test_a_damaged_checkpoint_costs_a_boot(
    new_session: Callable[..., CellSession], store: Path, progress: RecordingProgress, damage: str
) -> None:
    new_session().begin_test("test")
    (disk,) = store.glob("*/*/disk.qcow2")
    if damage.endswith(".json"):
        (disk.parent / damage).write_text("")
    elif damage == "gone":
        disk.unlink()
    else:
        disk.write_bytes(disk.read_bytes()[: 1 << 20] if damage == "cut" else bytes(1 << 20))
    session = new_session()
    session.begin_test("test")
    works(session)
    assert booted(session)
    assert any("its checkpoint does not work, so it boots" in text for text in progress.steps)
    after = new_session()
    after.begin_test("test")
    assert not booted(after)


def test_another_agent_makes_another_checkpoint(
    new_session: Callable[..., CellSession], store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_session().begin_test("test")
    monkeypatch.setattr("harness.session.starting._FORMAT", "another")
    session = new_session()
    session.begin_test("test")
    assert booted(session)
    assert len(list(store.glob("*/*/disk.qcow2"))) == 2


def test_two_runs_at_once_make_one_checkpoint(new_session: Callable[..., CellSession], store: Path) -> None:
    sessions = [new_session(), new_session()]
    threads = [threading.Thread(target=session.begin_test, args=("test",)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for session in sessions:
        works(session)
    assert len(list(store.glob("*/*"))) == 1


def test_a_checkpoint_has_no_memory_that_its_guest_does_not_use(
    new_session: Callable[..., CellSession], store: Path
) -> None:
    session = new_session()
    session.begin_test("test")
    lines = session.agent.file_read("/proc/meminfo").decode().splitlines()
    free = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemFree:"))
    (disk,) = store.glob("*/*/disk.qcow2")
    memory = session.cell.guest.memory_mib << 20
    assert disk.stat().st_blocks * 512 < memory - free + (KEPT_FREE_MIB << 20)


def test_without_checkpoints_nothing_is_kept(new_session: Callable[..., CellSession], store: Path) -> None:
    session = new_session(checkpoints=False)
    session.begin_test("test")
    works(session)
    assert not store.exists()


@pytest.mark.parametrize(
    ("isolation", "tests", "seen"),
    [
        ("run", ("a::1", "a::2", "b::1"), [False, True, True]),
        ("file", ("a::1", "a::2", "b::1"), [False, True, False]),
        ("test", ("a::1", "a::2", "a::2"), [False, False, False]),
    ],
)
def test_what_a_test_leaves_in_the_kernel_lasts_as_long_as_was_asked_for(
    new_session: Callable[..., CellSession], isolation: str, tests: tuple[str, ...], seen: list[bool]
) -> None:
    session = new_session(isolation=isolation)
    found = []
    for test in tests:
        session.begin_test(test)
        found.append("mark" in session.agent.file_list("/tmp"))
        session.agent.file_write(MARK, b"", flags=FileFlag.CREATE)
        works(session)
    assert found == seen


def test_a_guest_that_cannot_be_restored_in_place_is_replaced(
    new_session: Callable[..., CellSession], progress: RecordingProgress
) -> None:
    session = new_session()
    session.begin_test("test")
    session.guest.domain.destroy()
    session.retire()
    session.begin_test("next")
    works(session)
    assert any("it cannot be restored in place, so it starts anew" in text for text in progress.steps)
