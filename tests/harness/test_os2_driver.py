"""The driver for OS/2 as its file shows it: built for real, judged by the format's own tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection

from harness.targets.base import DriverBuild
from harness.targets.build_id import elf_build_id
from harness.targets.os2_build import build_os2_driver

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/unit/os2"
RELATIVE = 8  # R_386_RELATIVE
EXECUTABLE, WRITABLE = 1, 2
HEADER_NAME_AT = 16
LOG_LINE_OF_FAULTS = b"supdrv: warning on request"


def build(*, faults: bool = False, place: Path = BUILD) -> DriverBuild:
    return build_os2_driver(faults=faults, sources=ROOT, build=place / ("faults" if faults else "release"))


@pytest.fixture
def driver() -> Iterator[ELFFile]:
    with build().path.open("rb") as stream:
        yield ELFFile(stream)


def content_at(driver: ELFFile, address: int, size: int) -> bytes:
    for segment in driver.iter_segments("PT_LOAD"):
        if segment["p_vaddr"] <= address < segment["p_vaddr"] + segment["p_filesz"]:
            at = address - segment["p_vaddr"]
            return bytes(segment.data()[at : at + size])
    raise AssertionError(f"nothing lies at {address:#x}")


def test_it_can_be_loaded_anywhere_with_relative_relocations_alone(driver: ELFFile) -> None:
    assert (driver["e_type"], driver["e_machine"]) == ("ET_DYN", "EM_386")
    tables = [section for section in driver.iter_sections() if isinstance(section, RelocationSection)]
    assert {item["r_info_type"] for table in tables for item in table.iter_relocations()} == {RELATIVE}


def test_it_begins_with_the_headers_of_its_two_devices(driver: ELFFile) -> None:
    first = driver["e_entry"]
    assert content_at(driver, first + HEADER_NAME_AT, 8) == b"SUPDRV$ "
    second = int.from_bytes(content_at(driver, first, 4), "little")
    assert content_at(driver, second + HEADER_NAME_AT, 8) == b"SUPDRVC$"


def test_nothing_in_it_is_both_writable_and_executable(driver: ELFFile) -> None:
    flags = [segment["p_flags"] for segment in driver.iter_segments("PT_LOAD")]
    assert any(flag & EXECUTABLE for flag in flags)
    assert not [flag for flag in flags if flag & EXECUTABLE and flag & WRITABLE]


def test_its_build_id_is_that_of_the_build_and_has_its_debug_information_beside_it() -> None:
    made = build()
    assert elf_build_id(made.path) == made.build_id
    debug = made.path.with_suffix(".elf")
    assert elf_build_id(debug) == made.build_id
    with made.path.open("rb") as small, debug.open("rb") as large:
        assert ELFFile(small).get_section_by_name(".debug_info") is None
        assert ELFFile(large).get_section_by_name(".debug_info") is not None


def test_an_unchanged_driver_is_not_built_again() -> None:
    build()
    assert build().seconds == 0.0


def test_only_the_build_for_it_fails_on_request() -> None:
    assert LOG_LINE_OF_FAULTS not in build().path.read_bytes()
    assert LOG_LINE_OF_FAULTS in build(faults=True).path.read_bytes()


def test_the_same_sources_make_the_same_bytes(tmp_path: Path) -> None:
    assert build(place=tmp_path).path.read_bytes() == build().path.read_bytes()
