"""The driver for Windows as its file shows it: built for real, judged by the format's own tables."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import ziglang

from harness.errors import SetupError
from harness.targets.base import DriverBuild
from harness.targets.pe import PeFile, pe_build_id, read_pe
from harness.targets.windows_build import build_windows_driver

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/unit/windows"
LISTS = Path(ziglang.__file__).parent / "lib/libc/mingw"
BITS = {"amd64": "lib64", "x86": "lib32"}
MACHINES = {"amd64": 0x8664, "x86": 0x14C}
NATIVE = 1
DLL = 0x2000
DYNAMIC_BASE, NO_EXECUTE, NO_HANDLERS = 0x40, 0x100, 0x400
EXECUTABLE, WRITABLE = 0x20000000, 0x80000000
LOG_LINE_OF_FAULTS = b"supdrv: warning on request"


@pytest.fixture(scope="module", params=["amd64", "x86"])
def arch(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def build(arch: str, *, faults: bool = False, place: Path = BUILD) -> DriverBuild:
    return build_windows_driver(arch, faults=faults, sources=ROOT, build=place / (f"{arch}-faults" if faults else arch))


@pytest.fixture(scope="module")
def driver(arch: str) -> PeFile:
    return read_pe(build(arch).path)


def test_it_is_a_native_program_of_its_word_size(arch: str, driver: PeFile) -> None:
    assert driver.subsystem == NATIVE
    assert driver.machine == MACHINES[arch]
    assert driver.wide == (arch == "amd64")
    assert not driver.characteristics & DLL


def test_it_can_lie_anywhere_with_its_data_not_executable_and_may_have_exception_handlers(driver: PeFile) -> None:
    assert driver.flags & (DYNAMIC_BASE | NO_EXECUTE | NO_HANDLERS) == DYNAMIC_BASE | NO_EXECUTE
    assert ".reloc" in [section.name for section in driver.sections]


def test_it_begins_in_its_code(driver: PeFile) -> None:
    code = next(section for section in driver.sections if section.name == ".text")
    assert code.address <= driver.entry < code.address + len(code.data)


def test_nothing_in_it_is_both_writable_and_executable(driver: PeFile) -> None:
    for section in driver.sections:
        assert section.flags & (EXECUTABLE | WRITABLE) != EXECUTABLE | WRITABLE, section.name


def exports(path: Path) -> set[str]:
    """The names in a list of exports, without what x86 adds to them."""
    names = re.findall(r"^@?(\w+)(?:@\d+)?", path.read_text(encoding="utf-8"), re.MULTILINE)
    return set(names) - {"LIBRARY", "EXPORTS"}


def test_it_needs_nothing_but_what_the_kernel_of_windows_exports(arch: str, driver: PeFile) -> None:
    lists = LISTS / BITS[arch]
    known = {
        "ntoskrnl.exe": exports(lists / "ntoskrnl.def") | exports(ROOT / f"win/imports/ntoskrnl_{arch}.def"),
        "hal.dll": exports(lists / "hal.def"),
        "cng.sys": exports(ROOT / f"win/imports/cng_{arch}.def"),
    }
    for file, names in driver.imports.items():
        assert set(names) - known[file.lower()] == set(), f"not exported by {file}"


def test_what_its_own_lists_add_is_documented_by_microsoft(arch: str) -> None:
    """Whoever adds a name has looked it up: MmAllocateContiguousNodeMemory is of Windows 8, cng.sys of Vista."""
    assert exports(ROOT / f"win/imports/ntoskrnl_{arch}.def") == {"MmAllocateContiguousNodeMemory"}
    assert exports(ROOT / f"win/imports/cng_{arch}.def") == {"BCryptGenRandom"}


def test_its_file_says_which_build_it_is(arch: str) -> None:
    made = build(arch)
    assert len(bytes.fromhex(made.build_id)) == 20
    assert made.build_id == pe_build_id(made.path)


def test_the_same_sources_in_the_same_place_make_the_same_file(arch: str, tmp_path: Path) -> None:
    first = build(arch, place=tmp_path).path.read_bytes()
    shutil.rmtree(tmp_path)
    assert build(arch, place=tmp_path).path.read_bytes() == first


def test_only_the_build_for_it_fails_on_request(arch: str) -> None:
    made, failing = build(arch), build(arch, faults=True)
    assert made.build_id != failing.build_id
    assert LOG_LINE_OF_FAULTS not in made.path.read_bytes()
    assert LOG_LINE_OF_FAULTS in failing.path.read_bytes()


def test_its_properties_name_it(driver: PeFile) -> None:
    resources = next(section for section in driver.sections if section.name == ".rsrc")
    for text in ("supdrv.sys", "Ring-0 support driver, interface version 3.1"):
        assert text.encode("utf-16-le") in resources.data


def test_symbols_lie_beside_it(arch: str) -> None:
    assert build(arch).path.with_suffix(".pdb").read_bytes().startswith(b"Microsoft C/C++ MSF 7.00")


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "driver.sys"
    other.write_bytes(b"\x7fELF" + bytes(100))
    with pytest.raises(SetupError, match="no portable executable"):
        read_pe(other)
