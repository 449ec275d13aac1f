"""The libvirt domain of a guest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.provision.domain_xml import AGENT_CHANNEL, METADATA_NAMESPACE, WATCH_CHANNEL, DomainSpec, domain_xml

SPEC = DomainSpec(
    name="supdrv-1234-linux-amd64",
    state="/state & more",
    run="1234",
    cell="linux-amd64",
    accelerator="qemu",
    arch="amd64",
    memory_mib=256,
    cpus=1,
    cpu_model="",
    kernel=Path("/images/vmlinuz"),
    initrd=Path("/run/initrd.img"),
    cmdline='console=ttyS0 quote="<&>"',
    console=Path("/run/console.log"),
    ports={AGENT_CHANNEL: Path("/run/agent"), WATCH_CHANNEL: Path("/run/watch")},
    disk=Path("/run/disk.qcow2"),
)


def parse(spec: DomainSpec) -> ElementTree.Element:
    return ElementTree.fromstring(domain_xml(spec))


def test_the_command_line_arrives_whatever_characters_it_has() -> None:
    assert parse(SPEC).findtext("os/cmdline") == SPEC.cmdline


def test_the_domain_says_whose_it_is() -> None:
    owner = parse(SPEC).find(f"metadata/{{{METADATA_NAMESPACE}}}owner")
    assert owner is not None
    assert owner.attrib == {"state": SPEC.state, "run": "1234", "cell": "linux-amd64"}


def test_the_console_is_a_file_written_from_the_first_byte() -> None:
    source = parse(SPEC).find("devices/serial[@type='file']/source")
    assert source is not None
    assert source.attrib == {"path": "/run/console.log", "append": "off"}


@pytest.mark.parametrize(("disc", "many"), [(False, "3"), (True, None)])
def test_there_are_no_more_ports_than_agents_where_the_guest_is_known(disc: bool, many: str | None) -> None:
    controller = parse(replace(SPEC, disc=disc)).find("devices/controller[@type='virtio-serial']")
    assert (None if controller is None else controller.get("ports")) == many


def test_each_agent_has_a_port_of_its_own() -> None:
    found = {}
    for channel in parse(SPEC).findall("devices/channel[@type='unix']"):
        source, target = channel.find("source"), channel.find("target[@type='virtio']")
        assert source is not None
        assert target is not None
        assert source.get("mode") == "bind"
        found[target.get("name")] = source.get("path")
    assert found == {AGENT_CHANNEL: "/run/agent", WATCH_CHANNEL: "/run/watch"}


def test_snapshots_have_a_disk_if_they_are_wanted() -> None:
    source = parse(SPEC).find("devices/disk[@device='disk']/source")
    assert source is not None
    assert source.get("file") == "/run/disk.qcow2"
    assert parse(replace(SPEC, disk=None)).find("devices/disk") is None


def test_an_emulated_processor_does_not_claim_quick_string_instructions() -> None:
    features = {each.get("name"): each.get("policy") for each in parse(SPEC).findall("cpu/feature")}
    assert features == {"erms": "disable"}
    assert parse(replace(SPEC, accelerator="kvm")).find("cpu/feature") is None
    assert parse(replace(SPEC, cpu_model="qemu64")).find("cpu/feature") is None


@pytest.mark.parametrize("is_small", [False, True])
def test_libvirt_asks_for_the_processor_in_few_questions(is_small: bool) -> None:
    namespace = "{http://libvirt.org/schemas/domain/qemu/1.0}"
    removed = parse(replace(SPEC, is_small=is_small)).findall(f"{namespace}capabilities/{namespace}del")
    assert [each.get("capability") for each in removed] == ["cpu-unavailable-features"]


def test_the_only_network_is_the_user_mode_one() -> None:
    interfaces = parse(SPEC).findall("devices/interface")
    assert [interface.get("type") for interface in interfaces] == ["user"]


def test_a_guest_that_resets_itself_ends() -> None:
    assert parse(SPEC).findtext("on_reboot") == "destroy"


@pytest.mark.parametrize(
    ("accelerator", "model", "mode"),
    [("kvm", "", "host-passthrough"), ("qemu", "", "maximum"), ("qemu", "qemu64", "custom")],
)
def test_the_processor_is_the_best_that_the_accelerator_has(accelerator: str, model: str, mode: str) -> None:
    cpu = parse(replace(SPEC, accelerator=accelerator, cpu_model=model)).find("cpu")
    assert cpu is not None
    assert cpu.get("mode") == mode


def test_a_small_guest_has_an_old_machine_without_network_and_the_same_ports() -> None:
    small, large = parse(replace(SPEC, is_small=True)), parse(SPEC)
    kind = small.find("os/type")
    assert kind is not None
    assert kind.get("machine") == "pc"
    assert small.find("devices/interface") is None
    assert small.find("devices/rng") is None
    assert large.find("devices/interface") is not None
    ports = [[port.attrib for port in each.findall("devices/channel/target")] for each in (small, large)]
    assert ports[0] == ports[1]
