"""Crash reports of FreeBSD 12.1, amd64 and i386: `golden/` holds what the consoles had on them."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from harness.console.crash import Crash, Frame, crash_title, find_crash
from harness.console.freebsd import function_sizes, locate
from harness.console.signature import signature
from harness.targets.freebsd import FreeBsdTarget

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> Crash | None:
    return find_crash((GOLDEN / f"freebsd-{name}.log").read_text())


def functions(crash: Crash) -> list[str]:
    return [frame.function for frame in crash.frames]


@pytest.mark.parametrize(
    ("name", "kind", "title", "inside"),
    [
        ("amd64-panic", "panic", "panic: supdrv: panic on request", "fault_panic"),
        ("x86-panic", "panic", "panic: supdrv: panic on request", "fault_panic"),
        (
            "amd64-oops",
            "oops",
            "Fatal trap 12: page fault while in kernel mode",
            "supdrv_fault_null_write",
        ),
        ("x86-oops", "oops", "panic: vm_fault_hold: fault on nofault entry, addr: 0", "supdrv_fault_null_write"),
        (
            "amd64-oops-in-interrupt",
            "oops",
            "Fatal trap 12: page fault while in kernel mode",
            "supdrv_fault_in_interrupt",
        ),
        ("amd64-bug-with-lock", "oops", "Fatal trap 1: privileged instruction fault while in kernel mode", "fault_run"),
        ("amd64-use-after-free", "panic", "panic: Most recently used by supdrv", "supdrv_fault_use_after_free"),
        ("amd64-page-overrun", "oops", "panic: vm_fault_hold: fault on nofault", "supdrv_fault_page_overrun"),
        ("amd64-unload", "oops", "Fatal trap 12: page fault while in kernel mode", "supdrv_fault_on_unload"),
    ],
)
def test_a_report_is_recognised_and_names_the_drivers_function(name: str, kind: str, title: str, inside: str) -> None:
    crash = golden(name)
    assert crash is not None
    assert crash.kind == kind
    assert crash.title.startswith(title)
    assert inside in functions(crash)


@pytest.mark.parametrize(
    ("name", "start", "inside"),
    [
        ("amd64-deadlock", "panic: _mtx_lock_sleep: recursed on non-recursive mutex supdrv fault first", "fault_run"),
        ("amd64-double-free", "panic: Duplicate free of ", "supdrv_fault_double_free"),
    ],
)
def test_a_panic_with_a_changing_title_is_recognised(name: str, start: str, inside: str) -> None:
    crash = golden(name)
    assert crash is not None
    assert crash.kind == "panic"
    assert crash.title.startswith(start)
    assert inside in functions(crash)


@pytest.mark.parametrize("arch", ["amd64", "x86"])
def test_a_lock_order_reversal_of_the_drivers_locks_is_a_report_from_its_own_head_on(arch: str) -> None:
    crash = golden(f"{arch}-lock-inversion")
    assert crash is not None
    assert crash.kind == "witness report"
    assert crash.title.startswith("supdrv fault second (supdrv fault second) @ ")
    assert crash.report.splitlines()[0] == "lock order reversal:"
    assert "fault_run" in functions(crash)
    assert crash.report.splitlines()[-1].startswith("#")


def test_a_lock_order_reversal_is_the_drivers_too_when_only_its_backtrace_names_it() -> None:
    log = (
        "lock order reversal:\n 1st 0xfffff80002e6d068 proctree (proctree) @ /usr/src/sys/kern/kern_fork.c:1\n"
        " 2nd 0xfffff80002e6d7c8 vm map (user) @ /usr/src/sys/vm/vm_map.c:2\nstack backtrace:\n"
        "#0 0xffffffff8040cc16 at witness_debugger+0x66\n#1 0xffffffff81811234 at supdrv_os_map+0x66\nnext\n"
    )
    crash = find_crash(log)
    assert crash is not None
    assert (crash.kind, crash.title) == ("witness report", "supdrv_os_map+0x66")
    assert crash.report == log.removesuffix("\nnext\n")
    assert crash.head.endswith("stack backtrace:") is False
    assert functions(crash) == ["witness_debugger", "supdrv_os_map"]


@pytest.mark.parametrize("name", ["amd64-shutdown", "x86-shutdown"])
def test_a_lock_order_reversal_of_the_kernel_alone_is_none_of_ours(name: str) -> None:
    assert "lock order reversal:" in (GOLDEN / f"freebsd-{name}.log").read_text()
    assert golden(name) is None


def test_memory_that_the_driver_left_behind_is_a_report() -> None:
    crash = golden("amd64-leak")
    assert crash is not None
    assert crash.kind == "leak report"
    assert crash.title.startswith("memory type supdrv leaked memory on destroy (1 allocations, ")


@pytest.mark.parametrize("name", ["amd64-warn", "amd64-reboot", "amd64-hang", "amd64-spin"])
def test_a_console_without_a_report_is_no_crash(name: str) -> None:
    assert golden(name) is None


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("Fatal double fault", "oops"),
        ("Fatal trap 9: general protection fault while in kernel mode", "oops"),
        ("panic: mutex process lock not owned at /usr/src/sys/kern/kern_resource.c:1299", "panic"),
        ("exclusive sx supdrv (supdrv) r = 0 (0xfffff80002e6d068) locked @ /usr/src/bsd/glue.c:50", "witness report"),
        (" 2nd 0xffffffff81811638 supdrv gate (supdrv gate, sleep mutex) @ /usr/src/bsd/file.c:37", "witness report"),
    ],
)
def test_each_kind_of_report_is_told_apart(line: str, kind: str) -> None:
    found = crash_title(line)
    assert found is not None
    assert found[0] == kind


@pytest.mark.parametrize(
    "line",
    [
        "WARNING: WITNESS option enabled, expect reduced performance.",
        "KDB: debugger backends: ddb",
        " 1st 0xfffff800021fed88 ufs (ufs) @ /usr/src/sys/kern/vfs_mount.c:1349",
        "pid 17 (agent), jid 0, uid 0: exited on signal 11",
        "#9 0xffffffff80466882 at dounmount+0x432",
        "supdrv: warning on request",
    ],
)
def test_an_ordinary_line_begins_no_report(line: str) -> None:
    assert crash_title(line) is None


def test_the_head_of_a_report_ends_before_its_backtrace() -> None:
    crash = golden("amd64-oops")
    assert crash is not None
    assert "fault virtual address" in crash.head
    assert "supdrv_fault_outer" not in crash.head


def test_a_frame_without_a_size_is_written_without() -> None:
    crash = golden("x86-panic")
    assert crash is not None
    assert str(crash.frames[-3]) == f"{crash.frames[-3].function}+{crash.frames[-3].offset:#x}"


def test_frames_are_the_modules_by_its_own_symbols(tmp_path: Path) -> None:
    module = tmp_path / "supdrv.ko"
    module.write_bytes(elf_with_functions({"supdrv_fault_null_write": 0x20, "fault_run": 0x40, "slow_request": 0x10}))
    assert function_sizes(module)["fault_run"] == 0x40
    crash = golden("amd64-oops")
    assert crash is not None
    own = [frame for frame in FreeBsdTarget().locate(crash, "", module).frames if frame.module]
    # slow_request is shorter here than the offset in the backtrace: it is somebody else's function of that name
    assert [(frame.function, frame.size) for frame in own] == [("supdrv_fault_null_write", 0x20), ("fault_run", 0x40)]


def test_without_the_modules_file_the_frames_stay_as_they_are(tmp_path: Path) -> None:
    crash = Crash("panic", "panic: x", (Frame("f", 1, 0, None),), "panic: x")
    assert locate(crash, module="supdrv", image=tmp_path / "none.ko") == crash
    (tmp_path / "text.ko").write_text("no module")
    assert locate(crash, module="supdrv", image=tmp_path / "text.ko") == crash


def test_the_same_failure_has_the_same_signature_on_both_architectures(tmp_path: Path) -> None:
    module = tmp_path / "supdrv.ko"
    names = ("supdrv_fault_null_write", "supdrv_fault_inner", "supdrv_fault_outer")
    module.write_bytes(elf_with_functions(dict.fromkeys(names, 0x40)))
    found = set()
    for arch in ("amd64", "x86"):
        crash = golden(f"{arch}-oops")
        assert crash is not None
        found.add(signature(crash.kind, locate(crash, module="supdrv", image=module).frames, "supdrv"))
    (one,) = found
    assert one.endswith("oops: supdrv_fault_null_write < supdrv_fault_inner < supdrv_fault_outer")


def elf_with_functions(sizes: dict[str, int]) -> bytes:
    """A relocatable file with nothing but a symbol table."""
    names, symbols = b"\0", bytes(24)
    for name, size in sizes.items():
        symbols += struct.pack("<IBBHQQ", len(names), 0x12, 0, 1, 0, size)
        names += name.encode() + b"\0"
    header, start = 64, 64 + len(symbols)
    sections = [
        bytes(64),
        section(1, 1, 0, 0, 0, 0),  # PROGBITS
        section(0, 2, header, len(symbols), 3, 24),  # SYMTAB
        section(0, 3, start, len(names), 0, 0),  # STRTAB
    ]
    ident = b"\x7fELF\x02\x01\x01\x09" + bytes(8)
    table = start + len(names)
    head = ident + struct.pack("<HHIQQQIHHHHHH", 1, 62, 1, 0, 0, table, 0, 64, 0, 0, 64, len(sections), 3)
    return head + symbols + names + b"".join(sections)


def section(name: int, kind: int, offset: int, size: int, link: int, entry: int) -> bytes:
    return struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, offset, size, link, 0, 8, entry)
