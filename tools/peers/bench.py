"""What every variant needs, and how each is told to run."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import SetupError
from harness.matrix import Cell
from harness.places import cache_dir
from harness.session.lab import Lab

GUESTS = Path(__file__).with_name("guests")
CELL = "peers"
TIMEOUT = 600.0


def peers_dir() -> Path:
    """What is downloaded for the measurement alone."""
    return cache_dir() / "peers"


@contextmanager
def alone() -> Iterator[None]:
    """Two measurements would share `peers_dir` and spoil each other's figures."""
    peers_dir().mkdir(parents=True, exist_ok=True)
    with (peers_dir() / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SetupError("another measurement is running", hint="wait until it has ended") from error
        yield


@dataclass(frozen=True, slots=True)
class Bench:
    """`work`: a directory that goes with the measurement. `tools`: the peers' programs. `driver`, `client`: what goes
    into the guests. `tests`: how many a variant runs; `boots`: how many where each test costs a boot by hand."""

    lab: Lab
    cell: Cell
    work: Path
    tools: Path
    driver: Path
    client: Path
    tests: int
    boots: int
