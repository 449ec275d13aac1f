"""The mutants that change code and nothing else, as `equivalent.toml` lists them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

LIST = Path(__file__).with_name("equivalent.toml")

Place = tuple[str, int, str]
"""File, line and change, as in a report. When the source moves, an entry fits nothing any more, and a test says so."""


def equivalents(path: Path = LIST) -> Mapping[Place, str]:
    """Why each of them is equivalent."""
    with path.open("rb") as stream:
        entries = tomllib.load(stream)["mutant"]
    return {(entry["file"], entry["line"], entry["change"]): entry["why"] for entry in entries}
