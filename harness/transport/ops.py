"""What every op of the agent is made of: a payload there, a checked answer back."""

from __future__ import annotations

import struct

from harness.transport import wire
from harness.transport.connection import Connection
from harness.transport.wire import Reply

U16 = struct.Struct("<H")
U16_U32 = struct.Struct("<HI")
U32 = struct.Struct("<I")
U64 = struct.Struct("<Q")
I64 = struct.Struct("<q")


class Ops(Connection):
    """What the groups of ops have in common; see AgentClient."""

    def _do(self, op: int, payload: bytes = b"", *, client: int = 0, deadline: float | None = None) -> Reply:
        return self.start(op, payload, client=client).result(deadline).check()

    def _do_u32(self, op: int, payload: bytes, *, client: int, deadline: float | None) -> int:
        return wire.parse_fields(U32, self._do(op, payload, client=client, deadline=deadline).body)[0]

    def _do_u64(self, op: int, payload: bytes, *, client: int, deadline: float | None) -> int:
        return wire.parse_fields(U64, self._do(op, payload, client=client, deadline=deadline).body)[0]
