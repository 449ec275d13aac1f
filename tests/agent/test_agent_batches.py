"""Batches and loops."""

from __future__ import annotations

import errno
import struct
import termios
import time
from pathlib import Path

import pytest

from harness.errors import GuestHang
from harness.transport import wire
from harness.transport.agent import AgentClient
from harness.transport.wire import AgentStatus, Op
from tests.agent.host_process import PAGE, refused


def test_a_batch_answers_each_op_in_order(agent: AgentClient) -> None:
    replies = agent.batch(
        [
            (Op.PING, b"a"),
            (Op.OPEN, wire.text("/no/such/file") + bytes(4)),
            (Op.OPEN, wire.text("/dev/null") + bytes(4)),
            (Op.REQUEST, wire.pack_request(0, 5, out_size=4)),
            (0x7ABC, b""),
        ]
    )
    assert [r.status for r in replies] == [0, AgentStatus.OS_ERROR, 0, 0, AgentStatus.BAD_OP]
    assert replies[1].os_error == errno.ENOENT
    assert wire.parse_request(replies[3]).os_error == errno.ENOTTY


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1999])
def test_a_long_batch_is_answered_in_order_too(agent: AgentClient, count: int) -> None:
    wanted = [str(number).encode() for number in range(count)]
    assert [reply.body for reply in agent.batch([(Op.PING, text) for text in wanted])] == wanted


def test_a_long_batch_has_one_deadline(agent: AgentClient) -> None:
    begin = time.monotonic()
    with pytest.raises(GuestHang):
        agent.batch([(Op.SLEEP, (1).to_bytes(4, "little"))] * 2000, deadline=0.5)
    assert time.monotonic() - begin < 1.0


def test_a_batch_stops_at_an_error_if_asked(agent: AgentClient) -> None:
    replies = agent.batch([(Op.PING, b""), (0x7ABC, b""), (Op.PING, b"")], stop_on_error=True)
    assert [r.status for r in replies] == [0, AgentStatus.BAD_OP]


@pytest.mark.parametrize(
    "op", [Op.BATCH, Op.EXIT, Op.RESET, Op.HANDLE_SEND, Op.HANDLE_TAKE, Op.CLIENT_START, Op.CLIENT_KILL]
)
def test_ops_that_change_the_process_are_refused_in_a_batch(agent: AgentClient, op: Op) -> None:
    assert agent.batch([(op, bytes(4))])[0].status == AgentStatus.UNSUPPORTED


def test_a_batch_that_is_cut_short_executes_nothing(agent: AgentClient) -> None:
    payload = wire.pack_batch([(Op.OPEN, wire.text("/dev/null") + bytes(4)), (Op.PING, b"abc")])
    assert agent.call(Op.BATCH, payload[:-1]).status == AgentStatus.BAD_PAYLOAD
    assert agent.open("/dev/null") == 0


def test_replies_too_long_for_a_batch_are_refused_one_by_one(agent: AgentClient) -> None:
    size = 9 << 20
    address = agent.mem_alloc(size)
    read = (Op.MEM_READ, struct.pack("<QI", address, size))
    replies = agent.batch([read, read, (Op.PING, b"end")])
    assert [r.status for r in replies] == [0, AgentStatus.TOO_LONG, 0]
    assert replies[2].body == b"end"


@pytest.mark.parametrize("threads", [1, 4])
def test_a_loop_counts_and_times_every_thread(agent: AgentClient, threads: int) -> None:
    handle = agent.open("/dev/null")
    payload = wire.pack_request(handle, 0xC0205681, data=b"x" * 20, out_size=24)
    timing = agent.loop(Op.REQUEST, payload, count=2000, threads=threads)
    assert (timing.count, timing.failures, timing.first_error) == (
        2000 * threads,
        2000 * threads,
        errno.ENOTTY,
    )
    assert 0 < timing.min_ns <= timing.median_ns <= timing.p99_ns <= timing.max_ns
    assert timing.samples > 0
    assert timing.elapsed_ns > timing.max_ns


def test_a_loop_of_bare_ioctls_succeeds(agent: AgentClient, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    payload = wire.pack_ioctl_raw(agent.open(str(file)), termios.FIONREAD, agent.mem_alloc(PAGE))
    timing = agent.loop(Op.IOCTL_RAW, payload, count=1000, stride=10)
    assert (timing.count, timing.failures, timing.stride, timing.samples) == (1000, 0, 10, 100)


def test_a_loop_ends_at_its_time_limit(agent: AgentClient) -> None:
    payload = wire.pack_ioctl_raw(agent.open("/dev/null"), 1, 0)
    timing = agent.loop(Op.IOCTL_RAW, payload, count=0, limit_ms=50)
    assert timing.count > 0
    assert 50e6 <= timing.elapsed_ns < 5e9
    assert timing.samples <= 65536


def test_memory_comes_and_goes_while_a_loop_runs(agent: AgentClient) -> None:
    address = agent.mem_alloc(4 * PAGE)
    payload = wire.pack_request(agent.open("/dev/null"), 0)
    timing, rounds = agent.disturb(address, 4 * PAGE, payload, count=20_000)
    assert timing.count == timing.failures == 20_000
    assert rounds > 0
    with refused(AgentStatus.OS_ERROR, errno.EFAULT):
        agent.mem_read(address, 1)


def test_a_handle_is_closed_while_a_loop_uses_it(agent: AgentClient) -> None:
    handle = agent.open("/dev/null")
    payload = wire.pack_request(handle, 0)
    timing, tally = agent.close_during(handle, 2000, payload, threads=4, limit_ms=20_000)
    assert set(tally) == {errno.ENOTTY, errno.EBADF}
    assert tally[errno.EBADF] >= 4
    assert sum(tally.values()) == timing.failures == timing.count
    assert timing.first_error == errno.ENOTTY
    with refused(AgentStatus.NO_HANDLE):
        agent.close_handle(handle)


def test_a_loop_of_something_else_is_refused(agent: AgentClient) -> None:
    with refused(AgentStatus.UNSUPPORTED):
        agent.loop(Op.PING, b"abcd", count=1)
    with refused(AgentStatus.BAD_VALUE):
        agent.loop(Op.IOCTL_RAW, wire.pack_ioctl_raw(0, 0, 0), count=0)
    with refused(AgentStatus.NO_HANDLE):
        agent.loop(Op.IOCTL_RAW, wire.pack_ioctl_raw(9, 0, 0), count=1)
