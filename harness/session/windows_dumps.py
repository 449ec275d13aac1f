"""Fetching what a crashed Windows has written, once it runs again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.console.windows_dump import Read, WindowsDump, parse_dump
from harness.transport.wire import AgentOpError

MINIDUMPS = r"C:\Windows\Minidump"
KERNEL_DUMP = r"C:\Windows\MEMORY.DMP"

SEPARATOR = "\\"

_CHUNK = 1 << 20
_NO_SUCH = frozenset({2, 3})
"""ERROR_FILE_NOT_FOUND and ERROR_PATH_NOT_FOUND: Windows makes file and folder with the first crash."""


class GuestFiles(Protocol):
    """What is asked of an agent."""

    def file_list(self, path: str) -> list[str]:
        """The names in a directory."""

    def file_read(self, path: str, length: int = ..., *, offset: int = ...) -> bytes:
        """Up to `length` bytes, fewer at the file's end."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A dump: its name in the guest and what its header says, and the copy here; a kernel dump has none."""

    name: str
    dump: WindowsDump
    copy: Path | None


def minidumps(files: GuestFiles) -> frozenset[str]:
    """The names of the minidumps that are there now; none before the first crash."""
    try:
        names = files.file_list(MINIDUMPS)
    except AgentOpError as error:
        if error.os_error not in _NO_SUCH:
            raise
        return frozenset()
    return frozenset(name for name in names if name.lower().endswith(".dmp"))


def fetch_minidumps(files: GuestFiles, into: Path, *, known: frozenset[str] = frozenset()) -> list[Fetched]:
    """Copy the minidumps that are not `known` to the folder `into`, which is made, oldest name first. Raises
    ProtocolError for one that is damaged; its copy stays."""
    fetched = []
    for name in sorted(minidumps(files) - known):
        into.mkdir(parents=True, exist_ok=True)
        copy = into / Path(name.replace("\\", "/")).name
        with copy.open("wb") as stream:
            for data in _whole(files, f"{MINIDUMPS}{SEPARATOR}{name}"):
                stream.write(data)
        content = copy.read_bytes()
        fetched.append(Fetched(name, parse_dump(_reader(content)), copy))
    return fetched


def kernel_dump(files: GuestFiles) -> Fetched | None:
    """What the kernel dump says, if there is one. It is too large to be copied through an agent."""

    def read(offset: int, size: int) -> bytes:
        return files.file_read(KERNEL_DUMP, size, offset=offset)

    try:
        read(0, 1)
    except AgentOpError as error:
        if error.os_error not in _NO_SUCH:
            raise
        return None
    return Fetched(KERNEL_DUMP.rpartition(SEPARATOR)[2], parse_dump(read), None)


def _whole(files: GuestFiles, path: str) -> Iterator[bytes]:
    offset = 0
    while data := files.file_read(path, _CHUNK, offset=offset):
        yield data
        offset += len(data)


def _reader(content: bytes) -> Read:
    return lambda offset, size: content[offset : offset + size]
