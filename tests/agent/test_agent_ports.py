"""An agent whose stream is a port, which comes and goes."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import subprocess
import time
import tty
from pathlib import Path

from harness.transport import wire
from harness.transport.agent import AgentClient
from harness.transport.wire import Frame, Op


class PortStream:
    """The host's end of a pty."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._fd, data) :]

    def recv(self, limit: int, timeout: float) -> bytes:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                return os.read(self._fd, limit)
            except OSError as error:
                if error.errno not in {errno.EAGAIN, errno.EIO}:  # EIO: the agent has not opened its end yet
                    raise
            time.sleep(0.001)
        raise TimeoutError

    def close(self) -> None:
        pass


def open_port(link: Path) -> int:
    """A raw pty whose other end the link names from now on; the host's end."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    fcntl.fcntl(master, fcntl.F_SETFL, os.O_NONBLOCK)
    fresh = link.with_suffix(".new")
    fresh.symlink_to(os.ttyname(slave))
    fresh.rename(link)
    os.close(slave)
    return master


def test_a_port_survives_its_peer_and_keeps_the_clients(program: Path, tmp_path: Path) -> None:
    link = tmp_path / "port"
    process = subprocess.Popen([program, "--port", link])
    try:
        master = open_port(link)
        agent = AgentClient(PortStream(master), deadline=10, resync=True)
        data = bytes(range(256)) * 20
        assert agent.ping(data) == data
        client = agent.client_start().id
        agent.close()
        os.write(master, wire.encode(Frame(1, Op.PING, 0, bytes(100)))[:50])
        os.close(master)

        master = open_port(link)
        agent = AgentClient(PortStream(master), deadline=10, resync=True)
        assert agent.ping(b"again") == b"again"
        assert agent.ping(b"client", client=client) == b"client"
        assert process.poll() is None
        agent.close()
        os.close(master)
    finally:
        process.kill()
        process.wait()


def test_an_agent_waits_for_its_port_to_appear(program: Path, tmp_path: Path) -> None:
    link = tmp_path / "port"
    process = subprocess.Popen([program, "--port", link])
    try:
        time.sleep(0.1)
        assert process.poll() is None
        master = open_port(link)
        agent = AgentClient(PortStream(master), deadline=10)
        assert agent.hello().pid == process.pid
        agent.exit()
        assert process.wait(timeout=5) == 0
        agent.close()
        os.close(master)
    finally:
        process.kill()
        process.wait()
