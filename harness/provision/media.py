"""What a guest boots from, made anew for each boot."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.errors import SetupError
from harness.images.cpio import overlay
from harness.images.freebsd_disc import DiscParts, write_disc
from harness.images.keys import GuestKeys


class Medium(Protocol):
    """An initial ramdisk, or a disc."""

    def write(self, path: Path, keys: GuestKeys) -> None:
        """Make the medium at `path`, for a guest that has `keys`. Raises SetupError."""


@dataclass(frozen=True, slots=True)
class InitrdMedium:
    """A copy of an image's initial ramdisk, with the guest's own keys and `files` (by path) behind it."""

    initrd: Path
    files: Mapping[str, bytes] = field(default_factory=dict)

    def write(self, path: Path, keys: GuestKeys) -> None:
        try:
            shutil.copyfile(self.initrd, path)
            with path.open("ab") as stream:
                stream.write(overlay({**keys.files(), **self.files}))
        except OSError as error:
            raise SetupError(f"cannot write {path}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class DiscMedium:
    """A disc with a kernel and the agents. There is no SSH in it, so keys have no place there."""

    parts: DiscParts

    def write(self, path: Path, keys: GuestKeys) -> None:
        write_disc(self.parts, path, work=path.with_suffix(".work"))


@dataclass(frozen=True, slots=True)
class SeedMedium:
    """A disc with the agents, and what makes a FreeBSD that starts from its own disk start those of word size
    `client`; `programs` by word size."""

    programs: Mapping[str, Path]
    client: str

    def write(self, path: Path, keys: GuestKeys) -> None:
        from harness.images.freebsd_seed import write_cloud_seed  # noqa: PLC0415 - slow, and few runs need it

        write_cloud_seed(self.programs, self.client, path)
