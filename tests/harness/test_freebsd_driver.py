"""The driver for FreeBSD as its files show it: built for real, judged as a kernel's linker and its headers would."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.errors import SetupError
from harness.targets.base import DriverBuild
from harness.targets.freebsd_build import build_freebsd_driver
from harness.targets.freebsd_check import module_problems
from harness.targets.kld import Module, declared_names, read_module

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/unit/freebsd"


@pytest.fixture(scope="module", params=["amd64", "x86"])
def arch(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def build(arch: str, place: Path = BUILD) -> DriverBuild:
    return build_freebsd_driver(arch, faults=False, sources=ROOT, build=place / arch)


@pytest.fixture(scope="module")
def driver(arch: str) -> Module:
    return read_module(build(arch).path)


def test_a_kernel_of_its_architecture_can_load_it_and_has_all_that_it_needs(arch: str) -> None:
    path = build(arch).path
    assert module_problems(arch, path, sources=ROOT, build=BUILD / f"{arch}-preprocessed") == []


def test_it_needs_the_kernel(driver: Module) -> None:
    assert {"devfs_set_cdevpriv", "vm_fault_quick_hold_pages", "make_dev_s", "copyin"} <= driver.undefined


def test_its_file_says_which_build_it_is(arch: str) -> None:
    made = build(arch)
    assert len(bytes.fromhex(made.build_id)) == 20
    assert made.build_id.encode() in made.path.read_bytes()


def test_the_same_sources_in_the_same_place_make_the_same_file(tmp_path: Path) -> None:
    first = build("amd64", tmp_path).path.read_bytes()
    shutil.rmtree(tmp_path)
    assert build("amd64", tmp_path).path.read_bytes() == first


def test_what_only_the_drivers_own_files_mention_is_not_declared() -> None:
    text = (
        '# 1 "main.c"\nint own(void);\n# 1 "/headers/sys/conf.h" 1\nvoid destroy_dev(void);\n# 2 "main.c" 2\nint x;\n'
    )
    assert declared_names(text, "/headers") == {"void", "destroy_dev"}


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "driver.ko"
    other.write_bytes(b"MZ" + bytes(100))
    with pytest.raises(SetupError, match="no module of FreeBSD's kernel"):
        read_module(other)


def test_an_object_that_is_no_module_is_refused(arch: str) -> None:
    """It says nothing of itself to a kernel."""
    build(arch)
    with pytest.raises(SetupError, match="neither what it is"):
        read_module(BUILD / arch / "errno.o")
