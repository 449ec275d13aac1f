"""Crash dumps of Windows, made here after the documented layout, and how they are fetched."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from harness.console.windows_dump import Module, WindowsDump, parse_dump
from harness.errors import ProtocolError
from harness.session.windows_dumps import KERNEL_DUMP, MINIDUMPS, fetch_minidumps, kernel_dump, minidumps
from harness.transport.agent import AgentClient
from harness.transport.wire import AgentOpError, AgentStatus, Op

FULL, KERNEL, MINI = 1, 2, 4
FILE_NOT_FOUND, PATH_NOT_FOUND, ACCESS_DENIED = 2, 3, 5

NT = Module("ntoskrnl.exe", 0xFFFFF80340000000, 0x1046000)
SUPDRV = Module("supdrv.sys", 0xFFFFF80351230000, 0x9000)
NT_X86 = Module("ntoskrnl.exe", 0x81C00000, 0x600000)
SUPDRV_X86 = Module("supdrv.sys", 0x8F230000, 0x8000)


def dump64(*modules: Module, kind: int = MINI, stride: int = 0x90, code: int = 0xD1, address: int = 0) -> bytes:
    data = bytearray(0x2000)
    data[:8] = b"PAGEDU64"
    struct.pack_into("<II", data, 0x08, 15, 19045)
    struct.pack_into("<II", data, 0x30, 0x8664, 2)
    struct.pack_into("<I4x4Q", data, 0x38, code, 0x10, 2, 0, address)
    struct.pack_into("<IIQQ", data, 0xF00, 0xC0000005 if address else 0, 0, 0, address)
    struct.pack_into("<I", data, 0xF98, kind)
    return bytes(data) + triage(0x2000, modules, stride, base_at=0x38, size_at=0x48, word="Q")


def dump32(*modules: Module, kind: int = MINI, stride: int = 0x58, code: int = 0x7E, address: int = 0) -> bytes:
    data = bytearray(0x1000)
    data[:8] = b"PAGEDUMP"
    struct.pack_into("<II", data, 0x08, 15, 19045)
    struct.pack_into("<II", data, 0x20, 0x14C, 1)
    struct.pack_into("<I4I", data, 0x28, code, 0xC0000005, address, 0, 0)
    struct.pack_into("<IIII", data, 0x7D0, 0xC0000005 if address else 0, 0, 0, address)
    struct.pack_into("<I", data, 0xF88, kind)
    return bytes(data) + triage(0x1000, modules, stride, base_at=0x1C, size_at=0x24, word="I")


def triage(start: int, modules: tuple[Module, ...], stride: int, *, base_at: int, size_at: int, word: str) -> bytes:
    """A TRIAGE_DUMP behind a header that ends at `start`: list of drivers, then the names."""
    drivers = start + 0x100
    head = bytearray(0x100)
    struct.pack_into("<II", head, 0x30, drivers, len(modules))
    table = bytearray(stride * len(modules))
    strings = b""
    for number, module in enumerate(modules):
        at = number * stride
        struct.pack_into("<I", table, at, drivers + len(table) + len(strings))
        struct.pack_into(f"<{word}", table, at + base_at, module.base)
        struct.pack_into("<I", table, at + size_at, module.size)
        name = rf"\SystemRoot\system32\drivers\{module.name}"
        strings += struct.pack("<I", len(name)) + name.encode("utf-16-le") + b"\0\0"
    return bytes(head + table) + strings


def parse(data: bytes) -> WindowsDump:
    return parse_dump(lambda offset, size: data[offset : offset + size])


@pytest.mark.parametrize("stride", [0x80, 0x90, 0x98, 0xB0, 0x138])
def test_a_minidump_says_what_and_where(stride: int) -> None:
    found = parse(dump64(NT, SUPDRV, stride=stride, address=SUPDRV.base + 0x1234))
    assert found.modules == (NT, SUPDRV)
    assert found.lines() == [
        "DRIVER_IRQL_NOT_LESS_OR_EQUAL (0xd1), minidump of Windows build 19045 (amd64)",
        "exception 0xc0000005 at 0xfffff80351231234 (supdrv.sys+0x1234)",
        "parameter 1: 0x10",
        "parameter 2: 0x2",
        "parameter 3: 0x0",
        "parameter 4: 0xfffff80351231234 (supdrv.sys+0x1234)",
    ]


@pytest.mark.parametrize("stride", [0x40, 0x58, 0x60, 0xBC])
def test_a_minidump_of_a_32_bit_windows_says_the_same(stride: int) -> None:
    found = parse(dump32(NT_X86, SUPDRV_X86, stride=stride, address=SUPDRV_X86.base + 0x42))
    assert found.arch == "x86"
    assert found.modules == (NT_X86, SUPDRV_X86)
    assert found.name == "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED"
    assert found.place(found.parameters[1]) == "supdrv.sys+0x42"


@pytest.mark.parametrize(("kind", "name"), [(FULL, "full dump"), (KERNEL, "kernel dump"), (9, "dump of kind 9")])
def test_a_larger_dump_says_what_but_lists_no_modules(kind: int, name: str) -> None:
    found = parse(dump64(NT, kind=kind))
    assert (found.kind, found.modules, found.place(NT.base)) == (name, (), "")


def test_a_crash_without_an_exception_names_none() -> None:
    assert not any("exception" in line for line in parse(dump64(NT, code=0x80)).lines())


def test_an_unknown_bug_check_has_its_number() -> None:
    assert parse(dump64(NT, code=0xDEAD)).name == "bug check 0xdead"


@pytest.mark.parametrize(("offset", "inside"), [(0, True), (-1, False), (SUPDRV.size - 1, True), (SUPDRV.size, False)])
def test_a_module_ends_where_it_ends(offset: int, inside: bool) -> None:
    assert bool(parse(dump64(NT, SUPDRV)).place(SUPDRV.base + offset)) is inside


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "does not begin as one"),
        (b"MDMP" + bytes(9000), "does not begin as one"),
        (dump64(NT)[:0x1FFF], "ends in its header"),
        (dump64(NT)[:0x2020], "ends before its list of modules"),
        (dump64(NT)[:0x2110], "makes no sense"),
        (dump64(NT)[:-30], "makes no sense"),
        (dump64(Module("a.sys", 0x1001, 1)), "makes no sense"),
        (dump64(Module("a.sys", 0x1000, 0)), "makes no sense"),
        (dump64(NT)[:0x2034] + b"\xff\xff\xff\xff" + dump64(NT)[0x2038:], "claims to have 4294967295 modules"),
    ],
)
def test_a_damaged_dump_is_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(ProtocolError, match=complaint):
        parse(data)


def test_every_cut_of_a_dump_is_read_or_refused() -> None:
    whole = dump32(NT_X86, SUPDRV_X86)
    for length in range(0, len(whole), 7):
        try:
            parse(whole[:length])
        except ProtocolError:
            continue
        assert length > 0x1000


class FakeFiles:
    """An agent's files. Reads are short, as at a protocol's limit."""

    def __init__(self, files: dict[str, bytes], error: int = FILE_NOT_FOUND) -> None:
        self.files = files
        self.error = error

    def file_list(self, path: str) -> list[str]:
        names = [name.removeprefix(path + "\\") for name in self.files if name.startswith(path + "\\")]
        if not names:
            raise AgentOpError(Op.FILE_LIST, AgentStatus.OS_ERROR, self.error)
        return names

    def file_read(self, path: str, length: int = 1 << 20, *, offset: int = 0) -> bytes:
        if path not in self.files:
            raise AgentOpError(Op.FILE_READ, AgentStatus.OS_ERROR, self.error)
        return self.files[path][offset : offset + length]


def test_the_agents_client_is_what_fetching_asks_for() -> None:
    assert callable(AgentClient.file_list)
    assert callable(AgentClient.file_read)


def test_new_minidumps_are_fetched_whole(tmp_path: Path) -> None:
    large = dump64(NT, SUPDRV) + bytes(3 << 20)
    files = FakeFiles({rf"{MINIDUMPS}\{name}": data for name, data in {
        "112326-1.dmp": dump64(NT), "112326-2.dmp": large, "notes.txt": b"",
    }.items()})  # fmt: skip
    known = frozenset({"112326-1.dmp"})
    (fetched,) = fetch_minidumps(files, tmp_path / "dumps", known=known)
    assert fetched.name == "112326-2.dmp"
    assert fetched.copy is not None
    assert fetched.copy.read_bytes() == large
    assert fetched.dump.modules == (NT, SUPDRV)


@pytest.mark.parametrize("error", [FILE_NOT_FOUND, PATH_NOT_FOUND])
def test_a_windows_that_never_crashed_has_no_dumps(tmp_path: Path, error: int) -> None:
    files = FakeFiles({}, error)
    assert minidumps(files) == frozenset()
    assert fetch_minidumps(files, tmp_path / "dumps") == []
    assert kernel_dump(files) is None
    assert not (tmp_path / "dumps").exists()


def test_dumps_that_may_not_be_read_are_no_absent_ones(tmp_path: Path) -> None:
    files = FakeFiles({}, ACCESS_DENIED)
    with pytest.raises(AgentOpError):
        minidumps(files)
    with pytest.raises(AgentOpError):
        kernel_dump(files)


def test_of_a_kernel_dump_the_header_is_read() -> None:
    fetched = kernel_dump(FakeFiles({KERNEL_DUMP: dump64(kind=KERNEL, code=0x50)}))
    assert fetched is not None
    assert (fetched.name, fetched.dump.name) == ("MEMORY.DMP", "PAGE_FAULT_IN_NONPAGED_AREA")


def test_the_copy_of_a_damaged_minidump_stays(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError):
        fetch_minidumps(FakeFiles({rf"{MINIDUMPS}\a.dmp": b"damaged"}), tmp_path)
    assert (tmp_path / "a.dmp").read_bytes() == b"damaged"
