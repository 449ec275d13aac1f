"""Requests. A file or terminal of the host stands in for the device."""

from __future__ import annotations

import errno
import os
import pty
import random
import struct
import termios
from pathlib import Path

import pytest

from harness.transport import wire
from harness.transport.agent import AgentClient
from harness.transport.wire import AgentStatus, OpenFlag, RequestFlag
from tests.agent.host_process import PAGE, refused


def read_number(agent: AgentClient, address: int) -> int:
    return struct.unpack("<i", agent.mem_read(address, 4))[0]


def test_a_failing_request_is_an_answer_with_its_errno(agent: AgentClient, arch: str) -> None:
    handle = agent.open("/dev/null")
    reply = agent.request(handle, 0xC0205681, data=b"in" * 10, out_size=24, cb_in=77, cb_out=2**31, fill=0x5A)
    assert (reply.result, reply.os_error, reply.returned) == (-1, errno.ENOTTY, wire.NOT_TOLD)
    assert reply.out == b"\x5a" * 24
    layout = "<QQQQ" if arch == "amd64" else "<IIII"
    in_at, cb_in, out_at, cb_out = struct.unpack(layout, reply.block)
    assert (cb_in, cb_out) == (77, 2**31)
    assert (in_at + 20) % PAGE == (out_at + 24) % PAGE == 0


def test_buffers_end_at_a_guard_page(agent: AgentClient, arch: str) -> None:
    handle = agent.open("/dev/null")
    reply = agent.request(handle, 1, data=b"0123456789", out_size=70_000)
    layout = "<QQQQ" if arch == "amd64" else "<IIII"
    in_at, _, _, _ = struct.unpack(layout, reply.block)
    assert agent.mem_read(in_at, 10) == b"0123456789"
    with refused(AgentStatus.OS_ERROR, errno.EFAULT):
        agent.mem_read(in_at, 11)
    assert len(reply.out) == 70_000


def test_absurd_lengths_reach_the_block_where_the_word_can_hold_them(agent: AgentClient, arch: str) -> None:
    handle = agent.open("/dev/null")
    if arch == "x86":
        with refused(AgentStatus.BAD_VALUE):
            agent.request(handle, 1, cb_in=2**63)
    else:
        assert struct.unpack("<QQQQ", agent.request(handle, 1, cb_in=2**63).block)[1] == 2**63


def test_pointers_of_the_caller_are_passed_as_they_are(agent: AgentClient, arch: str) -> None:
    handle = agent.open("/dev/null")
    flags = RequestFlag.IN_PTR | RequestFlag.OUT_PTR
    reply = agent.request(handle, 1, in_ptr=0xDEAD0000, out_ptr=1, flags=flags, data=b"unused", out_size=8)
    block = struct.unpack("<QQQQ" if arch == "amd64" else "<IIII", reply.block)
    assert block[::2] == (0xDEAD0000, 1)
    assert reply.out == b""


def test_no_request_is_overlapped_where_the_system_has_none(agent: AgentClient) -> None:
    with refused(AgentStatus.OS_ERROR, errno.ENOSYS):
        agent.open("/dev/null", OpenFlag.READ_WRITE | OpenFlag.OVERLAPPED)
    handle = agent.open("/dev/null")
    for flag in (RequestFlag.OVERLAPPED, RequestFlag.CANCEL):
        with refused(AgentStatus.UNSUPPORTED):
            agent.request(handle, 1, flags=flag)


def test_overlaid_buffers_are_one(agent: AgentClient, arch: str) -> None:
    handle = agent.open("/dev/null")
    flags = RequestFlag.OVERLAY | RequestFlag.RETURN_IN
    reply = agent.request(handle, 1, data=b"abc", out_size=6, fill=0x2E, flags=flags)
    block = struct.unpack("<QQQQ" if arch == "amd64" else "<IIII", reply.block)
    assert block[0] == block[2]
    assert (reply.out, reply.in_after) == (b"abc...", b"abc")


def test_the_block_is_the_argument_of_the_request(agent: AgentClient) -> None:
    """FIONREAD overwrites the first four bytes of what its argument points to: here, of the block."""
    master, slave = pty.openpty()
    try:
        handle = agent.open(os.ttyname(slave))
        termios.tcsetwinsize(slave, (24, 80))
        reply = agent.request(handle, termios.FIONREAD, flags=RequestFlag.IN_PTR, in_ptr=0x11223344)
        assert (reply.result, reply.os_error) == (0, 0)
        assert struct.unpack_from("<I", reply.block)[0] == 0
        reply = agent.request(handle, termios.TIOCGWINSZ)
        assert struct.unpack_from("<HH", reply.block) == (24, 80)
    finally:
        os.close(master)
        os.close(slave)


def test_a_request_without_an_argument_passes_none(agent: AgentClient) -> None:
    master, slave = pty.openpty()
    try:
        handle = agent.open(os.ttyname(slave))
        reply = agent.request(handle, termios.TIOCGWINSZ, flags=RequestFlag.NO_ARG)
        assert (reply.os_error, reply.block, reply.out) == (errno.EFAULT, b"", b"")
    finally:
        os.close(master)
        os.close(slave)


def test_ioctl_raw_passes_number_argument_and_errno_through(agent: AgentClient, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 1234)
    handle = agent.open(str(file))
    address = agent.mem_alloc(PAGE)
    assert agent.ioctl_raw(handle, termios.FIONREAD, address).result == 0
    assert read_number(agent, address) == 1234
    assert agent.ioctl_raw(handle, termios.FIONREAD, 1).os_error == errno.EFAULT
    assert agent.ioctl_raw(handle, 0xC0205681, 0).os_error == errno.ENOTTY
    with refused(AgentStatus.NO_HANDLE):
        agent.ioctl_raw(55, 0)


def test_a_number_with_its_top_bit_set_arrives_as_it_is(agent: AgentClient) -> None:
    """TIOCGPTN is 0x80045430: sign-extension or truncation would make it another request."""
    master, slave = pty.openpty()
    os.close(master)
    os.close(slave)
    handle = agent.open("/dev/ptmx")
    address = agent.mem_alloc(PAGE)
    agent.mem_write(address, b"\xff" * 4)
    assert agent.ioctl_raw(handle, 0x80045430, address) == wire.IoctlReply(0, 0)
    assert read_number(agent, address) >= 0
    reply = agent.request(handle, 0x80045430)
    assert (reply.result, reply.os_error) == (0, 0)


@pytest.mark.parametrize("size", [64 * 1024, 64 * 1024 + 1, 4 << 20])
def test_buffers_of_any_size_come_back_whole(agent: AgentClient, size: int) -> None:
    handle = agent.open("/dev/null")
    data = random.Random(size).randbytes(size)
    reply = agent.request(handle, 1, data=data, out_size=size, flags=RequestFlag.RETURN_IN)
    assert reply.in_after == data
    assert reply.out == b"\xcc" * size


def test_the_largest_buffer_works_and_a_larger_one_is_refused(agent: AgentClient) -> None:
    handle = agent.open("/dev/null")
    assert len(agent.request(handle, 1, out_size=wire.BUFFER_MAX).out) == wire.BUFFER_MAX
    with refused(AgentStatus.TOO_LONG):
        agent.request(handle, 1, out_size=wire.BUFFER_MAX + 1)
