"""Which mutants are tried, and in which order."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tools.mutants.changes import Change, changes


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change of a file, which is named from the top of the source tree."""

    file: str
    change: Change
    description: str

    @property
    def key(self) -> str:
        """The same for the same mutant of the same source."""
        text = f"{self.file}\0{self.change.start}\0{self.change.end}\0{self.change.new}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return f"{self.file}:{self.change.line}: {self.description}"


def draw(sources: Mapping[str, str], seed: int) -> Iterator[Mutant]:
    """All mutants of `sources` (text by file name), in an order that takes files, and in a file lines, in turn."""
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    queues = [list(_by_turns(name, sources[name], chance)) for name in sorted(sources)]
    chance.shuffle(queues)
    for round_ in range(max(map(len, queues), default=0)):
        for queue in queues:
            if round_ < len(queue):
                yield queue[round_]


def _by_turns(name: str, source: str, chance: random.Random) -> Iterator[Mutant]:
    lines: dict[int, list[Change]] = {}
    for change in changes(source):
        lines.setdefault(change.line, []).append(change)
    queues = list(lines.values())
    for queue in queues:
        chance.shuffle(queue)
    for round_ in range(max(map(len, queues), default=0)):
        turn = [queue[round_] for queue in queues if round_ < len(queue)]
        chance.shuffle(turn)
        for change in turn:
            yield Mutant(file=name, change=change, description=change.describe(source))
