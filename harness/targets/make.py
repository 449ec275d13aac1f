"""Running make: its whole output in one text, nothing of a make around us in its environment."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import SetupError

_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class MakeResult:
    """Exit status, and standard output and standard error together."""

    status: int
    output: str


def run_make(arguments: Sequence[str], *, what: str) -> MakeResult:
    """Run make with `arguments`; `what` names the work in errors. Raises SetupError if make is missing or does
    not end in time; that it fails is the caller's to judge."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    try:
        result = subprocess.run(
            ["make", *arguments],
            env=environment | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise SetupError("make is not installed", hint="run: make setup") from error
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"building {what} took longer than {_SECONDS:.0f} s") from error
    return MakeResult(status=result.returncode, output=result.stdout)
