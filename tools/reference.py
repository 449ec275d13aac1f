"""The driver without a mistake, kept while others are built in its place."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from harness.targets import DriverBuild


def keep(driver: DriverBuild, directory: Path) -> DriverBuild:
    """A copy of `driver` in `directory`, with what lies beside it: on Linux the file that is loaded, on Windows the
    symbols."""
    directory.mkdir(parents=True, exist_ok=True)
    for file in driver.path.parent.glob(f"{driver.path.stem}.*"):
        shutil.copy2(file, directory)
    return replace(driver, path=directory / driver.path.name)
