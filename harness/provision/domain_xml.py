"""The libvirt domain of a guest, as text. Pure: values in, XML out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

METADATA_NAMESPACE = "urn:supdrv-harness:run:1"

AGENT_CHANNEL = "supdrv.agent"
"""Name of the virtio-serial port that the guest's agent serves."""

WATCH_CHANNEL = "supdrv.watch"
"""Name of the port that a second agent serves: it opens no driver, so it still answers when a request hangs."""

_QEMU_NAMESPACE = "http://libvirt.org/schemas/domain/qemu/1.0"
"""Of what libvirt has no word for: https://libvirt.org/drvqemu.html"""

NETWORK_CARD = "ua-network"
"""A name of ours, which libvirt wants to begin so. QEMU has the network behind it as `host` and this name."""

_PORTS = "ua-ports"

_LIBVIRT_ARCH = {"amd64": "x86_64", "x86": "i686"}


def libvirt_arch(arch: str) -> str:
    """libvirt's name of a word size."""
    return _LIBVIRT_ARCH[arch]


@dataclass(frozen=True, slots=True)
class DomainSpec:
    """What a domain is made of. Paths are absolute; `memory_mib` in MiB; `accelerator` is `kvm` or `qemu`.

    `ports` are virtio-serial ports: name and socket of each. `disk` is a qcow2 file that snapshots go into; the
    guest may use it as its disk or leave it alone. A guest that `is_small` has a PC without PCI Express, whose devices
    have their old interfaces, and no network. With `disc` the guest starts from a disc, whose image is `initrd`; kernel
    and command line are what is on it. With `system` it starts from `disk`, and the disc is there too.
    """

    name: str
    state: str
    run: str
    cell: str
    accelerator: str
    arch: str
    memory_mib: int
    cpus: int
    cpu_model: str
    kernel: Path
    initrd: Path
    cmdline: str
    console: Path
    ports: Mapping[str, Path] = field(default_factory=dict)
    disk: Path | None = None
    is_small: bool = False
    disc: bool = False
    system: bool = False


def domain_xml(spec: DomainSpec) -> str:
    """libvirt's XML for `spec`: direct kernel boot, console to a file, ports, user-mode network, panic device.

    A reset ends the domain (`on_reboot`), so that a guest that reboots by itself is noticed; a crash that the
    panic device reports keeps it for inspection.
    """
    domain = Element("domain", type=spec.accelerator)
    _text(domain, "name", spec.name)
    metadata = SubElement(domain, "metadata")
    SubElement(metadata, f"{{{METADATA_NAMESPACE}}}owner", state=spec.state, run=spec.run, cell=spec.cell)
    _text(domain, "memory", str(spec.memory_mib), unit="MiB")
    _text(domain, "vcpu", str(spec.cpus))
    system = SubElement(domain, "os")
    features = SubElement(domain, "features")
    SubElement(features, "acpi")
    SubElement(features, "apic")
    if spec.disc:
        _disc_start(system, spec)
    else:
        _direct_start(system, spec)
        # A Linux that finds this device says in it how to read a dump of its memory.
        SubElement(features, "vmcoreinfo", state="on")
    domain.append(_cpu(spec))
    SubElement(domain, "clock", offset="utc")
    _text(domain, "on_poweroff", "destroy")
    _text(domain, "on_reboot", "destroy")
    _text(domain, "on_crash", "preserve")
    devices = SubElement(domain, "devices")
    serial = SubElement(devices, "serial", type="file")
    SubElement(serial, "source", path=str(spec.console), append="off")
    _ports(devices, spec)
    if spec.disk is not None:
        disk = SubElement(devices, "disk", type="file", device="disk")
        # Nothing on it has to outlive the host: a checkpoint is copied from it, and then restored to prove it.
        SubElement(disk, "driver", name="qemu", type="qcow2", cache="unsafe")
        SubElement(disk, "source", file=str(spec.disk))
        SubElement(disk, "target", dev="vda", bus="virtio")
    if spec.disc:
        _disc(devices, spec)
    if not spec.is_small:
        interface = SubElement(devices, "interface", type="user")
        SubElement(interface, "model", type="virtio")
        if spec.system:
            # A system that looks for its updates first thing finds no network.
            SubElement(interface, "link", state="down")
        SubElement(interface, "alias", name=NETWORK_CARD)
        rng = SubElement(devices, "rng", model="virtio")
        _text(rng, "backend", "/dev/urandom", model="random")
    SubElement(devices, "controller", type="usb", model="none")
    SubElement(devices, "memballoon", model="none")
    if not spec.disc:
        SubElement(devices, "panic", model="isa")
    _ask_little(domain)
    _set_up_devices(domain, spec)
    ElementTree.indent(domain)
    return ElementTree.tostring(domain, encoding="unicode")


def _ports(devices: Element, spec: DomainSpec) -> None:
    if not spec.disc:
        # Unless told otherwise the emulator has 31 ports with 64 queues, all of which it looks at whenever a byte
        # comes or goes. What starts from a disc may be a system of any age, and keeps what that was tried with.
        many = str(1 + len(spec.ports))  # the first is for consoles alone
        controller = SubElement(devices, "controller", type="virtio-serial", index="0", ports=many)
        SubElement(controller, "alias", name=_PORTS)
    for name, socket in spec.ports.items():
        channel = SubElement(devices, "channel", type="unix")
        SubElement(channel, "source", mode="bind", path=str(socket))
        SubElement(channel, "target", type="virtio", name=name)


def _ask_little(domain: Element) -> None:
    """libvirt asks the emulator for its processor's features in two questions, not in one for each of 400: a start
    takes a third less."""
    capabilities = SubElement(domain, f"{{{_QEMU_NAMESPACE}}}capabilities")
    SubElement(capabilities, f"{{{_QEMU_NAMESPACE}}}del", capability="cpu-unavailable-features")


def _set_up_devices(domain: Element, spec: DomainSpec) -> None:
    """Properties of devices that libvirt has no words for.

    The network card does not have the guest announce it after a restore, as if it had come from elsewhere: nobody
    listens, and it would keep a guest busy that is wanted at once. What a guest writes to a port is sent on by its own
    processor, which under emulation costs less than to wake another thread for it.
    """
    override = SubElement(domain, f"{{{_QEMU_NAMESPACE}}}override")
    if not spec.is_small:
        _set_property(override, NETWORK_CARD, "guest_announce")
    if not spec.disc:
        _set_property(override, _PORTS, "ioeventfd")


def _set_property(override: Element, device: str, name: str) -> None:
    """Switch a property of `device` off."""
    frontend = SubElement(
        SubElement(override, f"{{{_QEMU_NAMESPACE}}}device", alias=device), f"{{{_QEMU_NAMESPACE}}}frontend"
    )
    SubElement(frontend, f"{{{_QEMU_NAMESPACE}}}property", name=name, type="bool", value="false")


def _direct_start(system: Element, spec: DomainSpec) -> None:
    _text(system, "type", "hvm", arch=_LIBVIRT_ARCH[spec.arch], machine="pc" if spec.is_small else "q35")
    _text(system, "kernel", str(spec.kernel))
    _text(system, "initrd", str(spec.initrd))
    _text(system, "cmdline", spec.cmdline)


def _disc_start(system: Element, spec: DomainSpec) -> None:
    """On the older machine, where virtio devices are such that kernels of any age have drivers for them."""
    _text(system, "type", "hvm", arch=_LIBVIRT_ARCH[spec.arch], machine="pc")
    SubElement(system, "boot", dev="hd" if spec.system else "cdrom")


def _disc(devices: Element, spec: DomainSpec) -> None:
    disc = SubElement(devices, "disk", type="file", device="cdrom")
    SubElement(disc, "driver", name="qemu", type="raw")
    SubElement(disc, "source", file=str(spec.initrd))
    SubElement(disc, "target", dev="hda", bus="ide")
    SubElement(disc, "readonly")


def _cpu(spec: DomainSpec) -> Element:
    if spec.cpu_model:
        cpu = Element("cpu", mode="custom", match="exact")
        _text(cpu, "model", spec.cpu_model)
        return cpu
    if spec.accelerator == "kvm":
        return Element("cpu", mode="host-passthrough")
    # All that the emulator knows, but for one thing: it takes string instructions byte by byte, and a kernel that is
    # told that they are fast clears and copies all memory with them. Without, the suite takes a seventh less.
    cpu = Element("cpu", mode="maximum")
    SubElement(cpu, "feature", policy="disable", name="erms")
    return cpu


def _text(parent: Element, tag: str, text: str, **attributes: str) -> Element:
    element = SubElement(parent, tag, attributes)
    element.text = text
    return element
