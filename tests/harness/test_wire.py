"""The codec of the agent protocol."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ProtocolError
from harness.transport import wire
from harness.transport.wire import AgentStatus, Frame, FrameDecoder, Op

FRAMES = st.builds(
    Frame,
    id=st.integers(0, 2**32 - 1),
    op=st.integers(0, 2**16 - 1),
    client=st.integers(0, 2**16 - 1),
    payload=st.binary(max_size=200),
)


def test_a_frame_has_the_documented_bytes() -> None:
    data = wire.encode(Frame(0x01020304, Op.PING, 5, b"hi"))
    assert data == bytes.fromhex("53444131 02000000 04030201 0500 0200") + b"hi"


@given(st.lists(FRAMES, max_size=5), st.integers(1, 64))
def test_frames_survive_any_cutting_of_the_stream(frames: list[Frame], step: int) -> None:
    data = b"".join(map(wire.encode, frames))
    decoder = FrameDecoder()
    found = [f for at in range(0, len(data), step) for f in decoder.feed(data[at : at + step])]
    assert found == frames


@given(st.binary(max_size=100).filter(lambda b: b"S" not in b), FRAMES)
def test_a_decoder_that_resyncs_skips_what_is_before_the_first_frame(junk: bytes, frame: Frame) -> None:
    data = junk + wire.encode(frame)
    decoder = FrameDecoder(resync=True)
    assert [f for byte in data for f in decoder.feed(bytes([byte]))] == [frame]


def test_garbage_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError, match="no frame starts with"):
        FrameDecoder().feed(b"Welcome to the guest!")


def test_a_length_over_the_limit_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError, match="claims"):
        FrameDecoder().feed(wire.HEADER.pack(wire.MAGIC, wire.MAX_PAYLOAD + 1, 1, 0, 2))


def test_a_payload_over_the_limit_is_not_sent() -> None:
    with pytest.raises(ProtocolError, match="too long"):
        wire.encode(Frame(1, Op.PING, 0, bytes(wire.MAX_PAYLOAD + 1)))


def test_a_request_claims_its_true_lengths_unless_told_otherwise() -> None:
    payload = wire.pack_request(3, 0xC0205681, data=b"abc", out_size=9)
    assert struct.unpack_from("<QQ", payload, 16) == (3, 9)
    payload = wire.pack_request(3, 0xC0205681, data=b"abc", out_size=9, cb_in=2**63, cb_out=0)
    assert struct.unpack_from("<QQ", payload, 16) == (2**63, 0)
    assert payload.endswith(struct.pack("<I", 3) + b"abc")


@pytest.mark.parametrize("status", [AgentStatus.BAD_FRAME, AgentStatus.BAD_OP, AgentStatus.BAD_PAYLOAD])
def test_a_reply_that_blames_our_frame_is_a_protocol_error(status: AgentStatus) -> None:
    with pytest.raises(ProtocolError, match=status.name):
        wire.Reply(Op.OPEN, status, 0, b"").check()


def test_a_refusal_keeps_status_and_os_error() -> None:
    with pytest.raises(wire.AgentOpError, match=r"OPEN: OS_ERROR, OS error 2") as caught:
        wire.Reply(Op.OPEN, AgentStatus.OS_ERROR, 2, b"").check()
    assert (caught.value.status, caught.value.os_error) == (AgentStatus.OS_ERROR, 2)


def test_a_dead_client_tells_how_it_ended() -> None:
    with pytest.raises(wire.ClientDiedError) as caught:
        wire.Reply(Op.PING, AgentStatus.CLIENT_DIED, 0, struct.pack("<BI", 1, 9)).check()
    assert caught.value.exit == wire.ClientExit(by_signal=True, code=9)
    assert str(caught.value) == "agent: PING: CLIENT_DIED, signal 9"


def test_an_unknown_status_is_named_by_its_number() -> None:
    with pytest.raises(wire.AgentOpError, match="0x4d2"):
        wire.Reply(Op.PING, 1234, 0, b"").check()


@given(st.binary(max_size=80))
def test_replies_of_any_bytes_parse_or_are_protocol_errors(body: bytes) -> None:
    parsers = (
        wire.parse_hello,
        wire.parse_driver_status,
        wire.parse_exit,
        wire.parse_loop,
        lambda b: wire.parse_request(wire.Reply(Op.REQUEST, 0, 0, b)),
        lambda b: wire.parse_batch(b, [Op.PING, Op.PING]),
        lambda b: wire.parse_reply(Frame(1, Op.PING | wire.REPLY_BIT, 0, b)),
    )
    for parse in parsers:
        try:
            parse(body)
        except ProtocolError:
            continue


@given(st.integers(0, 0xFFFF), st.binary(max_size=100))
def test_any_frame_can_be_described(op: int, payload: bytes) -> None:
    assert wire.describe(op, payload, client=1).endswith("(client 1)")


def test_a_description_names_the_request() -> None:
    payload = wire.pack_request(3, 0xC0205681)
    assert wire.describe(Op.REQUEST, payload) == "REQUEST 0xc0205681 on handle 3"
    loop = wire.pack_loop(Op.REQUEST, payload, count=5, threads=2, limit_ms=0, stride=0)
    assert wire.describe(Op.LOOP, loop) == "LOOP of 5 by 2: REQUEST 0xc0205681 on handle 3"
