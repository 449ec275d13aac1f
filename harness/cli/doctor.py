"""`harness doctor`: what this machine lacks, and how to mend it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from harness.cli.options import known_cells, lab_options, make_lab
from harness.errors import CellUnavailable, HarnessError
from harness.matrix import Cell
from harness.places import cache_dir
from harness.session.lab import Lab

_NEEDED_FREE_MB = 2000

# Program, Debian package, what we do with it.
_TOOLS = (
    ("qemu-system-x86_64", "qemu-system-x86", "runs the guests"),
    ("libvirtd", "libvirt-daemon", "manages them"),
    ("make", "make", "builds the drivers"),
    ("gcc", "gcc", "builds the Linux driver"),
    ("addr2line", "binutils", "names source lines in backtraces"),
    ("apt-get", "apt", "fetches Debian's packages for the guests"),
    ("dpkg-deb", "dpkg", "unpacks them"),
    ("unshare", "util-linux", "gives root a libvirt session"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, whether it is well, what was seen, and what to do if it is not."""

    what: str
    well: bool
    seen: str
    remedy: str = ""


def _tools() -> Iterator[Finding]:
    for program, package, use in _TOOLS:
        path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        yield Finding(program, path is not None, path or f"missing; it {use}", f"apt-get install {package}")


def _disk() -> Finding:
    place = cache_dir()
    existing = next(path for path in (place, *place.parents) if path.exists())
    free = shutil.disk_usage(existing).free // 1_000_000
    return Finding("disk", free >= _NEEDED_FREE_MB, f"{free} MB free for {place}", f"free {_NEEDED_FREE_MB} MB")


def _libvirt(lab: Lab) -> Finding:
    try:
        libvirt, qemu = lab.hypervisor.versions()
    except HarnessError as error:
        return Finding("libvirt", False, str(error), "make setup, or name another connection with --uri")
    return Finding("libvirt", True, f"libvirt {libvirt}, QEMU {qemu} at {lab.hypervisor.uri}")


def _images(lab: Lab, cells: list[Cell]) -> Iterator[Finding]:
    for guest in {cell.guest.name: cell.guest for cell in cells}.values():
        try:
            yield Finding(f"image {guest.name}", True, lab.image(guest).release)
        except CellUnavailable as error:
            yield Finding(f"image {guest.name}", False, error.message, error.hint)


def _accelerator(lab: Lab, cells: list[Cell]) -> Finding:
    if not Path("/dev/kvm").exists():
        return Finding("acceleration", True, "emulation: there is no /dev/kvm")
    guest = next((cell.guest for cell in cells if cell.arch == "amd64"), None)
    if guest is None:
        return Finding("acceleration", True, "not probed: no AMD64 guest is defined")
    try:
        found = lab.accelerator(guest)
    except HarnessError as error:
        return Finding("acceleration", False, error.message, error.hint)
    return Finding("acceleration", True, "KVM" if found == "kvm" else "emulation: KVM does not boot a guest here")


@click.command()
@lab_options
def doctor(uri: str, accelerator: str, guests: str | None, driver: str) -> int:
    """Check what the harness needs of this machine. Exit status 0 if all is well, 1 if not."""
    lab = make_lab(uri, accelerator)
    cells = known_cells(guests, driver)
    findings = [Finding("Python", sys.version_info >= (3, 11), sys.version.split()[0], "install Python 3.11")]
    try:
        findings += _tools()
        findings += [_disk(), _libvirt(lab)]
        findings += _images(lab, cells)
        if findings[-1].well:
            findings.append(_accelerator(lab, cells))
    finally:
        lab.close()
    table = Table(header_style="bold")
    for heading in ("check", "", "found", "what to do"):
        table.add_column(heading)
    for finding in findings:
        mark = "[green]ok[/]" if finding.well else "[bold red]no[/]"
        table.add_row(finding.what, mark, finding.seen, "" if finding.well else finding.remedy)
    Console().print(table)
    return 0 if all(finding.well for finding in findings) else 1
