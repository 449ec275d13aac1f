"""The device as a node of the file system: whose it is, and that it is no file."""

from __future__ import annotations

import stat

import pytest

from harness.abi import PAGE_SIZE, Status
from harness.session.outcome import Outcome
from harness.targets import Refusal
from harness.transport.wire import AgentOpError, Prot


def outcome(client, call):
    """How a call on the device ends that cannot succeed."""
    with pytest.raises(AgentOpError) as caught:
        call()
    return Outcome(code=caught.value.os_error, abi=client.abi, target=client.target)


@pytest.mark.needs("unix-node")
def test_the_node_is_for_the_administrator_alone(guest):
    node = guest.agent.file_stat(guest.target.device)
    assert stat.S_ISCHR(node.mode)
    assert (stat.S_IMODE(node.mode), node.user, node.group) == (0o600, 0, 0)


@pytest.mark.needs("counters-file")
def test_the_counters_are_for_the_administrator_to_read(guest):
    facts = guest.agent.file_stat(guest.target.counters_file)
    assert stat.S_ISREG(facts.mode)
    assert (stat.S_IMODE(facts.mode), facts.user, facts.group) == (0o400, 0, 0)


def test_it_cannot_be_read_as_a_file(client):
    read = lambda: client.agent.file_read(client.target.device, 16)  # noqa: E731
    assert outcome(client, read) == Refusal.NO_STREAM


def test_it_cannot_be_written_as_a_file(client):
    write = lambda: client.agent.file_write(client.target.device, bytes(16))  # noqa: E731
    assert outcome(client, write) == Refusal.NO_STREAM


@pytest.mark.needs("unix-node")
@pytest.mark.parametrize("private", [False, True], ids=["shared", "private"])
@pytest.mark.parametrize("prot", [Prot.NONE, Prot.READ, Prot.RW, Prot.READ | Prot.EXEC])
def test_it_cannot_be_mapped(client, session, prot, private):
    def map_it(offset):
        return lambda: client.agent.mem_map(
            session.device.handle, PAGE_SIZE, prot=prot, offset=offset, private=private, client=client.number
        )

    for offset in (0, PAGE_SIZE, 1 << 30):
        assert outcome(client, map_it(offset)) == Refusal.NO_MAPPING
    assert session.call("IDT_REMOVE").outcome == Status.OK
