"""Initial RAM file systems in pure Python: archives in cpio's newc format, with device nodes, without root.

The same entries always give the same bytes: sorted, owned by root, dated 0. The kernel unpacks archives that
follow one another in one initrd in turn, later files over earlier ones; `append` adds a run's own files so.
"""

from __future__ import annotations

import gzip
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

_MAGIC = b"070701"
_HEADER_SIZE = 110
_TRAILER = "TRAILER!!!"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: `path` below the root, `mode` with the type bits, `data` (of a symlink: its target)."""

    path: str
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        parts = self.path.split("/")
        if not self.path or "" in parts or "." in parts or ".." in parts or "\0" in self.path:
            raise ValueError(f"not a clean relative path: {self.path!r}")
        if self.path == _TRAILER:
            raise ValueError(f"{_TRAILER!r} ends an archive and cannot be a file's name")
        if not stat.S_IFMT(self.mode):
            raise ValueError(f"{self.path}: mode {self.mode:#o} has no file type")


def regular(path: str, data: bytes, *, mode: int = 0o644) -> Entry:
    """A file with the content `data`."""
    return Entry(path, stat.S_IFREG | mode, data)


def directory(path: str, *, mode: int = 0o755) -> Entry:
    """A directory; one that is there already gets this mode."""
    return Entry(path, stat.S_IFDIR | mode)


def symlink(path: str, target: str) -> Entry:
    """A symbolic link that says `target`, resolved in the guest."""
    return Entry(path, stat.S_IFLNK | 0o777, target.encode())


def char_device(path: str, number: tuple[int, int], *, mode: int = 0o600) -> Entry:
    """A character device, by major and minor number."""
    return Entry(path, stat.S_IFCHR | mode, device=number)


def archive(entries: Iterable[Entry]) -> bytes:
    """The newc archive of `entries`, its length a multiple of 512.

    Parents come before what is in them whatever the order given. Raises ValueError if a path comes twice.
    """
    chosen: dict[str, Entry] = {}
    for entry in entries:
        if entry.path in chosen:
            raise ValueError(f"{entry.path} is in the archive twice")
        chosen[entry.path] = entry
    out = bytearray()
    for number, path in enumerate(sorted(chosen, key=lambda name: name.split("/")), start=1):
        out += _record(chosen[path], number)
    out += _record_bytes(_TRAILER, b"", mode=0, number=0, device=(0, 0))
    return _padded(bytes(out), 512)


def overlay(files: Mapping[str, bytes | Entry]) -> bytes:
    """The archive to `append` to an initramfs for one run: path to content (mode 0600) or to an `Entry`.

    Directories above the files are made, mode 0755, unless an entry of `files` says otherwise. Paths may
    start with a slash.
    """
    entries: dict[str, Entry] = {}
    for name, what in files.items():
        path = name.lstrip("/")
        entry = what if isinstance(what, Entry) else regular(path, what, mode=0o600)
        if entry.path != path:
            raise ValueError(f"the entry for {path} says it is {entry.path}")
        entries[path] = entry
    return archive([*with_parents(entries.values())])


def with_parents(entries: Iterable[Entry]) -> list[Entry]:
    """`entries` and every directory above them that is not among them, mode 0755."""
    chosen = {entry.path: entry for entry in entries}
    for path in tuple(chosen):
        for parent in PurePosixPath(path).parents:
            if parent.name:
                chosen.setdefault(str(parent), directory(str(parent)))
    return list(chosen.values())


def append(base: bytes, *later: bytes) -> bytes:
    """One initrd: `base` (compressed or not) and then the archives `later`.

    The kernel looks for an archive at multiples of four bytes and takes zeros before it for padding.
    """
    out = base
    for part in later:
        out = _padded(out, 4) + part
    return _padded(out, 4)


def gzipped(data: bytes, *, level: int = 9) -> bytes:
    """`data` as a gzip stream without a date or a name, so that the same data gives the same bytes."""
    return _padded(gzip.compress(data, level, mtime=0), 4)


def parse(data: bytes) -> list[Entry]:
    """The entries of one or more uncompressed archives in `data`, in order. Raises ValueError if damaged."""
    entries: list[Entry] = []
    at = 0
    while at < len(data):
        if data[at] == 0:
            at += 1
            continue
        if data[at : at + 6] != _MAGIC or at + _HEADER_SIZE > len(data):
            raise ValueError(f"no cpio header at byte {at}")
        fields = [int(data[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        mode, size, major, minor, name_size = fields[1], fields[6], fields[9], fields[10], fields[11]
        name = data[at + _HEADER_SIZE : at + _HEADER_SIZE + name_size - 1].decode()
        body = at + _aligned(_HEADER_SIZE + name_size, 4)
        if body + size > len(data):
            raise ValueError(f"{name}: the archive ends in the middle of it")
        if name != _TRAILER:
            entries.append(Entry(name, mode, data[body : body + size], (major, minor)))
        at = body + _aligned(size, 4)
    return entries


def _record(entry: Entry, number: int) -> bytes:
    return _record_bytes(entry.path, entry.data, mode=entry.mode, number=number, device=entry.device)


def _record_bytes(name: str, data: bytes, *, mode: int, number: int, device: tuple[int, int]) -> bytes:
    links = 2 if stat.S_ISDIR(mode) else 1
    encoded = name.encode() + b"\0"
    fields = (number, mode, 0, 0, links, 0, len(data), 0, 0, *device, len(encoded), 0)
    head = _MAGIC + b"".join(b"%08X" % field for field in fields) + encoded
    return _padded(head, 4) + _padded(data, 4)


def _aligned(size: int, to: int) -> int:
    return -(-size // to) * to


def _padded(data: bytes, to: int) -> bytes:
    return data + bytes(_aligned(len(data), to) - len(data))
