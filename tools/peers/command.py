"""Commands that are measured, each with all that it starts ended when it is over."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tools.peers.measured import Outcome

_END_SECONDS = 20.0
_REASON_CHARACTERS = 300


class DidNotRun(Exception):
    """The reason."""


def run(command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, timeout: float) -> str:
    """What `command` says, in a process group of its own, which is ended with it. Raises DidNotRun if its exit status
    is not 0. Its output is a pipe: virtme-ng's QEMU truncates a file that it is given."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **env},
        cwd=cwd,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise DidNotRun(f"{Path(command[0]).name} did not end within {timeout:.0f} s") from error
    finally:
        _end(process)
    if process.returncode != 0:
        raise DidNotRun(f"{Path(command[0]).name} ended with status {process.returncode}: {_last(said)}")
    return said


def measure_pytest(command: Sequence[str | Path], *, tests: int, cwd: Path, timeout: float) -> Outcome:
    """Seconds of one pytest with `-q` in which `tests` tests pass. Raises DidNotRun if not all do, or if one is left
    out."""
    begin = time.perf_counter()
    said = run(command, env={}, cwd=cwd, timeout=timeout)
    seconds = time.perf_counter() - begin
    if not re.search(rf"^{tests} passed in ", said, re.MULTILINE):
        raise DidNotRun(f"not all of {tests} tests ran: {_last(said)}")
    return Outcome(seconds, tests)


def _end(process: subprocess.Popen[str]) -> None:
    """First as Ctrl-C would, so that it can clear up, then by force, with all of its group."""
    try:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_END_SECONDS)
    finally:
        with suppress(ProcessLookupError):  # the ordinary case: the group has ended with its leader
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _last(said: str) -> str:
    return " ".join(said.split())[-_REASON_CHARACTERS:] or "it said nothing"
