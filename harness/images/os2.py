"""The recipe of the OS/2-like guest: its kernel, compiled here, and the first files of its file system."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from harness.errors import SetupError
from harness.events import Progress
from harness.images import cpio, host_tool
from harness.images.debs import AptRoot, Package

SOURCE = Path(__file__).parents[2] / "guests" / "os2"
"""The guest's own files."""

AGENT_FILE = "agent.exe"
"""Where `CONFIG.SYS` looks for the agent, which a boot adds to the files."""

_FILES = ("config.sys",)
_MAKERS = ("*.c", "*.h", "*.S", "*.lds", "Makefile", *_FILES)
_HINT = "run: make setup"


@dataclass(frozen=True, slots=True)
class BuiltOs2:
    """What the guest boots: a kernel after the Multiboot Specification and its module, an archive of files."""

    kernel: Path
    archive: Path
    release: str


@dataclass(frozen=True, slots=True)
class Os2Image:
    """The image of the guest, which needs no package. `source` is the directory of the guest's own files."""

    source: Path = SOURCE
    suite: str = ""

    @property
    def name(self) -> str:
        return "os2-x86"

    def key(self) -> str:
        digest = hashlib.sha256(version("ziglang").encode() + Path(__file__).read_bytes())
        files = {file.relative_to(self.source) for pattern in _MAKERS for file in self.source.rglob(pattern)}
        for name in sorted(files):
            digest.update(bytes(name) + b"\0" + (self.source / name).read_bytes() + b"\0")
        return digest.hexdigest()

    def resolve(self, apt: AptRoot) -> Sequence[Package]:
        return []

    def build(
        self, files: Mapping[Package, Path], into: Path, *, work: Path, progress: Progress
    ) -> Mapping[str, object]:
        make(self.source, "kernel", into)
        archive = cpio.archive(cpio.regular(name, (self.source / name).read_bytes()) for name in _FILES)
        (into / "files.cpio").write_bytes(archive)
        return {"release": self.key()[:16], "arch": "x86", "initrd_bytes": len(archive)}

    def open(self, directory: Path) -> BuiltOs2:
        return BuiltOs2(directory / "kernel.elf", directory / "files.cpio", self.key()[:16])


def make(source: Path, what: str, into: Path) -> None:
    """Compile `what` of the guest (`kernel` or `programs`) with the environment's compiler. Raises SetupError."""
    if not (source / "Makefile").is_file():
        raise SetupError(f"{source / 'Makefile'} is missing", hint="run from a checkout of the project")
    around = {"MAKEFLAGS": "", "MFLAGS": "", "MAKELEVEL": ""}  # of a make that runs us
    command = ["make", "-C", str(source), what, f"OUT={into}", f"ZIG={sys.executable} -m ziglang"]
    host_tool.run(command, what=f"cannot build the OS/2-like guest's {what}", hint=_HINT, env=around)
