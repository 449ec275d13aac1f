"""Frames over a byte stream: several calls at once, each matched with its reply."""

from __future__ import annotations

import itertools
import secrets
import threading
import time

from harness.errors import AgentLost, GuestHang, ProtocolError, TransportError
from harness.transport import wire
from harness.transport.streams import ByteStream
from harness.transport.wire import AgentStatus, Frame, Reply

_READ_SIZE = 1 << 18
_READ_WAIT = 0.5  # seconds between two looks at whether the connection was closed


class PendingCall:
    """A frame that was sent and waits for its reply."""

    __slots__ = ("_deadline", "_done", "_error", "_reply", "_sent", "client", "op", "payload")

    def __init__(self, op: int, payload: bytes, *, client: int, deadline: float) -> None:
        self.op = op
        self.client = client
        self.payload = payload
        self._deadline = deadline
        self._reply: Reply | None = None
        self._error: BaseException | None = None
        self._sent = time.monotonic()
        self._done = threading.Lock()  # held until there is a result: cheaper than an Event
        self._done.acquire()

    def _settle(self, reply: Reply | None, error: BaseException | None) -> None:
        if self._reply is None and self._error is None:
            self._reply, self._error = reply, error
            self._done.release()

    @property
    def done(self) -> bool:
        """Whether result() would return or raise at once."""
        return self._reply is not None or self._error is not None

    def result(self, deadline: float | None = None) -> Reply:
        """The reply, of whatever status.

        deadline: seconds from now, by default the connection's. Raises GuestHang after it (the call stays
        pending: a later result() may succeed), what abort() was given, AgentLost, TransportError,
        ProtocolError.
        """
        seconds = self._deadline if deadline is None else deadline
        if not self.done and self._done.acquire(timeout=max(seconds, 0)):
            self._done.release()
        if self._error is not None:
            raise self._error
        if self._reply is None:
            what = wire.describe(self.op, self.payload, client=self.client)
            waited = time.monotonic() - self._sent
            raise GuestHang(f"agent: no reply to {what} after {waited:.1f} s")
        return self._reply


class Connection:
    """Frames out, replies in, matched by id: calls to several clients can be under way."""

    def __init__(self, stream: ByteStream, *, deadline: float = 10.0, resync: bool = False) -> None:
        """deadline: seconds a call may take unless it says otherwise. resync: drop what is before the first
        reply."""
        self.deadline = deadline
        self._stream = stream
        self._decoder = wire.FrameDecoder(resync=resync)
        self._ids = itertools.count(secrets.randbelow(1 << 30) + 1)
        self._pending: dict[tuple[int, int], PendingCall] = {}
        self._lock = threading.Lock()
        self._send_lock = threading.Lock()
        self._failure: BaseException | None = None
        self._reader = threading.Thread(target=self._read, name="agent-reader", daemon=True)
        self._reader.start()

    def start(self, op: int, payload: bytes = b"", *, client: int = 0) -> PendingCall:
        """Sends a frame and returns at once; raises what abort() was given, AgentLost or TransportError."""
        number = next(self._ids) & 0xFFFFFFFF or next(self._ids) & 0xFFFFFFFF
        data = wire.encode(Frame(number, op, client, payload))
        call = PendingCall(op, payload, client=client, deadline=self.deadline)
        with self._lock:
            if self._failure is not None:
                raise self._failure
            self._pending[number, client] = call
        try:
            with self._send_lock:
                self._stream.send(data)
        except (TransportError, OSError) as error:
            self._reader.join(timeout=_READ_WAIT)  # it may be about to see the end, which says more
            if isinstance(error, OSError):
                error = TransportError(f"agent: its stream is broken: {error!r}")
            self.abort(error)
        return call

    def call(self, op: int, payload: bytes = b"", *, client: int = 0, deadline: float | None = None) -> Reply:
        """start() and result() in one: the reply, of whatever status."""
        return self.start(op, payload, client=client).result(deadline)

    def abort(self, error: BaseException) -> None:
        """Makes every waiting and every later call raise `error` at once; the first abort stays."""
        with self._lock:
            if self._failure is None:
                self._failure = error
            waiting = list(self._pending.values())
            self._pending.clear()
        for call in waiting:
            call._settle(None, self._failure)

    def close(self) -> None:
        """Closes the stream and ends the reader; later calls raise AgentLost."""
        self.abort(AgentLost("agent: the connection was closed"))
        self._stream.close()
        if self._reader is not threading.current_thread():
            self._reader.join(timeout=5)

    def _read(self) -> None:
        try:
            while self._failure is None:
                data = self._recv()
                if data is None:
                    continue
                if not data:
                    self.abort(AgentLost("agent: its stream has ended", hint="did the agent or its guest exit?"))
                    return
                for frame in self._decoder.feed(data):
                    self._dispatch(frame)
        except OSError as error:
            self.abort(TransportError(f"agent: its stream is broken: {error!r}"))
        except Exception as error:  # a waiting call must not wait for a thread that is gone
            self.abort(error)

    def _recv(self) -> bytes | None:
        try:
            return self._stream.recv(_READ_SIZE, _READ_WAIT)
        except TimeoutError:
            return None

    def _dispatch(self, frame: Frame) -> None:
        reply = wire.parse_reply(frame)
        if frame.id == 0:  # it could not make out which frame was wrong
            raise ProtocolError(f"agent: {wire.enum_name(AgentStatus, reply.status)} about a frame of ours")
        with self._lock:
            call = self._pending.pop((frame.id, frame.client), None)
        if call is not None:
            call._settle(reply, None)
