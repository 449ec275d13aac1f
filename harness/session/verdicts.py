"""What a guest in trouble came to: one error for each way to fail, and a folder of evidence beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.console.crash import Crash, Frame
from harness.console.signature import signature
from harness.console.symbolize import symbolize
from harness.errors import AgentLost, GuestCrash, GuestError, GuestHang, HarnessError, Kind, Verdict
from harness.session.diagnosis import diagnose_hang
from harness.session.evidence import Scene, crash_text, folder_name, hang_text, lost_text, write_evidence
from harness.session.starting import LiveGuest
from harness.targets import DriverBuild, Target
from harness.timeouts import Deadlines
from harness.transport.wire import ClientDiedError

_NEWS_SECONDS = 1.0
"""How long after its end a guest's end may be told."""


@dataclass(frozen=True, slots=True)
class Case:
    """A failure to be judged: in which cell and test, in which guest, with what driver, and where the evidence of the
    run goes. `dump_memory` adds the guest's memory to it."""

    cell: str
    test: str
    live: LiveGuest
    target: Target
    build: DriverBuild | None
    scene: Scene
    evidence: Path
    dump_memory: bool = False

    @property
    def folder(self) -> Path:
        """Where this one's evidence goes."""
        return self.evidence / self.cell / folder_name(self.test)

    def backtrace(self, frames: Sequence[Frame]) -> list[str]:
        """Frames as lines, those in the driver with its source lines."""
        if self.build is None:
            return [str(frame) for frame in frames]
        return symbolize(frames, module=self.target.module, image=self.build.path)

    def located(self, crash: Crash) -> Crash:
        """The crash with the frames that its addresses stand for."""
        if self.build is None:
            return crash
        return self.target.locate(crash, self.live.guest.console.text().replace("\r", ""), self.build.path)

    def verdict(self, kind: Kind, how: str, frames: Sequence[Frame]) -> Verdict:
        """The case in short; `how` it failed is part of its signature."""
        return Verdict(
            kind=kind,
            cell=self.cell,
            test=self.test,
            request=self.scene.request,
            signature=signature(how, frames, self.target.module),
            evidence=str(self.folder),
        )

    def leave(self, verdict: Verdict, text: str) -> None:
        """Write the evidence."""
        files = {
            "verdict.txt": text,
            "verdict.json": json.dumps(verdict.fields(), indent=2),
            "console.log": self.live.guest.console.text(),
            "request.txt": self.scene.request,
        }
        write_evidence(self.folder, files)
        if self.dump_memory:
            self.live.guest.domain.dump_memory(self.folder / "memory.elf")


def crash_kind(crash: Crash, module: str) -> Kind:
    """Of a report, whose frames are located: the driver's, if a function of `module` is in a backtrace or the title
    names it, unless the kernel has stopped over it."""
    ours = re.search(rf"\b{module}\b", crash.title) or any(frame.module == module for frame in crash.frames)
    return Kind.DRIVER_OOPS if ours and crash.kind != "panic" else Kind.KERNEL_CRASH


def crash_verdict(case: Case, crash: Crash) -> GuestCrash:
    """The guest's kernel has reported something."""
    crash = case.located(crash)
    kind = crash_kind(crash, case.target.module)
    verdict = case.verdict(kind, crash.kind, crash.frames)
    text = crash_text(case.scene, crash, case.backtrace(crash.frames), verdict)
    message = f"{case.cell}: kernel {crash.kind} in {case.test}: {crash.title}"
    case.leave(verdict, f"{message}\n{text}")
    return GuestCrash(message, evidence=text, verdict=verdict)


def hang_verdict(case: Case, error: GuestHang, deadlines: Deadlines) -> GuestHang | GuestCrash:
    """Something did not answer; if the kernel has said why, that is the verdict."""
    crash = case.live.guest.console.crash()
    if crash is not None:
        return crash_verdict(case, crash)
    diagnosis = diagnose_hang(case.live, case.target, deadlines, locate=case.located)
    verdict = case.verdict(diagnosis.kind, diagnosis.kind.value, diagnosis.frames)
    text = hang_text(case.scene, diagnosis.text, case.backtrace(diagnosis.frames), verdict)
    what = "a request hangs" if diagnosis.kind is Kind.REQUEST_HANG else "the guest hangs"
    message = f"{case.cell}: {what} in {case.test}: {error.message}"
    case.leave(verdict, f"{message}\n{text}")
    return GuestHang(message, evidence=text, verdict=verdict)


def lost_verdict(case: Case, error: HarnessError) -> HarnessError:
    """The connection, or the process that made the request, ended while the kernel reported nothing."""
    alive = case.live.guest.domain.running()
    kind = Kind.AGENT_LOST if alive else Kind.GUEST_GONE
    who = "a client is dead" if isinstance(error, ClientDiedError) else "the agent is gone"
    what = f"{who}, the kernel is silent" if alive else f"the guest reset itself or was ended ({_told(case)})"
    message = f"{case.cell}: {what} in {case.test}: {error.message}"
    verdict = case.verdict(kind, kind.value, ())
    text = lost_text(case.scene, verdict)
    case.leave(verdict, f"{message}\n{text}")
    if alive:
        return AgentLost(message, evidence=text, verdict=verdict)
    return GuestCrash(message, evidence=text, verdict=verdict)


def _told(case: Case) -> str:
    told = case.live.guest.domain.end_told(_NEWS_SECONDS)
    return f"libvirt: {', '.join(told)}" if told else "libvirt does not say why"


def leak_verdict(case: Case, counters: Mapping[str, tuple[int, int]]) -> GuestError:
    """The driver's counters are not back where they were: name, where it is now, where it was."""
    left = ", ".join(f"{name} {now} (was {before})" for name, (now, before) in sorted(counters.items()))
    verdict = case.verdict(Kind.DRIVER_LEAK, f"driver leak of {', '.join(sorted(counters))}", ())
    message = f"{case.cell}: the driver leaks in {case.test}: after every client is gone its counters are {left}"
    text = lost_text(case.scene, verdict)
    case.leave(verdict, f"{message}\n{text}")
    return GuestError(message, evidence=text, verdict=verdict)
