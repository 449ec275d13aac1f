"""The root file system of the Linux guests: busybox, dropbear with its libraries, modules, a first program.

Directories are merged (`/lib` is `/usr/lib`, and so on), so packages from before and after Debian's merge
give the same root.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.errors import SetupError
from harness.images import cpio
from harness.images.cpio import Entry, char_device, directory, regular, symlink, with_parents
from harness.images.debs import AptRoot, Package
from harness.images.modules import Module

RECIPE = Path(__file__).parents[2] / "guests" / "linux"
"""The directory of the guests' own files."""

DEBIAN_ARCH = {"amd64": "amd64", "x86": "i386"}

_PACKAGES = ("busybox-static", "dropbear-bin")
_LONE_PACKAGE = "openssh-sftp-server"
"""Its dependencies are a whole SSH server's, which we have another one of."""

_MERGED = ("bin", "sbin", "lib", "lib64")
_DIRECTORIES = {
    "dev": 0o755,
    "etc/dropbear": 0o755,
    "etc/supdrv": 0o755,
    "proc": 0o555,
    "root": 0o700,
    "root/.ssh": 0o700,
    "run": 0o755,
    "sys": 0o555,
    "tmp": 0o1777,
    "usr/bin": 0o755,
    "usr/sbin": 0o755,
    "usr/lib": 0o755,
    "usr/lib64": 0o755,
    "var": 0o755,
}
_TEXTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/shadow": "root:*:19000:0:99999:7:::\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/shells": "/bin/sh\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/hostname": "supdrv-guest\n",
}
_BUTTON = "etc/acpi/PWRF/00000080"


def makers(recipe: Path) -> list[Path]:
    """The files of the project that decide what is in the root."""
    return [Path(__file__), Path(cpio.__file__), recipe / "init", recipe / "inittab"]


def resolve(apt: AptRoot, arch: str) -> list[Package]:
    """The packages that `entries` wants to have unpacked, for word size `arch`."""
    lone = apt.resolve(DEBIAN_ARCH[arch], [_LONE_PACKAGE])
    return [
        *apt.resolve(DEBIAN_ARCH[arch], _PACKAGES),
        *(package for package in lone if package.name == _LONE_PACKAGE),
    ]


def entries(packages: Path, modules: Iterable[Module], *, release: str, recipe: Path) -> list[Entry]:
    """The files of the root, for `cpio.archive`.

    packages: directory where the packages of the root were unpacked, one over the other.
    recipe: directory with `init` and `inittab`. release: the kernel's.
    """
    found = [directory(path, mode=mode) for path, mode in _DIRECTORIES.items()]
    found += [symlink(path, f"usr/{path}") for path in _MERGED]
    found += [regular(path, text.encode()) for path, text in _TEXTS.items()]
    found += [char_device("dev/console", (5, 1)), char_device("dev/null", (1, 3), mode=0o666)]
    found.append(regular("init", (recipe / "init").read_bytes(), mode=0o755))
    found.append(regular("etc/inittab", (recipe / "inittab").read_bytes()))
    found.append(regular("usr/bin/busybox", located(packages, "busybox").read_bytes(), mode=0o755))
    programs = {"usr/sbin/dropbear": "dropbear", "usr/lib/sftp-server": "sftp-server"}
    sources = {path: located(packages, name) for path, name in programs.items()}
    libraries = [entry for program in sources.values() for entry in libraries_of(program, packages)]
    found += [regular(path, file.read_bytes(), mode=0o755) for path, file in sources.items()]
    found += {entry.path: entry for entry in libraries}.values()
    found += _modules(modules, release)
    if any(module.name == "button" for module in modules):
        found.append(regular(_BUTTON, b"#!/bin/sh\nexec poweroff\n", mode=0o755))
    return with_parents(found)


def _modules(modules: Iterable[Module], release: str) -> list[Entry]:
    base = f"usr/lib/modules/{release}"
    found = [regular(f"{base}/{module.path}", module.data) for module in modules]
    order = "".join(f"/{base}/{module.path}\n" for module in modules)
    return [*found, regular("etc/supdrv/modules", order.encode())]


def libraries_of(program: Path, packages: Path) -> list[Entry]:
    """The shared libraries and the loader that the ELF file `program` needs, from the unpacked `packages`."""
    found: dict[str, Entry] = {}
    loader, todo = _needs(program)
    if loader:
        name = Path(loader).name
        found[name] = regular(_merged(loader), located(packages, name).read_bytes(), mode=0o755)
    while todo:
        name = todo.pop()
        if name in found:
            continue
        file = located(packages, name)
        where = _merged(str(file.parent.relative_to(packages) / name))
        found[name] = regular(where, file.read_bytes(), mode=0o755)
        todo += _needs(file)[1]
    return list(found.values())


def located(packages: Path, name: str) -> Path:
    """The file `name` in the unpacked `packages`; absolute links, which mean the guest's, are skipped."""
    for path in sorted(packages.rglob(name)):
        absolute = path.is_symlink() and path.readlink().is_absolute()
        if not absolute and path.is_file():
            return path
    raise SetupError(f"no {name} in the guest's packages", hint="add the package that has it to the recipe")


def _needs(file: Path) -> tuple[str, list[str]]:
    """The loader (empty if none) and the libraries that an ELF file names."""
    from elftools.elf.dynamic import DynamicSection  # noqa: PLC0415 - slow, and most runs find their image made
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415
    from elftools.elf.segments import InterpSegment  # noqa: PLC0415

    with file.open("rb") as stream:
        elf = ELFFile(stream)
        loader = next((s.get_interp_name() for s in elf.iter_segments() if isinstance(s, InterpSegment)), "")
        dynamic = next((s for s in elf.iter_sections() if isinstance(s, DynamicSection)), None)
        tags = [] if dynamic is None else dynamic.iter_tags()
        return str(loader), [str(vars(tag)["needed"]) for tag in tags if tag.entry.d_tag == "DT_NEEDED"]


def _merged(path: str) -> str:
    relative = path.lstrip("/")
    return f"usr/{relative}" if relative.split("/")[0] in _MERGED else relative
