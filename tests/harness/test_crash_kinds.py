"""Whose a kernel's report is."""

from __future__ import annotations

import pytest

from harness.console.crash import Crash, Frame
from harness.errors import Kind
from harness.session.verdicts import crash_kind

IN_DRIVER = Frame("file_ioctl", 0x10, 0x40, "supdrv")
IN_KERNEL = Frame("vfs_ioctl", 0x10, 0x40, None)


@pytest.mark.parametrize(
    ("kind", "title", "frames", "expected"),
    [
        ("oops", "BUG: unable to handle page fault", (IN_KERNEL, IN_DRIVER), Kind.DRIVER_OOPS),
        ("oops", "BUG: unable to handle page fault", (IN_KERNEL,), Kind.KERNEL_CRASH),
        ("leak report", "memory type supdrv leaked memory on destroy", (), Kind.DRIVER_OOPS),
        ("leak report", "memory type supdrv2 leaked memory on destroy", (), Kind.KERNEL_CRASH),
        ("panic", "panic: Most recently used by supdrv", (IN_DRIVER,), Kind.KERNEL_CRASH),
    ],
)
def test_it_is_the_drivers_if_it_names_the_driver(
    kind: str, title: str, frames: tuple[Frame, ...], expected: Kind
) -> None:
    assert crash_kind(Crash(kind, title, frames, title), "supdrv") is expected
