"""Measures how many small mistakes in the driver the suite in the guest notices.

    python -m tools.mutants [--count 150] [--seed 1]

Works in build/mutants. A run that is interrupted goes on where it stood. Exit status 1 if the suite fails without any
mistake in the driver, or the lab does.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.cli.options import known_cells
from harness.errors import HarnessError
from harness.events import terminal_progress
from harness.session.lab import Lab, LabOptions
from tools.core_programs import ROOT
from tools.mutants.equivalent import equivalents
from tools.mutants.journal import CAUGHT, EQUAL, EQUIVALENT, REFUSED, SURVIVED, Journal, Verdict, stamp_of
from tools.mutants.report import report
from tools.mutants.sample import Mutant, draw
from tools.mutants.suite import Suite
from tools.mutants.tree import MutatedTree

CELL = "linux-amd64"
HOME = ROOT / "build/mutants"
SUITE = ROOT / "tests/ioctl"
_WHY_LENGTH = 300


class Measurement:
    """The mutants of a sample, one after the other, until `count` of them have a verdict."""

    def __init__(self, tree: MutatedTree, journal: Journal, *, count: int, seed: int) -> None:
        self._tree = tree
        self._journal = journal
        self._count = count
        self._seed = seed
        self._equivalent = equivalents()

    def work(self, suite: Suite) -> None:
        """Judge mutants in the guest of `suite`."""
        suite.check(whole=self._journal.counted == 0)
        for mutant in draw(self._tree.sources, self._seed):
            if self._journal.counted >= self._count:
                return
            if mutant.key not in self._journal.verdicts:
                verdict = self._judge(mutant, suite)
                self._journal.add(verdict)
                if verdict.counts:
                    self._say(verdict)

    def _judge(self, mutant: Mutant, suite: Suite) -> Verdict:
        begin = time.monotonic()
        why = self._equivalent.get((mutant.file, mutant.change.line, mutant.description))
        if why is not None:
            return _verdict(mutant, suite=EQUIVALENT, why=why)
        self._tree.put(mutant)
        driver = self._tree.build()
        if driver is None:
            return _verdict(mutant, suite=REFUSED)
        if not self._tree.is_new(mutant.file):
            return _verdict(mutant, suite=EQUAL)
        unit = self._tree.unit_verdict(mutant.file)
        caught_by = suite.judge(driver, mutant.file, reference=self._tree.driver, kills=self._journal.kills)
        return _verdict(
            mutant,
            suite=SURVIVED if caught_by is None else CAUGHT,
            by=caught_by or "",
            why=suite.failure[-_WHY_LENGTH:] if caught_by else "",
            unit=unit,
            seconds=round(time.monotonic() - begin, 1),
        )

    def _say(self, verdict: Verdict) -> None:
        by = verdict.by.rpartition("::")[2]
        place = f"{verdict.file}:{verdict.line}: {verdict.description}"
        print(
            f"{self._journal.counted:4}/{self._count} {verdict.seconds:5.1f} s {verdict.suite:8} {place}  {by}",
            flush=True,
        )


def _verdict(
    mutant: Mutant, *, suite: str, by: str = "", why: str = "", unit: str = "-", seconds: float = 0.0
) -> Verdict:
    return Verdict(
        key=mutant.key,
        file=mutant.file,
        line=mutant.change.line,
        description=mutant.description,
        suite=suite,
        by=by,
        why=why,
        unit=unit,
        seconds=seconds,
    )


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.mutants")
    parser.add_argument("--count", type=int, default=150, help="how many mutants to judge")
    parser.add_argument("--seed", type=int, default=1, help="which sample")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    tree_path = HOME / "tree"
    (cell,) = known_cells(None, wanted=(CELL,))
    lab = Lab(LabOptions(project=ROOT, evidence=HOME / "evidence", driver_tree=tree_path), terminal_progress())
    try:
        tree = MutatedTree(tree_path, lab, cell)
    except HarnessError as error:
        print(error, file=sys.stderr)
        return 1
    journal = Journal(
        HOME / "journal.jsonl",
        sources=stamp_of(ROOT / name for name in tree.sources),
        suite=stamp_of(SUITE.glob("*.py")),
        equivalent=equivalents(),
    )
    status = _measure(Measurement(tree, journal, count=options.count, seed=options.seed), tree_path)
    text = "\n".join(report(journal.verdicts.values()))
    (HOME / "report.txt").write_text(text + "\n")
    print(text)
    return status


def _measure(measurement: Measurement, tree: Path) -> int:
    command = [str(SUITE), f"--rootdir={ROOT}", f"-c{ROOT / 'pyproject.toml'}", f"--cell={CELL}"]
    command.append(f"--driver-tree={tree}")
    command += [f"--evidence={HOME / 'evidence'}", "-pno:cacheprovider", "-pno:terminal"]
    suite = Suite(measurement.work)
    status = pytest.main(command, plugins=[suite])
    if suite.stopped_by:
        print(suite.stopped_by, file=sys.stderr)
    return 1 if suite.stopped_by else int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
