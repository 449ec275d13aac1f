"""Clients that become another program or another user, and the memory of other processes."""

from __future__ import annotations

import errno
import os
import termios
from pathlib import Path

import pytest

from harness.transport.agent import AgentClient
from harness.transport.wire import AgentOpError, AgentStatus, WriteHow
from tests.agent.host_process import PAGE, refused


def test_only_clients_replace_their_program(agent: AgentClient) -> None:
    with refused(AgentStatus.UNSUPPORTED):
        agent.exec(client=0)


def test_a_program_that_replaces_another_has_its_handles_and_no_memory(agent: AgentClient, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    client = agent.client_start().id
    agent.open("/dev/null", client=client)
    agent.open(str(file), client=client)
    agent.close_handle(0, client=client)
    before, address = agent.hello(client=client), agent.mem_alloc(PAGE, client=client)
    agent.mem_write(address, b"mine", client=client)
    agent.exec(client=client)
    assert agent.hello(client=client) == before
    with refused(AgentStatus.NO_HANDLE):
        agent.dup(0, client=client)
    count = agent.mem_alloc(PAGE, client=client)
    assert agent.ioctl_raw(1, termios.FIONREAD, count, client=client).os_error == 0
    assert agent.mem_read(count, 1, client=client) == b"\x05"
    assert agent.reset(client=client).regions == 1


def test_an_exec_that_fails_changes_nothing(agent: AgentClient) -> None:
    client = agent.client_start().id
    handle = agent.open("/dev/null", client=client)
    with refused(AgentStatus.OS_ERROR, errno.ENOENT):
        agent.exec("/nowhere", client=client)
    assert agent.dup(handle, client=client) == 1


def test_only_clients_are_demoted(agent: AgentClient) -> None:
    with refused(AgentStatus.UNSUPPORTED):
        agent.demote(65534, PAGE, client=0)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_demoted_client_is_the_other_user_for_good(agent: AgentClient) -> None:
    client = agent.client_start()
    agent.demote(65534, PAGE, client=client.id)
    status = Path(f"/proc/{client.pid}/status").read_text()
    assert "Uid:\t65534\t65534\t65534\t65534\n" in status
    assert "CapEff:\t0000000000000000\n" in status
    assert f"Max locked memory         {PAGE}" in Path(f"/proc/{client.pid}/limits").read_text()
    with refused(AgentStatus.OS_ERROR, errno.EPERM):
        agent.demote(0, PAGE, client=client.id)


@pytest.mark.parametrize("how", list(WriteHow))
def test_the_memory_of_another_process_can_be_written(agent: AgentClient, how: WriteHow) -> None:
    owner, writer = agent.client_start(), agent.client_start()
    address = agent.mem_alloc(PAGE, client=owner.id)
    agent.process_write(owner.pid, address, b"poke", how=how, client=writer.id)
    assert agent.mem_read(address, 4, client=owner.id) == b"poke"
    with pytest.raises(AgentOpError):
        agent.process_write(owner.pid, PAGE, b"poke", how=how, client=writer.id)
    assert agent.ping(b"alive", client=owner.id) == b"alive"
