"""The disc that a FreeBSD kernel of one's own boots from: GRUB, the kernel, and a memory disk with the agents for root.

Nothing else is in the root: the first process is the agent, see `agent/os_freebsd_init.c`.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import SetupError
from harness.images import host_tool

AGENT_PORTS = (4001, 4002)
"""Where the agent that tests talk to and the one that opens no driver listen in the guest."""

_HINT = "run: make setup"
_ROOT_SIZE = "4m"
_DIRECTORIES = ("dev", "sbin", "tmp")
_GRUB_MODULES = "bsd serial gzio iso9660 normal terminal"
_SYSTEM_GRUB = Path("/usr/lib/grub/i386-pc")
# The console is the serial line; a panicking guest stays as it is, so that its memory can be read.
_MENU = """serial --unit=0 --speed=115200
terminal_output serial
kfreebsd /boot/kernel.gz
kfreebsd_module /boot/root.gz type=mfs_root
"""
_ENVIRONMENT = {
    "vfs.root.mountfrom": "ufs:/dev/md0",
    "console": "comconsole",
    "boot_serial": "YES",
    "kern.panic_reboot_wait_time": "-1",
}


@dataclass(frozen=True, slots=True)
class DiscParts:
    """What a disc is made of: the kernel's file, the directory with GRUB's modules (or `Path()` for the machine's), the
    agent for each word size, which of them serves the ports, and the kernel's own word size."""

    kernel: Path
    grub: Path
    programs: Mapping[str, Path]
    client: str
    arch: str


def menu(parts: DiscParts) -> str:
    """GRUB's configuration. Variables called `kFreeBSD.NAME` are the kernel's environment."""
    ports = " ".join(f"tcp:{port}" for port in AGENT_PORTS)
    variables = {**_ENVIRONMENT, "supdrv.program": f"/sbin/agent-{parts.client}", "supdrv.ports": ports}
    lines = [f'set kFreeBSD.{name}="{value}"\n' for name, value in variables.items()]
    return _MENU + "".join(lines) + "boot\n"


def write_disc(parts: DiscParts, disc: Path, *, work: Path) -> None:
    """Make the image file `disc`, using the directory `work` for what is not kept. Raises SetupError."""
    tree, root = work / "tree", work / "root"
    for directory in (work, tree / "boot/grub", *(root / name for name in _DIRECTORIES)):
        directory.mkdir(parents=True, exist_ok=True)
    for arch, program in parts.programs.items():
        _install(program, root / "sbin" / f"agent-{arch}")
    _install(parts.programs[parts.arch], root / "sbin/init")
    image = work / "root.ufs"
    form = ["makefs", "-t", "ffs", "-B", "little", "-o", "version=2", "-s", _ROOT_SIZE, str(image), str(root)]
    host_tool.run(form, what="make the root of a FreeBSD guest", hint=_HINT)
    try:
        _compress(image, tree / "boot/root.gz")
        _compress(parts.kernel, tree / "boot/kernel.gz")
        (tree / "boot/grub/grub.cfg").write_text(menu(parts))
    except OSError as error:
        raise SetupError(f"cannot write {tree}: {error}") from error
    grub = parts.grub if parts.grub != Path() else _SYSTEM_GRUB
    make = ["grub-mkrescue", "-d", str(grub), f"--install-modules={_GRUB_MODULES}", "-o", str(disc), str(tree)]
    host_tool.run(make, what="make the disc of a FreeBSD guest", hint=_HINT)
    shutil.rmtree(work)


def _install(program: Path, target: Path) -> None:
    shutil.copyfile(program, target)
    target.chmod(0o755)


def _compress(source: Path, target: Path) -> None:
    with source.open("rb") as plain, gzip.open(target, "wb", compresslevel=1) as packed:
        shutil.copyfileobj(plain, packed)
