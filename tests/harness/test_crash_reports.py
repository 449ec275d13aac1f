"""Crash reports of real guests: `golden/` holds what they printed when the driver was told to fail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.console.crash import Crash, Frame, crash_title, find_crash, find_frames
from harness.console.kmemleak import find_leaks
from harness.console.places import parse_places
from harness.console.windows import fault_in

GOLDEN = Path(__file__).parent / "golden"
NULL_WRITE = "supdrv_fault_null_write"


def golden(name: str) -> Crash | None:
    return find_crash((GOLDEN / f"{name}.log").read_text())


@pytest.mark.parametrize(
    ("name", "kind", "title", "innermost"),
    [
        (
            "linux-amd64-panic",
            "panic",
            "Kernel panic - not syncing: supdrv: panic on request",
            "dump_stack_lvl",
        ),
        (
            "linux-amd64-oops",
            "oops",
            "BUG: kernel NULL pointer dereference, address: 0000000000000000",
            NULL_WRITE,
        ),
        ("linux-x86-oops", "oops", "BUG: kernel NULL pointer dereference, address: 00000000", NULL_WRITE),
        (
            "linux-amd64-oops-in-interrupt",
            "oops",
            "BUG: kernel NULL pointer dereference, address: 0000000000000000",
            NULL_WRITE,
        ),
        (
            "linux-x86-oops-in-interrupt",
            "oops",
            "BUG: kernel NULL pointer dereference, address: 00000000",
            NULL_WRITE,
        ),
        ("linux-x86-spin", "panic", "Kernel panic - not syncing: NMI: Not continuing", "dump_stack_lvl"),
        (
            "linux-amd64-kasan",
            "kasan report",
            "use-after-free in supdrv_fault_use_after_free+0x7c/0x90 [supdrv]",
            "dump_stack_lvl",
        ),
        (
            "linux-amd64-atomic-sleep",
            "bug",
            "sleeping function called from invalid context at kernel/locking/mutex.c:580",
            "dump_stack_lvl",
        ),
        ("linux-amd64-wait-context", "lockdep report", "Invalid wait context", "dump_stack_lvl"),
        ("linux-amd64-lockdep", "lockdep report", "possible circular locking dependency detected", "__mutex_lock"),
    ],
)
def test_a_report_is_recognised_by_its_first_line(name: str, kind: str, title: str, innermost: str) -> None:
    crash = golden(name)
    assert crash is not None
    assert (crash.kind, crash.title, crash.frames[0].function) == (kind, title, innermost)


@pytest.mark.parametrize(
    ("name", "kind", "start"),
    [
        ("linux-amd64-warn", "warning", "WARNING: CPU: 0 PID: "),
        ("linux-amd64-bug-with-lock", "bug", "kernel BUG at "),
    ],
)
def test_a_report_with_a_changing_title_is_recognised(name: str, kind: str, start: str) -> None:
    crash = golden(name)
    assert crash is not None
    assert crash.kind == kind
    assert crash.title.startswith(start)
    assert any(frame.module == "supdrv" for frame in crash.frames)


def test_a_report_of_kasan_tells_where_the_memory_was_allocated_and_freed() -> None:
    crash = golden("linux-amd64-kasan")
    assert crash is not None
    assert "Allocated by task " in crash.report
    assert "Freed by task " in crash.report
    assert "kfree" in [frame.function for frame in crash.frames]


def test_a_report_of_lockdep_tells_both_orders() -> None:
    crash = golden("linux-amd64-lockdep")
    assert crash is not None
    assert "is trying to acquire lock" in crash.head
    assert sorted(frame.offset for frame in crash.frames if frame.function == "fault_run") == [0x2DE, 0x312]


def test_a_report_of_kmemleak_has_no_backtrace_of_its_own() -> None:
    crash = golden("linux-amd64-kmemleak")
    assert crash is not None
    assert (crash.kind, crash.title, crash.frames) == ("kmemleak report", "1 new suspected memory leaks", ())


def test_a_lost_object_has_its_size_its_age_and_the_place_of_its_allocation() -> None:
    (leak,) = find_leaks((GOLDEN / "linux-amd64-kmemleak.txt").read_text())
    assert (leak.size, leak.jiffies, leak.task) == (1024, 4294907576, "agent-amd64")
    assert next(str(frame) for frame in leak.frames if frame.module) == "supdrv_fault_leak+0x35/0x50 [supdrv]"


def test_lost_objects_are_told_apart() -> None:
    text = (GOLDEN / "linux-amd64-kmemleak.txt").read_text()
    assert [leak.size for leak in find_leaks(text + text.replace("1024", "8"))] == [1024, 8]
    assert find_leaks("") == []


@pytest.mark.parametrize("name", ["linux-amd64-hang", "linux-amd64-reboot", "linux-x86-hang"])
def test_a_console_without_a_report_is_no_crash(name: str) -> None:
    assert golden(name) is None


def test_the_drivers_frames_come_with_offset_size_and_module() -> None:
    crash = golden("linux-amd64-oops")
    assert crash is not None
    frame = crash.frames[0]
    assert (frame.offset, frame.size, frame.module, frame.sure) == (0x7, 0x20, "supdrv", True)
    assert [frame.function for frame in crash.frames if frame.module and frame.sure][:3] == [
        "supdrv_fault_null_write",
        "supdrv_fault_inner",
        "supdrv_fault_outer",
    ]


def test_a_frame_that_the_kernel_doubts_is_marked() -> None:
    (sure, doubted) = find_frames(" supdrv_call_run+0x37/0x60 [supdrv]\n ? kfree+0x1/0x2\n")
    assert (sure.sure, doubted.sure) == (True, False)


def test_the_head_of_a_report_ends_before_its_backtrace() -> None:
    crash = golden("linux-amd64-oops")
    assert crash is not None
    assert "RIP: 0010:supdrv_fault_null_write+0x7/0x20 [supdrv]" in crash.head
    assert "supdrv_fault_outer" not in crash.head


def test_the_panic_after_an_oops_belongs_to_the_oops() -> None:
    log = "[ 1.0] BUG: unable to handle page fault for address: 0000dead\n[ 1.1] Kernel panic - not syncing: Fatal\n"
    crash = find_crash(log)
    assert crash is not None
    assert crash.kind == "oops"


@pytest.mark.parametrize(
    "line",
    [
        "[    5.6] evm: overlay not supported",
        "the test prints Kernel panic - not syncing: in a sentence",
        "[    1.0] printk: console [ttyS0] enabled",
        "[    2.0] supdrv: module verification failed: signature and/or required key missing - tainting kernel",
        "",
    ],
)
def test_an_ordinary_line_begins_no_report(line: str) -> None:
    assert crash_title(line) is None


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("[  9.1] BUG: KASAN: use-after-free in supdrv_call_run+0x1/0x2 [supdrv]", "kasan report"),
        ("[  9.1] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [agent:42]", "lockup"),
        ("[  9.1] INFO: task agent:42 blocked for more than 120 seconds.", "lockup"),
        ("[  9.1] WARNING: possible circular locking dependency detected", "lockdep report"),
        ("[  9.1] general protection fault, probably for non-canonical address 0xdead: 0000 [#1]", "oops"),
        ("[  9.1] BUG: scheduling while atomic: agent/42/0x00000002", "bug"),
        ("[  9.1] BUG: sleeping function called from invalid context at mm/slab.h:274", "bug"),
        ("[  9.1] BUG kmalloc-64 (Tainted: G           O      ): Poison overwritten", "bug"),
        ("[  9.1] BUG: Bad page state in process agent-amd64  pfn:08640", "bug"),
        ("[  9.1] kernel BUG at mm/page_table_check.c:117!", "bug"),
        ("[  9.1] WARNING: inconsistent lock state", "lockdep report"),
        ("[  9.1] WARNING: SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected", "lockdep report"),
        ("[  9.1] WARNING: held lock freed!", "lockdep report"),
        ("[  9.1] WARNING: bad unlock balance detected!", "lockdep report"),
        ("[  9.1] WARNING: suspicious RCU usage", "lockdep report"),
        ("[  9.1] WARNING: agent-amd64/42 still has locks held!", "lockdep report"),
        ("[  9.1] WARNING: lock held when returning to user space!", "lockdep report"),
        ("[  9.1] [ BUG: Invalid wait context ]", "lockdep report"),
        ("[  9.1] BUG: MAX_LOCKDEP_CHAINS too low!", "lockdep report"),
        ("[  9.1] UBSAN: shift-out-of-bounds in core/fast.c:42:7", "ubsan report"),
        ("[  9.1] kmemleak: 2 new suspected memory leaks (see /sys/kernel/debug/kmemleak)", "kmemleak report"),
        ("[  9.1] list_add corruption. next->prev should be prev", "bug"),
        ("[  9.1][  T42] rcu: INFO: rcu_preempt self-detected stall on CPU", "lockup"),
    ],
)
def test_each_kind_of_report_is_told_apart(line: str, kind: str) -> None:
    found = crash_title(line)
    assert found is not None
    assert found[0] == kind


WINE_FAULT = "Unhandled page fault on write access to 0000000000000000"


def test_a_fault_of_a_driver_in_wine_is_an_oops() -> None:
    crash = golden("windows-amd64-oops")
    assert crash is not None
    assert (crash.kind, crash.title, crash.frames) == ("oops", WINE_FAULT, ())


def test_a_bug_check_in_wine_is_a_panic() -> None:
    crash = golden("windows-amd64-bugcheck")
    assert crash is not None
    assert (crash.kind, crash.title) == ("panic", "KeBugCheckEx e2 0 0 0 0")


def test_the_address_of_a_fault_is_one_in_the_driver_by_its_own_word() -> None:
    crash = golden("windows-amd64-oops")
    assert crash is not None
    console = (GOLDEN / "windows-amd64-oops.log").read_text()
    assert fault_in(crash, console, "supdrv") == (0x2AD1, 57344)
    later = console + "supdrv: loaded at 00007FFFFF400000, 57344 bytes\n"
    assert fault_in(crash, later, "supdrv") is None
    assert fault_in(crash, "", "supdrv") is None


def test_places_are_read_from_what_the_symbolizer_says() -> None:
    symbols = [
        {"FunctionName": "inner", "FileName": "/somewhere/win/faults.c", "Line": 25},
        {"FunctionName": "outer", "FileName": "C:\\somewhere\\core\\fault.c", "Line": 7},
    ]
    found = parse_places(json.dumps([{"Address": "0x2ad1", "Symbol": symbols}]))
    assert found == [("inner", "win/faults.c:25"), ("outer", "core/fault.c:7")]
    assert parse_places("no such file") == []


def test_a_place_that_was_looked_up_reads_as_one() -> None:
    frame = Frame("supdrv_fault_null_write", 0x2AD1, 57344, "supdrv", place="win/faults.c:25")
    assert str(frame) == "supdrv_fault_null_write at win/faults.c:25 [supdrv+0x2ad1]"
