"""Puts each mistake of tools/defects/defects.toml into the driver and runs the suite until a test notices it.

    python -m tools.defects [--cell windows-amd64] [--only PART]

Works in build/defects. Prints the rows of docs/defects.md. Exit status 1 if a mistake is not noticed, or the lab fails.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import pytest

from harness.cli.options import known_cells
from harness.events import terminal_progress
from harness.matrix import Cell
from harness.session.lab import Lab, LabOptions
from harness.targets import DriverBuild
from harness.targets.sources import Sources
from tools.core_programs import ROOT
from tools.defects.catalogue import Defect, defects
from tools.mutants.suite import Suite
from tools.reference import keep

HOME = ROOT / "build/defects"
TREE = HOME / "tree"
SUITE = ROOT / "tests/ioctl"
PARTS = ("core", "kmod", "win")


class Tree:
    """The sources, with one mistake at a time: whatever restarts the guest meanwhile builds what is there."""

    def __init__(self, lab: Lab, cell: Cell) -> None:
        self._lab = lab
        self._cell = cell
        Sources(ROOT, PARTS).sync(TREE)
        self.reference = keep(lab.driver(cell), HOME / "reference")
        """The driver without a mistake."""

    def build(self, defect: Defect) -> DriverBuild:
        """The driver with that mistake and no other."""
        Sources(ROOT, PARTS).sync(TREE)
        (TREE / defect.file).write_text(defect.text(), encoding="utf-8")
        return self._lab.driver(self._cell)


class Hunt:
    """What notices each of the mistakes, by what is wrong; nothing if no test does."""

    def __init__(self, tree: Tree, wanted: Sequence[Defect]) -> None:
        self._tree = tree
        self._wanted = wanted
        self.found: dict[str, str | None] = {}

    def work(self, suite: Suite) -> None:
        suite.check(whole=False)
        for defect in self._wanted:
            driver = self._tree.build(defect)
            suite.begin_anew()
            likely = {test: {defect.file: 1} for test in suite.tests if f"/{defect.tests}::" in test}
            found = suite.judge(driver, defect.file, reference=self._tree.reference, kills=likely)
            self.found[defect.what] = found
            print(row(defect, found), flush=True)


def row(defect: Defect, found: str | None) -> str:
    """A line of the table in docs/defects.md."""
    name = f"`{found.removeprefix('tests/ioctl/')}`" if found else "**nothing**"
    return f"| `{defect.file}` | {defect.what} | {name} |"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.defects")
    parser.add_argument("--cell", default="windows-amd64")
    parser.add_argument("--only", default="", help="mistakes in whose file or description this is")
    options = parser.parse_args(arguments)
    (cell,) = known_cells(None, wanted=(options.cell,))
    wanted = [defect for defect in defects() if options.only in f"{defect.file} {defect.what}"]
    lab = Lab(LabOptions(project=ROOT, evidence=HOME / "evidence", driver_tree=TREE), terminal_progress())
    hunt = Hunt(Tree(lab, cell), wanted)
    suite = Suite(hunt.work)
    command = ["-pno:cacheprovider", "-pno:terminal", f"--cell={cell.id}", f"--driver-tree={TREE}"]
    command += [f"--evidence={HOME / 'evidence'}", str(SUITE)]
    status = pytest.main(command, plugins=[suite])
    lab.close()
    print(f"{sum(found is not None for found in hunt.found.values())} of {len(wanted)} noticed")
    if suite.stopped_by:
        print(suite.stopped_by, file=sys.stderr)
    return int(bool(status) or bool(suite.stopped_by) or None in hunt.found.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
