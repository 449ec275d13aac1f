"""`harness images`: images of real Windows, made from a medium that the user has, and of FreeBSD, which are fetched."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from harness.cli.options import every_cell, machine_options, make_lab
from harness.errors import ConfigError
from harness.events import megabytes, terminal_progress
from harness.images.freebsd_images import FreeBsdImages
from harness.images.freebsd_release import BASE, LATEST, Release, check_release
from harness.images.windows.releases import BIOS, RELEASES, UEFI
from harness.matrix import Cell
from harness.provision.daemon import SESSION_URI
from harness.provision.windows_images import WindowsImage, WindowsImages
from harness.provision.windows_machine import machine_of

_GUESTS = {"windows-amd64": "amd64", "windows-x86": "x86"}
_FETCHED = {"freebsd-amd64": "amd64", "freebsd-x86": "x86"}
_BLOCK = 512


@click.group()
def images() -> None:
    """Images of real Windows, made from an installation medium of your own, and of FreeBSD."""


@images.command("build")
@click.argument("guest", type=click.Choice(list(_GUESTS)))
@click.option("--iso", required=True, type=click.Path(path_type=Path), help="Installation medium of Windows.")
@click.option("--edition", type=click.Choice(list(RELEASES)), help="Release.  [default: what the medium holds]")
@click.option("--image", default="", metavar="NAME", help="Image on the medium.  [default: the last that fits]")
@click.option("--firmware", type=click.Choice([BIOS, UEFI]), help="[default: uefi for 11, bios for the others]")
@click.option("--virtio-iso", type=click.Path(path_type=Path), help="Disc of virtio drivers for Windows.")
@click.option("--openssh", type=click.Path(path_type=Path), help="OpenSSH server, .zip or .msi.  [default: Windows']")
@click.option("--name", default="", help="Name of the image.  [default: GUEST-EDITION]")
@click.option("--replace", is_flag=True, help="Replace the image of that name.")
@click.option("--locale", default="en-US", show_default=True, help="Language and keyboard, one that the medium has.")
@click.option("--product-key", default="", help="Product key.  [default: none]")
@click.option("--memory", type=click.IntRange(min=0), default=0, help="MiB.  [default: what the release wants]")
@click.option("--cpus", type=click.IntRange(min=1, max=64), default=2, show_default=True, help="Processors.")
@click.option("--disk", type=click.IntRange(min=0), default=0, help="GiB.  [default: what the release wants]")
@machine_options
def build_image(
    guest: str,
    iso: Path,
    edition: str | None,
    image: str,
    firmware: str | None,
    virtio_iso: Path | None,
    openssh: Path | None,
    name: str,
    replace: bool,
    locale: str,
    product_key: str,
    memory: int,
    cpus: int,
    disk: int,
    uri: str,
    accelerator: str,
    guests: str | None,
) -> None:
    """Install a Windows for GUEST, make it a guest of the harness, and keep it as it runs."""
    from harness.session.windows_building import Order, build  # noqa: PLC0415 - slow; no other command needs it

    order = Order(
        name=name,
        arch=_GUESTS[guest],
        iso=iso,
        release=edition or "",
        image=image,
        firmware=firmware or "",
        virtio_iso=virtio_iso,
        openssh=openssh,
        locale=locale,
        product_key=product_key,
        memory_mib=memory,
        cpus=cpus,
        disk_gib=disk,
        replaces=replace,
    )
    probe = _probe(every_cell(guests))
    lab = make_lab(uri, accelerator, evidence="images")
    try:
        made = build(lab, order, probe=probe.guest)
    finally:
        lab.close()
    click.echo(f"{made.name}: {made.directory}")


@images.command("fetch")
@click.argument("guest", type=click.Choice(list(_FETCHED)))
@click.option("--release", default="", help="Release of FreeBSD, 12 or later.  [default: 15.0; for x86 14.3]")
@click.option("--base", default=BASE, show_default=True, metavar="URL", help="Where the releases are.")
@click.option("--replace", is_flag=True, help="Replace the image that is there.")
def fetch_image(guest: str, release: str, base: str, replace: bool) -> None:
    """Fetch the FreeBSD project's image of a virtual machine for GUEST.

    What was fetched before an interruption is not fetched again.
    """
    arch = _FETCHED[guest]
    release = release or LATEST[arch]
    check_release(release, arch)
    store = FreeBsdImages()
    image = store.find(guest)
    if image is not None and not replace:
        raise ConfigError(f"{guest} has an image, of FreeBSD {image.facts()['release']}", hint="--replace")
    made = store.fetch(guest, Release(release, arch, base), progress=terminal_progress())
    click.echo(f"{guest}: FreeBSD {release}, {megabytes(made.disk.stat().st_size)}, {made.disk}")


@images.command("list")
def list_images() -> None:
    """List the images of real Windows and of FreeBSD on this machine."""
    table = Table(header_style="bold")
    for heading in ("image", "holds", "machine", "takes"):
        table.add_column(heading)
    for image in WindowsImages().all():
        facts, machine = image.facts(), machine_of(image)
        holds = f"{facts.get('image', '?')}, build {facts.get('build', '?')}"
        on = f"{machine.arch}, {machine.firmware}, {machine.memory_mib} MiB, {machine.accelerator}"
        table.add_row(image.name, holds, on, megabytes(image.disk.stat().st_blocks * _BLOCK))
    for fetched in FreeBsdImages().all():
        facts = fetched.facts()
        holds = f"FreeBSD {facts.get('release', '?')}"
        size = megabytes(fetched.disk.stat().st_blocks * _BLOCK)
        table.add_row(fetched.guest, holds, facts.get("arch", "?"), size)
    Console().print(table)


@images.command("check")
@click.argument("name")
@click.option("--uri", default=SESSION_URI, show_default=True, help="libvirt connection.")
def check_image(name: str, uri: str) -> None:
    """Restore the image called NAME, ask its agents who they are, and sum up the crash dumps in it."""
    from harness.session.windows_checking import check  # noqa: PLC0415 - slow; no other command needs it

    image = _existing(name)
    lab = make_lab(uri, "auto", evidence="images")
    try:
        for line in check(lab, image, lab.options.evidence / name / "dumps"):
            click.echo(line)
    finally:
        lab.close()


@images.command("rm")
@click.argument("name")
def remove_image(name: str) -> None:
    """Remove the image called NAME."""
    if FreeBsdImages().remove(name):
        return
    WindowsImages().remove(_existing(name).name)


def _existing(name: str) -> WindowsImage:
    store = WindowsImages()
    found = store.find(name)
    if found is None:
        there = ", ".join(image.name for image in store.all()) or "none"
        raise ConfigError(f"no image {name!r} (images: {there})")
    return found


def _probe(cells: list[Cell]) -> Cell:
    """A cell whose guest tells whether there is KVM."""
    found = next((cell for cell in cells if cell.os == "linux" and cell.arch == "amd64"), None)
    if found is None:
        raise ConfigError("no AMD64 Linux guest is defined, which tells whether there is KVM", hint="use --guests")
    return found
