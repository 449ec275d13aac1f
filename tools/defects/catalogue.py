"""The mistakes of defects.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from tools.core_programs import ROOT

FILE = Path(__file__).with_name("defects.toml")


@dataclass(frozen=True, slots=True)
class Defect:
    """One mistake: `before`, which is once in `file`, became `after`. `tests` is where it should be noticed."""

    what: str
    file: str
    tests: str
    before: str
    after: str

    def text(self) -> str:
        """The file with the mistake. Raises ValueError if it is not as it was when the mistake was made up."""
        text = (ROOT / self.file).read_text(encoding="utf-8")
        if text.count(self.before) != 1:
            raise ValueError(
                f"{self.file}: what {self.what!r} replaces is there {text.count(self.before)} times, not once"
            )
        return text.replace(self.before, self.after)


def defects() -> list[Defect]:
    """All of them, those of the core first."""
    return [Defect(**fields) for fields in tomllib.loads(FILE.read_text(encoding="utf-8"))["defect"]]
