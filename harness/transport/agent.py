"""The controller's side of the agent: its ops, typed."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterable

from harness.errors import ProtocolError
from harness.transport import wire
from harness.transport.connection import Connection, PendingCall
from harness.transport.wire import (
    Carry,
    ClientExit,
    ClientInfo,
    DriverStatus,
    FileFacts,
    FileFlag,
    Hello,
    IoctlReply,
    Kills,
    LoopTiming,
    MemFlag,
    Op,
    OpenFlag,
    Prot,
    Reply,
    RequestFlag,
    RequestReply,
    ResetCounts,
    Touch,
    WriteHow,
)

_BATCH_PART = 500
"""Ops in a frame of a long batch."""

_U16 = struct.Struct("<H")
_U16_U32 = struct.Struct("<HI")
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_I64 = struct.Struct("<q")


class AgentClient(Connection):
    """The agent's ops, typed.

    `client` is the process that executes the op: 0 for the agent itself, else the id of a client. `deadline`
    is in seconds. Every method raises AgentOpError (with status and os_error) where the agent answers with an
    error, ClientDiedError for a client that is dead, ProtocolError where it does not understand, and what
    PendingCall.result raises. Sizes are in bytes; addresses are those of the process that executes the op.
    """

    def _do(self, op: int, payload: bytes = b"", *, client: int = 0, deadline: float | None = None) -> Reply:
        return self.start(op, payload, client=client).result(deadline).check()

    def _do_u32(self, op: int, payload: bytes, *, client: int, deadline: float | None) -> int:
        return wire.parse_fields(_U32, self._do(op, payload, client=client, deadline=deadline).body)[0]

    def _do_u64(self, op: int, payload: bytes, *, client: int, deadline: float | None) -> int:
        return wire.parse_fields(_U64, self._do(op, payload, client=client, deadline=deadline).body)[0]

    # The agent itself.

    def hello(self, *, client: int = 0, deadline: float | None = None) -> Hello:
        """Who is there; raises ProtocolError when it speaks another version of the protocol."""
        hello = wire.parse_hello(self._do(Op.HELLO, client=client, deadline=deadline).body)
        if hello.protocol != wire.PROTOCOL_VERSION:
            raise ProtocolError(
                f"agent {hello.build_id!r} speaks protocol {hello.protocol}, not {wire.PROTOCOL_VERSION}",
                hint="rebuild the agent and deploy it again",
            )
        return hello

    def ping(self, data: bytes = b"", *, client: int = 0, deadline: float | None = None) -> bytes:
        """The same bytes back."""
        return self._do(Op.PING, data, client=client, deadline=deadline).body

    def exit(self, *, client: int = 0, deadline: float | None = None) -> None:
        """Ends the process; its stream ends after the reply."""
        self._do(Op.EXIT, client=client, deadline=deadline)

    def reset(self, *, spared: int = 0, client: int = 0, deadline: float | None = None) -> ResetCounts:
        """Kills all clients but `spared` (0: all), closes all handles, unmaps all memory the agent knows of."""
        body = self._do(Op.RESET, _U16.pack(spared), client=client, deadline=deadline).body
        return ResetCounts(*wire.parse_fields(struct.Struct("<IIII"), body))

    def reset_begin(self) -> PendingCall:
        """`reset`, without waiting for it; what is asked of the agent next is answered after it."""
        return self.start(Op.RESET, _U16.pack(0))

    def sleep(self, ms: int, *, client: int = 0, deadline: float | None = None) -> None:
        """Keeps the process busy for so many milliseconds."""
        self._do(Op.SLEEP, _U32.pack(ms), client=client, deadline=deadline)

    def clock(self, set_to: int = 0, *, client: int = 0, deadline: float | None = None) -> int:
        """The guest's time of day in nanoseconds since the start of 1970, after it was set unless `set_to` is 0."""
        return self._do_u64(Op.CLOCK, _U64.pack(set_to), client=client, deadline=deadline)

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
        return wire.parse_loop(body[: -_U64.size]), wire.parse_fields(_U64, body[-_U64.size :])[0]

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

    # The driver.

    def driver_load(self, path: str, params: str = "", *, deadline: float | None = None) -> None:
        """Loads the driver's file. params: as on the OS's own command line ("a=1 b=2")."""
        self._do(Op.DRIVER_LOAD, wire.text(path) + wire.text(params), deadline=deadline)

    def driver_unload(self, name: str, *, deadline: float | None = None) -> None:
        """Unloads it; does not wait for users to go."""
        self._do(Op.DRIVER_UNLOAD, wire.text(name), deadline=deadline)

    def driver_status(self, name: str, *, deadline: float | None = None) -> DriverStatus:
        return wire.parse_driver_status(self._do(Op.DRIVER_STATUS, wire.text(name), deadline=deadline).body)

    # Handles.

    def open(
        self,
        path: str,
        flags: OpenFlag = OpenFlag.READ_WRITE,
        *,
        client: int = 0,
        deadline: float | None = None,
    ) -> int:
        """Opens a file or device; its handle."""
        payload = wire.text(path) + _U32.pack(flags)
        return self._do_u32(Op.OPEN, payload, client=client, deadline=deadline)

    def close_handle(self, handle: int, *, client: int = 0, deadline: float | None = None) -> None:
        self._do(Op.CLOSE, _U32.pack(handle), client=client, deadline=deadline)

    def dup(self, handle: int, *, client: int = 0, deadline: float | None = None) -> int:
        """Another handle of the same open file."""
        return self._do_u32(Op.DUP, _U32.pack(handle), client=client, deadline=deadline)

    def handle_send(self, handle: int, to_client: int, *, deadline: float | None = None) -> int:
        """Gives a client a handle of the agent; its number there."""
        payload = struct.pack("<IH", handle, to_client)
        return self._do_u32(Op.HANDLE_SEND, payload, client=0, deadline=deadline)

    def handle_take(self, handle: int, from_client: int, *, deadline: float | None = None) -> int:
        """Another handle, in the agent, of what a client has open as `handle`. Windows only."""
        value = self._do_u64(Op.HANDLE_VALUE, _U32.pack(handle), client=from_client, deadline=deadline)
        payload = struct.pack("<HQ", from_client, value)
        return self._do_u32(Op.HANDLE_TAKE, payload, client=0, deadline=deadline)

    # Requests.

    def request(
        self,
        handle: int,
        number: int,
        *,
        data: bytes = b"",
        out_size: int = 0,
        cb_in: int | None = None,
        cb_out: int | None = None,
        in_ptr: int = 0,
        out_ptr: int = 0,
        fill: int = 0xCC,
        flags: RequestFlag = RequestFlag.NONE,
        category: int = 0,
        client: int = 0,
        deadline: float | None = None,
    ) -> RequestReply:
        """The driver request of the guest's normal form. A request that fails is a reply with os_error set.

        data: the in buffer. out_size: bytes of the out buffer, filled with `fill` before the call. cb_in,
        cb_out: the lengths claimed to the driver, by default the true ones. in_ptr, out_ptr: used with IN_PTR
        and OUT_PTR.
        """
        payload = wire.pack_request(
            handle,
            number,
            data=data,
            out_size=out_size,
            cb_in=cb_in,
            cb_out=cb_out,
            in_ptr=in_ptr,
            out_ptr=out_ptr,
            fill=fill,
            flags=flags,
            category=category,
        )
        return wire.parse_request(self._do(Op.REQUEST, payload, client=client, deadline=deadline))

    def ioctl_raw(
        self, handle: int, number: int, arg: int = 0, *, client: int = 0, deadline: float | None = None
    ) -> IoctlReply:
        """The bare system call with any number and any argument."""
        payload = wire.pack_ioctl_raw(handle, number, arg)
        reply = self._do(Op.IOCTL_RAW, payload, client=client, deadline=deadline)
        return IoctlReply(wire.parse_fields(_I64, reply.body)[0], reply.os_error)

    def ioctl_packets(
        self,
        handle: int,
        number: int,
        *,
        parameters: wire.Packet = (0, 0),
        data: wire.Packet = (0, 0),
        client: int = 0,
    ) -> int:
        """OS/2's call with two packets at any addresses; returns the system's error, 0 for success."""
        payload = wire.pack_ioctl_packets(handle, number, parameters=parameters, data=data)
        return self._do(Op.IOCTL_PACKETS, payload, client=client, deadline=None).os_error

    # Memory of the process that executes the op.

    def mem_alloc(
        self,
        size: int,
        *,
        prot: Prot = Prot.RW,
        flags: MemFlag = MemFlag.NONE,
        hint: int = 0,
        client: int = 0,
        deadline: float | None = None,
    ) -> int:
        """Fresh zeroed pages; their address."""
        payload = struct.pack("<QIIQ", size, prot, flags, hint)
        return self._do_u64(Op.MEM_ALLOC, payload, client=client, deadline=deadline)

    def mem_free(self, address: int, size: int, *, client: int = 0, deadline: float | None = None) -> None:
        """Unmaps any range, also one the driver mapped; the agent does not survive losing its own."""
        self._do(Op.MEM_FREE, struct.pack("<QQ", address, size), client=client, deadline=deadline)

    def mem_protect(
        self, address: int, size: int, *, prot: Prot, client: int = 0, deadline: float | None = None
    ) -> None:
        payload = struct.pack("<QQI", address, size, prot)
        self._do(Op.MEM_PROTECT, payload, client=client, deadline=deadline)

    def mem_read(self, address: int, size: int, *, client: int = 0, deadline: float | None = None) -> bytes:
        """Exactly size bytes; a bad address is an AgentOpError with OS_ERROR."""
        return self._do(Op.MEM_READ, struct.pack("<QI", address, size), client=client, deadline=deadline).body

    def mem_write(self, address: int, data: bytes, *, client: int = 0, deadline: float | None = None) -> None:
        """All of data; where it fails, bytes in front of the bad page may have been written."""
        self._do(Op.MEM_WRITE, _U64.pack(address) + wire.blob(data), client=client, deadline=deadline)

    def mem_fill(self, address: int, size: int, *, value: int, client: int = 0, deadline: float | None = None) -> None:
        payload = struct.pack("<QQB", address, size, value)
        self._do(Op.MEM_FILL, payload, client=client, deadline=deadline)

    def mem_map(
        self,
        handle: int,
        size: int,
        *,
        prot: Prot = Prot.RW,
        offset: int = 0,
        private: bool = False,
        client: int = 0,
        deadline: float | None = None,
    ) -> int:
        """Maps a file or device; the address."""
        payload = struct.pack("<IIIQQ", handle, prot, int(private), size, offset)
        return self._do_u64(Op.MEM_MAP, payload, client=client, deadline=deadline)

    def mem_touch(self, address: int, how: Touch, *, client: int = 0, deadline: float | None = None) -> None:
        """Reads, writes back or calls what is there, by the process's own instructions: a fault ends it."""
        self._do(Op.MEM_TOUCH, struct.pack("<QB", address, how), client=client, deadline=deadline)

    def mem_move(self, address: int, size: int, *, client: int = 0, deadline: float | None = None) -> int:
        """Moves any range, also one the driver mapped; its new address."""
        return self._do_u64(Op.MEM_MOVE, struct.pack("<QQ", address, size), client=client, deadline=deadline)

    def mem_trap(self, page: int, address: int, data: bytes, *, client: int = 0, deadline: float | None = None) -> None:
        """The first touch of `page`, a request's too, waits until `data` was written to `address`. One at a time."""
        payload = struct.pack("<QQ", page, address) + wire.blob(data)
        self._do(Op.MEM_TRAP, payload, client=client, deadline=deadline)

    def mem_untrap(self, *, client: int = 0, deadline: float | None = None) -> bool:
        """Ends the trap; whether the page was touched."""
        return bool(self._do(Op.MEM_UNTRAP, client=client, deadline=deadline).body[0])

    # Files.

    def file_read(
        self,
        path: str,
        length: int = 1 << 20,
        *,
        offset: int = 0,
        client: int = 0,
        deadline: float | None = None,
    ) -> bytes:
        """Up to length bytes, fewer at the end of the file."""
        payload = wire.text(path) + struct.pack("<QI", offset, length)
        return self._do(Op.FILE_READ, payload, client=client, deadline=deadline).body

    def file_write(
        self,
        path: str,
        data: bytes,
        *,
        offset: int = 0,
        flags: FileFlag = FileFlag.NONE,
        mode: int = 0o644,
        client: int = 0,
        deadline: float | None = None,
    ) -> int:
        """The bytes written."""
        payload = wire.pack_file_write(path, data, offset=offset, flags=flags, mode=mode)
        return self._do_u32(Op.FILE_WRITE, payload, client=client, deadline=deadline)

    def file_list(self, path: str, *, client: int = 0, deadline: float | None = None) -> list[str]:
        """The names in a directory."""
        return wire.parse_strings(self._do(Op.FILE_LIST, wire.text(path), client=client, deadline=deadline).body)

    def file_stat(self, path: str, *, client: int = 0, deadline: float | None = None) -> FileFacts:
        body = self._do(Op.FILE_STAT, wire.text(path), client=client, deadline=deadline).body
        return FileFacts(*wire.parse_fields(struct.Struct("<IIIQ"), body))

    # Clients.

    def client_start(self, program: str = "", *, inherit: bool = False, deadline: float | None = None) -> ClientInfo:
        """A client process: another agent's program, or with "" a copy of the agent itself.

        inherit: the copy keeps the agent's handles, with their numbers, and its memory.
        """
        payload = _U32.pack(inherit) + wire.text(program)
        body = self._do(Op.CLIENT_START, payload, deadline=deadline).body
        return ClientInfo(*wire.parse_fields(_U16_U32, body))

    def client_kill(self, client: int, *, wait_ms: int = 1000, deadline: float | None = None) -> ClientExit:
        """Kills it with no chance to clean up and reaps it: its handles are closed when this returns.

        A client that is dead already tells how it ended. wait_ms: how long the agent, which serves nobody
        meanwhile, waits for the death before it answers CLIENT_STUCK.
        """
        return wire.parse_exit(self._do(Op.CLIENT_KILL, _U16_U32.pack(client, wait_ms), deadline=deadline).body)

    # Processes.

    def process_write(
        self, pid: int, address: int, data: bytes, *, how: WriteHow, client: int = 0, deadline: float | None = None
    ) -> None:
        """Writes into the memory of process `pid`, which need not be a client; DEBUG writes one word at most."""
        payload = struct.pack("<IIQ", pid, how, address) + wire.blob(data)
        self._do(Op.PROCESS_WRITE, payload, client=client, deadline=deadline)

    def demote(self, user: int, lockable: int, *, client: int, deadline: float | None = None) -> None:
        """Makes a client go on for good as `user`, without privileges; it may lock `lockable` bytes of memory."""
        self._do(Op.DEMOTE, struct.pack("<IQ", user, lockable), client=client, deadline=deadline)

    def exec(self, program: str = "", *, client: int, deadline: float | None = None) -> None:
        """Makes a client go on as another agent's program, or as its own anew: with its handles, without its memory."""
        self._do(Op.EXEC, wire.text(program), client=client, deadline=deadline)
