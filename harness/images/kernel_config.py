"""Kernel configurations: what a file of wanted options asks for, and what became of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SET = re.compile(r"(CONFIG_\w+)=(.+)")
_UNSET = re.compile(r"# (CONFIG_\w+) is not set")
_OFF = "n"


def options(text: str) -> dict[str, str]:
    """Option to value; one that `is not set` has the value `n`. Anything else in `text` is a comment."""
    return dict(_options(text))


def lost(wanted: str, actual: str) -> list[str]:
    """What `wanted` asks for and the configuration `actual` does not have, a phrase each.

    kconfig drops an option whose dependencies are not met without a word, and overrides one that another selects.
    """
    found = options(actual)
    return [
        f"{name}={value} (it is {found.get(name, _OFF)})"
        for name, value in _options(wanted)
        if found.get(name, _OFF) != value
    ]


def _options(text: str) -> Iterator[tuple[str, str]]:
    for line in map(str.strip, text.splitlines()):
        if match := _SET.fullmatch(line):
            yield match[1], match[2]
        elif match := _UNSET.fullmatch(line):
            yield match[1], _OFF
