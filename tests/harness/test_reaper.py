"""The reaper: what is orphaned below it is reaped at once, and its status is its command's."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from harness.provision import reaper

REAPER = [sys.executable, "-I", reaper.__file__]

ORPHAN = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(sys.argv[1], "w").write(str(os.getpid()))
        time.sleep(0.2)
    os._exit(0)
time.sleep(30)
"""


def test_the_status_is_the_commands() -> None:
    assert subprocess.run([*REAPER, "sh", "-c", "exit 7"], check=False).returncode == 7


def test_an_orphan_does_not_stay_a_zombie(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    with subprocess.Popen([*REAPER, sys.executable, "-c", ORPHAN, str(mark)]) as process:
        try:
            end = time.monotonic() + 20
            while not (mark.exists() and mark.read_text()):
                assert time.monotonic() < end
                time.sleep(0.01)
            orphan = Path("/proc") / mark.read_text()
            while orphan.exists():
                assert time.monotonic() < end, (orphan / "status").read_text()
                time.sleep(0.01)
        finally:
            subprocess.run(["pkill", "-P", str(process.pid)], check=False)


def test_it_stays_until_the_last_orphan_has_ended(tmp_path: Path) -> None:
    script = f"(sleep 0.3; touch {tmp_path}/done) & exit 3"
    assert subprocess.run([*REAPER, "sh", "-c", script], check=False).returncode == 3
    assert (tmp_path / "done").exists()
