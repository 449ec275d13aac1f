"""What makes two failures the same one: how it failed, and where in the driver. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from harness.console.crash import Frame

_DEPTH = 3

# Frames of every report, whatever has failed: arch/x86/kernel/dumpstack.c, kernel/panic.c and lib/bug.c of Linux 6.1.
_OF_THE_REPORT = {
    *("dump_stack", "dump_stack_lvl", "show_stack", "panic", "oops_end", "die", "die_body", "page_fault_oops"),
    *("__warn", "warn_slowpath_fmt", "report_bug", "handle_bug", "exc_invalid_op", "asm_exc_invalid_op"),
    *("exc_page_fault", "asm_exc_page_fault", "handle_exception", "do_user_addr_fault", "bad_area_nosemaphore"),
    *("print_report", "kasan_report", "print_deadlock_bug", "check_noncircular"),
    # sys/kern/subr_kdb.c, kern_shutdown.c and subr_witness.c, sys/x86 and sys/ddb of FreeBSD 12.1.
    *("db_trace_self_wrapper", "kdb_backtrace", "vpanic", "kassert_panic", "trap_fatal", "trap_pfault", "trap"),
    *("calltrap", "witness_debugger", "witness_checkorder", "witness_warn", "vm_fault_hold", "vm_fault"),
}


def signature(kind: str, frames: Iterable[Frame], module: str) -> str:
    """A short text that is the same for the same failure in every run and cell: the kind, the innermost functions of
    `module` (of the kernel where there are none), and a hash of both for lists: `[3f29c0d1] oops: inner < outer`.

    Offsets, addresses and word sizes are not part of it.
    """
    # A caller whose frame was not finished when its callee failed is doubtful on one architecture and sure on another.
    found = list(frames)
    own = [frame.function for frame in found if frame.module == module]
    other = [frame.function for frame in found if frame.sure and frame.function not in _OF_THE_REPORT]
    text = f"{kind}: {' < '.join(_bare(name) for name in (own or other)[:_DEPTH]) or 'no known place'}"
    return f"[{hashlib.sha256(text.encode()).hexdigest()[:8]}] {text}"


def _bare(function: str) -> str:
    """Without what the compiler puts behind a function's name: `f.constprop.0`, `f.cold`."""
    return function.partition(".")[0]
