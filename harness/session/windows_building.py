"""An image of real Windows, from what the user has: medium, drivers, SSH server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.config import Guest
from harness.console.follower import GUEST_SAYS
from harness.errors import ConfigError
from harness.events import stage
from harness.images.windows.answer_file import Answers
from harness.images.windows.keys import WindowsKeys, make_windows_keys
from harness.images.windows.medium import Medium, look_into, needs_file
from harness.images.windows.releases import RELEASES, UEFI, Release
from harness.images.windows.seed import write_seed
from harness.images.windows.seed_files import Parts, seed_files
from harness.images.windows.wim import WimImage
from harness.provision.accelerator import KVM
from harness.provision.windows_images import WindowsImage, WindowsImages, check_name
from harness.provision.windows_install import Installer, Plan
from harness.provision.windows_machine import Machine, find_firmware
from harness.session.lab import Lab
from harness.timeouts import EMULATED, NATIVE, Deadlines

NEEDED_GIB = 24
"""What an installed Windows and its snapshot take of the cache, roughly; its disk grows as it is written."""

_COMPUTER = "SUPDRV"

# Where the disc of virtio drivers has that of the agents' ports, by release and architecture.
_PORT_DRIVER = "vioserial/{folder}/{arch}/vioser.inf"
_DRIVER_FOLDERS = {"10": "w10", "11": "w11", "2022": "2k22"}


@dataclass(frozen=True, slots=True)
class Order:
    """What the user asks for. Empty texts, and sizes of 0, stand for what fits the medium."""

    arch: str
    iso: Path
    name: str = ""
    release: str = ""
    image: str = ""
    firmware: str = ""
    virtio_iso: Path | None = None
    openssh: Path | None = None
    locale: str = "en-US"
    product_key: str = field(default="", repr=False)
    memory_mib: int = 0
    cpus: int = 2
    disk_gib: int = 0
    replaces: bool = False


def build(lab: Lab, order: Order, *, probe: Guest) -> WindowsImage:
    """Install what `order` asks for. `probe` is a Linux guest that tells whether there is KVM. What is wrong with the
    order is said before anything is started."""
    with stage(lab.progress, f"look into {order.iso.name}"):
        release, image = _choose(order)
        driver = _port_driver(order, release)
    images = WindowsImages()
    name = order.name or f"windows-{order.arch}-{release.name}"
    check_name(name)
    if images.find(name) is not None and not order.replaces:
        raise ConfigError(f"there is an image {name!r} already", hint="use --replace, or another --name")
    disk_gib = _enough("disk", order.disk_gib, release.disk_gib, release)
    machine = _machine(lab, order, release, probe)
    keys = make_windows_keys()
    seed = lab.run.directory / "seed.iso"
    write_seed(_seed(lab, order, release, image, machine, keys, driver), seed)
    discs = [order.iso.absolute(), seed]
    if order.virtio_iso is not None:
        discs.append(order.virtio_iso.absolute())
    plan = Plan(name, machine, disk_gib, discs, lab.options.evidence / name, NEEDED_GIB)
    scale = NATIVE if machine.accelerator == KVM else EMULATED
    installer = Installer(
        plan, hypervisor=lab.hypervisor, run=lab.run, deadlines=Deadlines(scale), progress=lab.progress
    )
    facts = {"release": release.name, "image": image.name, "build": str(image.build), **machine.facts()}
    return images.publish(name, fill=installer.fill, keys=keys, facts=facts)


def _choose(order: Order) -> tuple[Release, WimImage]:
    """The release and the image on the medium."""
    medium = look_into(order.iso)
    release = RELEASES[order.release] if order.release else _release_of(medium)
    if order.arch not in release.arches:
        raise ConfigError(f"there is no {release.title} for {order.arch}")
    return release, medium.choose(release, order.arch, name=order.image)


def _release_of(medium: Medium) -> Release:
    for release in RELEASES.values():
        if any(image.build in release.builds and image.server == release.server for image in medium.images):
            return release
    builds = ", ".join(sorted({str(image.build) for image in medium.images}))
    known = ", ".join(release.title for release in RELEASES.values())
    raise ConfigError(f"{medium.path} holds builds {builds}, and none of {known}")


def _port_driver(order: Order, release: Release) -> str:
    """The path, as Windows writes it, of the ports' driver on the disc of drivers; empty if there is no such disc."""
    if order.virtio_iso is None:
        return ""
    path = _PORT_DRIVER.format(folder=_DRIVER_FOLDERS[release.name], arch=order.arch)
    needs_file(order.virtio_iso, path)
    return path.replace("/", "\\")


def _machine(lab: Lab, order: Order, release: Release, probe: Guest) -> Machine:
    firmware = order.firmware or release.firmware
    memory_mib = _enough("memory", order.memory_mib, release.memory_mib, release)
    if firmware == UEFI:
        if order.arch == "x86":
            raise ConfigError("an x86 Windows starts from BIOS only here", hint="use --firmware bios")
        find_firmware()
    return Machine(
        arch=order.arch,
        firmware=firmware,
        accelerator=lab.accelerator(probe),
        memory_mib=memory_mib,
        cpus=order.cpus,
        virtio=order.virtio_iso is not None,
    )


def _enough(what: str, asked: int, least: int, release: Release) -> int:
    if asked and asked < least:
        raise ConfigError(f"{release.title} wants --{what} {least} at least, not {asked}")
    return asked or least


def _seed(
    lab: Lab, order: Order, release: Release, image: WimImage, machine: Machine, keys: WindowsKeys, driver: str
) -> Mapping[str, bytes]:
    answers = Answers(
        release=release,
        arch=order.arch,
        firmware=machine.firmware,
        image=image.index,
        password=keys.password,
        computer=_COMPUTER,
        locale=order.locale,
        say=GUEST_SAYS,
        product_key=order.product_key,
    )
    arches = ("amd64", "x86") if order.arch == "amd64" else ("x86",)
    agents = {arch: lab.agent("windows", arch).read_bytes() for arch in arches}
    return seed_files(answers, keys, Parts(agents, machine.ports, order.openssh, driver))
