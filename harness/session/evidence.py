"""What a failure leaves behind: a folder with everything that a developer asks for first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.console.crash import Crash
from harness.errors import Verdict

_CONSOLE_LINES = 40


@dataclass(frozen=True, slots=True)
class Scene:
    """Where it happened: the release and build id that answered, the last request made, and what the guest
    printed during the test."""

    kernel: str
    driver: str
    request: str
    console: str


def _facts(scene: Scene) -> tuple[str, ...]:
    return (
        f"request:   {scene.request or 'none was made'}",
        f"kernel:    {scene.kernel}",
        f"driver:    {scene.driver}",
    )


def _ending(verdict: Verdict) -> tuple[str, ...]:
    return (f"signature: {verdict.signature}", f"evidence:  {verdict.evidence}")


def crash_text(scene: Scene, crash: Crash, backtrace: list[str], verdict: Verdict) -> str:
    """The report of a crash, for the terminal."""
    parts = [
        *_facts(scene),
        "backtrace:",
        *(f"    {line}" for line in backtrace or ["(the kernel printed none)"]),
        "console:",
        *(f"    {line}" for line in crash.head.splitlines()[:_CONSOLE_LINES]),
        *_ending(verdict),
    ]
    return "\n".join(parts)


def hang_text(scene: Scene, diagnosis: str, backtrace: list[str], verdict: Verdict) -> str:
    """The report of a request or a guest that does not answer, for the terminal."""
    parts = [
        *_facts(scene),
        "where it stands:",
        *(f"    {line}" for line in diagnosis.splitlines()),
        *(["backtrace:"] if backtrace else []),
        *(f"    {line}" for line in backtrace),
        *_ending(verdict),
    ]
    return "\n".join(parts)


def lost_text(scene: Scene, verdict: Verdict) -> str:
    """The report of an agent or a guest that went away without a crash report, for the terminal."""
    tail = scene.console.replace("\r", "").splitlines()[-_CONSOLE_LINES:]
    parts = [
        *_facts(scene),
        "console:",
        *(f"    {line}" for line in tail or ["(nothing was printed during the test)"]),
        *_ending(verdict),
    ]
    return "\n".join(parts)


def write_evidence(folder: Path, files: dict[str, str]) -> None:
    """Write text files into `folder`, which is made; what an earlier run left under the same names goes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")


def folder_name(test: str) -> str:
    """A test's id as the name of a folder."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", test.rpartition("/")[2]).strip("_")[:150]
