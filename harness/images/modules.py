"""Kernel modules of a Debian kernel package: which files, and in which order they can be inserted.

Packages carry no modules.dep (it is made at installation), so the modules' own `.modinfo` is read.
"""

from __future__ import annotations

import gzip
import io
import lzma
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import SetupError


@dataclass(frozen=True, slots=True)
class Module:
    """`name` with underscores, `path` below the directory of the kernel's release, `data` the ELF file."""

    name: str
    path: str
    data: bytes
    depends: tuple[str, ...]


class ModuleTree:
    """The modules below `directory`, which is `lib/modules/RELEASE` of an unpacked kernel package."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files = {module_name(path.name): path for path in sorted(directory.rglob("*.ko*"))}
        listed = (directory / "modules.builtin").read_text().split()
        self._builtin = {module_name(Path(path).name) for path in listed}

    def in_order(self, required: Sequence[str], *, optional: Sequence[str] = ()) -> list[Module]:
        """`required`, the `optional` ones that exist, and all they need, each after what it depends on.

        Modules built into the kernel are left out. Raises SetupError if a required one is missing.
        """
        done: dict[str, Module] = {}
        for name in required:
            self._add(module_name(name), done, wanted_by="the recipe")
        for name in optional:
            if module_name(name) in self._files:
                self._add(module_name(name), done, wanted_by="the recipe")
        return list(done.values())

    def _add(self, name: str, done: dict[str, Module], *, wanted_by: str) -> None:
        if name in done or name in self._builtin:
            return
        if name not in self._files:
            raise SetupError(
                f"kernel {self._directory.name} has no module {name}, which {wanted_by} needs",
                hint="name another kernel_package in the guest's TOML",
            )
        file = self._files[name]
        data = plain(file)
        path = str(file.relative_to(self._directory)).removesuffix(_packing(file))
        module = Module(name, path, data, depends(data))
        for needed in module.depends:
            self._add(needed, done, wanted_by=name)
        done[name] = module


def module_name(file: str) -> str:
    """The kernel's name of a module from its file's: `virtio-rng.ko.xz` is `virtio_rng`."""
    return file.split(".ko", 1)[0].replace("-", "_")


def depends(module: bytes) -> tuple[str, ...]:
    """The names of the modules that the ELF file `module` says it needs."""
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415 - slow, and most runs find their image made

    section = ELFFile(io.BytesIO(module)).get_section_by_name(".modinfo")
    facts = [] if section is None else [fact.decode() for fact in bytes(section.data()).split(b"\0")]
    names = [name for fact in facts if fact.startswith("depends=") for name in fact[8:].split(",") if name]
    return tuple(module_name(name) for name in names)


def plain(file: Path) -> bytes:
    """The content of a module file, unpacked if its name says that it is packed."""
    data = file.read_bytes()
    if file.suffix == ".xz":
        return lzma.decompress(data)
    if file.suffix == ".gz":
        return gzip.decompress(data)
    if file.suffix == ".ko":
        return data
    raise SetupError(f"{file.name}: cannot unpack a {file.suffix} module", hint="extend modules.plain")


def _packing(file: Path) -> str:
    return "" if file.suffix == ".ko" else file.suffix
