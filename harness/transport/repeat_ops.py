"""The agent's ops that do many things: one after the other, all the time, in many processes."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterable

from harness.transport import wire
from harness.transport.connection import PendingCall
from harness.transport.ops import U64, Ops
from harness.transport.wire import Carry, Kills, LoopTiming, Op, Reply

_BATCH_PART = 500
"""Ops in a frame of a long batch."""


class RepeatOps(Ops):
    """Batches of ops, and requests made again and again by threads and processes."""

    def batch(
        self,
        subs: Iterable[tuple[int, bytes]],
        *,
        stop_on_error: bool = False,
        client: int = 0,
        deadline: float | None = None,
    ) -> list[Reply]:
        """Ops with their payloads (wire.pack_...), executed in order in one round trip.

        The replies are unchecked, and fewer than the ops if stop_on_error met an error. What is for the agent itself
        and need not stop goes in several frames, all sent at once: it works on one while others are under way.
        """
        ops = list(subs)
        size = (len(ops) or 1) if stop_on_error or client else _BATCH_PART
        parts = [ops[start : start + size] for start in range(0, len(ops), size)] or [ops]
        calls = [
            self.start(Op.BATCH, wire.pack_batch(part, stop_on_error=stop_on_error), client=client) for part in parts
        ]
        end = time.monotonic() + (self.deadline if deadline is None else deadline)
        replies: list[Reply] = []
        for part, call in zip(parts, calls, strict=True):
            body = call.result(end - time.monotonic()).check().body
            replies += wire.parse_batch(body, [op for op, _ in part])
        return replies

    def loop(
        self,
        op: int,
        payload: bytes,
        *,
        count: int,
        threads: int = 1,
        limit_ms: int = 0,
        stride: int = 0,
        client: int = 0,
        deadline: float | None = None,
    ) -> LoopTiming:
        """Times REQUEST or IOCTL_RAW (payload: wire.pack_request, wire.pack_ioctl_raw).

        count: calls of each thread; 0 with limit_ms: until then. stride: every how many calls one is timed,
        0: the agent chooses.
        """
        packed = wire.pack_loop(op, payload, count=count, threads=threads, limit_ms=limit_ms, stride=stride)
        return wire.parse_loop(self._do(Op.LOOP, packed, client=client, deadline=deadline).body)

    def disturb(
        self,
        address: int,
        size: int,
        payload: bytes,
        *,
        count: int,
        client: int = 0,
        deadline: float | None = None,
    ) -> tuple[LoopTiming, int]:
        """Times a REQUEST while another thread unmaps a range and maps memory there again; how often it did."""
        packed = wire.pack_loop(Op.REQUEST, payload, count=count, threads=1, limit_ms=0, stride=0)
        body = self._do(Op.DISTURB, struct.pack("<QQ", address, size) + packed, client=client, deadline=deadline).body
        return wire.parse_loop(body[: -U64.size]), wire.parse_fields(U64, body[-U64.size :])[0]

    def close_during(
        self,
        handle: int,
        after_us: int,
        payload: bytes,
        *,
        threads: int,
        limit_ms: int,
        client: int = 0,
        deadline: float | None = None,
    ) -> tuple[LoopTiming, dict[int, int]]:
        """Repeats a REQUEST in threads, closes the handle, and lets each make one call more; how often each error came.

        `limit_ms` is for the case that this takes too long.
        """
        packed = wire.pack_loop(Op.REQUEST, payload, count=0, threads=threads, limit_ms=limit_ms, stride=0)
        head = struct.pack("<II", handle, after_us)
        return wire.parse_tallied_loop(self._do(Op.CLOSE_DURING, head + packed, client=client, deadline=deadline).body)

    def kills(
        self,
        path: str,
        steps: Iterable[tuple[bytes, Iterable[Carry]]],
        *,
        count: int,
        spread_us: int,
        repeat_from: int,
        client: int = 0,
        deadline: float | None = None,
    ) -> Kills:
        """Forks `count` processes, one after the other, and kills each while it makes requests.

        A process opens the device `path` and makes the steps, again and again from `repeat_from` on. It dies within
        `spread_us` microseconds after the first of these, each one a little later than the one before.
        """
        payload = wire.pack_kills(path, steps, count=count, spread_us=spread_us, repeat_from=repeat_from)
        return wire.parse_kills(self._do(Op.KILLS, payload, client=client, deadline=deadline).body)

    def live(
        self, path: str, steps: Iterable[tuple[bytes, Iterable[Carry]]], *, repeat_from: int, failures: int, client: int
    ) -> PendingCall:
        """Lets a client open the device and make such steps until it is killed; the last of so many `failures` is the
        answer."""
        payload = wire.pack_kills(path, steps, count=failures, spread_us=0, repeat_from=repeat_from)
        return self.start(Op.LIVE, payload, client=client)
