"""The form of a guest definition (`guests/NAME.toml`) and its loader.

The field descriptions below are the documentation of the keys; `docs/guests.md` lists the same keys, and a
test holds the two together.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, model_validator

from harness.errors import ConfigError

Os = Literal["linux", "windows", "freebsd", "os2"]
Arch = Literal["amd64", "x86"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class DebianImage(_Table):
    """A kernel and a small root made here from Debian's packages."""

    kind: Literal["debian"] = Field(description="how the image is made: `debian` builds it from Debian's packages")
    kernel_package: str = Field(
        min_length=1,
        description="Debian package of the kernel, a meta package is followed; with kernel_config of its source",
    )
    kernel_config: str = Field(
        default="",
        description="configuration, a file in guests/linux, of a kernel that is built here; empty for Debian's own",
    )
    suite: str = Field(
        default="",
        description="Debian release to take packages from; empty for the one this machine runs",
    )


class WineImage(_Table):
    """A kernel, a small root and Wine in place of Windows, made here from Debian's packages."""

    kind: Literal["wine"] = Field(description="how the image is made: `wine` builds it from Debian's packages of Wine")
    kernel_package: str = Field(
        min_length=1, description="Debian package of the 64-bit kernel that Wine runs on; a meta package is followed"
    )
    suite: str = Field(min_length=1, description="Debian release to take packages from; Wine 10 or newer is needed")


class Os2Image(_Table):
    """A kernel of our own with OS/2's driver model, compiled here."""

    kind: Literal["os2"] = Field(description="how the image is made: `os2` compiles the OS/2-like guest in guests/os2")


def _own_path(value: object, info: ValidationInfo) -> object:
    """A path from a definition's own directory on."""
    if not isinstance(value, str):
        return value
    directory: Path = (info.context or {}).get("directory", Path.cwd())
    return directory / Path(value).expanduser()


OwnPath = Annotated[Path, BeforeValidator(_own_path)]


class FreeBsdKernel(_Table):
    """A FreeBSD kernel of one's own, booted with a root of the harness's: it has the agents and nothing else."""

    kind: Literal["freebsd-kernel"] = Field(
        description="how the image is made: `freebsd-kernel` boots a FreeBSD kernel of one's own"
    )
    kernel: OwnPath = Field(description="file of the kernel; relative to the definition, as the two that follow")
    sources: OwnPath = Field(
        default=Path(), description="its sources, `sys` of a source tree, to build the driver for it; else for 15.0"
    )
    options: OwnPath = Field(default=Path(), description="where it was built: the headers of its options")
    grub: OwnPath = Field(default=Path(), description="GRUB's modules for `i386-pc`; those of the machine by default")


class FreeBsdDisk(_Table):
    """A disk with FreeBSD on it, the project's own or another, which starts the harness's agents when it starts."""

    kind: Literal["freebsd-disk"] = Field(
        description="how the image is made: `freebsd-disk` starts a disk with FreeBSD on it"
    )
    disk: OwnPath = Field(
        default=Path(),
        description="image of the disk, qcow2 or raw; relative to the definition; by default the one that was fetched",
    )
    release: str = Field(
        default="", pattern=r"^(\d+\.\d+)?$", description="release on a disk of one's own, to build the driver for"
    )
    sources: OwnPath = Field(default=Path(), description="sources of its kernel, as for `freebsd-kernel`")
    options: OwnPath = Field(default=Path(), description="headers of its options, as for `freebsd-kernel`")


class CellDefinition(_Table):
    """One cell of the matrix that runs in this guest."""

    client: Arch = Field(description="word size of the client program: `amd64` or `x86`")
    required: bool = Field(
        default=True, description="whether the matrix fails when this cell could not run; `true` by default"
    )
    on_request: bool = Field(
        default=False, description="whether the cell is left out unless it is named; `false` by default"
    )


class Guest(_Table):
    """One guest definition."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="name of the guest; equals the file's name")
    os: Os = Field(description="operating system: `linux`, `windows`, `freebsd` or `os2`")
    arch: Arch = Field(description="architecture of the kernel and the driver: `amd64` or `x86`")
    memory_mib: int = Field(default=256, ge=64, le=65536, description="memory in MiB; 256 by default")
    cpus: int = Field(default=1, ge=1, le=64, description="number of virtual processors; 1 by default")
    cpu_model: str = Field(default="", description="libvirt CPU model; empty for the hypervisor's default")
    cmdline: str = Field(default="", description="kernel command line, added to the harness's own")
    slowness: float = Field(
        default=1.0, ge=1.0, le=100.0, description="factor on every deadline of this guest; 1 by default"
    )
    leak_detector: Literal["", "kmemleak"] = Field(
        default="", description="what in the guest's kernel finds leaked memory: `kmemleak`, or empty for nothing"
    )
    image: DebianImage | WineImage | Os2Image | FreeBsdKernel | FreeBsdDisk = Field(
        discriminator="kind", description="table that says where the disk or kernel comes from"
    )
    cells: dict[str, CellDefinition] = Field(
        min_length=1, description="tables `[cells.ID]`, one for each cell that runs in this guest"
    )
    missing: dict[str, str] = Field(
        default_factory=dict, description="capabilities this guest lacks, each with the reason"
    )
    emulated: dict[str, str] = Field(
        default_factory=dict,
        description="capabilities that something stands in for here, each with what does",
    )

    offers: list[str] = Field(
        default_factory=list, description="what a test can ask of this guest and of no ordinary one; none by default"
    )

    @property
    def machine(self) -> Arch:
        """Word size of the machine that the guest runs on: Wine's kernel is a 64-bit one, whatever its drivers are, and
        the OS/2-like one needs pages that are not executable, which the emulator has in 64-bit machines only."""
        return self.arch if self.image.kind == "debian" else "amd64"

    @property
    def is_small(self) -> bool:
        """Whether the guest is the least that can be tested: agents that start with it, no SSH and no network."""
        return self.image.kind == "os2"

    @model_validator(mode="after")
    def _word_sizes_fit(self) -> Guest:
        for cell, definition in self.cells.items():
            if self.arch == "x86" and definition.client == "amd64":
                raise ValueError(f"cells.{cell}.client is amd64, but an x86 kernel runs x86 programs only")
        return self


def load_guest(path: Path) -> Guest:
    """Read one definition. Raises ConfigError that names the file and every wrong key."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    try:
        guest = Guest.model_validate(data, context={"directory": path.parent.resolve()})
    except ValidationError as error:
        problems = "; ".join(_problem(item["loc"], item["type"], item["msg"]) for item in error.errors())
        raise ConfigError(f"{path}: {problems}", hint="the keys are listed in docs/guests.md") from error
    if guest.name != path.stem:
        raise ConfigError(f"{path}: name is {guest.name!r}, but the file is called {path.stem!r}")
    return guest


def _problem(location: tuple[int | str, ...], kind: str, message: str) -> str:
    if location[:1] == ("image",):
        location = (location[0], *location[2:])  # the second says which kind's keys are meant
    key = ".".join(str(part) for part in location)
    if kind == "extra_forbidden":
        return f"unknown key {key!r}"
    if kind == "missing":
        return f"missing key {key!r}"
    return f"{key}: {message}" if key else message


def load_guests(directory: Path) -> list[Guest]:
    """Read every `*.toml` in `directory`, sorted by name; cell ids must be unique over all of them."""
    if not directory.is_dir():
        raise ConfigError(f"{directory}: no such directory of guest definitions", hint="name one with --guests")
    guests = [load_guest(path) for path in sorted(directory.glob("*.toml"), key=lambda path: path.stem)]
    if not guests:
        raise ConfigError(f"{directory}: no guest definition (*.toml) in it")
    owner: dict[str, str] = {}
    for guest in guests:
        for cell in guest.cells:
            if cell in owner:
                raise ConfigError(f"cell {cell!r} is defined by both guest {owner[cell]!r} and {guest.name!r}")
            owner[cell] = guest.name
    return guests
