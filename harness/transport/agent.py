"""The controller's side of the agent: its ops, typed."""

from __future__ import annotations

import struct

from harness.errors import ProtocolError
from harness.transport import wire
from harness.transport.connection import PendingCall
from harness.transport.file_ops import FileOps
from harness.transport.memory_ops import MemoryOps
from harness.transport.ops import I64, U16, U16_U32, U32, U64
from harness.transport.repeat_ops import RepeatOps
from harness.transport.wire import (
    ClientExit,
    ClientInfo,
    DriverStatus,
    Hello,
    IoctlReply,
    Op,
    RequestFlag,
    RequestReply,
    ResetCounts,
)


class AgentClient(RepeatOps, MemoryOps, FileOps):
    """The agent's ops, typed.

    `client` is the process that executes the op: 0 for the agent itself, else the id of a client. `deadline`
    is in seconds. Every method raises AgentOpError (with status and os_error) where the agent answers with an
    error, ClientDiedError for a client that is dead, ProtocolError where it does not understand, and what
    PendingCall.result raises. Sizes are in bytes; addresses are those of the process that executes the op.
    """

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
        body = self._do(Op.RESET, U16.pack(spared), client=client, deadline=deadline).body
        return ResetCounts(*wire.parse_fields(struct.Struct("<IIII"), body))

    def reset_begin(self) -> PendingCall:
        """`reset`, without waiting for it; what is asked of the agent next is answered after it."""
        return self.start(Op.RESET, U16.pack(0))

    def sleep(self, ms: int, *, client: int = 0, deadline: float | None = None) -> None:
        """Keeps the process busy for so many milliseconds."""
        self._do(Op.SLEEP, U32.pack(ms), client=client, deadline=deadline)

    def clock(self, set_to: int = 0, *, client: int = 0, deadline: float | None = None) -> int:
        """The guest's time of day in nanoseconds since the start of 1970, after it was set unless `set_to` is 0."""
        return self._do_u64(Op.CLOCK, U64.pack(set_to), client=client, deadline=deadline)

    # The driver.

    def driver_load(self, path: str, params: str = "", *, deadline: float | None = None) -> None:
        """Loads the driver's file. params: as on the OS's own command line ("a=1 b=2")."""
        self._do(Op.DRIVER_LOAD, wire.text(path) + wire.text(params), deadline=deadline)

    def driver_unload(self, name: str, *, deadline: float | None = None) -> None:
        """Unloads it; does not wait for users to go."""
        self._do(Op.DRIVER_UNLOAD, wire.text(name), deadline=deadline)

    def driver_status(self, name: str, *, deadline: float | None = None) -> DriverStatus:
        return wire.parse_driver_status(self._do(Op.DRIVER_STATUS, wire.text(name), deadline=deadline).body)

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
        return IoctlReply(wire.parse_fields(I64, reply.body)[0], reply.os_error)

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

    # Clients.

    def client_start(self, program: str = "", *, inherit: bool = False, deadline: float | None = None) -> ClientInfo:
        """A client process: another agent's program, or with "" a copy of the agent itself.

        inherit: the copy keeps the agent's handles, with their numbers, and its memory.
        """
        payload = U32.pack(inherit) + wire.text(program)
        body = self._do(Op.CLIENT_START, payload, deadline=deadline).body
        return ClientInfo(*wire.parse_fields(U16_U32, body))

    def client_kill(self, client: int, *, wait_ms: int = 1000, deadline: float | None = None) -> ClientExit:
        """Kills it with no chance to clean up and reaps it: its handles are closed when this returns.

        A client that is dead already tells how it ended. wait_ms: how long the agent, which serves nobody
        meanwhile, waits for the death before it answers CLIENT_STUCK.
        """
        return wire.parse_exit(self._do(Op.CLIENT_KILL, U16_U32.pack(client, wait_ms), deadline=deadline).body)

    def demote(self, user: int, lockable: int, *, client: int, deadline: float | None = None) -> None:
        """Makes a client go on for good as `user`, without privileges; it may lock `lockable` bytes of memory."""
        self._do(Op.DEMOTE, struct.pack("<IQ", user, lockable), client=client, deadline=deadline)

    def exec(self, program: str = "", *, client: int, deadline: float | None = None) -> None:
        """Makes a client go on as another agent's program, or as its own anew: with its handles, without its memory."""
        self._do(Op.EXEC, wire.text(program), client=client, deadline=deadline)
