"""This harness, as a developer calls it."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.core_programs import ROOT
from tools.peers.bench import CELL, GUESTS, TIMEOUT, Bench
from tools.peers.command import measure_pytest
from tools.peers.measured import Outcome

_FILES = 4
_SUITE = """
import pytest

from harness.abi import Status

AMD64_MODES = range(7, 11)

@pytest.mark.parametrize("number", range({count}))
def test_paging_mode(session, number):
    reply = session.call("GET_PAGING_MODE")
    assert reply.outcome == Status.OK
    assert session.output("GET_PAGING_MODE", reply)["enmMode"] in AMD64_MODES
"""


def shares(count: int, files: int) -> list[int]:
    """`count` tests dealt to at most `files` files, as evenly as can be."""
    return [len(range(file, count, files)) for file in range(min(count, files))]


class Ours:
    """pytest with `options` over the tests, in four files."""

    def __init__(self, bench: Bench, *options: str) -> None:
        self._bench = bench
        self._options = options

    def __call__(self) -> tuple[Outcome]:
        suite = self._suite()
        command = [
            sys.executable,
            "-m",
            "pytest",
            str(suite),
            "-q",
            f"--rootdir={ROOT}",
            f"-c{ROOT / 'pyproject.toml'}",
        ]
        command += [f"--cell={CELL}", f"--guests={GUESTS}", f"--evidence={self._bench.work / 'evidence'}"]
        command += [f"--accelerator={self._bench.lab.accelerator(self._bench.cell.guest)}", "-pno:cacheprovider"]
        return (measure_pytest([*command, *self._options], tests=self._bench.tests, cwd=ROOT, timeout=TIMEOUT),)

    def _suite(self) -> Path:
        suite = self._bench.work / "suite"
        suite.mkdir(exist_ok=True)
        for number, count in enumerate(shares(self._bench.tests, _FILES)):
            (suite / f"test_{number}.py").write_text(_SUITE.format(count=count))
        return suite
