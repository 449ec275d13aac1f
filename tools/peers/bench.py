"""What every variant needs, and how each is told to run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.matrix import Cell
from harness.session.lab import Lab

GUESTS = Path(__file__).with_name("guests")
CELL = "peers"
TIMEOUT = 600.0


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
