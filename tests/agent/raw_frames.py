"""Bytes to an agent that need not be frames, and noise to send."""

from __future__ import annotations

import queue
import random
import struct
import threading

from harness.transport import wire
from harness.transport.streams import ProcessStream
from harness.transport.wire import Frame, FrameDecoder, Op

# Ops whose random payloads can do no harm to the host that runs the test, whose clock root can set, and do not stop
# the agent by design. A new op is none of them until somebody has thought about it.
HARMLESS = [
    Op.HELLO,
    Op.PING,
    Op.RESET,
    Op.BATCH,
    Op.DRIVER_STATUS,
    Op.OPEN,
    Op.CLOSE,
    Op.DUP,
    Op.HANDLE_SEND,
    Op.HANDLE_VALUE,
    Op.HANDLE_TAKE,
    Op.HANDLE_RECV,
    Op.REQUEST,
    Op.IOCTL_RAW,
    Op.IOCTL_PACKETS,
    Op.MEM_ALLOC,
    Op.MEM_READ,
    Op.MEM_MAP,
    Op.MEM_UNTRAP,
    Op.FILE_READ,
    Op.FILE_LIST,
    Op.FILE_STAT,
    Op.CLIENT_KILL,
]


class Raw:
    """Bytes to the agent, frames from it. Reads all the time, as an agent that is not read from stops."""

    def __init__(self, stream: ProcessStream) -> None:
        self._stream = stream
        self._frames: queue.Queue[Frame] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        decoder = FrameDecoder()
        while True:
            try:
                data = self._stream.recv(1 << 20, 30)
            except TimeoutError:
                return
            if not data:
                return
            for frame in decoder.feed(data):
                self._frames.put(frame)

    def send(self, data: bytes) -> None:
        self._stream.send(data)

    def frame(self) -> Frame:
        return self._frames.get(timeout=20)

    def complaint(self) -> tuple[int, int]:
        """Id and status of the next reply."""
        frame = self.frame()
        return frame.id, struct.unpack_from("<I", frame.payload)[0]

    def pong(self, number: int = 0x7FFF0001) -> None:
        """Sends a PING and skips replies until its own."""
        self.send(wire.encode(Frame(number, Op.PING, 0, b"still here")))
        while self.frame().id != number:
            pass


def fuzz_bytes(rng: random.Random) -> bytes:
    """A few hundred bytes: noise, true frames with random payloads, and true frames with a byte changed."""
    parts: list[bytes] = []
    for _ in range(rng.randrange(1, 6)):
        op = rng.choice(HARMLESS)
        frame = wire.encode(
            Frame(rng.randrange(2**32), op, rng.choice([0, 0, 0, 1, 9]), rng.randbytes(rng.randrange(90)))
        )
        kind = rng.randrange(4)
        if kind == 0:
            parts.append(rng.randbytes(rng.randrange(200)))
        elif kind == 1:
            parts.append(frame[: rng.randrange(len(frame))])
        elif kind == 2:
            at = rng.randrange(14)
            parts.append(frame[:at] + rng.randbytes(1) + frame[at + 1 :])
        else:
            parts.append(frame)
    return b"".join(parts)
