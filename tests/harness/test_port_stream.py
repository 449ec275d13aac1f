"""The stream to a guest's port: bytes both ways."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import TransportError
from harness.transport.streams import PortStream


@pytest.fixture
def path() -> Iterator[Path]:
    """Where a socket can be; pytest's own directories can be too deep for one."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory) / "port"


@pytest.fixture
def port(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)
        yield listener


@pytest.fixture
def stream(path: Path, port: socket.socket) -> Iterator[PortStream]:
    made = PortStream(path)
    yield made
    made.close()


def test_bytes_go_both_ways_however_many(stream: PortStream, port: socket.socket) -> None:
    guest, _ = port.accept()
    data = os.urandom(1 << 20)
    sender = threading.Thread(target=stream.send, args=(data,))
    sender.start()
    arrived = b""
    while len(arrived) < len(data):
        arrived += guest.recv(1 << 16)
    sender.join()
    guest.sendall(b"answer")
    assert arrived == data
    assert stream.recv(100, 5.0) == b"answer"


def test_silence_is_a_timeout(stream: PortStream) -> None:
    with pytest.raises(TimeoutError):
        stream.recv(100, 0.01)


def test_the_end_of_the_guest_is_the_end_of_the_stream(stream: PortStream, port: socket.socket) -> None:
    guest, _ = port.accept()
    guest.close()
    assert stream.recv(100, 5.0) == b""


def test_a_port_where_nobody_listens_is_told(path: Path) -> None:
    with pytest.raises(TransportError, match="does not answer"):
        PortStream(path)
