"""The command line: wrong use is one clear message, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HARNESS = Path(sys.executable).with_name("harness")


def harness(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HARNESS, *arguments],
        cwd=cwd,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["matrix", "--cell", "linux-arm"], "no cell 'linux-arm' (cells: "),
        (["matrix", "--also", "linux-arm"], "no cell 'linux-arm' (cells: "),
        (["setup", "--also", "linux-arm"], "no cell 'linux-arm' (cells: "),
        (["shell", "linux-arm"], "no cell 'linux-arm' (cells: "),
        (["console", "linux-arm"], "no cell 'linux-arm' (cells: "),
        (["shell", "linux-amd64"], "harness shell wants a terminal"),
        (["matrix", "--guests", "/nowhere"], "/nowhere: no such directory of guest definitions"),
        (["matrix", "--jobs", "0"], "--jobs"),
        (["images", "build", "windows-amd64", "--iso", "/none.iso"], "/none.iso: no such file (name the ISO image of"),
        (["images", "build", "windows-amd64", "--iso", __file__], "is not a readable ISO image"),
        (["images", "build", "windows-arm64", "--iso", "/none.iso"], "'windows-arm64' is not one of"),
        (["images", "build", "windows-amd64"], "Missing option '--iso'"),
        (["images", "check", "nothing"], "no image 'nothing' (images: "),
        (["images", "rm", "nothing"], "no image 'nothing' (images: "),
        (["fly"], "No such command 'fly'"),
        (["matrix", "--uri", "qemu+unix:///session?socket=/nowhere/sock"], "cannot connect to libvirt"),
    ],
)
def test_wrong_use_is_explained_in_one_message(arguments: list[str], complaint: str) -> None:
    done = harness(*arguments)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_a_console_of_no_guest_says_how_to_get_one(tmp_path: Path) -> None:
    done = harness("console", "linux-amd64", XDG_STATE_HOME=str(tmp_path))
    assert done.returncode == 2
    assert "no guest of cell 'linux-amd64' is running (start one: harness shell linux-amd64)" in done.stderr


def test_outside_the_source_tree_it_says_so(tmp_path: Path) -> None:
    done = harness("cells", cwd=tmp_path)
    assert done.returncode == 2
    assert "is not inside the project's source tree (cd into the clone)" in done.stderr


def test_cells_without_an_image_are_listed_with_what_to_do(tmp_path: Path) -> None:
    done = harness("cells", XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("build it: harness setup)") == 7
    assert "on request" in done.stdout
    assert "build it: harness setup --also" in done.stdout
