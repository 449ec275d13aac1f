"""The agent's ops on handles and files."""

from __future__ import annotations

import struct

from harness.transport import wire
from harness.transport.ops import U32, Ops
from harness.transport.wire import FileFacts, FileFlag, Op, OpenFlag


class FileOps(Ops):
    """Handles of files and devices, and files by their paths."""

    def open(
        self,
        path: str,
        flags: OpenFlag = OpenFlag.READ_WRITE,
        *,
        client: int = 0,
        deadline: float | None = None,
    ) -> int:
        """Opens a file or device; its handle."""
        payload = wire.pack_open(path, flags)
        return self._do_u32(Op.OPEN, payload, client=client, deadline=deadline)

    def close_handle(self, handle: int, *, client: int = 0, deadline: float | None = None) -> None:
        self._do(Op.CLOSE, U32.pack(handle), client=client, deadline=deadline)

    def dup(self, handle: int, *, client: int = 0, deadline: float | None = None) -> int:
        """Another handle of the same open file."""
        return self._do_u32(Op.DUP, U32.pack(handle), client=client, deadline=deadline)

    def handle_send(self, handle: int, to_client: int, *, deadline: float | None = None) -> int:
        """Gives a client a handle of the agent; its number there."""
        payload = struct.pack("<IH", handle, to_client)
        return self._do_u32(Op.HANDLE_SEND, payload, client=0, deadline=deadline)

    def handle_take(self, handle: int, from_client: int, *, deadline: float | None = None) -> int:
        """Another handle, in the agent, of what a client has open as `handle`. Windows only."""
        value = self._do_u64(Op.HANDLE_VALUE, U32.pack(handle), client=from_client, deadline=deadline)
        payload = struct.pack("<HQ", from_client, value)
        return self._do_u32(Op.HANDLE_TAKE, payload, client=0, deadline=deadline)

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
        payload = wire.pack_file_read(path, length, offset=offset)
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
