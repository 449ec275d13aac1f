"""What a guest in trouble came to: one error for each way to fail, and a folder of evidence beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.console.crash import Crash, Frame
from harness.console.symbolize import symbolize
from harness.errors import AgentLost, GuestCrash, GuestHang, HarnessError
from harness.session.diagnosis import diagnose_hang
from harness.session.evidence import Scene, crash_text, folder_name, hang_text, lost_text, write_evidence
from harness.session.starting import LiveGuest
from harness.targets import DriverBuild, Target
from harness.timeouts import Deadlines


@dataclass(frozen=True, slots=True)
class Case:
    """A failure to be judged: in which cell and test, in which guest, with what driver, and where the evidence of the
    run goes."""

    cell: str
    test: str
    live: LiveGuest
    target: Target
    build: DriverBuild | None
    scene: Scene
    evidence: Path

    @property
    def folder(self) -> Path:
        """Where this one's evidence goes."""
        return self.evidence / self.cell / folder_name(self.test)

    def backtrace(self, frames: Sequence[Frame]) -> list[str]:
        """Frames as lines, those in the driver with its source lines."""
        if self.build is None:
            return [str(frame) for frame in frames]
        return symbolize(frames, module=self.target.module, image=self.build.path)

    def leave(self, verdict: str) -> None:
        """Write the evidence."""
        files = {
            "verdict.txt": verdict,
            "console.log": self.live.guest.console.text(),
            "request.txt": self.scene.request,
        }
        write_evidence(self.folder, files)


def crash_verdict(case: Case, crash: Crash) -> GuestCrash:
    """The guest's kernel has reported something."""
    text = crash_text(case.scene, crash, case.backtrace(crash.frames), case.folder)
    message = f"{case.cell}: kernel {crash.kind} in {case.test}: {crash.title}"
    case.leave(f"{message}\n{text}")
    return GuestCrash(message, evidence=text)


def hang_verdict(case: Case, error: GuestHang, deadlines: Deadlines) -> GuestHang | GuestCrash:
    """Something did not answer; if the kernel has said why, that is the verdict."""
    crash = case.live.guest.console.crash()
    if crash is not None:
        return crash_verdict(case, crash)
    diagnosis = diagnose_hang(case.live, case.target, deadlines)
    text = hang_text(case.scene, diagnosis.text, case.backtrace(diagnosis.frames), case.folder)
    message = f"{case.cell}: {diagnosis.kind} in {case.test}: {error.message}"
    case.leave(f"{message}\n{text}")
    return GuestHang(message, evidence=text)


def lost_verdict(case: Case, error: HarnessError) -> HarnessError:
    """The connection ended while the kernel reported nothing."""
    alive = case.live.guest.domain.running()
    what = "the agent is gone, the kernel is silent" if alive else "the guest reset itself or was ended"
    message = f"{case.cell}: {what} in {case.test}: {error.message}"
    text = lost_text(case.scene, case.folder)
    case.leave(f"{message}\n{text}")
    return AgentLost(message, evidence=text) if alive else GuestCrash(message, evidence=text)
