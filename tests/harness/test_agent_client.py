"""The controller's side of the agent, against a stream made of queues."""

from __future__ import annotations

import queue
import struct
import threading
import time

import pytest

from harness.errors import AgentLost, GuestCrash, GuestHang, ProtocolError, TransportError
from harness.transport import wire
from harness.transport.agent import AgentClient
from harness.transport.wire import AgentStatus, Frame, FrameDecoder, Op


class FakeStream:
    """Keeps what is sent; gives out what a test puts in."""

    def __init__(self) -> None:
        self.sent: list[Frame] = []
        self.incoming: queue.Queue[bytes] = queue.Queue()
        self.broken = False
        self._decoder = FrameDecoder()

    def send(self, data: bytes) -> None:
        if self.broken:
            raise OSError("closed")
        self.sent += self._decoder.feed(data)

    def recv(self, limit: int, timeout: float) -> bytes:
        try:
            return self.incoming.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError from None

    def close(self) -> None:
        self.incoming.put(b"")

    def reply(self, frame: Frame, body: bytes = b"", *, status: int = 0) -> None:
        payload = struct.pack("<II", status, 0) + body
        self.incoming.put(wire.encode(Frame(frame.id, frame.op | wire.REPLY_BIT, frame.client, payload)))


@pytest.fixture
def stream() -> FakeStream:
    return FakeStream()


@pytest.fixture
def agent(stream: FakeStream):
    client = AgentClient(stream, deadline=5)
    yield client
    client.close()


def test_replies_find_their_calls_in_any_order(stream: FakeStream, agent: AgentClient) -> None:
    first = agent.start(Op.PING, b"1", client=1)
    second = agent.start(Op.PING, b"2", client=2)
    stream.reply(stream.sent[1], b"two")
    assert second.result().body == b"two"
    assert not first.done
    stream.reply(stream.sent[0], b"one")
    assert first.result().body == b"one"


def test_a_call_without_a_reply_is_a_hang_that_names_the_request(agent: AgentClient) -> None:
    with pytest.raises(GuestHang, match="REQUEST 0xc0205681 on handle 3") as caught:
        agent.request(3, 0xC0205681, deadline=0.05)
    assert "(client" not in str(caught.value)


def test_a_late_reply_does_not_disturb_later_calls(stream: FakeStream, agent: AgentClient) -> None:
    with pytest.raises(GuestHang):
        agent.ping(deadline=0.01)
    stream.reply(stream.sent[0], b"late")
    call = agent.start(Op.PING)
    stream.reply(stream.sent[1], b"on time")
    assert call.result().body == b"on time"


def test_abort_wakes_a_waiting_call_at_once_and_fails_later_ones(agent: AgentClient) -> None:
    crash = GuestCrash("guest 'linux-amd64': panic")
    threading.Timer(0.05, agent.abort, [crash]).start()
    began = time.monotonic()
    with pytest.raises(GuestCrash) as caught:
        agent.ping(deadline=5)
    assert caught.value is crash
    assert time.monotonic() - began < 2
    with pytest.raises(GuestCrash):
        agent.ping()


def test_the_end_of_the_stream_is_a_lost_agent(stream: FakeStream, agent: AgentClient) -> None:
    call = agent.start(Op.PING)
    stream.incoming.put(b"")
    with pytest.raises(AgentLost):
        call.result()
    with pytest.raises(AgentLost):
        agent.ping()


def test_a_stream_that_takes_no_bytes_is_a_transport_error(stream: FakeStream, agent: AgentClient) -> None:
    stream.broken = True
    with pytest.raises(TransportError, match="closed"):
        agent.ping()


def test_garbage_from_the_agent_fails_the_waiting_call(stream: FakeStream, agent: AgentClient) -> None:
    call = agent.start(Op.PING)
    stream.incoming.put(b"Segmentation fault\n")
    with pytest.raises(ProtocolError):
        call.result()


def test_a_complaint_about_an_unreadable_frame_fails_the_waiting_call(stream: FakeStream, agent: AgentClient) -> None:
    call = agent.start(Op.PING)
    stream.reply(Frame(0, 0), status=AgentStatus.BAD_FRAME)
    with pytest.raises(ProtocolError, match="BAD_FRAME"):
        call.result()


def test_another_protocol_version_is_refused_with_advice(stream: FakeStream, agent: AgentClient) -> None:
    result: list[Exception] = []

    def ask() -> None:
        try:
            agent.hello()
        except ProtocolError as error:
            result.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while not stream.sent:
        time.sleep(0.001)
    texts = b"".join(wire.text(t) for t in ("linux", "amd64", "amd64", "6.1", "#1", "old"))
    stream.reply(stream.sent[0], struct.pack("<HHII", 99, 64, 1, 4096) + texts)
    thread.join(timeout=5)
    assert "rebuild the agent" in str(result[0])


def test_close_ends_the_reader_thread(stream: FakeStream) -> None:
    agent = AgentClient(stream)
    agent.close()
    assert not any(t.name == "agent-reader" and t.is_alive() for t in threading.enumerate())
