"""Clients: they come, work, answer, die."""

from __future__ import annotations

import errno
import os
import random
import signal
import struct
import termios
from pathlib import Path

import pytest

from harness.errors import GuestHang
from harness.transport.agent import AgentClient
from harness.transport.streams import ProcessStream
from harness.transport.wire import AgentStatus, ClientDiedError, ClientExit, MemFlag, Op
from tests.agent.host_process import KILLED, PAGE, WORD, children, is_gone, refused, wait_for


def test_the_agent_and_other_clients_answer_while_a_client_is_busy(agent: AgentClient) -> None:
    busy, idle = agent.client_start().id, agent.client_start().id
    call = agent.start(Op.SLEEP, struct.pack("<I", 60_000), client=busy)
    assert agent.ping(b"0") == b"0"
    assert agent.ping(b"1", client=idle) == b"1"
    assert not call.done
    assert agent.call(Op.PING, client=busy).status == AgentStatus.CLIENT_BUSY
    with pytest.raises(GuestHang, match=r"SLEEP \(client 1\)"):
        call.result(0.01)
    assert agent.client_kill(busy) == KILLED
    with pytest.raises(ClientDiedError) as caught:
        call.result().check()
    assert caught.value.exit == KILLED


def test_a_client_that_dies_by_itself_is_reported_and_reaped(agent: AgentClient, stream: ProcessStream) -> None:
    client = agent.client_start()
    call = agent.start(Op.SLEEP, struct.pack("<I", 60_000), client=client.id)
    os.kill(client.pid, signal.SIGTERM)
    with pytest.raises(ClientDiedError) as caught:
        call.result(5).check()
    assert caught.value.exit == ClientExit(by_signal=True, code=signal.SIGTERM)
    assert agent.call(Op.PING, client=client.id).status == AgentStatus.CLIENT_DIED
    assert children(stream.process.pid) == []
    assert agent.client_kill(client.id) == ClientExit(by_signal=True, code=signal.SIGTERM)
    assert agent.call(Op.PING, client=client.id).status == AgentStatus.NO_CLIENT


def test_an_idle_client_that_dies_leaves_no_zombie(agent: AgentClient, stream: ProcessStream) -> None:
    client = agent.client_start()
    os.kill(client.pid, signal.SIGKILL)
    wait_for(lambda: children(stream.process.pid) == [], "the agent reaps the client")


def test_a_client_exits_when_told_to(agent: AgentClient) -> None:
    client = agent.client_start().id
    agent.exit(client=client)
    wait_for(lambda: agent.call(Op.PING, client=client).status == AgentStatus.CLIENT_DIED, "the client is dead")
    assert agent.client_kill(client) == ClientExit(by_signal=False, code=0)


def test_clients_die_with_the_agent(agent: AgentClient, stream: ProcessStream) -> None:
    idle, busy = agent.client_start(), agent.client_start()
    agent.start(Op.SLEEP, struct.pack("<I", 60_000), client=busy.id)
    stream.process.kill()
    wait_for(lambda: is_gone(idle.pid) and is_gone(busy.pid), "both clients are dead")


def test_a_frame_for_nobody_is_no_client(agent: AgentClient) -> None:
    assert agent.call(Op.PING, client=42).status == AgentStatus.NO_CLIENT
    with refused(AgentStatus.NO_CLIENT):
        agent.client_kill(42)


def test_a_client_has_no_clients(agent: AgentClient) -> None:
    client = agent.client_start().id
    assert agent.call(Op.CLIENT_START, bytes(6), client=client).status == AgentStatus.UNSUPPORTED


def test_sixty_four_clients_answer_at_once(agent: AgentClient) -> None:
    clients = [agent.client_start().id for _ in range(64)]
    calls = [agent.start(Op.PING, bytes([n]), client=c) for n, c in enumerate(clients)]
    assert [c.result().body for c in calls] == [bytes([n]) for n in range(64)]
    assert agent.reset().clients == 64


def test_clients_are_refused_when_the_table_is_full_and_welcome_after_a_death(agent: AgentClient) -> None:
    clients = [agent.client_start().id for _ in range(128)]
    with refused(AgentStatus.TABLE_FULL):
        agent.client_start()
    agent.client_kill(clients[5])
    assert agent.client_start().id == 129


def test_large_frames_pass_through_a_client(agent: AgentClient) -> None:
    client = agent.client_start().id
    data = random.Random(3).randbytes(5 << 20)
    call = agent.start(Op.PING, data, client=client)
    assert agent.ping(b"meanwhile") == b"meanwhile"
    assert call.result().body == data


def ranges(pid: int) -> list[str]:
    """Where the process has memory of its own, or none but a reservation; what lies side by side is one."""
    merged: list[list[str]] = []
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        begin, end = line.split()[0].split("-")
        if merged and merged[-1][1] == begin:
            merged[-1][1] = end
        else:
            merged.append([begin, end])
    return ["-".join(each) for each in merged]


def use(agent: AgentClient, client: int) -> None:
    """Frames of many sizes in both directions, and memory that comes and goes."""
    region = agent.mem_alloc(1 << 20, client=client)
    for size in (1, 5_000, 60_000, 70_000, 140_000, 1 << 20):
        agent.mem_write(region, bytes(size), client=client)
        agent.mem_read(region, size, client=client)
    for _ in range(1_100):
        agent.mem_alloc(PAGE, flags=MemFlag.GUARD, client=client)


def test_copies_have_memory_at_the_same_addresses_whatever_happened_before(agent: AgentClient) -> None:
    for count in range(1, 4):
        for _ in range(count):
            use(agent, agent.client_start().id)
        use(agent, 0)
        agent.reset()
    first = agent.client_start()
    use(agent, first.id)
    agent.reset(client=first.id)
    second = agent.client_start()
    assert ranges(first.pid) == ranges(second.pid)


def test_a_stopped_client_does_not_stop_the_agent(agent: AgentClient) -> None:
    client = agent.client_start()
    os.kill(client.pid, signal.SIGSTOP)
    call = agent.start(Op.PING, bytes(8 << 20), client=client.id)
    assert agent.ping(b"0") == b"0"
    os.kill(client.pid, signal.SIGCONT)
    assert len(call.result().body) == 8 << 20


def test_a_plain_client_starts_empty_and_an_heir_keeps_handles_and_memory(agent: AgentClient) -> None:
    handle = agent.open("/dev/null")
    # Far from where the system puts things: what a plain client gave up must not be in use again.
    address = agent.mem_alloc(PAGE, flags=MemFlag.SHARED | MemFlag.FIXED, hint=0x3000_0000)
    agent.mem_write(address, b"from client 0")
    plain = agent.client_start().id
    heir = agent.client_start(inherit=True).id
    with refused(AgentStatus.NO_HANDLE):
        agent.ioctl_raw(handle, 1, client=plain)
    with refused(AgentStatus.OS_ERROR, errno.EFAULT):
        agent.mem_read(address, 1, client=plain)
    assert agent.ioctl_raw(handle, 1, client=heir).os_error == errno.ENOTTY
    assert agent.mem_read(address, 13, client=heir) == b"from client 0"
    agent.mem_write(address, b"FROM", client=heir)
    assert agent.mem_read(address, 13) == b"FROM client 0"


def test_a_client_holds_nothing_of_the_agent_open(agent: AgentClient) -> None:
    first = agent.client_start()
    agent.open("/dev/zero")
    second = agent.client_start()
    sockets = [p for p in Path(f"/proc/{second.pid}/fd").iterdir() if "socket" in str(p.readlink())]
    targets = {str(p.readlink()) for p in Path(f"/proc/{second.pid}/fd").iterdir()}
    assert len(sockets) == 1
    assert "/dev/zero" not in targets
    assert not any("pipe" in t for t in targets if t != str(Path(f"/proc/{second.pid}/fd/2").readlink()))
    assert agent.client_kill(first.id) == KILLED


def test_a_client_can_be_the_agent_of_the_other_word_size(
    agent: AgentClient, arch: str, binaries: dict[str, Path]
) -> None:
    other = "x86" if arch == "amd64" else "amd64"
    if not binaries[other].exists():
        pytest.skip(f"AGENT_DIR has no agent for {other}")
    client = agent.client_start(str(binaries[other]))
    hello = agent.hello(client=client.id)
    assert (hello.arch, hello.pid) == (other, client.pid)
    handle = agent.open("/dev/null")
    sent = agent.handle_send(handle, client.id)
    assert len(agent.request(sent, 1, client=client.id).block) == 4 * WORD[other]


def test_a_program_that_cannot_run_is_refused_with_its_errno(agent: AgentClient, stream: ProcessStream) -> None:
    with refused(AgentStatus.OS_ERROR, errno.ENOENT):
        agent.client_start("/no/such/program")
    with refused(AgentStatus.OS_ERROR, errno.EACCES):
        agent.client_start("/etc/passwd")
    assert children(stream.process.pid) == []


def test_a_program_that_is_no_agent_is_a_dead_client(agent: AgentClient, stream: ProcessStream) -> None:
    with refused(AgentStatus.CLIENT_DIED):
        agent.client_start("/bin/true")
    with refused(AgentStatus.CLIENT_DIED):
        agent.client_start("/bin/echo")
    assert children(stream.process.pid) == []


def test_a_handle_sent_to_a_client_is_the_same_open_file(agent: AgentClient, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"123")
    client = agent.client_start()
    handle = agent.open(str(file))
    sent = agent.handle_send(handle, client.id)
    agent.close_handle(handle)
    address = agent.mem_alloc(PAGE, client=client.id)
    assert agent.ioctl_raw(sent, termios.FIONREAD, address, client=client.id).result == 0
    assert struct.unpack("<i", agent.mem_read(address, 4, client=client.id)) == (3,)


def test_a_handle_is_not_sent_to_a_busy_dead_or_missing_client(agent: AgentClient) -> None:
    handle = agent.open("/dev/null")
    client = agent.client_start()
    with refused(AgentStatus.NO_CLIENT):
        agent.handle_send(handle, 99)
    with refused(AgentStatus.NO_HANDLE):
        agent.handle_send(handle + 1, client.id)
    agent.start(Op.SLEEP, struct.pack("<I", 60_000), client=client.id)
    with refused(AgentStatus.CLIENT_BUSY):
        agent.handle_send(handle, client.id)
    os.kill(client.pid, signal.SIGKILL)
    wait_for(lambda: is_gone(client.pid), "the client is dead")
    wait_for(lambda: agent.call(Op.PING, client=client.id).status == AgentStatus.CLIENT_DIED, "and noticed")
    with refused(AgentStatus.CLIENT_DIED):
        agent.handle_send(handle, client.id)
