"""The recipe of the guests that stand in for Windows: Debian's kernel, a small root, and Wine running drivers."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ConfigError, SetupError
from harness.events import Progress, stage
from harness.images import cpio, linux, linux_root, modules, wine_ntoskrnl, wine_prefix, wine_root
from harness.images.debs import AptRoot, Package, unpack

_KERNEL_ARCH = "amd64"
_MODULES = (*linux.MODULES, "binfmt_misc")
_KERNEL = re.compile(r"linux-image-\d+\.\d.*")
_WINE = {"amd64": "wine64", "x86": "wine32"}
# The rest of what Wine can be linked with is for sound, pictures, printers and cards.
_RUNTIME = ("libwine", "libc6", "libgcc-s1", "libunwind8", "liblzma5", "libz-mingw-w64")


@dataclass(frozen=True, slots=True)
class BuiltWine:
    """What a guest with Wine boots."""

    vmlinuz: Path
    initrd: Path
    release: str


@dataclass(frozen=True, slots=True)
class WineImage:
    """The image for drivers of word size `arch` (`amd64` or `x86`), with Wine of the Debian release `suite`. The
    kernel below is always a 64-bit one. `clients` are the word sizes of the programs to run."""

    arch: str
    kernel_package: str
    suite: str
    clients: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.arch not in _WINE:
            raise ConfigError(f"no Wine image for {self.arch!r}", hint=f"use one of {', '.join(_WINE)}")

    @property
    def name(self) -> str:
        return f"wine-{'-'.join(self._archs())}"

    def key(self) -> str:
        parts = [self.arch, self.kernel_package, self.suite, *self._archs()]
        digest = hashlib.sha256(json.dumps(parts).encode())
        makers = [Path(__file__), Path(linux.__file__), Path(modules.__file__), *linux_root.makers(linux_root.RECIPE)]
        for file in (*makers, *wine_root.makers(), *wine_prefix.makers()):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
        return digest.hexdigest()

    def resolve(self, apt: AptRoot) -> Sequence[Package]:
        debian = [linux_root.DEBIAN_ARCH[arch] for arch in self._archs()]
        for name in dict.fromkeys([_KERNEL_ARCH, *debian]):
            apt.update(name)
        chosen = [*_kernel(apt.resolve(_KERNEL_ARCH, [self.kernel_package]))]
        chosen += linux_root.resolve(apt, _KERNEL_ARCH)
        for arch, name in zip(self._archs(), debian, strict=True):
            needed = apt.resolve(name, [_WINE[arch]])
            chosen += [package for package in needed if package.name in (*_RUNTIME, _WINE[arch])]
        return list(dict.fromkeys(chosen))

    def build(
        self, files: Mapping[Package, Path], into: Path, *, work: Path, progress: Progress
    ) -> Mapping[str, object]:
        (kernel,) = _kernel(files)
        for package, file in files.items():
            unpack(file, work / ("kernel" if package == kernel else package.index))
        release, tree = linux.release_of(work / "kernel")
        (work / "kernel" / "boot" / f"vmlinuz-{release}").rename(into / "vmlinuz")
        (into / "kernel_release").write_text(release + "\n")
        chosen = modules.ModuleTree(tree).in_order(_MODULES, optional=linux.OPTIONAL_MODULES)
        base = work / _KERNEL_ARCH
        entries = linux_root.entries(base, chosen, release=release, recipe=linux_root.RECIPE)
        wine = self._wine(work, linux_root.located(base, "busybox"), progress)
        archive = cpio.archive({entry.path: entry for entry in cpio.with_parents([*entries, *wine])}.values())
        (into / "initrd.img").write_bytes(archive)
        return {"release": release, "arch": self.arch, "initrd_bytes": len(archive), "wine_files": len(wine)}

    def open(self, directory: Path) -> BuiltWine:
        release = (directory / "kernel_release").read_text().strip()
        return BuiltWine(vmlinuz=directory / "vmlinuz", initrd=directory / "initrd.img", release=release)

    def _archs(self) -> list[str]:
        """The word sizes of Wine, the driver's first."""
        return list(dict.fromkeys([self.arch, *self.clients]))

    def _wine(self, work: Path, busybox: Path, progress: Progress) -> list[cpio.Entry]:
        roots = {arch: work / linux_root.DEBIAN_ARCH[arch] for arch in self._archs()}
        for arch, root in roots.items():
            wine_root.complete(root, arch)
        found = {arch: wine_root.programs(root, arch) for arch, root in roots.items()}
        systems = {
            wine_root.system_directory(arch, self.arch): [
                entry.path for entry in entries if wine_root.is_windows_program(entry.path)
            ]
            for arch, entries in found.items()
        }
        with stage(progress, "build ntoskrnl.exe for Wine"):
            own = wine_root.ntoskrnl_of(roots[self.arch], self.arch)
            ntoskrnl = wine_ntoskrnl.build(self.arch, own, work / "ntoskrnl")
        with stage(progress, "make Wine's directory"):
            made = wine_prefix.make(list(roots.values()), busybox, self.arch, work / "prefix")
        return [
            *(entry for entries in found.values() for entry in entries),
            *wine_root.prefix(made, systems, ntoskrnl),
            *wine_root.own_files(self.arch),
        ]


def _kernel(packages: Sequence[Package] | Mapping[Package, Path]) -> list[Package]:
    found = [package for package in packages if _KERNEL.fullmatch(package.name)]
    if not found:
        raise SetupError("apt chose no kernel", hint="see kernel_package and suite in the guest's TOML")
    return found
