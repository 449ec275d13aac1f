"""Every canary, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from harness.canary import steps
from harness.canary.expectation import Expectation, Plain
from harness.canary.steps import Step
from harness.errors import Kind
from harness.matrix import Cell

_CHECKED = "kernel-checks"
"""What a guest offers whose kernel looks for misused memory and locks."""

_NULL = Expectation(Kind.DRIVER_OOPS, "kernel oops in .*: BUG: kernel NULL pointer dereference")
_NULL_CHECKED = Expectation(Kind.DRIVER_OOPS, "kernel oops in .*: general protection fault, .* KASAN")
"""The kernel's look at whether the address may be used is what fails."""
_SILENCE = Expectation(Kind.REQUEST_HANG, "a request hangs in .*: no reply to REQUEST")
_UNNOTICED = Expectation(Plain.PASSED, why="only a kernel that looks for it notices")


@dataclass(frozen=True, slots=True)
class Canary:
    """A test in which the driver is asked for `fault` (SUPTESTFAULT_...), with what comes before and after it.

    `expected` is said of it, `checked` in a kernel that looks for misused memory and locks, if that is another
    verdict, and `compat` in a cell in which another process than the agent makes the requests.
    """

    name: str
    fault: str
    expected: Expectation
    before: Step | None = None
    after: Step | None = None
    checked: Expectation | None = None
    compat: Expectation | None = None

    def expectation(self, cell: Cell) -> Expectation:
        """What is to be said in `cell`."""
        if self.checked is not None and _CHECKED in cell.guest.offers:
            return self.checked
        if self.compat is not None and cell.compat:
            return self.compat
        return self.expected


def _forgets(what: str, counters: str, step: Step) -> Canary:
    """A session of which something is not released at its end."""
    expected = Expectation(Kind.DRIVER_LEAK, rf"the driver leaks in .* its counters are {counters}")
    return Canary(f"{what} forgotten", f"FORGET_{what.upper()}", expected, before=step)


_LINUX: tuple[Canary, ...] = (
    Canary("panic", "PANIC", Expectation(Kind.KERNEL_CRASH, "kernel panic in .*: supdrv: panic on request")),
    Canary("oops", "OOPS", _NULL, checked=_NULL_CHECKED),
    Canary("oops in interrupt", "OOPS_IN_INTERRUPT", _NULL, checked=_NULL_CHECKED),
    Canary("bug with lock", "BUG_WITH_LOCK", Expectation(Kind.DRIVER_OOPS, "kernel bug in .*: kernel BUG at ")),
    Canary("warning", "WARN", Expectation(Kind.DRIVER_OOPS, "kernel warning in .*: WARNING: .* fault_warn")),
    Canary("reboot", "REBOOT", Expectation(Kind.GUEST_GONE, "the guest reset itself or was ended")),
    Canary("hang", "HANG", _SILENCE),
    Canary("answer too late", "TOO_LATE", _SILENCE),
    Canary(
        "deadlock",
        "DEADLOCK",
        _SILENCE,
        checked=Expectation(Kind.DRIVER_OOPS, "lockdep report in .*: possible recursive locking detected"),
    ),
    Canary("spin", "SPIN", Expectation(Kind.GUEST_HANG, "the guest hangs in .*: no reply to REQUEST")),
    Canary("full console", "FLOOD", _SILENCE),
    Canary("wrong answer", "WRONG_ANSWER", Expectation(Plain.WRONG_ANSWER, "the answer is 0xdeadbeef, not 0x8")),
    Canary("late answer", "LATE", Expectation(Plain.PASSED, why="no deadline is missed; its time alone shows it")),
    Canary(
        "client's stack",
        "CLIENT_STACK",
        Expectation(Kind.AGENT_LOST, "the agent is gone, the kernel is silent in .* status 139"),
        compat=Expectation(Kind.AGENT_LOST, "a client is dead, the kernel is silent in .* signal 11"),
    ),
    Canary(
        "page overrun",
        "PAGE_OVERRUN",
        Expectation(Kind.DRIVER_OOPS, "kernel oops in .*: BUG: unable to handle page fault"),
        checked=Expectation(Kind.DRIVER_OOPS, "kasan report in .*: vmalloc-out-of-bounds in supdrv_fault_page_overrun"),
    ),
    Canary(
        "double free",
        "DOUBLE_FREE",
        Expectation(Kind.DRIVER_OOPS, "kernel bug in .*: kernel BUG at mm/slub.c"),
        checked=Expectation(Kind.DRIVER_OOPS, "kasan report in .*: double-free"),
    ),
    Canary(
        "use after free",
        "USE_AFTER_FREE",
        _UNNOTICED,
        checked=Expectation(Kind.DRIVER_OOPS, "kasan report in .*: use-after-free in supdrv_fault_use_after_free"),
    ),
    Canary(
        "overrun",
        "OVERRUN",
        _UNNOTICED,
        checked=Expectation(Kind.DRIVER_OOPS, "kasan report in .*: slab-out-of-bounds in supdrv_fault_overrun"),
    ),
    Canary(
        "lock inversion",
        "LOCK_INVERSION",
        _UNNOTICED,
        checked=Expectation(Kind.DRIVER_OOPS, "lockdep report in .*: possible circular locking dependency detected"),
    ),
    Canary(
        "lost memory",
        "LEAK",
        _UNNOTICED,
        checked=Expectation(
            Kind.DRIVER_OOPS, "memory leaked, 1024 bytes, from supdrv_fault_leak", request="not known: ", late=True
        ),
    ),
    _forgets("pin", r"pages_pinned 1 \(was 0\), records_pin 1 \(was 0\)", steps.pin),
    _forgets("cont", r"pages_cont 1 \(was 0\), records_cont 1 \(was 0\)", steps.cont),
    _forgets("low", r"pages_low 1 \(was 0\), records_low 1 \(was 0\)", steps.low),
    _forgets("image", r"image_references 1 \(was 0\), images 1 \(was 0\)", steps.image),
    _forgets("gip", r"gip_users 1 \(was 0\)", steps.gip),
    Canary("unload", "UNLOAD", _NULL, checked=_NULL_CHECKED, after=steps.unload),
)


_NOTHING: Mapping[str, Expectation] = MappingProxyType({})


def _adapted(
    says: Mapping[str, Expectation],
    lacks: tuple[str, ...],
    *,
    checked: Mapping[str, Expectation] = _NOTHING,
    compat: Mapping[str, Expectation] = _NOTHING,
) -> tuple[Canary, ...]:
    """Linux's canaries as another system has them: what it says otherwise, those that it cannot have, and what it says
    where it checks and in compat cells."""
    return tuple(
        replace(
            canary,
            expected=says.get(canary.name, canary.expected),
            checked=checked.get(canary.name),
            compat=compat.get(canary.name),
        )
        for canary in _LINUX
        if canary.name not in lacks
    )


# What Wine says. It has no warnings and no way to reset the machine, and does not let a driver near its caller's stack;
# a driver that spins leaves the rest of the system alive.
_WINE_NULL = Expectation(Kind.DRIVER_OOPS, "kernel oops in .*: Unhandled page fault on write access to 0+")
_WINE_UNNOTICED = Expectation(Plain.PASSED, why="only Driver Verifier notices")
_WINE = {
    "panic": Expectation(Kind.KERNEL_CRASH, "kernel panic in .*: KeBugCheckEx e2"),
    "oops": _WINE_NULL,
    "oops in interrupt": _WINE_NULL,
    "bug with lock": Expectation(Kind.DRIVER_OOPS, "kernel oops in .*: Unhandled illegal instruction"),
    "warning": Expectation(Plain.PASSED, why="Windows has no warnings"),
    "spin": _SILENCE,
    "page overrun": Expectation(Kind.DRIVER_OOPS, "kernel oops in .*: Unhandled page fault"),
    "double free": _WINE_UNNOTICED,
    "use after free": _WINE_UNNOTICED,
    "overrun": _WINE_UNNOTICED,
    "lock inversion": _WINE_UNNOTICED,
    "lost memory": _WINE_UNNOTICED,
    "unload": _WINE_NULL,
}
_WINE_LACKS = ("reboot", "client's stack")
_WINDOWS = _adapted(_WINE, _WINE_LACKS)

# What the OS/2-like guest says. It has no warnings, and tells no driver where a client's stack is. Pages that are freed
# are not mapped any more.
_TRAP = Expectation(Kind.DRIVER_OOPS, "kernel trap in .*: TRAP 000e")
_OS2_SAYS = {
    "oops": _TRAP,
    "oops in interrupt": _TRAP,
    "bug with lock": Expectation(Kind.DRIVER_OOPS, "kernel trap in .*: TRAP 0006"),
    "warning": Expectation(Plain.PASSED, why="OS/2 has no warnings"),
    "page overrun": _TRAP,
    "double free": Expectation(Kind.KERNEL_CRASH, "kernel panic in .*: memory is released twice"),
    "use after free": _TRAP,
    "unload": _TRAP,
}
_OS2_LACKS = ("client's stack",)
_OS2 = _adapted(_OS2_SAYS, _OS2_LACKS)

# What FreeBSD says: an ordinary kernel, and one with INVARIANTS and WITNESS. It has no warnings, and the driver there
# has no fault that writes one byte too many. What is lost is noticed when the driver is unloaded.
_BSD_TRAP = Expectation(Kind.DRIVER_OOPS, "kernel oops in .*: (Fatal trap 12|panic: vm_fault)")
_BSD_SAYS = {
    "oops": _BSD_TRAP,
    "oops in interrupt": _BSD_TRAP,
    "bug with lock": Expectation(Kind.DRIVER_OOPS, "kernel oops in .*: Fatal trap 1: "),
    "warning": Expectation(Plain.PASSED, why="FreeBSD has no warnings"),
    "deadlock": Expectation(Plain.PASSED, why="FreeBSD lets its owner take a mutex again, unless it checks"),
    "double free": _UNNOTICED,
    "client's stack": Expectation(Kind.AGENT_LOST, "the agent is gone, the kernel is silent in "),
    "page overrun": _BSD_TRAP,
    "lost memory": Expectation(Kind.DRIVER_OOPS, "leak report in .*: memory type supdrv leaked memory on destroy"),
    "unload": _BSD_TRAP,
}
_BSD_CHECKED = {
    "deadlock": Expectation(Kind.KERNEL_CRASH, "kernel panic in .*: panic: .* recursed on non-recursive mutex"),
    "double free": Expectation(Kind.KERNEL_CRASH, "kernel panic in .*: panic: Duplicate free of "),
    "use after free": Expectation(Kind.KERNEL_CRASH, "kernel panic in .*: panic: Most recently used by supdrv"),
    "lock inversion": Expectation(Kind.DRIVER_OOPS, "witness report in .*: supdrv"),
}
_BSD_COMPAT = {
    "client's stack": Expectation(Kind.AGENT_LOST, "a client is dead, the kernel is silent in .* signal 10"),
}
_BSD_LACKS = ("overrun",)
_FREEBSD = tuple(
    replace(canary, after=steps.reload) if canary.name == "lost memory" else canary
    for canary in _adapted(_BSD_SAYS, _BSD_LACKS, checked=_BSD_CHECKED, compat=_BSD_COMPAT)
)

CANARIES: Mapping[str, tuple[Canary, ...]] = MappingProxyType(
    {"linux": _LINUX, "windows": _WINDOWS, "os2": _OS2, "freebsd": _FREEBSD}
)
"""By operating system, since what a kernel says of a fault is its own."""
