"""Wine's directory, made by Wine: it runs once on this host, in a root of its own, and leaves its registry."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from harness.errors import SetupError
from harness.images import host_tool, linux_root, wine_root
from harness.images.host_tool import space_checked

_MERGED = ("bin", "sbin", "lib", "lib64")
_DIRECTORIES = ("dev", "etc/supdrv", "proc", "root", "sys", "tmp", "usr/bin", "usr/sbin", wine_root.PREFIX)
_PASSWD = "root:x:0:0:root:/root:/bin/sh\n"  # noqa: S105 - no password in it
_SECONDS = 240.0

# Namespaces of its own: whatever Wine leaves running ends with the first process. Works for users as for root.
_ENTER = (
    'mount --rbind /dev "$1/dev" && mount --rbind /sys "$1/sys" && mount -t proc proc "$1/proc" && '
    'mount -t tmpfs tmpfs "$1/tmp" && exec chroot "$1" /usr/bin/busybox sh /etc/supdrv/prefix'
)
_NAMESPACES = ("--map-root-user", "--mount", "--pid", "--fork", "--kill-child")


def make(roots: Sequence[Path], busybox: Path, arch: str, work: Path) -> Path:
    """The directory that Wine of `arch` makes from the unpacked packages in `roots`. `work` is for the root that it
    runs in, on the same file system."""
    with space_checked("cannot make Wine's directory"):
        _furnish(roots, busybox, arch, work)
    host_tool.run(
        ["unshare", *_NAMESPACES, "sh", "-c", _ENTER, "sh", str(work)],
        what="cannot make Wine's directory",
        hint="unshare needs user namespaces: run as root, or allow them",
        timeout=_SECONDS,
    )
    made = work / wine_root.PREFIX
    if not (made / "system.reg").exists():
        raise SetupError("Wine made no registry", evidence=" ".join(sorted(path.name for path in made.iterdir())))
    return made


def _furnish(roots: Sequence[Path], busybox: Path, arch: str, work: Path) -> None:
    for path in _DIRECTORIES:
        (work / path).mkdir(parents=True, exist_ok=True)
    for root in roots:
        host_tool.run(["cp", "-alf", f"{root}/.", str(work)], what="cannot put Wine's packages together")
    for name in _MERGED:
        if not (work / name).exists():
            (work / name).symlink_to(f"usr/{name}")
    shell = work / "usr" / "bin" / "busybox"
    if not shell.exists():
        shutil.copy(busybox, shell)
    (work / "etc" / "passwd").write_text(_PASSWD)
    own = work / "etc" / "supdrv"
    (own / "wine").write_text(wine_root.settings(arch))
    for name in ("prefix", "settings.reg"):
        shutil.copy(wine_root.RECIPE / name, own / name)


def makers() -> list[Path]:
    """The files of the project that decide what is made."""
    return [Path(__file__), Path(linux_root.__file__)]
