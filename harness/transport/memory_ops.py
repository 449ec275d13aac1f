"""The agent's ops on the memory of processes."""

from __future__ import annotations

import struct

from harness.transport import wire
from harness.transport.ops import U64, Ops
from harness.transport.wire import MemFlag, Op, Prot, Touch, WriteHow


class MemoryOps(Ops):
    """Memory of the process that executes the op, and of others."""

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
        self._do(Op.MEM_WRITE, U64.pack(address) + wire.blob(data), client=client, deadline=deadline)

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

    def process_write(
        self, pid: int, address: int, data: bytes, *, how: WriteHow, client: int = 0, deadline: float | None = None
    ) -> None:
        """Writes into the memory of process `pid`, which need not be a client; DEBUG writes one word at most."""
        payload = struct.pack("<IIQ", pid, how, address) + wire.blob(data)
        self._do(Op.PROCESS_WRITE, payload, client=client, deadline=deadline)
