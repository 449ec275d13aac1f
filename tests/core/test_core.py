"""The driver's core on a glue of user space, in both word sizes, with sanitizers.

Each `TEST(name)` of the C files here is a test of its own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TIMEOUT_SECONDS = 300  # zig compiles its C library first, once on a machine

SOURCES = re.findall(r"(\w+\.c)", (ROOT / "core/sources.mk").read_text())
TESTS = [
    pytest.param(name, id=f"{source.stem}-{name}")
    for source in sorted(HERE.glob("test_*.c"))
    for name in re.findall(r"^TEST\((\w+)\)", source.read_text(), re.MULTILINE)
]
FLAGS = ["-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined"]
CORE_FLAGS = ["-std=c11", "-pedantic", "-Wconversion", "-Wno-sign-conversion"]
# Few hosts have 32-bit libraries for gcc. zig brings its own, but no address sanitizer.
COMPILERS = {
    "amd64": ["gcc", "-fsanitize=address", "-fno-sanitize-recover=all"],
    "x86": [sys.executable, "-m", "ziglang", "cc", "-target", "x86-linux-musl", "-static"],
}


def compile_and_link(build: Path, compiler: list[str]) -> Path:
    """The test program. Core files are held to plain C11, one object each."""
    flags = [
        *FLAGS,
        *(f"-I{directory}" for directory in (HERE / "host", ROOT / "core/include", ROOT / "kmod")),
    ]
    core = [ROOT / "core" / name for name in SOURCES]
    own = [*HERE.glob("*.c"), *(HERE / "host").glob("*.c"), ROOT / "kmod/errno.c"]
    objects = []
    for source in [*core, *own]:
        target = build / f"{source.parent.name}-{source.stem}.o"
        extra = CORE_FLAGS if source in core else []
        run(*compiler, *flags, *extra, "-c", str(source), "-o", str(target))
        objects.append(str(target))
    program = build / "core-tests"
    run(*compiler, *flags, *objects, "-o", str(program))
    return program


def run(*command: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="session", params=list(COMPILERS))
def core_program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = COMPILERS[request.param]
    if shutil.which(compiler[0]) is None:
        pytest.skip(f"no {compiler[0]} (apt-get install gcc)")
    return compile_and_link(tmp_path_factory.mktemp(f"core-{request.param}"), compiler)


@pytest.mark.parametrize("name", TESTS)
def test_core(core_program: Path, name: str) -> None:
    run(str(core_program), name)
