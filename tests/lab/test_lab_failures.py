"""The lab fails, in every way that it can: each ends in a clear error or is mended, and is blamed on nobody else."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import AgentLost, BootError, GuestCrash, HarnessError, Kind, SetupError, TransportError
from harness.events import RecordingProgress
from harness.places import cache_dir
from harness.provision.daemon import stop_daemon
from harness.session.cell_session import CellSession

NewSession = Callable[..., CellSession]


@pytest.fixture
def own_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A libvirt daemon that no other run uses; its process id is in the file. Ask for it before `new_session`: sessions
    that close after it would start another one there."""
    directory = Path(f"/tmp/sh-{os.getpid()}-{abs(hash(tmp_path)) % 10000}")
    directory.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))
    yield directory / "supdrv-harness" / "libvirtd.pid"
    stop_daemon()
    shutil.rmtree(directory)


def works(session: CellSession) -> None:
    session.new_client().open_session().call("GET_PAGING_MODE")
    session.end_test()


def trouble(session: CellSession) -> HarnessError:
    """What the next request comes to."""
    with pytest.raises(HarnessError) as caught:
        session.new_client().open_session()
    verdict = session.explain(caught.value)
    assert isinstance(verdict, HarnessError)
    return verdict


def emulator_of(session: CellSession) -> int:
    """The process that runs the guest."""
    found = subprocess.run(
        ["pgrep", "-f", f"guest={session.guest.domain.name},"], capture_output=True, text=True, check=True
    )
    return int(found.stdout)


def test_the_emulator_is_killed(new_session: NewSession) -> None:
    session = new_session()
    session.begin_test("test")
    os.kill(emulator_of(session), signal.SIGKILL)
    verdict = trouble(session)
    assert isinstance(verdict, GuestCrash)
    assert verdict.verdict is not None
    assert verdict.verdict.kind is Kind.GUEST_GONE
    assert "libvirt: stopped: its emulator failed" in str(verdict)
    session.begin_test("next")
    works(session)


def test_the_agent_is_killed(new_session: NewSession) -> None:
    session = new_session()
    session.begin_test("test")
    session.ssh.run(f"kill -9 {session.agent_pid}", deadline=20.0)
    verdict = trouble(session)
    assert isinstance(verdict, AgentLost)
    assert verdict.verdict is not None
    assert verdict.verdict.kind is Kind.AGENT_LOST
    assert "status 137" in str(verdict)
    session.begin_test("next")
    works(session)


def test_the_ssh_connection_is_dropped(new_session: NewSession, progress: RecordingProgress) -> None:
    session = new_session()
    session.begin_test("test")
    with pytest.raises(TransportError, match="did not finish"):
        session.ssh.run("kill -9 $PPID", deadline=20.0)
    assert session.ssh.run("echo well", deadline=20.0).stdout == b"well\n"
    assert "linux-amd64: its SSH connection was dropped; connect again" in progress.steps
    works(session)


def test_guests_side_by_side_have_ports_of_their_own(new_session: NewSession) -> None:
    """Nobody chooses a port that another one has: the system does."""
    one, other = new_session(), new_session()
    for session in (one, other):
        session.begin_test("test")
        session.ssh.run(f"echo {session.guest.domain.name} >/tmp/name", deadline=20.0)
    for session in (one, other):
        assert session.ssh.run("cat /tmp/name", deadline=20.0).stdout.decode().strip() == session.guest.domain.name


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a daemon that is ours to kill")
def test_the_daemon_is_killed_and_another_goes_on(
    own_daemon: Path, new_session: NewSession, progress: RecordingProgress
) -> None:
    session = new_session()
    session.begin_test("test")
    emulator = emulator_of(session)
    os.kill(int(own_daemon.read_text()), signal.SIGKILL)
    works(session)
    session.retire()
    session.begin_test("next")
    works(session)
    assert "libvirt's daemon has gone; connect again" in progress.steps
    assert emulator_of(session) == emulator, "the guest was lost with its daemon"
    session.close()
    assert not Path(f"/proc/{emulator}").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a daemon that is ours to stop")
def test_a_daemon_that_does_not_answer_is_replaced(own_daemon: Path, new_session: NewSession) -> None:
    new_session().begin_test("test")
    deaf = int(own_daemon.read_text())
    socket = own_daemon.parent / "libvirt" / "libvirt-sock"
    socket.unlink()
    session = new_session()
    session.begin_test("test")
    works(session)
    assert int(own_daemon.read_text()) != deaf


def test_an_image_is_damaged(new_session: NewSession, store: Path) -> None:
    images = store.parent / "images"
    real = images.resolve()
    images.unlink()
    shutil.copytree(real, images, symlinks=True, ignore=lambda _where, names: {"debs", "apt"} & set(names))
    session = new_session()
    for initrd in images.glob("images/linux-amd64-*/initrd*"):
        initrd.write_bytes(initrd.read_bytes()[: 1 << 20])
    with pytest.raises(BootError, match="was not ready after") as caught:
        session.begin_test("test")
    assert "Kernel panic" in str(caught.value) or "initramfs" in str(caught.value).lower()


def test_there_is_no_space_for_the_guests_files(new_session: NewSession, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_source: object, target: object) -> None:
        raise OSError(28, os.strerror(28), str(target))

    session = new_session()
    monkeypatch.setattr("harness.provision.guest.shutil.copyfile", full)
    with pytest.raises(SetupError, match="No space left on device"):
        session.begin_test("test")
    monkeypatch.undo()


def test_a_crash_is_judged_in_seconds_and_the_memory_is_kept_if_asked_for(new_session: NewSession) -> None:
    session = new_session(dump_memory=True)
    session.begin_test("test")
    session.ssh.run("(sleep 0.3; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &", deadline=20.0)
    time.sleep(1.0)
    verdict = trouble(session)
    assert verdict.verdict is not None
    assert verdict.verdict.kind is Kind.KERNEL_CRASH
    memory = Path(verdict.verdict.evidence) / "memory.elf"
    with memory.open("rb") as stream:
        head = stream.read(1 << 16)
    assert head[:4] == b"\x7fELF"
    assert b"OSRELEASE=" + session.kernel.encode() in head
    assert memory.stat().st_size > 256 << 20
    session.begin_test("next")
    works(session)


def test_the_cache_cannot_be_written(new_session: NewSession, store: Path, progress: RecordingProgress) -> None:
    store.parent.joinpath("checkpoints").write_text("in the way")
    session = new_session()
    session.begin_test("test")
    works(session)
    assert any("no checkpoint is kept" in text for text in progress.steps)
    assert cache_dir() == store.parent
