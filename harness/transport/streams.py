"""Byte streams to an agent: a child process of this machine, and a guest's virtio-serial port."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from harness.errors import TransportError

_SEND_WAIT = 30.0  # seconds without a byte taken before the other side counts as gone
_PROGRAM_WAIT = 0.5  # seconds between two looks at whether the stream was closed


class ByteStream(Protocol):
    """An open connection to an agent. send and recv are used from different threads at the same time."""

    def send(self, data: bytes, /) -> None:
        """Sends all of it; raises TransportError or OSError, also when nothing is taken for long."""

    def recv(self, limit: int, timeout: float, /) -> bytes:
        """Up to limit bytes, b"" at the end for ever; raises TimeoutError after `timeout` seconds."""

    def close(self) -> None:
        """Lets go of it; a recv under way ends soon."""


class ProcessStream:
    """An agent that runs on this machine as a child process."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._in = self.process.stdin.fileno()
        self._out = self.process.stdout.fileno()
        os.set_blocking(self._in, False)
        self._writable = select.poll()
        self._writable.register(self._in, select.POLLOUT)
        self._readable = select.poll()
        self._readable.register(self._out, select.POLLIN)

    def send(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                try:
                    view = view[os.write(self._in, view) :]
                except BlockingIOError:
                    if not self._writable.poll(_SEND_WAIT * 1000):
                        raise TransportError(
                            f"agent process {self.process.pid} took no bytes for {_SEND_WAIT:.0f} s"
                        ) from None
        except OSError as error:
            raise TransportError(f"agent process {self.process.pid} does not read: {error}") from error

    def recv(self, limit: int, timeout: float) -> bytes:
        if not self._readable.poll(timeout * 1000):
            raise TimeoutError
        try:
            return os.read(self._out, limit)
        except OSError as error:
            raise TransportError(f"agent process {self.process.pid}: {error}") from error

    def close(self) -> None:
        """Ends the process and reaps it. The pipes close with this object: a recv sees their end."""
        self.process.kill()
        self.process.wait()


class _SocketStream:
    """A connected socket. It does not tell that the program in the guest which serves it is gone."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.setblocking(False)
        self._writable = select.poll()
        self._writable.register(self._socket, select.POLLOUT)
        self._readable = select.poll()
        self._readable.register(self._socket, select.POLLIN)

    def send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[self._socket.send(view) :]
            except BlockingIOError:
                if not self._writable.poll(_SEND_WAIT * 1000):
                    raise TransportError(f"the guest took no bytes for {_SEND_WAIT:.0f} s") from None

    def recv(self, limit: int, timeout: float) -> bytes:
        if not self._readable.poll(timeout * 1000):
            raise TimeoutError
        return self._socket.recv(limit)

    def close(self) -> None:
        with contextlib.suppress(OSError):  # the guest's own end was faster
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class PortStream(_SocketStream):
    """A guest's virtio-serial port."""

    def __init__(self, path: Path) -> None:
        super().__init__(_connected(socket.AF_UNIX, str(path), what=f"the guest's port {path}"))


class NetworkStream(_SocketStream):
    """A TCP port of a guest, forwarded to one of this machine. Connecting succeeds whether or not a program in it
    serves the port."""

    def __init__(self, port: int) -> None:
        connection = _connected(socket.AF_INET, ("127.0.0.1", port), what=f"the guest's port, here {port},")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(connection)


def _connected(family: socket.AddressFamily, address: str | tuple[str, int], *, what: str) -> socket.socket:
    connection = socket.socket(family)
    try:
        connection.connect(address)
    except OSError as error:
        connection.close()
        raise TransportError(f"{what} does not answer: {error}") from error
    return connection
