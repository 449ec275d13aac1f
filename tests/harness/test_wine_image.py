"""Wine's image, as far as it needs no package: Windows programs as files, our ntoskrnl.exe's lists, the recipe."""

from __future__ import annotations

import dataclasses
import re
import struct

import pytest

from harness.errors import ConfigError, SetupError
from harness.images import wine_ntoskrnl, wine_root
from harness.images.pe import PortableExecutable, marked, unmarked
from harness.images.wine import WineImage

HEADER = 0x80
IMAGE = WineImage("amd64", "linux-image-cloud-amd64", "trixie", ("amd64",))


def program(*, debug: bytes = b"") -> bytes:
    """A 64-bit program with one section that has an export table and an import table, and maybe a debug section."""
    text = bytearray(0x200)
    struct.pack_into("<III", text, 24, 2, 0, 0x1040)
    struct.pack_into("<II", text, 0x40, 0x1060, 0x1070)
    text[0x60:0x66], text[0x70:0x76] = b"First\0", b"Other\0"
    struct.pack_into("<5I", text, 0x80, 0, 0, 0, 0x10C0, 0)
    text[0xC0:0xCB] = b"NTDLL.dll\0\0"
    sections = [(b".text", 0x1000, 0x400, bytes(text))] + ([(b"/4", 0x2000, 0x600, debug)] if debug else [])
    out = bytearray(0x400)
    out[:2] = b"MZ"
    struct.pack_into("<I", out, 0x3C, HEADER)
    struct.pack_into("<4sHHIIIHH", out, HEADER, b"PE\0\0", 0x8664, len(sections), 0, 0x999, 7, 240, 0)
    struct.pack_into("<H", out, HEADER + 24, 0x20B)
    struct.pack_into("<IIII", out, HEADER + 24 + 112, 0x1000, 40, 0x1080, 40)
    for number, (name, address, offset, data) in enumerate(sections):
        at = HEADER + 24 + 240 + 40 * number
        struct.pack_into("<8sIIII", out, at, name, len(data), address, len(data), offset)
    return bytes(out) + b"".join(section[3] for section in sections)


def test_a_program_tells_what_it_exports_and_imports() -> None:
    found = PortableExecutable(program(), "p.dll")
    assert (found.exports(), found.imports()) == (["First", "Other"], ["ntdll.dll"])


def test_a_stripped_program_is_the_one_without_debug_sections_and_symbols() -> None:
    stripped = PortableExecutable(program(debug=b"d" * 512), "p.dll").stripped()
    plain = bytearray(program())
    struct.pack_into("<II", plain, HEADER + 12, 0, 0)
    struct.pack_into("<I", plain, HEADER + 24 + 56, 0x2000)
    assert stripped == bytes(plain)
    assert PortableExecutable(stripped, "p.dll").exports() == ["First", "Other"]


@pytest.mark.parametrize("data", [b"", b"MZ", b"\x7fELF" + bytes(200), b"MZ" + bytes(200)])
def test_what_is_no_windows_program_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(SetupError, match=r"p\.dll is no Windows program"):
        PortableExecutable(data, "p.dll")


def test_the_mark_of_wine_s_own_libraries_is_set_and_taken_away() -> None:
    data = bytes(range(256))
    own = marked(data)
    assert (len(own), own[:64], own[96:]) == (256, data[:64], data[96:])
    assert b"Wine builtin" not in unmarked(own, "p.dll")
    with pytest.raises(SetupError, match=r"p\.dll is not one of Wine's own"):
        unmarked(data, "p.dll")


def test_every_name_that_wine_exports_is_forwarded_or_supplied() -> None:
    names = wine_ntoskrnl.read_names()
    assert wine_ntoskrnl.definition(names, "amd64", ["ZwClose", "MmUnlockPages"]).splitlines()[2:] == [
        *names.supplied,
        "ZwClose=ntoswine.ZwClose",
    ]
    own = wine_ntoskrnl.definition(names, "x86", []).splitlines()
    assert {"MmUnlockPages=MmUnlockPages@4", "KeQueryInterruptTime=KeQueryInterruptTime@0"} <= set(own)


def test_what_ours_and_wine_s_both_have_is_imported_under_another_name() -> None:
    names = wine_ntoskrnl.read_names()
    lines = set(wine_ntoskrnl.imports(names, "x86").splitlines())
    assert "wine_KeWaitForSingleObject@20 == KeWaitForSingleObject" in lines
    assert {"@ObfReferenceObject@4 == ObfReferenceObject", "PsProcessType DATA"} <= lines


def test_every_supplied_call_is_defined_once_in_the_sources() -> None:
    names = wine_ntoskrnl.read_names()
    text = "".join(path.read_text() for path in wine_ntoskrnl.SOURCES.glob("*.c"))
    defined = re.findall(r"^\w[\w *]*?\bNTAPI (\w+)\([^;]*?\)\n\{", text, flags=re.M)
    assert sorted(set(defined) - {"DllMain"} - _static(text)) == sorted({*names.supplied, *names.supplied_x86})


def _static(text: str) -> set[str]:
    return set(re.findall(r"^static [\w *]*\bNTAPI (\w+)\(", text, flags=re.M))


def test_the_settings_name_the_programs_of_the_driver_s_word_size() -> None:
    assert "WINEARCH=win32" in wine_root.settings("x86")
    assert "/usr/lib/wine/wineserver64" in wine_root.settings("amd64")


def test_a_recipe_s_key_is_that_of_all_that_decides_the_image() -> None:
    others = [
        dataclasses.replace(IMAGE, suite="forky"),
        dataclasses.replace(IMAGE, clients=("amd64", "x86")),
        dataclasses.replace(IMAGE, kernel_package="linux-image-amd64"),
        dataclasses.replace(IMAGE, arch="x86"),
    ]
    assert len({image.key() for image in (IMAGE, *others)}) == len(others) + 1
    assert dataclasses.replace(IMAGE).key() == IMAGE.key()


def test_there_is_no_wine_for_other_processors() -> None:
    with pytest.raises(ConfigError, match="no Wine image for 'arm64'"):
        dataclasses.replace(IMAGE, arch="arm64")
