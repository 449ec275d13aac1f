"""The releases of Windows that can be installed, and what each of them wants. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BIOS = "bios"
UEFI = "uefi"


@dataclass(frozen=True, slots=True)
class Release:
    """One release. `builds` is the range of build numbers on its media; sizes are the least that its setup or we
    accept, in GiB and MiB; `checks_hardware`: its setup wants a TPM, secure boot and more unless told otherwise."""

    name: str
    title: str
    arches: tuple[str, ...]
    server: bool
    builds: range
    disk_gib: int
    memory_mib: int
    firmware: str
    checks_hardware: bool


# Windows 11 comes for UEFI; the others start from either, and with BIOS a checkpoint needs no second file.
RELEASES: Mapping[str, Release] = {
    release.name: release
    for release in (
        Release("10", "Windows 10", ("amd64", "x86"), False, range(10240, 22000), 32, 2048, BIOS, False),
        Release("11", "Windows 11", ("amd64",), False, range(22000, 1 << 16), 64, 4096, UEFI, True),
        Release("2022", "Windows Server 2022", ("amd64",), True, range(20348, 20349), 32, 2048, BIOS, False),
    )
}
