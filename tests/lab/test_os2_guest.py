"""The OS/2-like guest itself: what its own test program and test driver find from within, and how it ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.console.follower import ConsoleFollower
from harness.events import SILENT
from harness.images import cpio
from harness.images.os2 import SOURCE, BuiltOs2, Os2Image, make
from harness.images.store import ImageStore
from harness.provision.domain_xml import DomainSpec, domain_xml
from harness.provision.hypervisor import Domain
from harness.session.lab import Lab, LabOptions

ROOT = Path(__file__).parents[2]
SECONDS = 60.0
STOPPED = "The system is stopped."
TESTS = [
    name
    for source in sorted((SOURCE / "tests").glob("*_tests.c"))
    for name in re.findall(r"^\s*\{\s*\"(\w+)\"", source.read_text(), re.MULTILINE)
    if f"static void {name}(void)" in source.read_text()
]


@dataclass(frozen=True, slots=True)
class Running:
    """A guest that has started, and what follows its console."""

    domain: Domain
    console: ConsoleFollower

    def waited(self, text: str) -> str:
        """The console when `text` has come."""
        assert self.console.wait_for(text, SECONDS, alive=self.domain.running), self.console.text()
        self.console.settle(1.0)
        return self.console.text().replace("\r", "")


class Machine:
    """Starts the guest with the test program and the test driver."""

    def __init__(self, lab: Lab, image: BuiltOs2, programs: Path) -> None:
        self._lab = lab
        self._image = image
        self._programs = programs

    @contextmanager
    def booted(self, arguments: str) -> Iterator[Running]:
        """A guest that runs `test.exe` with these arguments."""
        directory = self._lab.run.cell_dir("os2-guest")
        files = {name: (self._programs / name).read_bytes() for name in ("test.exe", "test.sys")}
        config = f"DEVICE=C:\\TEST.SYS /X\r\nRUN=C:\\TEST.EXE {arguments}".rstrip() + "\r\n"
        (directory / "files").write_bytes(cpio.overlay({**files, "config.sys": config.encode()}))
        console = directory / "console.log"
        console.unlink(missing_ok=True)
        domain = self._lab.hypervisor.start(domain_xml(self._spec(directory / "files", console)))
        follower = ConsoleFollower(console, lambda _crash: None)
        follower.start()
        try:
            yield Running(domain, follower)
        finally:
            domain.destroy()
            follower.stop()

    def _spec(self, files: Path, console: Path) -> DomainSpec:
        run = self._lab.run
        return DomainSpec(
            name=f"supdrv-{run.id}-os2-guest",
            state=str(run.directory.parent.parent),
            run=run.id,
            cell="os2-guest",
            accelerator="qemu",
            arch="amd64",
            memory_mib=64,
            cpus=1,
            cpu_model="",
            kernel=self._image.kernel,
            initrd=files,
            cmdline="",
            console=console,
            is_small=True,
        )


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    programs = tmp_path_factory.mktemp("programs")
    make(SOURCE, "tests", programs)
    lab = Lab(LabOptions(project=ROOT, evidence=tmp_path_factory.mktemp("evidence")), SILENT)
    try:
        yield Machine(lab, ImageStore().ensure(Os2Image()), programs)
    finally:
        lab.close()


@pytest.fixture(scope="module")
def report(machine: Machine) -> str:
    """What the test program says of all its tests."""
    with machine.booted("") as guest:
        return guest.waited("agent ended")


@pytest.mark.parametrize("name", TESTS)
def test_within(report: str, name: str) -> None:
    assert f"\nok {name}\n" in report, report


def test_all_tests_within_are_known(report: str) -> None:
    assert sorted(re.findall(r"^ok (\w+)$", report, re.MULTILINE)) == sorted(TESTS)


@pytest.mark.parametrize(
    ("how", "trap", "error"),
    [
        ("null", "000e", "0002"),
        ("read-only", "000e", "0003"),
        ("run-data", "000e", "0011"),
        ("overflow", "0008", "0000"),
    ],
)
def test_what_a_driver_must_not_do_ends_the_system(machine: Machine, how: str, trap: str, error: str) -> None:
    with machine.booted(f"end {how}") as guest:
        screen = guest.waited(STOPPED)
        assert guest.domain.running()
    assert f"\nTRAP {trap}       ERRCD={error} " in screen
    assert re.search(r"^at   [0-9a-f]{8} TEST\$\+0x[0-9a-f]+ \(TEST\.SYS at [0-9a-f]{8}\)$", screen, re.MULTILINE)
    assert re.search(r"^from [0-9a-f]{8} OS2KRNL\+0x[0-9a-f]+$", screen, re.MULTILINE)
    assert "process 1 (C:\\TEST.EXE), thread 1" in screen


def test_an_internal_error_says_what_the_driver_says(machine: Machine) -> None:
    with machine.booted("end stop") as guest:
        screen = guest.waited(STOPPED)
    assert "\nInternal error: the test driver wants it so\n" in screen
    assert re.search(r"^from [0-9a-f]{8} TEST\$\+0x", screen, re.MULTILINE)


@pytest.mark.parametrize("how", ["spin", "spin-off"])
def test_a_driver_that_never_returns_is_found_by_an_nmi(machine: Machine, how: str) -> None:
    with machine.booted(f"end {how}") as guest:
        guest.waited("ready")
        guest.domain.inject_nmi()
        screen = guest.waited(STOPPED)
    assert "\nTRAP 0002 " in screen
    assert re.search(r"^at   [0-9a-f]{8} TEST\$\+0x", screen, re.MULTILINE)


def test_a_reset_ends_the_domain(machine: Machine) -> None:
    with machine.booted("end reset") as guest:
        assert not guest.console.wait_for("goes on", SECONDS, alive=guest.domain.running)
        assert not guest.domain.running()
        assert "TRAP" not in guest.console.text()
