"""Frames that are none, on the bare stream: the agent complains, and lives."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from harness.errors import ProtocolError
from harness.transport import wire
from harness.transport.agent import AgentClient
from harness.transport.streams import ProcessStream
from harness.transport.wire import AgentStatus, Frame, Op
from tests.agent.raw_frames import HARMLESS, Raw, fuzz_bytes


def test_garbage_is_answered_once_and_skipped(stream: ProcessStream) -> None:
    raw = Raw(stream)
    raw.send(b"GET / HTTP/1.1\r\nSSS SDA0 SDASDA" * 50)
    raw.send(wire.encode(Frame(7, Op.PING)))
    assert raw.complaint() == (0, AgentStatus.BAD_FRAME)
    assert raw.complaint() == (7, AgentStatus.OK)


def test_a_magic_cut_by_garbage_is_found(stream: ProcessStream) -> None:
    raw = Raw(stream)
    raw.send(b"xSDSDA")
    assert raw.complaint() == (0, AgentStatus.BAD_FRAME)
    raw.send(wire.encode(Frame(7, Op.PING))[3:])
    assert raw.complaint() == (7, AgentStatus.OK)


def test_an_overlong_frame_is_refused_with_its_id(stream: ProcessStream) -> None:
    raw = Raw(stream)
    raw.send(wire.HEADER.pack(wire.MAGIC, wire.MAX_PAYLOAD + 1, 9, 0, Op.PING) + bytes(100))
    assert raw.complaint() == (9, AgentStatus.TOO_LONG)
    raw.pong()


def test_a_frame_whose_rest_never_comes_is_given_up(stream: ProcessStream) -> None:
    raw = Raw(stream)
    raw.send(wire.HEADER.pack(wire.MAGIC, 1000, 9, 0, Op.PING) + wire.encode(Frame(10, Op.PING)))
    assert raw.complaint() == (0, AgentStatus.BAD_FRAME)
    assert raw.complaint() == (10, AgentStatus.OK)


def test_a_frame_sent_byte_by_byte_is_a_frame(stream: ProcessStream) -> None:
    raw = Raw(stream)
    for byte in wire.encode(Frame(3, Op.PING, 0, b"slow")):
        raw.send(bytes([byte]))
    assert raw.complaint() == (3, AgentStatus.OK)


@pytest.mark.parametrize("op", [0, 0x7FFF, 0x8001, 0x07FF, 0x06F0, Op.HANDLE_RECV])
def test_an_op_that_is_not_there_is_bad_op(agent: AgentClient, op: int) -> None:
    assert agent.call(op).status == AgentStatus.BAD_OP


VARIABLE = {Op.PING, Op.HELLO, Op.EXIT, Op.RESET, Op.MEM_UNTRAP}


@pytest.mark.parametrize("op", [op for op in Op if op not in VARIABLE | {Op.HANDLE_RECV}])
def test_a_short_payload_is_bad_payload(agent: AgentClient, op: Op) -> None:
    assert agent.call(op).status == AgentStatus.BAD_PAYLOAD
    assert agent.call(op, b"\x00").status == AgentStatus.BAD_PAYLOAD


@pytest.mark.parametrize(
    ("op", "payload"),
    [
        (Op.HELLO, b""),
        (Op.SLEEP, bytes(4)),
        (Op.CLOSE, bytes(4)),
        (Op.OPEN, wire.text("/dev/null") + bytes(4)),
        (Op.MEM_READ, bytes(12)),
        (Op.MEM_TOUCH, bytes(9)),
        (Op.MEM_MOVE, bytes(16)),
        (Op.PROCESS_WRITE, bytes(20)),
        (Op.DEMOTE, bytes(12)),
        (Op.MEM_TRAP, bytes(20)),
        (Op.MEM_UNTRAP, b""),
        (Op.EXEC, bytes(2)),
        (Op.REQUEST, wire.pack_request(0, 0)),
        (Op.IOCTL_RAW, wire.pack_ioctl_raw(0, 0, 0)),
        (Op.IOCTL_PACKETS, wire.pack_ioctl_packets(0, 0, parameters=(0, 0), data=(0, 0))),
        (Op.CLIENT_START, bytes(6)),
    ],
)
def test_a_payload_with_a_byte_too_many_is_bad_payload(agent: AgentClient, op: Op, payload: bytes) -> None:
    assert agent.call(op, payload + b"\x00").status == AgentStatus.BAD_PAYLOAD


def test_a_path_with_a_nul_is_bad_payload(agent: AgentClient) -> None:
    with pytest.raises(ProtocolError, match="BAD_PAYLOAD"):
        agent.open("/dev/null\0x")


def test_random_bytes_never_stop_the_agent(program: Path, stream: ProcessStream) -> None:
    rng = random.Random(20061112)
    raw = Raw(stream)
    rounds = int(os.environ.get("AGENT_FUZZ_ROUNDS", "300"))
    for number in range(rounds):
        raw.send(fuzz_bytes(rng))
        # A cut frame may claim up to 16 MiB; fill it up so that the agent need not wait for its time limit.
        raw.send(bytes(2000))
        if number % 50 == 49:
            raw.send(bytes(wire.MAX_PAYLOAD))
            raw.pong(0x60000000 + number)
    raw.send(bytes(wire.MAX_PAYLOAD))
    raw.pong()


def test_a_client_survives_random_payloads_of_every_op(agent: AgentClient) -> None:
    rng = random.Random(1)
    client = agent.client_start().id
    for _ in range(500):
        op = rng.choice(HARMLESS)
        reply = agent.call(op, rng.randbytes(rng.randrange(100)), client=client)
        assert reply.status != AgentStatus.CLIENT_DIED
    assert agent.ping(b"!", client=client) == b"!"
