"""The recipe of the Linux guests' root for a kernel that comes from elsewhere and needs no modules."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.events import Progress
from harness.images import cpio, linux_root
from harness.images.debs import AptRoot, Package, unpack


@dataclass(frozen=True, slots=True)
class LinuxInitrd:
    """The root for `arch` (`amd64` or `x86`) as an initial RAM file system; `suite` is a Debian release, empty for
    the host's."""

    arch: str
    suite: str = ""

    @property
    def name(self) -> str:
        return f"initrd-{self.arch}"

    def key(self) -> str:
        digest = hashlib.sha256(f"{self.arch}\0{self.suite}\0".encode())
        for file in (Path(__file__), *linux_root.makers(linux_root.RECIPE)):
            digest.update(file.read_bytes() + b"\0")
        return digest.hexdigest()

    def resolve(self, apt: AptRoot) -> Sequence[Package]:
        apt.update(linux_root.DEBIAN_ARCH[self.arch])
        return linux_root.resolve(apt, self.arch)

    def build(
        self, files: Mapping[Package, Path], into: Path, *, work: Path, progress: Progress
    ) -> Mapping[str, object]:
        for file in files.values():
            unpack(file, work)
        archive = cpio.archive(linux_root.entries(work, (), release="", recipe=linux_root.RECIPE))
        (into / "initrd.img").write_bytes(archive)
        return {"arch": self.arch, "initrd_bytes": len(archive)}

    def open(self, directory: Path) -> Path:
        return directory / "initrd.img"
