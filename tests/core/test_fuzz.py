"""The fuzzer finds nothing in the core, and finds what is put there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tools.core_programs import ROOT
from tools.fuzz import Finding, fuzz, make_fuzzer, write_seeds

CLEAN_SECONDS = 20
PLANTED_SECONDS = 60

pytestmark = pytest.mark.skipif(shutil.which("clang") is None, reason="no clang (apt-get install clang)")

# Reads the byte behind the request's buffer where the client has room for seven functions.
HONEST = "out->cFunctions = count;"
PLANTED = "out->cFunctions = count; (void)((const volatile uint8_t *)out)[count == 7 ? call->buffer_size : 0];"


def run(driver: Path, directory: Path, seconds: int) -> Finding:
    return fuzz(
        make_fuzzer(directory / "build", driver=driver),
        corpus=directory / "corpus",
        seeds=write_seeds(directory / "seeds"),
        found=directory / "found",
        seconds=seconds,
    )


def test_nothing_is_found_in_the_core(tmp_path: Path) -> None:
    finding = run(ROOT, tmp_path, CLEAN_SECONDS)
    assert finding.input is None, finding.output
    assert finding.runs > 1000


def test_a_planted_read_behind_a_buffer_is_found(tmp_path: Path) -> None:
    driver = tmp_path / "driver"
    for part in ("core", "kmod"):
        shutil.copytree(ROOT / part, driver / part)
    source = driver / "core/functions.c"
    text = source.read_text()
    assert text.count(HONEST) == 1
    source.write_text(text.replace(HONEST, PLANTED))
    finding = run(driver, tmp_path, PLANTED_SECONDS)
    assert finding.input is not None, "nothing was found"
    assert "heap-buffer-overflow" in finding.output
    assert "functions.c" in finding.output
