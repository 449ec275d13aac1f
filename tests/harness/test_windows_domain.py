"""The libvirt domain of a real Windows."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import pytest
from lxml import etree

from harness.provision.domain_xml import AGENT_CHANNEL, METADATA_NAMESPACE, WATCH_CHANNEL, DomainSpec, domain_xml
from harness.provision.windows_domain import MAC_ADDRESS, Firmware, WindowsDomain, windows_domain_xml

SCHEMA = Path("/usr/share/libvirt/schemas/domain.rng")
FIRMWARE = Firmware(Path("/usr/share/OVMF/OVMF_CODE_4M.fd"), Path("/run/variables.fd"))
STATELESS = replace(FIRMWARE, variables=None)

SPEC = WindowsDomain(
    name="supdrv-1234-windows-amd64",
    state="/state & more",
    run="1234",
    cell="windows-amd64",
    accelerator="kvm",
    arch="amd64",
    memory_mib=4096,
    cpus=2,
    disk=Path("/run/disk.qcow2"),
    console=Path("/run/console.log"),
    screen=Path("/run/screen"),
    discs=(Path("/iso/windows.iso"), Path("/run/seed.iso"), Path("/iso/virtio.iso")),
    ports={AGENT_CHANNEL: Path("/run/agent"), WATCH_CHANNEL: Path("/run/watch")},
    restarts=True,
)


def parse(spec: WindowsDomain) -> ElementTree.Element:
    return ElementTree.fromstring(windows_domain_xml(spec))


def variants() -> list[WindowsDomain]:
    lines = {AGENT_CHANNEL: Path("/run/agent"), WATCH_CHANNEL: Path("/run/watch")}
    return [
        replace(SPEC, accelerator=accelerator, arch=arch, firmware=firmware, ports=ports, lines=other)
        for accelerator, arch, firmware, (ports, other) in product(
            ("kvm", "qemu"),
            ("amd64", "x86"),
            (None, FIRMWARE, replace(FIRMWARE, variables=None)),
            ((lines, {}), ({}, lines)),
        )
    ]


def linux_spec() -> DomainSpec:
    return DomainSpec(
        name="linux",
        state="/state",
        run="1",
        cell="linux-amd64",
        accelerator="qemu",
        arch="amd64",
        memory_mib=256,
        cpus=1,
        cpu_model="qemu64",
        kernel=Path("/vmlinuz"),
        initrd=Path("/initrd.img"),
        cmdline="quiet",
        console=Path("/run/console.log"),
        ports={AGENT_CHANNEL: Path("/run/agent")},
        disk=Path("/run/disk.qcow2"),
    )


@pytest.fixture(scope="module")
def schema() -> etree.RelaxNG:
    if not SCHEMA.exists():
        pytest.skip(f"{SCHEMA} is not there: install the package libvirt-daemon")
    return etree.RelaxNG(etree.parse(str(SCHEMA)))


@pytest.mark.parametrize("text", [domain_xml(linux_spec()), *map(windows_domain_xml, variants())])
def test_the_domain_fits_libvirts_own_schema(schema: etree.RelaxNG, text: str) -> None:
    schema.assertValid(etree.fromstring(text))


def test_an_empty_disk_leads_to_the_first_disc() -> None:
    disks = parse(SPEC).findall("devices/disk")
    found = [
        (disk.find("source").get("file"), order.get("order"))
        for disk in disks
        if (order := disk.find("boot")) is not None
    ]
    assert found == [("/run/disk.qcow2", "1"), ("/iso/windows.iso", "2")]


def test_discs_are_read_only_and_on_the_bus_that_windows_knows() -> None:
    disks = parse(SPEC).findall("devices/disk")
    assert {disk.find("target").get("bus") for disk in disks} == {"sata"}
    assert [disk.find("readonly") is not None for disk in disks] == [False, True, True, True]


@pytest.mark.parametrize(("restarts", "on_reboot"), [(True, "restart"), (False, "destroy")])
def test_only_an_installation_may_start_again(restarts: bool, on_reboot: str) -> None:
    assert parse(replace(SPEC, restarts=restarts)).findtext("on_reboot") == on_reboot


@pytest.mark.parametrize(("accelerator", "panic", "hyperv"), [("kvm", "hyperv", True), ("qemu", "isa", False)])
def test_what_only_kvm_has_is_asked_of_kvm_only(accelerator: str, panic: str, hyperv: bool) -> None:
    domain = parse(replace(SPEC, accelerator=accelerator))
    assert domain.find("devices/panic").get("model") == panic
    assert (domain.find("features/hyperv") is not None) is hyperv
    assert (domain.find("clock/timer[@name='hypervclock']") is not None) is hyperv


def test_uefi_has_a_program_that_stays_and_variables_of_the_guest() -> None:
    assert parse(SPEC).find("os/loader") is None
    domain = parse(replace(SPEC, firmware=FIRMWARE))
    assert domain.find("os/loader").get("readonly") == "yes"
    assert domain.findtext("os/nvram") == "/run/variables.fd"


def test_uefi_without_variables_forgets_what_a_snapshot_cannot_hold() -> None:
    domain = parse(replace(SPEC, firmware=STATELESS))
    assert domain.find("os/loader").get("stateless") == "yes"
    assert domain.find("os/nvram") is None


def test_the_console_is_the_first_serial_line_and_agents_without_a_driver_have_the_next() -> None:
    domain = parse(replace(SPEC, ports={}, lines={AGENT_CHANNEL: Path("/run/agent")}))
    serial = [(line.get("type"), line.find("target").get("port")) for line in domain.findall("devices/serial")]
    assert serial == [("file", "0"), ("unix", "1")]


def test_the_network_card_is_the_one_of_the_snapshot_in_every_run() -> None:
    assert parse(SPEC).find("devices/interface/mac").get("address") == MAC_ADDRESS


def test_nobody_on_the_network_sees_the_screen() -> None:
    (graphics,) = parse(SPEC).findall("devices/graphics")
    assert graphics.attrib == {"type": "vnc", "socket": "/run/screen"}
    assert [interface.get("type") for interface in parse(SPEC).findall("devices/interface")] == ["user"]


def test_the_domain_says_whose_it_is() -> None:
    owner = parse(SPEC).find(f"metadata/{{{METADATA_NAMESPACE}}}owner")
    assert owner.attrib == {"state": SPEC.state, "run": "1234", "cell": "windows-amd64"}
