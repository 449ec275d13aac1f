"""The client that is one test for those that run commands in a guest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from harness.errors import SetupError
from tools.core_programs import ROOT

_SOURCE = Path(__file__).with_name("client.c")
_FLAGS = ["-target", "x86_64-linux-musl", "-static", "-s", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"]


def build_client(into: Path) -> Path:
    """`client.c` as a static program in the directory `into`."""
    program = into / "client"
    command = [sys.executable, "-m", "ziglang", "cc", *_FLAGS, f"-I{ROOT / 'core/include'}"]
    done = subprocess.run([*command, str(_SOURCE), "-o", str(program)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SetupError("the peers' client does not build", evidence=done.stderr)
    return program
