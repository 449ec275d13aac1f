"""Drivers with a mistake are built in trees of their own, and the one without is kept."""

from __future__ import annotations

import subprocess
from pathlib import Path

from harness.targets import DriverBuild
from harness.targets.sources import Sources
from tools.core_programs import ROOT, UNIT_TESTS
from tools.mutants.tree import PARTS
from tools.reference import keep


def test_the_driver_is_kept_with_what_is_loaded_of_it(tmp_path: Path) -> None:
    built = DriverBuild(tmp_path / "build/supdrv.ko", "1234", 1.0)
    built.path.parent.mkdir()
    for file in (built.path, built.path.with_suffix(".stripped.ko")):
        file.write_text(file.name)
    kept = keep(built, tmp_path / "kept")
    built.path.with_suffix(".stripped.ko").unlink()
    assert kept.path.read_text() == "supdrv.ko"
    assert kept.path.with_suffix(".stripped.ko").read_text() == "supdrv.stripped.ko"
    assert kept.build_id == "1234"


def test_the_unit_tests_can_be_made_of_the_core_in_such_a_tree(tmp_path: Path) -> None:
    """Each of their files has a source; to compile them all is for `make unit` and `make mutants`."""
    Sources(ROOT, PARTS).sync(tmp_path / "tree")
    out = tmp_path / "out"
    command = ["make", "-n", "-C", ROOT / "tests/core", out / UNIT_TESTS, f"OUT={out}", f"DRIVER={tmp_path / 'tree'}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{tmp_path / 'tree'}/core/requests.c" in done.stdout
