"""Processes that are killed while they make requests."""

from __future__ import annotations

import errno
import os
import pty
import termios

import pytest

from harness.transport import wire
from harness.transport.agent import AgentClient
from harness.transport.streams import ProcessStream
from harness.transport.wire import AgentStatus, ClientDiedError
from tests.agent.host_process import children, refused


def device_steps(agent: AgentClient, *carries: wire.Carry) -> list[tuple[bytes, list[wire.Carry]]]:
    payload = wire.pack_request(agent.open("/dev/null"), 0, data=bytes(8), out_size=8)
    return [(payload, []), (payload, list(carries))]


def test_processes_are_killed_while_they_make_requests(agent: AgentClient, stream: ProcessStream) -> None:
    steps = device_steps(agent, wire.Carry(source=0, start=4, to=0, length=4))
    kills = agent.kills("/dev/null", steps, count=20, spread_us=500, repeat_from=1)
    assert kills.killed == 20
    assert kills.inside <= 20
    assert kills.begun >= 20
    assert kills.failures >= kills.begun - kills.inside
    assert children(stream.process.pid) == []


def test_a_process_without_a_device_is_not_killed(agent: AgentClient) -> None:
    kills = agent.kills("/nowhere", device_steps(agent), count=2, spread_us=0, repeat_from=0)
    assert (kills.killed, kills.begun) == (0, 0)


@pytest.mark.parametrize("carry", [(0, 5, 0, 4), (0, 0, 5, 4), (1, 0, 0, 1), (99, 0, 0, 1), (0, 2**32 - 1, 0, 2)])
def test_bytes_that_are_not_there_are_not_carried(agent: AgentClient, carry: tuple[int, int, int, int]) -> None:
    with refused(AgentStatus.BAD_VALUE):
        agent.kills("/dev/null", device_steps(agent, wire.Carry(*carry)), count=1, spread_us=0, repeat_from=0)


def test_a_life_ends_with_a_kill(agent: AgentClient) -> None:
    """A terminal tells its size as often as one likes."""
    master, slave = pty.openpty()
    try:
        path, client = os.ttyname(slave), agent.client_start().id
        step = wire.pack_request(agent.open(path, client=client), termios.TIOCGWINSZ)
        living = agent.live(path, [(step, [])], repeat_from=0, failures=3, client=client)
        agent.sleep(5)
        assert not living.done
        assert agent.client_kill(client).by_signal
        with pytest.raises(ClientDiedError):
            living.result().check()
    finally:
        os.close(master)
        os.close(slave)


def test_a_life_ends_with_a_step_that_fails(agent: AgentClient) -> None:
    client = agent.client_start().id
    step = wire.pack_request(agent.open("/dev/null", client=client), 1)
    reply = agent.live("/dev/null", [(step, [])], repeat_from=0, failures=3, client=client).result()
    assert (reply.status, reply.os_error) == (AgentStatus.OS_ERROR, errno.ENOTTY)
    assert agent.ping(b"here", client=client) == b"here"


def test_there_is_no_life_without_a_device(agent: AgentClient) -> None:
    client = agent.client_start().id
    step = wire.pack_request(agent.open("/dev/null", client=client), 1)
    reply = agent.live("/nowhere", [(step, [])], repeat_from=0, failures=3, client=client).result()
    assert (reply.status, reply.os_error) == (AgentStatus.OS_ERROR, errno.ENOENT)
