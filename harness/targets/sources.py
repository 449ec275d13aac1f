"""A copy of source folders to build in: the work tree stays clean, and an unchanged tree is not built again."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_STAMP = ".stamp"


class Sources:
    """The files below some folders of the project (`names`, relative to `root`)."""

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        self._root = root
        self._files = sorted(
            path for name in names for path in (root / name).rglob("*") if path.is_file() and _is_source(path)
        )

    def stamp(self, *options: str) -> str:
        """A digest of every file's path and content and of `options`."""
        digest = hashlib.sha256()
        for path in self._files:
            digest.update(f"{path.relative_to(self._root)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        for option in options:
            digest.update(f"{option}\0".encode())
        return digest.hexdigest()

    @contextmanager
    def exclusive(self, build: Path) -> Iterator[None]:
        """Keep other processes out of `build` meanwhile."""
        build.mkdir(parents=True, exist_ok=True)
        with (build / ".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def fresh(self, build: Path, stamp: str) -> bool:
        """Whether the last build in `build` was sealed with this stamp."""
        return _seal(build)[0] == stamp

    def note(self, build: Path) -> str:
        """What the last build in `build` was sealed with besides."""
        return _seal(build)[1]

    def sync(self, build: Path) -> None:
        """Copy what differs into `build` and remove sources that are gone; the seal is broken meanwhile."""
        (build / _STAMP).unlink(missing_ok=True)
        wanted = {path.relative_to(self._root) for path in self._files}
        for name in {relative.parts[0] for relative in wanted}:
            for old in (build / name).rglob("*"):
                if old.is_file() and _is_source(old) and old.relative_to(build) not in wanted:
                    old.unlink()
        for relative in wanted:
            data = (self._root / relative).read_bytes()
            copy = build / relative
            if not copy.exists() or copy.read_bytes() != data:
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(data)

    def seal(self, build: Path, stamp: str, note: str = "") -> None:
        """Remember that `build` holds a finished build of this stamp, and something that is to be known of it."""
        (build / _STAMP).write_text(f"{stamp}\n{note}")


def _seal(build: Path) -> tuple[str, str]:
    """Stamp and note of the build in `build`; empty if it is not finished."""
    try:
        stamp, _, note = (build / _STAMP).read_text().partition("\n")
    except FileNotFoundError:
        return "", ""
    return stamp, note


def _is_source(path: Path) -> bool:
    if path.name.endswith(".mod.c"):  # made by kbuild
        return False
    return path.suffix in {".c", ".h", ".S", ".lds", ".mk", ".rc", ".def"} or path.name in {"Kbuild", "Makefile"}
