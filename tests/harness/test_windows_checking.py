"""Looking at an image of real Windows: with this machine's agent behind the guest's ports."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.console.windows_dump import Module
from harness.errors import HarnessError
from harness.events import RecordingProgress
from harness.images.windows.keys import make_windows_keys
from harness.images.windows.releases import BIOS
from harness.provision.domain_xml import AGENT_CHANNEL, WATCH_CHANNEL
from harness.provision.runs import Run
from harness.provision.windows_domain import WindowsDomain
from harness.provision.windows_images import WindowsImage, WindowsImages
from harness.provision.windows_machine import Machine
from harness.session import windows_checking, windows_dumps
from harness.targets.agents import build_agent
from tests.harness.test_windows_dumps import dump64

ROOT = Path(__file__).parents[2]
KEYS = make_windows_keys()
MACHINE = Machine(arch="amd64", firmware=BIOS, accelerator="qemu", memory_mib=64, cpus=1, virtio=True)
SUPDRV = Module("supdrv.sys", 0xFFFFF80351230000, 0x9000)


@pytest.fixture(scope="module")
def program() -> Path:
    return build_agent("linux", "amd64", sources=ROOT, build=ROOT / "build" / "agent")


@dataclass
class FakeDomain:
    ended: bool = False

    def destroy(self) -> None:
        self.ended = True


@dataclass
class FakeLab:
    """What is asked of a lab."""

    run: Run
    progress: RecordingProgress
    hypervisor: None = None


@pytest.fixture
def serve(program: Path) -> Iterator[Callable[[Path], None]]:
    """Makes a port of a guest at a path: each connection has an agent of its own."""
    listeners: list[socket.socket] = []
    agents: list[subprocess.Popen[bytes]] = []

    def follow(listener: socket.socket) -> None:
        while True:
            try:
                connection, _peer = listener.accept()
            except OSError:
                return
            with connection:
                agents.append(subprocess.Popen([program], stdin=connection, stdout=connection))

    def make(path: Path) -> None:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        listeners.append(listener)
        threading.Thread(target=follow, args=(listener,), daemon=True).start()

    yield make
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for agent in agents:
        agent.kill()
        agent.wait()


@pytest.fixture
def domain() -> FakeDomain:
    return FakeDomain()


@pytest.fixture
def look(
    tmp_path: Path, serve: Callable[[Path], None], domain: FakeDomain, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Path], list[str]]]:
    """Checks an image of a machine with those ports."""
    image = WindowsImages(tmp_path / "images").publish(
        "ten", fill=lambda _image: None, keys=KEYS, facts=MACHINE.facts()
    )
    run = Run.begin(uri="test:///default", state=tmp_path / "state")

    def restore(_image: WindowsImage, *, hypervisor: None, run: Run, name: str) -> tuple[FakeDomain, WindowsDomain]:
        spec = MACHINE.domain(run, name, tmp_path / "disk.qcow2", None)
        for path in spec.ports.values():
            serve(path)
        return domain, spec

    monkeypatch.setattr(windows_checking, "restore", restore)
    yield lambda dumps: windows_checking.check(FakeLab(run, RecordingProgress()), image, dumps)
    run.end()


def test_every_agent_says_who_it_is(look: Callable[[Path], list[str]], domain: FakeDomain, tmp_path: Path) -> None:
    lines = look(tmp_path / "dumps")
    assert [line.partition(",")[0] for line in lines] == [
        f"{AGENT_CHANNEL}: amd64 agent",
        "no crash dumps",
        f"{WATCH_CHANNEL}: amd64 agent",
    ]
    assert domain.ended


def test_crashes_are_summed_up_and_their_minidumps_copied(
    look: Callable[[Path], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / "one.dmp").write_bytes(dump64(SUPDRV, address=SUPDRV.base + 0x40))
    (tmp_path / "MEMORY.DMP").write_bytes(dump64(kind=2, code=0x50))
    monkeypatch.setattr(windows_dumps, "MINIDUMPS", str(there))
    monkeypatch.setattr(windows_dumps, "SEPARATOR", "/")
    monkeypatch.setattr(windows_dumps, "KERNEL_DUMP", str(tmp_path / "MEMORY.DMP"))
    said = "\n".join(look(tmp_path / "dumps"))
    assert "PAGE_FAULT_IN_NONPAGED_AREA (0x50), kernel dump" in said
    assert "exception 0xc0000005 at 0xfffff80351230040 (supdrv.sys+0x40)" in said
    assert (tmp_path / "dumps" / "one.dmp").read_bytes() == (there / "one.dmp").read_bytes()


def test_a_guest_that_does_not_answer_is_ended(
    look: Callable[[Path], list[str]], domain: FakeDomain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows_checking, "PortStream", lambda path: (_ for _ in ()).throw(HarnessError("no answer")))
    with pytest.raises(HarnessError, match="no answer"):
        look(tmp_path)
    assert domain.ended
