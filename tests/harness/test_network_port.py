"""The agent on a TCP port, as it serves guests whose ports cannot be relied on; run on this machine."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from harness.errors import HarnessError, TransportError
from harness.targets.agents import build_agent
from harness.transport.agent import AgentClient
from harness.transport.streams import NetworkStream

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 10.0


@pytest.fixture
def port() -> Iterator[int]:
    """Where an agent listens."""
    program = build_agent("linux", "amd64", sources=ROOT, build=ROOT / "build" / "agent")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        number = int(free.getsockname()[1])
    with subprocess.Popen([program, "--port", f"tcp:{number}"]) as process:
        wait_for(number)
        yield number
        process.kill()


def wait_for(number: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            with closing(connect(number)) as agent:
                agent.ping()
                return
        except HarnessError:
            time.sleep(0.02)
    raise AssertionError(f"nobody listens on port {number}")


def connect(number: int) -> AgentClient:
    return AgentClient(NetworkStream(number), deadline=PATIENCE, resync=True)


def test_it_answers(port: int) -> None:
    with closing(connect(port)) as agent:
        assert agent.hello().os == "linux"


def test_whoever_connects_last_is_answered_and_the_one_before_is_not(port: int) -> None:
    with closing(connect(port)) as first:
        first.ping()
        with closing(connect(port)) as second:
            second.ping()
            with pytest.raises(HarnessError):
                first.ping()
            second.ping()


def test_a_peer_that_goes_makes_room_for_the_next(port: int) -> None:
    for _ in range(3):
        with closing(connect(port)) as agent:
            agent.ping()


def test_half_a_frame_of_an_earlier_peer_is_forgotten(port: int) -> None:
    with closing(NetworkStream(port)) as stream:
        stream.send(b"\x00\x00\x00")
    with closing(connect(port)) as agent:
        agent.ping()


def test_a_port_that_nobody_forwards_is_an_error() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        number = free.getsockname()[1]
    with pytest.raises(TransportError, match=f"here {number}, does not answer"):
        NetworkStream(number)
