"""Checkpoints: guests that have booted, kept as files, so that the next run starts from there.

Below the cache: `checkpoints/CELL/KEY/` with `disk.qcow2` (memory, devices and disk, as one internal snapshot),
`initrd.img` (what it booted from, whose size must not change), `keys.json` and `facts.json`. KEY is a hash of all that
went into it, so one that does not fit is not found; one that is there was complete when it got its name.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import SetupError
from harness.images.keys import GuestKeys
from harness.places import cache_dir, last_changes

_KEPT = 2
"""How many checkpoints of a cell stay: the newest, and the one before, for those who go back and forth."""

_MAKING_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A complete checkpoint. It may be removed by another run at any time, so its files are copied or linked before
    use, and either works or raises OSError. What cannot be read of its keys and facts raises SetupError."""

    directory: Path

    @property
    def disk(self) -> Path:
        return self.directory / "disk.qcow2"

    @property
    def initrd(self) -> Path:
        return self.directory / "initrd.img"

    def keys(self) -> GuestKeys:
        """The keys that its guest knows."""
        fields = self._fields("keys.json")
        try:
            return GuestKeys(
                client_private=fields["client_private"].encode(),
                client_public=fields["client_public"],
                host_private=bytes.fromhex(fields["host_private"]),
                host_public=fields["host_public"],
            )
        except (KeyError, ValueError) as error:
            raise SetupError(f"the checkpoint {self.directory} is damaged: its keys are no keys") from error

    def facts(self) -> Mapping[str, str]:
        """What its guest said of itself when the checkpoint was made."""
        return self._fields("facts.json")

    def _fields(self, name: str) -> Mapping[str, str]:
        try:
            found: Mapping[str, str] = json.loads((self.directory / name).read_text())
        except (OSError, ValueError) as error:
            raise SetupError(f"the checkpoint {self.directory} is damaged: {name}: {error}") from error
        return found


def checkpoint_key(parts: Mapping[str, str]) -> str:
    """A hash of all that goes into a checkpoint, by name."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def file_identity(path: Path) -> str:
    """Stands for the content of a program that only a package changes: path, size and time."""
    facts = path.stat()
    return f"{path} {facts.st_size} {facts.st_mtime_ns}"


def link_or_copy(source: Path, target: Path) -> None:
    """The same file under another name, which outlives the first."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK}:
            raise
        shutil.copyfile(source, target)


class CheckpointStore:
    """The checkpoints of all cells."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or cache_dir() / "checkpoints"

    def find(self, cell: str, key: str) -> Checkpoint | None:
        """The checkpoint of `cell` with that key, if there is one."""
        directory = self.root / cell / key
        try:
            os.utime(directory)  # it is in use: others go first
        except OSError:
            return None
        return Checkpoint(directory)

    def publish(
        self, cell: str, key: str, *, fill: Callable[[Checkpoint], None], keys: GuestKeys, facts: Mapping[str, str]
    ) -> Checkpoint:
        """Keep a new checkpoint, whose disk and initrd `fill` puts there. If another run was faster, its own stays.
        Raises SetupError if there is no space for it; nothing is left of it then."""
        place = self.root / cell
        making = Checkpoint(place / f".{secrets.token_hex(4)}")
        try:
            try:
                making.directory.mkdir(mode=0o700, parents=True)
                fill(making)
                _write_private(making.directory / "keys.json", _key_fields(keys))
                _write_private(making.directory / "facts.json", facts)
                finished = Checkpoint(place / key)
                try:
                    making.directory.rename(finished.directory)
                except OSError:
                    if not finished.directory.exists():
                        raise
            finally:
                shutil.rmtree(making.directory, ignore_errors=True)
            self._forget_old(place)
        except OSError as error:
            raise SetupError(f"cannot keep a checkpoint of {cell} in {place}: {error.strerror}") from error
        return finished

    def discard(self, checkpoint: Checkpoint) -> None:
        """Remove a checkpoint that does not work."""
        shutil.rmtree(checkpoint.directory, ignore_errors=True)

    def _forget_old(self, place: Path) -> None:
        """Remove what is not among the newest, and what a killed run left half made."""
        now = time.time()
        changed = last_changes(place.iterdir())
        half_made = [path for path in changed if path.name.startswith(".") and now - changed[path] > _MAKING_SECONDS]
        finished = sorted((path for path in changed if not path.name.startswith(".")), key=lambda path: -changed[path])
        for path in (*half_made, *finished[_KEPT:]):
            shutil.rmtree(path, ignore_errors=True)


def _key_fields(keys: GuestKeys) -> Mapping[str, str]:
    fields = asdict(keys)
    return fields | {"client_private": keys.client_private.decode(), "host_private": keys.host_private.hex()}


def _write_private(path: Path, fields: Mapping[str, str]) -> None:
    path.touch(mode=0o600)
    path.write_text(json.dumps(fields, indent=1) + "\n")
