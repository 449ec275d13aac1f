"""The OS/2-like guest's recipe, without compiling anything."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.config import load_guest
from harness.errors import ConfigError, SetupError
from harness.images.keys import NO_KEYS
from harness.images.os2 import AGENT_FILE, SOURCE, Os2Image, make

GUEST = Path(__file__).parents[2] / "guests" / "os2-x86.toml"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return shutil.copytree(SOURCE, tmp_path / "os2")


def test_equal_sources_have_equal_keys(source: Path) -> None:
    assert Os2Image(source).key() == Os2Image().key()


@pytest.mark.parametrize(
    "file", ["kernel/main.c", "kernel/entry.S", "kernel/kernel.lds", "include/os2_driver.h", "Makefile", "config.sys"]
)
def test_each_kind_of_source_is_part_of_the_key(source: Path, file: str) -> None:
    before = Os2Image(source).key()
    with (source / file).open("a") as stream:
        stream.write("\n")
    assert Os2Image(source).key() != before


def test_the_agents_that_a_boot_starts_are_those_that_it_is_given(source: Path) -> None:
    started = [line for line in (source / "config.sys").read_text().splitlines() if line.startswith("RUN=")]
    assert started == [f"RUN=C:\\{AGENT_FILE.upper()} --port {port}" for port in ("supdrv.agent", "supdrv.watch")]


def test_a_missing_source_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="Makefile is missing"):
        make(tmp_path, "kernel", tmp_path)


def test_the_guest_is_small_and_its_machine_has_64_bits() -> None:
    guest = load_guest(GUEST)
    assert (guest.is_small, guest.arch, guest.machine) == (True, "x86", "amd64")


def test_the_image_has_no_other_keys(tmp_path: Path) -> None:
    wrong = tmp_path / "os2-x86.toml"
    wrong.write_text(GUEST.read_text().replace('kind = "os2"', 'kind = "os2"\nsuite = "trixie"'))
    with pytest.raises(ConfigError, match=r"unknown key 'image\.suite'"):
        load_guest(wrong)


def test_a_guest_without_logins_gets_no_keys() -> None:
    assert NO_KEYS.files() == {}
