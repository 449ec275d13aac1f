"""Images of FreeBSD that were fetched: kept in the cache until somebody removes them.

Below the cache: `freebsd/GUEST/` with `disk.qcow2` as it was published and `facts.json`; one that is there is complete.
`freebsd/fetching/` has what is on its way.
"""

from __future__ import annotations

import fcntl
import json
import lzma
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import SetupError
from harness.events import SILENT, Progress, stage
from harness.images.freebsd_release import CHECKSUMS, Release
from harness.images.host_tool import space_checked
from harness.places import cache_dir

_MAGIC = b"QFI\xfb"
_BLOCK = 1 << 20
_DISK = "disk.qcow2"
_FACTS = "facts.json"


@dataclass(frozen=True, slots=True)
class FreeBsdImage:
    """A complete image."""

    directory: Path

    @property
    def guest(self) -> str:
        return self.directory.name

    @property
    def disk(self) -> Path:
        """A qcow2 file that nobody may write to."""
        return self.directory / _DISK

    def facts(self) -> Mapping[str, str]:
        """What it is: release, architecture, address, checksum. Raises SetupError."""
        try:
            found: Mapping[str, str] = json.loads((self.directory / _FACTS).read_text())
        except (OSError, ValueError) as error:
            raise SetupError(f"the image {self.directory} is damaged: {_FACTS}: {error}") from error
        return found


class FreeBsdImages:
    """The images of this machine, one for a guest."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or cache_dir() / "freebsd"

    def find(self, guest: str) -> FreeBsdImage | None:
        """The image for `guest`, if there is one."""
        found = FreeBsdImage(self.root / guest)
        return found if (found.directory / _FACTS).is_file() and found.disk.is_file() else None

    def fetch(self, guest: str, release: Release, *, progress: Progress = SILENT) -> FreeBsdImage:
        """Get the image of `release` for `guest`, in place of another one. Raises SetupError; what had arrived by then
        is kept, and fetched no second time."""
        from harness.images.download import Remote, download  # noqa: PLC0415 - slow, and few runs need it

        name, sha512 = release.choose(_checksums(release))
        url = f"{release.directory}/{name}"
        packed = self.root / "fetching" / f"{sha512[:16]}-{name}"
        facts = {"release": release.number, "arch": release.arch, "url": url, "sha512": sha512}
        with self._alone(packed.parent):
            if not packed.is_file():
                download(Remote(url, sha512), packed, progress=progress)
            try:
                return self._publish(guest, packed, facts, progress)
            finally:
                packed.unlink()

    def all(self) -> list[FreeBsdImage]:
        """Every complete image, by its guest."""
        names = sorted(path.name for path in self.root.iterdir()) if self.root.is_dir() else []
        return [image for name in names if (image := self.find(name)) is not None]

    def remove(self, guest: str) -> bool:
        """Remove the image for `guest`; whether there was one."""
        image = self.find(guest)
        if image is not None:
            shutil.rmtree(image.directory)
        return image is not None

    @contextmanager
    def _alone(self, directory: Path) -> Iterator[None]:
        """Nobody else fetches meanwhile."""
        with space_checked(f"cannot write to {directory}"):
            directory.mkdir(parents=True, exist_ok=True)
            with (directory / "lock").open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise SetupError(f"another process fetches an image into {directory}") from error
                yield

    def _publish(self, guest: str, packed: Path, facts: Mapping[str, str], progress: Progress) -> FreeBsdImage:
        making = FreeBsdImage(self.root / f".{secrets.token_hex(4)}")
        try:
            with space_checked(f"cannot keep the image for {guest} in {self.root}"):
                making.directory.mkdir(parents=True)
                with stage(progress, f"unpack {packed.name.partition('-')[2]}"):
                    _unpack(packed, making.disk, facts["url"])
                making.disk.chmod(0o444)
                (making.directory / _FACTS).write_text(json.dumps(facts, indent=1) + "\n")
                finished = FreeBsdImage(self.root / guest)
                shutil.rmtree(finished.directory, ignore_errors=True)
                making.directory.rename(finished.directory)
        finally:
            shutil.rmtree(making.directory, ignore_errors=True)
        return finished


def _checksums(release: Release) -> str:
    from harness.images.download import NotThere, read_text  # noqa: PLC0415 - slow, and few runs need it

    try:
        return read_text(f"{release.directory}/{CHECKSUMS}")
    except NotThere as error:
        raise SetupError(
            f"no images of FreeBSD {release.number} for {release.arch} at {release.directory}",
            hint="is there such a release? see --release; another server: --base",
        ) from error


def _unpack(packed: Path, disk: Path, url: str) -> None:
    """It has the right checksum: if it is no disk, that is what was published."""
    try:
        with lzma.open(packed) as source, disk.open("wb") as target:
            begin = source.read(len(_MAGIC))
            if begin != _MAGIC:
                raise SetupError(f"{url} holds no qcow2 disk", hint="is --base right?")
            target.write(begin)
            shutil.copyfileobj(source, target, _BLOCK)
    except (lzma.LZMAError, EOFError) as error:
        raise SetupError(f"{url} cannot be unpacked: {error}", hint="is --base right?") from error
