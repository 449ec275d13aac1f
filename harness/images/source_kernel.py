"""The recipe of a kernel that is built on this machine, from Debian's source and a configuration of ours.

Only a kernel that has its checks compiled in finds what a driver does wrong without a crash; Debian packages none.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import SetupError
from harness.events import Progress, stage
from harness.images import host_tool, kernel_config
from harness.images.debs import AptRoot, Package, host_architecture, unpack

_KERNEL_ARCH = {"amd64": "x86_64", "x86": "i386"}
_TOOLS = ("bc", "bison", "flex", "gcc", "make", "xz")
_SECONDS = 7200.0

# The same source gives the same kernel, whoever builds it and when.
_BUILDER = ("KBUILD_BUILD_USER=harness", "KBUILD_BUILD_HOST=supdrv", "KBUILD_BUILD_TIMESTAMP=1970-01-01")

# What kbuild reads when it builds a module: files by their place in the built tree.
_FOR_MODULES = (
    ".config",
    "Makefile",
    "Module.symvers",
    "arch/x86/Makefile*",
    "arch/x86/include",
    "include",
    "scripts",
    "tools/objtool/objtool",
)


@dataclass(frozen=True, slots=True)
class BuiltKernel:
    """What a guest boots and what its modules are built with: `make -C headers M=...`."""

    vmlinuz: Path
    release: str
    headers: Path


@dataclass(frozen=True, slots=True)
class SourceKernel:
    """A kernel for `arch` (`amd64` or `x86`) with all it needs built in.

    `package` is Debian's package of the source, `config` a file of the wanted options; all others are off.
    """

    arch: str
    package: str
    config: Path
    suite: str = ""

    @property
    def name(self) -> str:
        return f"kernel-{self.arch}-{self.config.stem}"

    def key(self) -> str:
        digest = hashlib.sha256(f"{self.arch}\0{self.package}\0{self.suite}\0".encode())
        for file in (self.config, Path(__file__), Path(kernel_config.__file__)):
            try:
                digest.update(file.read_bytes() + b"\0")
            except FileNotFoundError as error:
                raise SetupError(f"{file} is missing", hint="see kernel_config in the guest's TOML") from error
        return digest.hexdigest()

    def resolve(self, apt: AptRoot) -> Sequence[Package]:
        host = host_architecture()
        apt.update(host)
        return [package for package in apt.resolve(host, [self.package]) if package.name == self.package]

    def build(
        self, files: Mapping[Package, Path], into: Path, *, work: Path, progress: Progress
    ) -> Mapping[str, object]:
        for tool in _TOOLS:
            if shutil.which(tool) is None:
                raise SetupError(f"building a kernel needs {tool}", hint="run: make setup")
        (package,) = files.values()
        with stage(progress, "unpack the kernel's source"):
            tree = _source(package, work)
        with stage(progress, f"configure it as {self.config.name} says"):
            self._configure(tree)
        with stage(progress, "compile it, about a quarter of an hour on two processors"):
            _make(tree, self.arch, f"-j{os.cpu_count() or 1}", "bzImage", "modules")
        release = _make(tree, self.arch, "kernelrelease").strip()
        (tree / "arch" / "x86" / "boot" / "bzImage").rename(into / "vmlinuz")
        (tree / "System.map").rename(into / "System.map")
        (into / "kernel_release").write_text(release + "\n")
        _keep_for_modules(tree, into / "headers")
        return {"release": release, "arch": self.arch, "config": self.config.name}

    def open(self, directory: Path) -> BuiltKernel:
        return BuiltKernel(
            vmlinuz=directory / "vmlinuz",
            release=(directory / "kernel_release").read_text().strip(),
            headers=directory / "headers",
        )

    def _configure(self, tree: Path) -> None:
        _make(tree, self.arch, f"KCONFIG_ALLCONFIG={self.config}", "allnoconfig")
        lost = kernel_config.lost(self.config.read_text(), (tree / ".config").read_text())
        if lost:
            raise SetupError(
                f"{self.config.name}: the kernel's configuration does not take {', '.join(lost)}",
                hint="an option that it depends on is missing, or another one selects it",
            )


def _source(package: Path, work: Path) -> Path:
    """The source tree in Debian's `package`, which has it as one compressed archive."""
    unpack(package, work / "package")
    (archive,) = (work / "package" / "usr" / "src").glob("linux-source-*.tar.xz")
    host_tool.run(["tar", "-xf", str(archive), "-C", str(work)], what=f"cannot unpack {archive.name}")
    shutil.rmtree(work / "package")
    return work / archive.name.removesuffix(".tar.xz")


def _make(tree: Path, arch: str, *arguments: str) -> str:
    """make's output. It runs behind everything else, and knows nothing of a make or a compiler around us."""
    clean = ["env", "-i", f"PATH={os.environ['PATH']}", "LC_ALL=C", *_BUILDER]
    return host_tool.run(
        [*clean, "nice", "-n", "19", "make", "--silent", f"ARCH={_KERNEL_ARCH[arch]}", *arguments],
        what="cannot build the kernel",
        cwd=tree,
        timeout=_SECONDS,
    )


def _keep_for_modules(tree: Path, into: Path) -> None:
    for pattern in _FOR_MODULES:
        for source in tree.glob(pattern):
            target = into / source.relative_to(tree)
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)
