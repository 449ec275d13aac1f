"""The recipe of the Linux guests: a Debian kernel, its headers, a small root as initial RAM file system."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from harness.errors import ConfigError, SetupError
from harness.events import Progress
from harness.images import cpio, headers, linux_root, modules
from harness.images.debs import AptRoot, Package, host_architecture, unpack

_VERSIONED_IMAGE = re.compile(r"linux-image-\d+\.\d.*")
_HEADERS = re.compile(r"linux-headers-\d+\.\d.*")
_KBUILD = re.compile(r"linux-kbuild-\d+\.\d.*")
MODULES = ("virtio_pci", "virtio_net", "virtio_console", "virtio_rng")
OPTIONAL_MODULES = ("pvpanic-mmio", "pvpanic-pci", "i6300esb", "button", "evdev", "qemu_fw_cfg")
_REAL_SYSTEM_MAP = 4096


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """What a Linux guest boots and what its modules are built with.

    vmlinuz, initrd: for QEMU's direct boot; `initrd` is padded so that an archive can be appended.
    headers: for `make -C headers M=...`. system_map: None where the package has only a stub, as Debian's do.
    """

    directory: Path
    vmlinuz: Path
    initrd: Path
    kernel_release: str
    headers: Path
    system_map: Path | None


@dataclass(frozen=True, slots=True)
class LinuxImage:
    """The image of a guest. `arch` is `amd64` or `x86`; `kernel_package` may be a meta package, which is
    followed to the newest kernel; `suite` is a Debian release, empty for the host's.

    `compression` of the initrd is `none` or `gzip`. `recipe` is the directory of the guest's own files.
    """

    arch: str
    kernel_package: str
    suite: str = ""
    modules: tuple[str, ...] = MODULES
    optional_modules: tuple[str, ...] = OPTIONAL_MODULES
    compression: str = "none"
    recipe: Path = field(default=linux_root.RECIPE, compare=False)

    def __post_init__(self) -> None:
        if self.arch not in linux_root.DEBIAN_ARCH:
            known = ", ".join(linux_root.DEBIAN_ARCH)
            raise ConfigError(f"no Linux image for {self.arch!r}", hint=f"use one of {known}")
        if self.compression not in ("none", "gzip"):
            raise ConfigError(f"no compression {self.compression!r} of an initrd", hint="use none or gzip")

    @property
    def name(self) -> str:
        return f"linux-{self.arch}"

    def key(self) -> str:
        digest = hashlib.sha256(json.dumps(asdict(self), default=lambda _: "", sort_keys=True).encode())
        makers = map(Path, (__file__, headers.__file__, modules.__file__))
        for file in (*makers, *linux_root.makers(self.recipe)):
            try:
                digest.update(file.name.encode() + b"\0" + file.read_bytes())
            except FileNotFoundError as error:
                raise SetupError(f"{file} is missing", hint="run from a checkout of the project") from error
        return digest.hexdigest()

    def resolve(self, apt: AptRoot) -> Sequence[Package]:
        arch, host = linux_root.DEBIAN_ARCH[self.arch], host_architecture()
        for each in {arch: None, host: None}:
            apt.update(each)
        (kernel,) = _matching(apt.resolve(arch, [self.kernel_package]), _VERSIONED_IMAGE)
        release = kernel.name.removeprefix("linux-image-").removesuffix("-unsigned")
        needed = apt.resolve(arch, [f"linux-headers-{release}"])
        tools = [package.name for package in _matching(needed, _KBUILD)]  # run on the host, so the host's
        chosen = [kernel, *_matching(needed, _HEADERS), *_matching(apt.resolve(host, tools), _KBUILD)]
        return list(dict.fromkeys([*chosen, *linux_root.resolve(apt, self.arch)]))

    def build(
        self, files: Mapping[Package, Path], into: Path, *, work: Path, progress: Progress
    ) -> Mapping[str, object]:
        (kernel,) = _matching(files, _VERSIONED_IMAGE)
        for package, file in files.items():
            if package == kernel:
                unpack(file, work / "kernel")
            elif _HEADERS.fullmatch(package.name) or _KBUILD.fullmatch(package.name):
                unpack(file, into / "headers")
            else:
                unpack(file, work / "root")
        release, directory = release_of(work / "kernel")
        boot = work / "kernel" / "boot"
        (boot / f"vmlinuz-{release}").rename(into / "vmlinuz")
        if (boot / f"System.map-{release}").stat().st_size > _REAL_SYSTEM_MAP:
            (boot / f"System.map-{release}").rename(into / "System.map")
        (boot / f"config-{release}").rename(into / "config")
        (into / "kernel_release").write_text(release + "\n")
        chosen = modules.ModuleTree(directory).in_order(self.modules, optional=self.optional_modules)
        archive = cpio.archive(linux_root.entries(work / "root", chosen, release=release, recipe=self.recipe))
        initrd = cpio.gzipped(archive) if self.compression == "gzip" else archive
        (into / "initrd.img").write_bytes(initrd)
        built = headers.relocate(into / "headers", release)
        return {
            "release": release,
            "arch": self.arch,
            "headers": str(built.relative_to(into)),
            "modules": [module.name for module in chosen],
            "initrd_bytes": len(initrd),
        }

    def open(self, directory: Path) -> BuiltImage:
        release = (directory / "kernel_release").read_text().strip()
        system_map = directory / "System.map"
        return BuiltImage(
            directory=directory,
            vmlinuz=directory / "vmlinuz",
            initrd=directory / "initrd.img",
            kernel_release=release,
            headers=directory / "headers" / "usr" / "src" / f"linux-headers-{release}",
            system_map=system_map if system_map.exists() else None,
        )


AMD64 = LinuxImage("amd64", "linux-image-cloud-amd64")
X86 = LinuxImage("x86", "linux-image-686-pae")


def _matching(packages: Sequence[Package] | Mapping[Package, Path], name: re.Pattern[str]) -> list[Package]:
    found = [package for package in packages if name.fullmatch(package.name)]
    if not found:
        raise SetupError(
            f"no package {name.pattern} among those that apt chose",
            hint="see kernel_package and suite in the guest's TOML",
            evidence=" ".join(package.name for package in packages),
        )
    return found


def release_of(kernel: Path) -> tuple[str, Path]:
    """The release of the kernel unpacked in `kernel`, and the directory of its modules."""
    for base in (kernel / "lib" / "modules", kernel / "usr" / "lib" / "modules"):
        for directory in sorted(base.glob("*")):
            return directory.name, directory
    raise SetupError("the kernel package has no modules", hint="see kernel_package in the guest's TOML")
