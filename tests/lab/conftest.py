"""What tests with a real guest share: a store of checkpoints of their own, and sessions of cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.config import load_guests
from harness.events import RecordingProgress
from harness.matrix import Cell, cells, select
from harness.places import cache_dir
from harness.session.cell_session import CellSession
from harness.session.lab import Lab, LabOptions

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with the images of the real one, and checkpoints of its own."""
    own = tmp_path / "cache" / "supdrv-harness"
    own.mkdir(parents=True)
    for entry in cache_dir().iterdir():
        if entry.name != "checkpoints":
            (own / entry.name).symlink_to(entry)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return own / "checkpoints"


@pytest.fixture
def amd64() -> Cell:
    (chosen,) = select(cells(load_guests(ROOT / "guests")), ["linux-amd64"])
    return chosen


@pytest.fixture
def progress() -> RecordingProgress:
    return RecordingProgress()


@pytest.fixture
def new_session(
    amd64: Cell, progress: RecordingProgress, tmp_path: Path, store: Path
) -> Iterator[Callable[..., CellSession]]:
    """Sessions, each of a lab of its own, as in a run of its own."""
    made: list[tuple[CellSession, Lab]] = []

    def make(**options: object) -> CellSession:
        wanted = replace(LabOptions(project=ROOT, evidence=tmp_path / "evidence"), **options)
        lab = Lab(wanted, progress)
        made.append((CellSession(lab, amd64), lab))
        return made[-1][0]

    yield make
    for session, lab in made:
        session.close()
        lab.close()
