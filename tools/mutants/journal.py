"""What became of each mutant, a line of JSON each, so that a run that was interrupted goes on where it stood."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.mutants.equivalent import Place

EQUAL = "equal"
REFUSED = "refused"
CAUGHT = "caught"
SURVIVED = "survived"
EQUIVALENT = "equivalent"
UNTESTED = "-"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`suite` is `caught` or `survived`, or, for mutants that do not count, `refused` by the compiler, `equal` in code
    to the driver or another mutant, or `equivalent` by a person's word. `by` is the test that caught it, `why` the end
    of what that said, or the person's reason. `unit` is what the unit tests said, `-` for a file without any."""

    key: str
    file: str
    line: int
    description: str
    suite: str
    by: str = ""
    why: str = ""
    unit: str = UNTESTED
    seconds: float = 0.0

    @property
    def place(self) -> Place:
        """What an entry of the list of equivalent mutants names."""
        return self.file, self.line, self.description

    @property
    def counts(self) -> bool:
        return self.suite in {CAUGHT, SURVIVED}


class Journal:
    """Verdicts on the mutants of one state of the sources. What another state of the suite let survive is to be tried
    again; of other states of the sources, only which tests are good at catching mutants is of use."""

    def __init__(self, path: Path, *, sources: str, suite: str, equivalent: Mapping[Place, str] | None = None) -> None:
        self._path = path
        self._equivalent = equivalent or {}
        self._stamps = {"sources_stamp": sources, "suite_stamp": suite}
        self.verdicts: dict[str, Verdict] = {}
        self.kills: dict[str, dict[str, int]] = {}
        """How many mutants a test has caught, by test and file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            self._read()

    def _read(self) -> None:
        for line in self._path.read_text().splitlines():
            entry = json.loads(line)
            stamps = {name: entry.pop(name) for name in self._stamps}
            verdict = Verdict(**entry)
            self._count(verdict)
            same_suite = stamps["suite_stamp"] == self._stamps["suite_stamp"]
            if (verdict.suite == EQUIVALENT) != (verdict.place in self._equivalent):
                continue
            if stamps["sources_stamp"] == self._stamps["sources_stamp"] and (same_suite or verdict.suite != SURVIVED):
                self.verdicts[verdict.key] = verdict

    def add(self, verdict: Verdict) -> None:
        """Keep a verdict, also for later runs."""
        self.verdicts[verdict.key] = verdict
        self._count(verdict)
        with self._path.open("a") as file:
            file.write(json.dumps(self._stamps | asdict(verdict)) + "\n")

    def _count(self, verdict: Verdict) -> None:
        if verdict.suite == CAUGHT:
            files = self.kills.setdefault(verdict.by, {})
            files[verdict.file] = files.get(verdict.file, 0) + 1

    @property
    def counted(self) -> int:
        """How many verdicts count."""
        return sum(verdict.counts for verdict in self.verdicts.values())


def stamp_of(files: Iterable[Path]) -> str:
    """A digest of the files' names and contents."""
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file.name}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]
