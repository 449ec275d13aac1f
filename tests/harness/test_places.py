"""Files that other runs make and remove while one looks."""

from __future__ import annotations

import os
from pathlib import Path

from harness.places import last_changes


def test_a_path_that_has_just_been_removed_is_left_out(tmp_path: Path) -> None:
    there, gone = tmp_path / "there", tmp_path / "gone"
    there.touch()
    os.utime(there, (1000, 1000))
    assert last_changes([gone, there]) == {there: 1000.0}
