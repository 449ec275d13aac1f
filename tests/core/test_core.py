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

from tools.core_programs import UNIT_TESTS, make_core_program

HERE = Path(__file__).parent
TIMEOUT_SECONDS = 60

TESTS = [
    pytest.param(name, id=f"{source.stem}-{name}")
    for source in sorted(HERE.glob("test_*.c"))
    for name in re.findall(r"^TEST\((\w+)\)", source.read_text(), re.MULTILINE)
]
# Few hosts have 32-bit libraries for gcc. zig brings its own, but no address sanitizer.
COMPILERS = {
    "amd64": {"cc": "gcc"},
    "x86": {
        "cc": f"{sys.executable} -m ziglang cc -target x86-linux-musl -static",
        "flags": "-O1 -fsanitize=undefined",
    },
}


@pytest.fixture(scope="session", params=list(COMPILERS))
def core_program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = COMPILERS[request.param]
    command = compiler["cc"].split()[0]
    if shutil.which(command) is None:
        pytest.skip(f"no {command} (apt-get install gcc)")
    return make_core_program(UNIT_TESTS, out=tmp_path_factory.mktemp(f"core-{request.param}"), **compiler)


@pytest.mark.parametrize("name", TESTS)
def test_core(core_program: Path, name: str) -> None:
    done = subprocess.run([core_program, name], capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
