"""Parts of the OS/2-like guest's kernel and library on this machine: each `TEST(name)` of the C file is a test."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
GUEST = HERE.parents[1] / "guests" / "os2"
PARTS = ("ring", "text", "memory_files", "normal_names", "space", "fault", "mapping")
FLAGS = ("-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-DGUEST_ON_HOST", "-fsanitize=undefined")
TESTS = re.findall(r"^TEST\((\w+)\)", (HERE / "test_parts.c").read_text(), re.MULTILINE)
SECONDS = 30


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("os2-parts") / "parts"
    parts = [GUEST / "kernel" / f"{part}.c" for part in PARTS]
    command = [sys.executable, "-m", "ziglang", "cc", "-target", "x86-linux-musl", "-static", *FLAGS]
    command += [f"-I{GUEST / 'kernel'}", f"-I{GUEST / 'include'}"]
    parts += [GUEST / "lib" / "divide.c", GUEST / "lib" / "move.c"]
    command += [str(HERE / "test_parts.c"), *map(str, parts), "-o", str(out)]
    subprocess.run(command, check=True)
    return out


@pytest.mark.parametrize("name", TESTS)
def test_part(program: Path, name: str) -> None:
    done = subprocess.run([program, name], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
