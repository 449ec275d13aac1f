"""Installing a Windows, with a program of our own in Microsoft's place: a real guest, a real seed, no Windows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.console.follower import GUEST_SAYS
from harness.errors import BootError, ConfigError, HarnessError, SetupError
from harness.events import RecordingProgress
from harness.images.windows.answer_file import Answers
from harness.images.windows.keys import make_windows_keys
from harness.images.windows.medium import look_into
from harness.images.windows.releases import BIOS, RELEASES, UEFI
from harness.images.windows.seed import write_seed
from harness.images.windows.seed_files import Parts, seed_files
from harness.matrix import Cell
from harness.provision.domain_xml import AGENT_CHANNEL
from harness.provision.windows_domain import windows_domain_xml
from harness.provision.windows_images import WindowsImage, WindowsImages
from harness.provision.windows_install import Installer, Plan
from harness.provision.windows_machine import Machine, find_firmware, machine_of, restore
from harness.session import windows_building
from harness.session.lab import Lab, LabOptions
from harness.timeouts import EMULATED, Deadlines
from harness.transport.streams import PortStream
from tests.harness.windows_media import efi_file_system, medium, wim

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
KEYS = make_windows_keys()
MACHINE = Machine(arch="amd64", firmware=BIOS, accelerator="qemu", memory_mib=64, cpus=1, virtio=False)
PATIENT = Deadlines(EMULATED)


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with our installers."""
    place = tmp_path_factory.mktemp("stand-in")
    zig = f"{sys.executable} -m ziglang"
    subprocess.run(["make", "-s", "-C", str(HERE / "installer"), f"OUT={place}", f"ZIG={zig}"], check=True)
    return place


@pytest.fixture(scope="module")
def iso(stand_in: Path) -> Path:
    """A medium as Microsoft's, which starts our installer from BIOS."""
    files = {"sources/install.wim": wim(("Windows 10 Pro", "amd64", 19045, False))}
    return medium(stand_in / "bios.iso", files, boot=(stand_in / "bios.bin").read_bytes())


@pytest.fixture(scope="module")
def uefi_iso(stand_in: Path) -> Path:
    """The same for UEFI."""
    files = {"sources/install.wim": wim(("Windows 10 Pro", "amd64", 19045, False))}
    boot = efi_file_system((stand_in / "uefi.efi").read_bytes())
    return medium(stand_in / "uefi.iso", files, boot=boot, uefi=True)


@pytest.fixture
def lab(tmp_path: Path, progress: RecordingProgress) -> Iterator[Lab]:
    lab = Lab(LabOptions(project=ROOT, evidence=tmp_path / "evidence"), progress)
    yield lab
    lab.close()


@pytest.fixture
def images(tmp_path: Path) -> WindowsImages:
    return WindowsImages(tmp_path / "images")


@pytest.fixture
def install(lab: Lab, images: WindowsImages, iso: Path, tmp_path: Path) -> Callable[..., WindowsImage]:
    """Installs from a medium, with a seed for a computer of that name."""

    def run(
        computer: str = "SUPDRV",
        *,
        deadlines: Deadlines = PATIENT,
        machine: Machine = MACHINE,
        iso: Path = iso,
        **changes: object,
    ) -> WindowsImage:
        answers = Answers(
            release=RELEASES["10"],
            arch="amd64",
            firmware=machine.firmware,
            image=look_into(iso).choose(RELEASES["10"], "amd64").index,
            password=KEYS.password,
            computer=computer,
            locale="en-US",
            say=GUEST_SAYS,
        )
        seed = tmp_path / "seed.iso"
        write_seed(seed_files(answers, KEYS, Parts(agents={"amd64": b"MZ"}, ports=machine.ports)), seed)
        plan = Plan("stand-in", machine, 1, (iso, seed), tmp_path / "evidence", needed_gib=1)
        installer = Installer(
            replace(plan, **changes), hypervisor=lab.hypervisor, run=lab.run, deadlines=deadlines, progress=lab.progress
        )
        return images.publish("stand-in", fill=installer.fill, keys=KEYS, facts=machine.facts())

    return run


def nothing_runs(lab: Lab) -> bool:
    return [owner for _domain, owner in lab.hypervisor.ours() if owner.run == lab.run.id] == []


def check_flow(image: WindowsImage, machine: Machine, lab: Lab, progress: RecordingProgress) -> None:
    """What was said is what is to be said, and the image answers, again and again."""
    said = [line.partition(" ... ")[0].removeprefix("stand-in: ") for line in progress.lines if "stand-in" in line]
    assert said == [
        "setup has begun", "this computer is SUPDRV", "files are copied", "first logon", "step files", "installed",
        "ready", "keep it as it runs",
    ]  # fmt: skip
    assert machine_of(image) == machine
    assert image.keys() == KEYS
    assert nothing_runs(lab)
    for message in (b"one", b"two"):
        domain, spec = restore(image, hypervisor=lab.hypervisor, run=lab.run, name="restored")
        stream = PortStream(spec.lines[AGENT_CHANNEL])
        try:
            stream.send(message)
            answer = b""
            while len(answer) < len(message):
                answer += stream.recv(16, 10.0)
            assert answer == message
        finally:
            stream.close()
            domain.destroy()


def test_an_installation_goes_from_the_medium_over_a_restart_to_a_running_system(
    install: Callable[..., WindowsImage], lab: Lab, progress: RecordingProgress
) -> None:
    check_flow(install(), MACHINE, lab, progress)


def test_an_installation_with_uefi_does_the_same(
    install: Callable[..., WindowsImage], uefi_iso: Path, lab: Lab, progress: RecordingProgress
) -> None:
    try:
        find_firmware()
    except SetupError as error:
        pytest.skip(str(error))
    machine = replace(MACHINE, firmware=UEFI, memory_mib=256)
    check_flow(install(machine=machine, iso=uefi_iso), machine, lab, progress)


def test_an_order_becomes_an_image_by_way_of_the_same_steps(
    lab: Lab, iso: Path, store: Path, amd64: Cell, progress: RecordingProgress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With agents that are none, which the stand-in does not mind."""
    monkeypatch.setattr(windows_building, "NEEDED_GIB", 1)
    monkeypatch.setattr(Lab, "agent", lambda _self, _system, _arch: iso.with_name("uefi.efi"))
    image = windows_building.build(lab, windows_building.Order(arch="amd64", iso=iso), probe=amd64.guest)
    assert image.name == "windows-amd64-10"
    assert image.directory.parent == store.parent / "windows"
    assert dict(image.facts())["image"] == "Windows 10 Pro"
    assert "windows-amd64-10: ready ... done" in progress.lines
    assert image.disk.with_name("keys.json").stat().st_mode & 0o077 == 0
    with pytest.raises(ConfigError, match="there is an image 'windows-amd64-10' already"):
        windows_building.build(lab, windows_building.Order(arch="amd64", iso=iso), probe=amd64.guest)


def test_a_step_that_fails_ends_the_installation_with_what_it_printed(
    install: Callable[..., WindowsImage], lab: Lab, images: WindowsImages, tmp_path: Path
) -> None:
    with pytest.raises(BootError) as caught:
        install("FAILS")
    assert caught.value.message == "the Windows of stand-in has a step that failed files, status 5"
    assert "Access is denied." in caught.value.evidence
    assert (tmp_path / "evidence" / "screen.ppm").read_bytes().startswith(b"P6")
    assert (tmp_path / "evidence" / "console.log").exists()
    assert images.all() == []
    assert list(images.root.iterdir()) == []
    assert nothing_runs(lab)


def test_a_medium_that_asks_somebody_is_given_up(
    install: Callable[..., WindowsImage], lab: Lab, tmp_path: Path
) -> None:
    """Without a medium the firmware finds nothing to start, says so on the screen and waits."""

    class Impatient(Deadlines):
        windows_silence = property(lambda _self: 2.0)  # type: ignore[assignment]

    with pytest.raises(BootError, match="has said nothing and written nothing for"):
        install(discs=(), deadlines=Impatient())
    assert (tmp_path / "evidence" / "screen.ppm").exists()
    assert nothing_runs(lab)


def test_libvirt_takes_every_machine(lab: Lab, tmp_path: Path) -> None:
    """UEFI with variables, and without, and ports of both kinds; nothing is installed on them."""
    machines = [replace(MACHINE, virtio=True), replace(MACHINE, firmware=UEFI), replace(MACHINE, arch="x86")]
    disk = tmp_path / "disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(disk), "1G"], check=True)
    for machine in machines:
        try:
            firmware = machine.running_firmware()
        except HarnessError as error:
            pytest.skip(error.message)
        domain = lab.hypervisor.start(windows_domain_xml(machine.domain(lab.run, "machine", disk, firmware)))
        try:
            assert domain.running()
            domain.save_snapshot("any")
        finally:
            domain.destroy()
    assert find_firmware()
