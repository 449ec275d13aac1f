"""A FreeBSD that starts from its own disk: the definition, the domain, and the disc that makes it start the agents."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pycdlib import PyCdlib

from harness.config import Guest, load_guest, load_guests
from harness.errors import CellUnavailable, ConfigError, DriverBuildError
from harness.events import SILENT
from harness.images.freebsd_disc import AGENT_PORTS
from harness.images.freebsd_seed import start_script, write_cloud_seed
from harness.provision.domain_xml import DomainSpec, domain_xml
from harness.session import guest_images
from harness.targets.freebsd import check_headers

ROOT = Path(__file__).parents[2]

DEFINITION = """
name = "f"
os = "freebsd"
arch = "amd64"
[image]
kind = "freebsd-disk"
{keys}
[cells.f]
client = "amd64"
"""


def definition(directory: Path, keys: str = "") -> Guest:
    path = directory / "f.toml"
    path.write_text(DEFINITION.format(keys=keys))
    return load_guest(path)


@pytest.fixture
def programs(tmp_path: Path) -> dict[str, Path]:
    made = {arch: tmp_path / arch for arch in ("amd64", "x86")}
    for arch, path in made.items():
        path.write_bytes(arch.encode() * 5000)
    return made


def test_a_disk_of_ones_own_is_found_beside_the_definition(tmp_path: Path) -> None:
    guest = definition(tmp_path, 'disk = "own.img"\nrelease = "13.5"\nsources = "sys"')
    with pytest.raises(CellUnavailable, match=r"guest 'f' has no disk at .*/own\.img \(see docs/freebsd\.md\)"):
        guest_images.ensure(guest, SILENT)
    (tmp_path / "own.img").write_bytes(b"")
    found = guest_images.ensure(guest, SILENT)
    assert (found.kernel, found.release, found.headers) == (tmp_path / "own.img", "FreeBSD 13.5", tmp_path / "sys")
    assert not guest_images.is_probe(guest)


def test_without_a_disk_it_is_the_image_that_was_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    guest = definition(tmp_path)
    with pytest.raises(CellUnavailable, match=r"guest 'f' has no image \(harness images fetch f\)"):
        guest_images.ensure(guest, SILENT)
    place = tmp_path / "supdrv-harness" / "freebsd" / "f"
    place.mkdir(parents=True)
    (place / "disk.qcow2").write_bytes(b"")
    (place / "facts.json").write_text('{"release": "14.3"}')
    found = guest_images.ensure(guest, SILENT)
    assert (found.kernel, found.release) == (place / "disk.qcow2", "FreeBSD 14.3")


def test_a_release_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"image\.release"):
        definition(tmp_path, 'release = "current"')


def test_the_projects_own_definitions_have_the_three_cells() -> None:
    cells = {
        cell: guest.arch for guest in load_guests(ROOT / "guests") for cell in guest.cells if guest.os == "freebsd"
    }
    assert cells == {"freebsd-amd64": "amd64", "freebsd-compat": "amd64", "freebsd-x86": "x86"}


@pytest.mark.parametrize("release", ["FreeBSD 14.3", "FreeBSD 12.1"])
def test_a_driver_for_another_release_needs_its_sources(release: str) -> None:
    with pytest.raises(DriverBuildError, match=r"needs the sources of its kernel.*src\.txz"):
        check_headers(release)


@pytest.mark.parametrize("release", ["FreeBSD 15.0", "FreeBSD 15.1", "FreeBSD "])
def test_a_driver_for_the_compilers_own_release_needs_nothing(release: str) -> None:
    check_headers(release)


def test_the_guest_starts_from_its_disk_and_is_unplugged() -> None:
    nowhere = Path("/nowhere")
    spec = DomainSpec(
        name="n",
        state="s",
        run="r",
        cell="c",
        accelerator="qemu",
        arch="amd64",
        memory_mib=256,
        cpus=1,
        cpu_model="",
        kernel=nowhere,
        initrd=Path("/seed.iso"),
        cmdline="",
        console=nowhere,
        disk=Path("/disk.qcow2"),
        disc=True,
        system=True,
    )
    domain = ElementTree.fromstring(domain_xml(spec))
    assert [boot.get("dev") for boot in domain.findall("os/boot")] == ["hd"]
    assert domain.find("devices/disk[@device='cdrom']/source[@file='/seed.iso']") is not None
    assert domain.find("devices/interface/link[@state='down']") is not None
    other = ElementTree.fromstring(domain_xml(replace(spec, system=False)))
    assert [boot.get("dev") for boot in other.findall("os/boot")] == ["cdrom"]
    assert other.find("devices/interface/link") is None


def test_the_disc_has_the_agents_and_what_starts_them(tmp_path: Path, programs: dict[str, Path]) -> None:
    write_cloud_seed(programs, "x86", tmp_path / "seed.iso")
    iso = PyCdlib()
    iso.open(str(tmp_path / "seed.iso"))
    try:
        assert iso.pvd.volume_identifier.decode().strip() == "cidata"
        names = {child.rock_ridge.name().decode() for child in iso.list_children(rr_path="/") if child.is_file()}
        assert names == {"agent-amd64", "agent-x86", "meta-data", "start.sh", "user-data"}
        iso.get_file_from_iso(str(tmp_path / "got"), rr_path="/agent-x86")
        assert (tmp_path / "got").read_bytes() == programs["x86"].read_bytes()
        iso.get_file_from_iso(str(tmp_path / "user-data"), rr_path="/user-data")
    finally:
        iso.close()
    script = (tmp_path / "user-data").read_text()
    assert script.startswith("#!/bin/sh\n")
    # As YAML it has to be one plain text: nothing in it may look like a mapping, or like a comment behind its start.
    assert ": " not in script
    assert " #" not in script
    assert len(script.splitlines()) == 2


def test_the_script_is_one_for_a_shell_and_starts_the_client_on_both_ports(programs: dict[str, Path]) -> None:
    script = start_script(programs, "x86")
    subprocess.run(["sh", "-n"], input=script.encode(), check=True)
    assert [line.strip() for line in script.splitlines() if "--port" in line] == [
        f"/tmp/agent-x86 --port tcp:{port}" for port in AGENT_PORTS
    ]
    assert script.count("</dev/null >/dev/null 2>&1 &") == len(AGENT_PORTS)
