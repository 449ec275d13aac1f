"""Where the FreeBSD project has its images of virtual machines, and which of them to take. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.errors import ConfigError, SetupError

BASE = "https://download.freebsd.org/releases/VM-IMAGES"
LATEST = {"amd64": "15.0", "x86": "14.3"}
"""What is taken unless another release is asked for."""

CHECKSUMS = "CHECKSUM.SHA512"
ARCHITECTURES = {"amd64": "amd64", "x86": "i386"}

_RELEASE = re.compile(r"(\d+)\.\d+")
_OLDEST = 12
_LAST_X86 = 14
_CHECKSUM = re.compile(r"SHA512 \(([^)/\s]+)\) = ([0-9a-fA-F]{128})")
# What configures itself before what has to be told by the console, one file system before the other.
_KINDS = ("-BASIC-CLOUDINIT-ufs", "-BASIC-CLOUDINIT", "-ufs", "", "-BASIC-CLOUDINIT-zfs", "-zfs")


@dataclass(frozen=True, slots=True)
class Release:
    """One release for one architecture, on the server at `base`."""

    number: str
    arch: str
    base: str = BASE

    @property
    def directory(self) -> str:
        """The address of the folder that has its images."""
        return f"{self.base.rstrip('/')}/{self.number}-RELEASE/{ARCHITECTURES[self.arch]}/Latest"

    def choose(self, checksums: str) -> tuple[str, str]:
        """The file to take, out of those in the folder's list of checksums, and its checksum. Raises SetupError."""
        listed = dict(_CHECKSUM.findall(checksums))
        if not listed:
            raise SetupError(f"{self.directory}/{CHECKSUMS} is no list of checksums", hint="is --base right?")
        for kind in _KINDS:
            name = f"FreeBSD-{self.number}-RELEASE-{ARCHITECTURES[self.arch]}{kind}.qcow2.xz"
            if name in listed:
                return name, listed[name]
        there = ", ".join(sorted(listed))
        raise SetupError(f"{self.directory} has no image that fits", evidence=f"it has: {there}")


def check_release(number: str, arch: str) -> None:
    """Raises ConfigError unless there is, or can be, such a release for that architecture."""
    match = _RELEASE.fullmatch(number)
    if match is None:
        raise ConfigError(f"{number!r} is no release of FreeBSD", hint=f"it looks like {LATEST[arch]}")
    major = int(match[1])
    if major < _OLDEST:
        raise ConfigError(f"the driver is for FreeBSD {_OLDEST} and later, not {number}")
    if arch == "x86" and major > _LAST_X86:
        raise ConfigError(f"there is no FreeBSD {number} for x86", hint=f"{_LAST_X86} is the last one")
