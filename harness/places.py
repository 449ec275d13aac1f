"""Where the harness keeps its files on the controller's machine."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_NAME = "supdrv-harness"


def cache_dir() -> Path:
    """Images, packages and driver builds: everything here can be made again."""
    return _base("XDG_CACHE_HOME", Path.home() / ".cache") / _NAME


def state_dir() -> Path:
    """What a run needs while it lives: consoles, keys, initial ramdisks."""
    return _base("XDG_STATE_HOME", Path.home() / ".local" / "state") / _NAME


def runtime_dir() -> Path:
    """Sockets. The path is short, because a socket's path may have 107 characters at most."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base:
        return Path(base) / _NAME
    if os.geteuid() == 0:
        return Path("/run") / _NAME
    return Path(tempfile.gettempdir()) / f"{_NAME}-{os.getuid()}"


def last_changes(paths: Iterable[Path]) -> dict[Path, float]:
    """When each was last changed, in seconds since 1970; other runs may remove paths meanwhile, which are left out."""
    changes = {}
    for path in paths:
        with suppress(FileNotFoundError):
            changes[path] = path.stat().st_mtime
    return changes


def _base(variable: str, default: Path) -> Path:
    """The directory in an environment variable; a relative one is ignored, as the XDG specification wants."""
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else default
