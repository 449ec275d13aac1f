"""What a guest that does not answer is doing."""

from __future__ import annotations

import time
from dataclasses import dataclass

from harness.console.crash import Frame, find_frames
from harness.errors import ProvisionError, TransportError
from harness.provision.guest import RunningGuest
from harness.timeouts import Deadlines
from harness.transport.ssh import SshConnection


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`kind` is a phrase for the verdict, `text` what was seen, `frames` the backtraces in it."""

    kind: str
    text: str
    frames: tuple[Frame, ...]


_POLL_SECONDS = 0.05

# The kernel's stack of every thread of the agent and its clients: where a sleeping request waits.
_STACKS = """for p in $(pidof agent-amd64 agent-x86); do for t in /proc/$p/task/*; do
echo "thread ${t##*/} of $(cat $t/comm), state $(cut -d' ' -f3 $t/stat):"; cat $t/stack; done; done"""


def diagnose_hang(guest: RunningGuest, ssh: SshConnection, deadlines: Deadlines) -> Diagnosis:
    """Ask over SSH where the agent's threads are; if the guest is deaf, interrupt its processor and read the
    backtrace that its kernel then prints."""
    try:
        stacks = ssh.run(_STACKS, deadline=deadlines.diagnosis).stdout.decode(errors="replace")
        text = stacks.replace("[<0>] ", "") or "(the agent has no thread left)"
        return Diagnosis(kind="a request hangs", text=text, frames=find_frames(text))
    except TransportError:
        pass  # deaf to SSH as well: the whole guest hangs
    guest.console.mark()
    try:
        guest.domain.inject_nmi()
    except ProvisionError as error:
        return Diagnosis(kind="the guest hangs", text=str(error), frames=())
    end = time.monotonic() + deadlines.diagnosis
    while guest.domain.running() and time.monotonic() < end:
        time.sleep(_POLL_SECONDS)
    guest.domain.go_on()
    guest.console.wait_for("---[ end Kernel panic", deadlines.diagnosis, alive=lambda: True)
    crash = guest.console.crash()
    if crash is None:
        return Diagnosis(kind="the guest hangs", text="(it does not answer to an NMI either)", frames=())
    return Diagnosis(kind="the guest hangs", text=crash.head, frames=crash.frames)
