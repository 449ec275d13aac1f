"""The programs that the suite makes images of: compiled once, whoever else is at it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.ioctl import programs


def test_processes_that_compile_the_same_program_at_once_both_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "BUILD", tmp_path)
    with ThreadPoolExecutor() as workers:
        compiled = list(workers.map(lambda _: programs.program.__wrapped__("counting", "amd64", "linux"), range(4)))
    assert all(each == compiled[0] for each in compiled)
    (kept,) = (path.name for path in (tmp_path / "amd64").iterdir())
    assert kept.startswith("counting-")
