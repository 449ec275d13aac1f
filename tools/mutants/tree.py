"""A copy of the driver's sources with one mistake in it, and what the compilers make of it."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

from harness.errors import DriverBuildError
from harness.matrix import Cell
from harness.session.lab import Lab
from harness.targets import DriverBuild
from harness.targets.sources import Sources
from tools.core_programs import ROOT, UNIT_TESTS, CoreDoesNotBuild, first_failing_test, make_core_program
from tools.mutants.journal import CAUGHT, SURVIVED, UNTESTED
from tools.mutants.sample import Mutant
from tools.reference import keep

PARTS = ("core", "kmod")


class MutatedTree:
    """The tree at `path`, which nobody else changes. `lab` must build the driver from it."""

    def __init__(self, path: Path, lab: Lab, cell: Cell) -> None:
        self._path = path
        self._lab = lab
        self._cell = cell
        self._unit = path.parent / "unit"
        Sources(ROOT, PARTS).sync(path)
        self.driver = keep(lab.driver(cell), path.parent / "reference")
        """The driver without a mistake."""
        objects = [file for part in PARTS for file in (self._build / part).glob("*.o")]
        names = [f"{file.parent.name}/{file.stem}.c" for file in objects]
        self.sources = {name: (ROOT / name).read_text() for name in names if (ROOT / name).exists()}
        """What the driver is made of: text by file."""
        self._codes = {name: {self._code(name)} for name in self.sources}
        make_core_program(UNIT_TESTS, out=self._unit, driver=path)

    @property
    def _build(self) -> Path:
        return self._path / "build" / self._cell.guest.name / self._cell.driver

    def put(self, mutant: Mutant) -> None:
        """Make the tree this mutant, and nothing else that it was before."""
        Sources(ROOT, PARTS).sync(self._path)
        (self._path / mutant.file).write_text(mutant.change.apply(self.sources[mutant.file]))

    def build(self) -> DriverBuild | None:
        """The driver as it is now; None if it does not compile."""
        try:
            return self._lab.driver(self._cell)
        except DriverBuildError:
            return None

    def is_new(self, name: str) -> bool:
        """Whether the code of file `name` as built last is that of no earlier build."""
        code = self._code(name)
        new = code not in self._codes[name]
        self._codes[name].add(code)
        return new

    def unit_verdict(self, name: str) -> str:
        """What the unit tests in user space say of the tree as it is; `-` if file `name` is not in their program."""
        if not (self._unit / name).with_suffix(".o").exists():
            return UNTESTED
        try:
            program = make_core_program(UNIT_TESTS, out=self._unit, driver=self._path)
        except CoreDoesNotBuild:
            return CAUGHT
        return SURVIVED if first_failing_test(program) is None else CAUGHT

    def _code(self, name: str) -> str:
        """A digest of a file's object without what is for debuggers."""
        with tempfile.NamedTemporaryFile() as stripped:
            source = (self._build / name).with_suffix(".o")
            subprocess.run(["objcopy", "--strip-debug", source, stripped.name], check=True)
            return hashlib.sha256(Path(stripped.name).read_bytes()).hexdigest()
