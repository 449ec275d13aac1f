"""The agent itself: who it is, its end, what it drops."""

from __future__ import annotations

import errno
import os
import random
import subprocess
from pathlib import Path

import pytest

from harness.errors import AgentLost
from harness.transport import wire
from harness.transport.agent import AgentClient
from harness.transport.streams import ProcessStream
from harness.transport.wire import AgentStatus
from tests.agent.host_process import PAGE, WORD, children, is_gone, refused


def test_hello_tells_both_word_sizes_apart(agent: AgentClient, stream: ProcessStream, arch: str) -> None:
    hello = agent.hello()
    assert (hello.arch, hello.word_bits, hello.os) == (arch, 8 * WORD[arch], "linux")
    assert (hello.machine, hello.release) == ("amd64", os.uname().release)
    assert (hello.pid, hello.page_size) == (stream.process.pid, PAGE)
    if "AGENT_DIR" not in os.environ:
        assert hello.build_id == "test-build"


@pytest.mark.parametrize("size", [0, 1, 70_000, wire.MAX_PAYLOAD - 8])
def test_ping_returns_its_bytes(agent: AgentClient, size: int) -> None:
    data = random.Random(size).randbytes(size)
    assert agent.ping(data) == data


def test_a_reply_that_would_be_too_long_is_refused(agent: AgentClient) -> None:
    with refused(AgentStatus.TOO_LONG):
        agent.ping(bytes(wire.MAX_PAYLOAD))
    assert agent.ping(b"next") == b"next"


def test_exit_answers_and_ends_the_process(agent: AgentClient, stream: ProcessStream) -> None:
    agent.exit()
    assert stream.process.wait(timeout=5) == 0
    with pytest.raises(AgentLost):
        agent.ping()


def test_the_end_of_its_input_ends_the_agent(program: Path) -> None:
    assert subprocess.run([program], stdin=subprocess.DEVNULL, timeout=5, check=False).returncode == 0


def test_reset_drops_everything_and_counts_it(agent: AgentClient, stream: ProcessStream) -> None:
    for _ in range(3):
        agent.open("/dev/null")
    addresses = [agent.mem_alloc(PAGE) for _ in range(2)]
    pid = agent.client_start().pid
    counts = agent.reset()
    assert (counts.clients, counts.handles, counts.regions, counts.stuck) == (1, 3, 2, 0)
    assert is_gone(pid)
    assert children(stream.process.pid) == []
    with refused(AgentStatus.OS_ERROR, errno.EFAULT):
        agent.mem_read(addresses[0], 1)
    with refused(AgentStatus.NO_HANDLE):
        agent.dup(0)
    assert agent.reset().handles == 0


def test_reset_spares_the_client_that_it_is_told_to(agent: AgentClient) -> None:
    spared, other = agent.client_start(), agent.client_start()
    assert agent.reset(spared=spared.id).clients == 1
    assert agent.ping(b"here", client=spared.id) == b"here"
    assert is_gone(other.pid)
    assert not is_gone(spared.pid)
    assert agent.reset().clients == 1
    assert is_gone(spared.pid)
