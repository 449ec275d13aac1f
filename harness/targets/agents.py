"""Building the guest agent, for every OS and word size, with the cross compiler of the virtual environment."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.errors import SetupError
from harness.targets.make import run_make
from harness.targets.sources import Sources

_BUILD_ID_LENGTH = 16
_SUFFIX = {"windows": ".exe", "os2": ".exe"}
_LIBRARIES = {"os2": ("guests/os2/include", "guests/os2/lib")}
"""What the program is linked with and what is of this project."""


def build_agent(system: str, arch: str, *, sources: Path, build: Path) -> Path:
    """The agent program for `system` (`freebsd`, `linux`, `os2`, `windows`) and `arch` (`amd64`, `x86`), made by
    `agent/Makefile` unless nothing has changed. Raises SetupError with the compiler's output."""
    tree = Sources(sources, ("agent", *_LIBRARIES.get(system, ())))
    kind = f"{system}-{arch}"
    directory = build / kind
    program = directory / f"agent-{kind}{_SUFFIX.get(system, '')}"
    with tree.exclusive(directory):
        stamp = tree.stamp(system, arch)
        if tree.fresh(directory, stamp) and program.exists():
            return program
        arguments = ["-C", str(sources / "agent"), kind, f"OUT={directory}", f"ZIG={sys.executable} -m ziglang"]
        arguments.append(f"AGENT_BUILD_ID={stamp[:_BUILD_ID_LENGTH]}")
        result = run_make(arguments, what=f"the agent for {kind}")
        if result.status != 0:
            raise SetupError(f"the agent for {kind} does not build", evidence=result.output[-4000:])
        tree.seal(directory, stamp)
    return program
