"""What is made ready before a run: in which order, and what becomes of that which cannot be made."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from harness.cli.setup import prepare
from harness.config import Guest, load_guests
from harness.errors import CellUnavailable, DriverBuildError, SetupError
from harness.events import RecordingProgress
from harness.matrix import Cell, cells
from harness.session.lab import Lab
from harness.targets import DriverBuild

CELLS = {cell.id: cell for cell in cells(load_guests(Path(__file__).parents[2] / "guests"), "release")}
LINUX = [CELLS["linux-amd64"], CELLS["linux-compat"]]
TOGETHER_SECONDS = 10.0


class FakeLab:
    """Makes nothing; `broken` is what fails, by name."""

    def __init__(self, broken: Sequence[str] = (), *, together: int = 1) -> None:
        self.progress = RecordingProgress()
        self.made: list[str] = []
        self._broken = broken
        self._meeting = threading.Barrier(together)

    def make_image(self, guest: Guest) -> None:
        if guest.name in self._broken:
            raise CellUnavailable(guest.name, hint="get one")
        self.made.append(guest.name)

    def agent(self, os: str, arch: str) -> Path:
        self._meeting.wait(TOGETHER_SECONDS)
        return self._make(f"agent {os}-{arch}", SetupError)

    def driver(self, cell: Cell) -> DriverBuild:
        return DriverBuild(self._make(f"driver {cell.guest.name}", DriverBuildError), "", 1.0)

    def accelerator(self, guest: Guest) -> str:
        self.made.append(f"probe of {guest.name}")
        return "qemu"

    def _make(self, what: str, error: type[SetupError | DriverBuildError]) -> Path:
        if what in self._broken:
            raise error(f"{what} does not build")
        self.made.append(what)
        return Path()


def prepared(lab: FakeLab, wanted: list[Cell]) -> list[str]:
    """What was told."""
    prepare(cast("Lab", lab), wanted)
    return lab.progress.lines


def test_what_is_shared_by_cells_is_made_once_and_compilers_work_beside_each_other() -> None:
    lab = FakeLab(together=min(2, os.cpu_count() or 1))
    prepared(lab, LINUX)
    assert sorted(lab.made) == [
        *("agent linux-amd64", "agent linux-x86", "driver linux-amd64"),
        *("linux-amd64", "probe of linux-amd64"),
    ]


def test_nothing_is_compiled_for_a_guest_without_an_image() -> None:
    lab = FakeLab(["os2-x86"])
    told = prepared(lab, [CELLS["os2-x86"], LINUX[0]])
    assert "image of os2-x86 ... not there: get one" in told
    assert sorted(lab.made) == ["agent linux-amd64", "driver linux-amd64", "linux-amd64", "probe of linux-amd64"]


def test_a_driver_that_does_not_build_is_told_and_left_to_its_tests() -> None:
    told = prepared(FakeLab(["driver linux-amd64"]), LINUX)
    assert "driver for linux-amd64 (release) ... FAILED: driver linux-amd64 does not build" in told


def test_an_agent_that_does_not_build_ends_it() -> None:
    lab = FakeLab(["agent linux-x86"])
    with pytest.raises(SetupError, match="agent linux-x86 does not build"):
        prepared(lab, LINUX)
    assert "probe of linux-amd64" not in lab.made
