"""Signatures: the same failure has the same one, whatever kernel, word size or run it was seen in."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.console.crash import Frame, find_crash
from harness.console.signature import signature

GOLDEN = Path(__file__).parent / "golden"


def frame(function: str, module: str | None = "supdrv", *, offset: int = 0x10, sure: bool = True) -> Frame:
    return Frame(function=function, offset=offset, size=0x40, module=module, sure=sure)


def test_the_drivers_functions_tell_failures_apart() -> None:
    text = signature("oops", [frame("memset", None), frame("inner"), frame("outer")], "supdrv")
    assert text.partition("] ")[2] == "oops: inner < outer"
    assert text != signature("oops", [frame("inner"), frame("other")], "supdrv")
    assert text != signature("bug", [frame("inner"), frame("outer")], "supdrv")


def test_offsets_and_what_the_compiler_appends_do_not() -> None:
    one = signature("oops", [frame("inner", offset=0x17), frame("outer")], "supdrv")
    other = signature("oops", [frame("inner.cold"), frame("outer.isra.0", sure=False)], "supdrv")
    assert one == other


def test_without_the_driver_the_kernels_functions_count_but_not_those_that_report() -> None:
    text = signature("panic", [frame("panic", None), frame("do_exit", None), frame("rest", None)], "supdrv")
    assert text.endswith("panic: do_exit < rest")


def test_without_frames_the_kind_is_left() -> None:
    assert signature("agent lost", [], "supdrv").endswith("agent lost: no known place")


@pytest.mark.parametrize("fault", ["oops", "oops-in-interrupt"])
def test_it_is_the_same_on_both_architectures(fault: str) -> None:
    found = set()
    for arch in ("amd64", "x86"):
        crash = find_crash((GOLDEN / f"linux-{arch}-{fault}.log").read_text(encoding="utf-8", errors="replace"))
        assert crash is not None
        found.add(signature(crash.kind, crash.frames, "supdrv"))
    assert len(found) == 1
