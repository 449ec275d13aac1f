"""The connection to libvirt, where the daemon behind it comes and goes."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import libvirt
import pytest

from harness.errors import ProvisionError
from harness.provision.hypervisor import Hypervisor, hung_up
from harness.provision.lifecycle import run_event_loop

TEST_URI = "test:///default"
"""libvirt's own hypervisor for tests, in the process itself."""


@contextmanager
def leaving_daemon(path: Path, *, connections: int) -> Iterator[str]:
    """The URI of a daemon that takes that many connections and closes each, as one does that is about to end."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            for _ in range(connections):
                listener.accept()[0].close()

        thread = threading.Thread(target=serve, daemon=True)  # a test that fails need not end it
        thread.start()
        yield f"qemu+unix:///session?socket={path}"
        thread.join()


def test_a_daemon_that_ends_as_it_is_asked_costs_a_second_question(tmp_path: Path) -> None:
    """Whether the question or libvirt's event loop finds out first is chance, more so on a busy machine."""
    run_event_loop()
    told: list[str] = []
    with leaving_daemon(tmp_path / "socket", connections=12) as leaving:
        uris = iter([leaving] * 12 + [TEST_URI])
        hypervisor = Hypervisor(lambda: next(uris), told.append)
    assert hypervisor.uri == TEST_URI
    assert [text.partition(" (")[0] for text in told] == ["libvirt's daemon was about to end; connect again"] * 12
    hypervisor.close()


@pytest.mark.parametrize(
    ("code", "number", "text", "so"),
    [
        (libvirt.VIR_ERR_SYSTEM_ERROR, errno.ECONNRESET, "Cannot recv data: Connection reset by peer", True),
        (libvirt.VIR_ERR_SYSTEM_ERROR, errno.EPIPE, "Cannot write data: Broken pipe", True),
        (libvirt.VIR_ERR_SYSTEM_ERROR, errno.EIO, "End of file while reading data: Input/output error", True),
        (libvirt.VIR_ERR_INTERNAL_ERROR, -1, "internal error: client socket is closed", True),
        (libvirt.VIR_ERR_INTERNAL_ERROR, -1, "internal error: received hangup event on socket", True),
        (libvirt.VIR_ERR_SYSTEM_ERROR, errno.ENOENT, "Failed to connect socket: No such file or directory", False),
        (libvirt.VIR_ERR_INTERNAL_ERROR, -1, "internal error: no event loop runs", False),
    ],
)
def test_each_of_libvirts_words_for_a_daemon_that_hung_up_is_known(code: int, number: int, text: str, so: bool) -> None:
    error = libvirt.libvirtError(text)
    error.err = (code, libvirt.VIR_FROM_RPC, text, libvirt.VIR_ERR_ERROR, None, None, None, number, -1)
    assert hung_up(error) is so


def test_one_that_only_ever_hangs_up_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.provision.hypervisor._LEAVE_SECONDS", 0.0)
    with (
        leaving_daemon(tmp_path / "socket", connections=1) as leaving,
        pytest.raises(ProvisionError, match="cannot connect to libvirt"),
    ):
        Hypervisor(lambda: leaving, lambda _text: None)


def test_nobody_there_is_an_error_at_once(tmp_path: Path) -> None:
    asked: list[str] = []

    def find() -> str:
        asked.append(f"qemu+unix:///session?socket={tmp_path / 'nobody'}")
        return asked[-1]

    with pytest.raises(ProvisionError, match="cannot connect to libvirt"):
        Hypervisor(find, lambda _text: None)
    assert len(asked) == 1
