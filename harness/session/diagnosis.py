"""What a guest that does not answer is doing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.console.crash import Crash, Frame, find_frames, is_whole
from harness.errors import AgentLost, GuestHang, Kind, ProvisionError, TransportError
from harness.provision.guest import RunningGuest
from harness.session.starting import LiveGuest
from harness.targets import Target
from harness.timeouts import Deadlines


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`kind` says what hangs, `text` is what was seen, `frames` are the backtraces in it."""

    kind: Kind
    text: str
    frames: tuple[Frame, ...]


_POLL_SECONDS = 0.02


def diagnose_hang(
    live: LiveGuest, target: Target, deadlines: Deadlines, *, locate: Callable[[Crash], Crash]
) -> Diagnosis:
    """Ask the guest's other agent where the threads of the first are; if that is deaf too, interrupt the processor
    and read the backtrace that the kernel then prints. `locate` adds the frames that a text has as addresses only."""
    try:
        live.watch.ping(deadline=deadlines.sign_of_life)
        text = target.waiting_threads(live.watch) or "(the agent has no thread left)"
    except (GuestHang, AgentLost, TransportError):
        return _interrupt(live.guest, deadlines, locate)  # the whole guest hangs
    seen = Crash(kind=Kind.REQUEST_HANG.value, title="", frames=find_frames(text), report=text)
    return Diagnosis(kind=Kind.REQUEST_HANG, text=text, frames=locate(seen).frames)


def _has_told(guest: RunningGuest) -> bool:
    crash = guest.console.crash()
    return crash is not None and is_whole(crash)


def _interrupt(guest: RunningGuest, deadlines: Deadlines, locate: Callable[[Crash], Crash]) -> Diagnosis:
    guest.console.mark()
    try:
        guest.domain.inject_nmi()
    except ProvisionError as error:
        return Diagnosis(kind=Kind.GUEST_HANG, text=str(error), frames=())
    end = time.monotonic() + deadlines.diagnosis
    while guest.domain.running() and time.monotonic() < end and not _has_told(guest):
        time.sleep(_POLL_SECONDS)
    if not guest.domain.running():  # its panic has stopped it: the words come when it runs again
        guest.domain.go_on()
        if not _has_told(guest):
            guest.console.wait_for("---[ end Kernel panic", deadlines.diagnosis, alive=lambda: True)
    crash = guest.console.crash()
    if crash is None:
        return Diagnosis(kind=Kind.GUEST_HANG, text="(it does not answer to an NMI either)", frames=())
    return Diagnosis(kind=Kind.GUEST_HANG, text=crash.head, frames=locate(crash).frames)
