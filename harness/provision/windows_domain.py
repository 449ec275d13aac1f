"""The libvirt domain of a real Windows, as text. Pure: values in, XML out.

Every device is one that Windows has a driver of its own for, but the agents' ports, whose driver the seed installs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from harness.provision.domain_xml import METADATA_NAMESPACE, libvirt_arch

MAC_ADDRESS = "52:54:00:73:75:70"
"""Of every guest: each is alone in its network, and a snapshot is only restored to a card with the same address."""

_KVM = "kvm"
_ENLIGHTENMENTS = ("relaxed", "vapic", "vpindex", "runtime", "synic", "stimer", "reset", "frequencies")
_SPINLOCK_RETRIES = "8191"


@dataclass(frozen=True, slots=True)
class Firmware:
    """UEFI: the program, and the file of its variables, which the guest writes; without that file what it writes is
    forgotten when it ends, and a snapshot can be taken of it. A domain without firmware has BIOS."""

    code: Path
    variables: Path | None


@dataclass(frozen=True, slots=True)
class WindowsDomain:
    """What the domain is made of. Paths are absolute; `discs` are ISO images, the first one is started from while the
    disk is empty. `ports` are virtio-serial ports, `lines` serial lines after the console's (COM2, ...): name, socket.
    `screen` is the socket of a VNC server. `restarts`: a reset starts the guest again, which an installation does.
    """

    name: str
    state: str
    run: str
    cell: str
    accelerator: str
    arch: str
    memory_mib: int
    cpus: int
    disk: Path
    console: Path
    screen: Path
    discs: Sequence[Path] = ()
    firmware: Firmware | None = None
    ports: Mapping[str, Path] = field(default_factory=dict)
    lines: Mapping[str, Path] = field(default_factory=dict)
    restarts: bool = False


def windows_domain_xml(spec: WindowsDomain) -> str:
    """libvirt's XML for `spec`."""
    domain = Element("domain", type=spec.accelerator)
    _text(domain, "name", spec.name)
    metadata = SubElement(domain, "metadata")
    SubElement(metadata, f"{{{METADATA_NAMESPACE}}}owner", state=spec.state, run=spec.run, cell=spec.cell)
    _text(domain, "memory", str(spec.memory_mib), unit="MiB")
    _text(domain, "vcpu", str(spec.cpus))
    _system(domain, spec)
    _features(domain, spec)
    domain.append(_cpu(spec))
    _clock(domain, spec)
    _text(domain, "on_poweroff", "destroy")
    _text(domain, "on_reboot", "restart" if spec.restarts else "destroy")
    _text(domain, "on_crash", "preserve")
    devices = SubElement(domain, "devices")
    _storage(devices, spec)
    _lines(devices, spec)
    interface = SubElement(devices, "interface", type="user")
    SubElement(interface, "mac", address=MAC_ADDRESS)
    SubElement(interface, "model", type="e1000e")
    SubElement(devices, "input", type="tablet", bus="usb")
    SubElement(devices, "graphics", type="vnc", socket=str(spec.screen))
    video = SubElement(devices, "video")
    SubElement(video, "model", type="vga")
    SubElement(devices, "controller", type="usb", model="qemu-xhci")
    SubElement(devices, "memballoon", model="none")
    # Windows reports a crash to Hyper-V's device by itself, which only KVM has; to the ISA one with a driver.
    SubElement(devices, "panic", model="hyperv" if spec.accelerator == _KVM else "isa")
    ElementTree.indent(domain)
    return ElementTree.tostring(domain, encoding="unicode")


def _system(domain: Element, spec: WindowsDomain) -> None:
    system = SubElement(domain, "os")
    _text(system, "type", "hvm", arch=libvirt_arch(spec.arch), machine="q35")
    if spec.firmware is not None:
        variables = spec.firmware.variables
        stateless = "yes" if variables is None else "no"
        _text(system, "loader", str(spec.firmware.code), readonly="yes", type="pflash", stateless=stateless)
        if variables is not None:
            _text(system, "nvram", str(variables))


def _features(domain: Element, spec: WindowsDomain) -> None:
    features = SubElement(domain, "features")
    SubElement(features, "acpi")
    SubElement(features, "apic")
    if spec.accelerator == _KVM:
        hyperv = SubElement(features, "hyperv", mode="custom")
        for name in _ENLIGHTENMENTS:
            SubElement(hyperv, name, state="on")
        SubElement(hyperv, "spinlocks", state="on", retries=_SPINLOCK_RETRIES)
    # With a driver in the guest, a dump of its memory is one that Windows' debugger reads.
    SubElement(features, "vmcoreinfo", state="on")


def _cpu(spec: WindowsDomain) -> Element:
    return Element("cpu", mode="host-passthrough" if spec.accelerator == _KVM else "maximum")


def _clock(domain: Element, spec: WindowsDomain) -> None:
    clock = SubElement(domain, "clock", offset="utc")
    SubElement(clock, "timer", name="rtc", tickpolicy="catchup")
    SubElement(clock, "timer", name="hpet", present="no")
    if spec.accelerator == _KVM:
        SubElement(clock, "timer", name="hypervclock", present="yes")


def _storage(devices: Element, spec: WindowsDomain) -> None:
    """The disk is tried first: while it is empty, the firmware goes on to the first disc."""
    disk = SubElement(devices, "disk", type="file", device="disk")
    # Nothing on it has to outlive the host: an image is complete when its guest has powered off, or it is thrown away.
    SubElement(disk, "driver", name="qemu", type="qcow2", cache="unsafe", discard="unmap")
    SubElement(disk, "source", file=str(spec.disk))
    SubElement(disk, "target", dev="sda", bus="sata")
    SubElement(disk, "boot", order="1")
    for number, path in enumerate(spec.discs, 1):
        disc = SubElement(devices, "disk", type="file", device="cdrom")
        SubElement(disc, "driver", name="qemu", type="raw")
        SubElement(disc, "source", file=str(path))
        SubElement(disc, "target", dev=f"sd{chr(ord('a') + number)}", bus="sata")
        SubElement(disc, "readonly")
        if number == 1:
            SubElement(disc, "boot", order="2")


def _lines(devices: Element, spec: WindowsDomain) -> None:
    console = SubElement(devices, "serial", type="file")
    SubElement(console, "source", path=str(spec.console), append="off")
    SubElement(console, "target", type="isa-serial", port="0")
    for number, socket in enumerate(spec.lines.values(), 1):
        line = SubElement(devices, "serial", type="unix")
        SubElement(line, "source", mode="bind", path=str(socket))
        SubElement(line, "target", type="isa-serial", port=str(number))
    for name, socket in spec.ports.items():
        channel = SubElement(devices, "channel", type="unix")
        SubElement(channel, "source", mode="bind", path=str(socket))
        SubElement(channel, "target", type="virtio", name=name)


def _text(parent: Element, tag: str, text: str, **attributes: str) -> None:
    SubElement(parent, tag, attributes).text = text
