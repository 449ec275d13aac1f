"""Runs: who is alive, and what the dead left behind.

Every controller process owns a run directory and holds a lock in it for as long as it lives. The kernel drops
the lock however the process ends, so a run directory with a free lock belongs to nobody and may be cleared,
with the domains that name it. A run whose guests were asked to stay has a file `keep` and is only cleared by
`harness down`.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from harness.errors import ProvisionError, SetupError
from harness.places import runtime_dir, state_dir
from harness.provision.hypervisor import Hypervisor

_LOCK = "lock"
_KEEP = "keep"
_FACTS = "run.json"
_MAKING_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Cleared:
    """What a clean-up removed: names of domains, ids of runs."""

    domains: tuple[str, ...]
    runs: tuple[str, ...]


class Run:
    """This process's run: a directory, locked while the process lives."""

    def __init__(self, directory: Path, lock: IO[str]) -> None:
        self.directory = directory
        self.id = directory.name
        self._lock = lock

    @classmethod
    def begin(cls, *, uri: str, state: Path | None = None) -> Run:
        """Make and lock a new run directory; `uri` is the libvirt connection its domains will live on."""
        runs = (state or state_dir()) / "runs"
        identity = secrets.token_hex(4)
        making = runs / f".{identity}"
        try:
            making.mkdir(mode=0o700, parents=True)
            lock = (making / _LOCK).open("w", encoding="utf-8")
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            (making / _FACTS).write_text(json.dumps({"uri": uri, "pid": os.getpid()}))
            directory = making.rename(runs / identity)
        except OSError as error:
            raise SetupError(f"cannot make a run directory under {runs}: {error.strerror}") from error
        return cls(directory, lock)

    def cell_dir(self, cell: str) -> Path:
        """A fresh directory for one guest of this run, emptied if it exists."""
        directory = self.directory / cell
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(mode=0o700)
        return directory

    def socket(self, cell: str) -> Path:
        """Where the socket of a guest's agent is to be. Not in the guest's directory: see `runtime_dir`."""
        place = runtime_dir()
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(f"cannot make {place}: {error.strerror}") from error
        path = place / f"{self.id}-{cell}"
        path.unlink(missing_ok=True)
        return path

    def keep(self) -> None:
        """Leave the guests of this run when the process ends."""
        (self.directory / _KEEP).touch()

    def end(self) -> None:
        """Remove the directory, unless its guests stay. Call it when no domain of the run is left."""
        if not (self.directory / _KEEP).exists():
            shutil.rmtree(self.directory, ignore_errors=True)
            _remove_sockets(self.id)
        self._lock.close()


def _remove_sockets(run: str) -> None:
    for path in runtime_dir().glob(f"{run}-*"):
        path.unlink(missing_ok=True)


def orphans(state: Path, *, kept: bool) -> Iterator[tuple[Path, IO[str]]]:
    """Run directories whose process is gone, each with its lock taken; `kept` includes those asked to stay."""
    runs = state / "runs"
    for directory in sorted(runs.iterdir()) if runs.is_dir() else []:
        if (directory / _KEEP).exists() and not kept:
            continue
        try:
            if directory.name.startswith(".") and time.time() - directory.stat().st_mtime < _MAKING_SECONDS:
                continue  # somebody is making it this very moment
            lock = (directory / _LOCK).open("a", encoding="utf-8")
        except FileNotFoundError:
            continue  # its run has just ended, or somebody else has just cleared it
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        yield directory, lock


def clear_orphans(hypervisor: Hypervisor, *, kept: bool = False, state: Path | None = None) -> Cleared:
    """Destroy the domains and remove the directories of runs whose process is gone, and only those.

    Raises ProvisionError if a domain resists; its run directory then stays, so that the next call tries again.
    """
    place = state or state_dir()
    live = [(domain, owner) for domain, owner in hypervisor.ours() if owner.state == str(place)]
    domains: list[str] = []
    runs: list[str] = []
    for directory, lock in orphans(place, kept=kept):
        try:
            for domain, owner in live:
                if owner.run == directory.name:
                    domain.destroy()
                    domains.append(domain.name)
            shutil.rmtree(directory)
            _remove_sockets(directory.name)
            runs.append(directory.name)
        except FileNotFoundError:
            pass  # another process has cleared it between our look and our lock
        except OSError as error:
            raise ProvisionError(f"cannot remove {directory}: {error.strerror}") from error
        finally:
            lock.close()
    for domain, owner in live:
        if not (place / "runs" / owner.run).exists() and domain.name not in domains:
            domain.destroy()
            domains.append(domain.name)
    return Cleared(domains=tuple(domains), runs=tuple(runs))
