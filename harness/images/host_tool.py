"""Programs of the host that the images are made with: started one way, failing one way."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Timer

from harness.errors import SetupError

_NO_SPACE = ("No space left on device", "File too large", "Disk quota exceeded", "enough free space")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_TAIL = 12


def run(
    argv: Sequence[str],
    *,
    what: str,
    hint: str = "",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 600.0,
    on_line: Callable[[str], None] | None = None,
) -> str:
    """The standard output of `argv`, run in the C locale with `env` on top of this process's environment.

    Raises SetupError that starts with `what` if it is missing, fails or takes more than `timeout` seconds.
    `on_line` sees each line of output, errors included, as it comes.
    """
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if on_line is None else subprocess.STDOUT,
            env={**os.environ, **(env or {}), "LC_ALL": "C"},
            cwd=cwd,
            text=True,
            errors="replace",
        )
    except FileNotFoundError as error:
        raise SetupError(f"{what}: {argv[0]} is not installed", hint=f"install {argv[0]}") from error
    late = Event()

    def end() -> None:
        late.set()
        process.kill()

    timer = Timer(timeout, end)
    timer.start()
    try:
        with process:
            try:
                out, complaints = _read(process, on_line)
            except BaseException:
                process.kill()
                raise
    finally:
        timer.cancel()
    if late.is_set():
        raise SetupError(f"{what}: {argv[0]} did not end in {timeout:.0f} s", hint=hint, evidence=_end(out))
    if process.returncode:
        raise _failure(process.returncode, argv[0], what=what, hint=hint, said=out + complaints)
    return out


def _read(process: subprocess.Popen[str], on_line: Callable[[str], None] | None) -> tuple[str, str]:
    if on_line is None or process.stdout is None:
        out, complaints = process.communicate()
        return out, complaints or ""
    lines = []
    for line in process.stdout:
        on_line(line)
        lines.append(line)
    return "".join(lines), ""


def _end(said: str) -> str:
    return "\n".join(said.strip().splitlines()[-_TAIL:])


def _failure(code: int, tool: str, *, what: str, hint: str, said: str) -> SetupError:
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"failed with status {code}"
    full = code == -signal.SIGXFSZ or any(sign in said for sign in _NO_SPACE)
    return SetupError(f"{what}: {tool} {how}", hint=_SPACE_HINT if full else hint, evidence=_end(said))


_SPACE_HINT = "no space left: free some, or set XDG_CACHE_HOME to a place with about 1 GB"


@contextmanager
def space_checked(what: str) -> Iterator[None]:
    """Turns the errors of a full disk, a quota or a file size limit in the block into a SetupError."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise SetupError(f"{what}: {error.strerror}", hint=_SPACE_HINT, evidence=str(error)) from error
