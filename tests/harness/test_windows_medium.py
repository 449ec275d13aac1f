"""Installation media of Windows, looked into before anything starts from them."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from windows_media import medium, wim

from harness.errors import SetupError
from harness.images.windows.medium import look_into, needs_file
from harness.images.windows.releases import RELEASES
from harness.images.windows.wim import WimImage, read_images

HOME = ("Windows 10 Home", "amd64", 19045, False)
PRO = ("Windows 10 Pro", "amd64", 19045, False)
CORE = ("Windows Server 2022 SERVERSTANDARDCORE", "amd64", 20348, True)


def images_of(data: bytes) -> tuple[WimImage, ...]:
    return read_images(lambda offset, size: data[offset : offset + size], name="install.wim")


@pytest.fixture
def ten(tmp_path: Path) -> Path:
    return medium(tmp_path / "ten.iso", {"sources/install.wim": wim(HOME, PRO), "setup.exe": b"MZ"})


def test_the_images_of_a_medium_are_read_from_udf(ten: Path) -> None:
    found = look_into(ten)
    assert found.image_file == "/sources/install.wim"
    assert [(image.index, image.name, image.arch, image.build) for image in found.images] == [
        (1, "Windows 10 Home", "amd64", 19045),
        (2, "Windows 10 Pro", "amd64", 19045),
    ]


def test_a_compressed_image_file_is_as_good(tmp_path: Path) -> None:
    iso = medium(tmp_path / "esd.iso", {"sources/install.esd": wim(PRO)})
    assert look_into(iso).image_file == "/sources/install.esd"


def test_the_last_image_that_fits_is_taken_unless_one_is_named(ten: Path) -> None:
    found = look_into(ten)
    assert found.choose(RELEASES["10"], "amd64").name == "Windows 10 Pro"
    assert found.choose(RELEASES["10"], "amd64", name="Windows 10 Home").index == 1


@pytest.mark.parametrize(
    ("release", "arch", "name", "hint"),
    [
        ("10", "x86", "", "get the medium for x86"),
        ("11", "amd64", "", "choose another release with --edition"),
        ("2022", "amd64", "", "choose another release with --edition"),
        ("10", "amd64", "Windows 10 Education", "name one of them with --image"),
    ],
)
def test_a_medium_without_the_wanted_image_says_what_it_has(
    ten: Path, release: str, arch: str, name: str, hint: str
) -> None:
    with pytest.raises(SetupError) as caught:
        look_into(ten).choose(RELEASES[release], arch, name=name)
    assert "'Windows 10 Pro' (amd64, build 19045)" in caught.value.message
    assert hint in caught.value.hint


def test_a_server_is_no_windows_10_of_the_same_range(tmp_path: Path) -> None:
    found = look_into(medium(tmp_path / "server.iso", {"sources/install.wim": wim(CORE)}))
    assert found.choose(RELEASES["2022"], "amd64").server
    with pytest.raises(SetupError):
        found.choose(RELEASES["10"], "amd64")


def test_a_missing_medium_is_said(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"none\.iso: no such file \(name the ISO image of Windows with --iso\)"):
        look_into(tmp_path / "none.iso")


def test_a_file_that_is_no_disc_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.iso"
    path.write_bytes(b"<html>please log in</html>" * 4000)
    with pytest.raises(SetupError, match="is not a readable ISO image"):
        look_into(path)


def test_a_disc_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"has no sources/install\.wim and no sources/install\.esd"):
        look_into(medium(tmp_path / "data.iso", {"readme.txt": b"hello"}))


def test_a_medium_that_would_ask_which_architecture_is_refused(tmp_path: Path) -> None:
    files = {"x64/sources/install.wim": wim(PRO), "x86/sources/install.wim": wim(PRO)}
    with pytest.raises(SetupError, match="holds x86 and x64 side by side"):
        look_into(medium(tmp_path / "both.iso", files))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda data: b"RIFF" + data[4:], "is not a Windows image file"),
        (lambda data: data[:100], "is not a Windows image file"),
        (lambda data: data[:-20], "its description cannot be read"),
        (lambda data: data[:72] + struct.pack("<QQQ", 1 << 40, 208, 1 << 40) + data[96:], "an impossible size"),
        (lambda data: data[:72] + struct.pack("<QQQ", 90, 208, 100) + data[96:], "an impossible size"),
    ],
)
def test_a_damaged_image_file_is_refused(change, complaint: str) -> None:
    with pytest.raises(SetupError, match=complaint):
        images_of(change(wim(PRO)))


def test_a_disc_of_drivers_must_have_the_driver(tmp_path: Path) -> None:
    iso = medium(tmp_path / "virtio.iso", {"vioserial/w10/amd64/vioser.inf": b"[Version]"})
    needs_file(iso, "vioserial/w10/amd64/vioser.inf")
    with pytest.raises(SetupError, match=r"has no vioserial/w10/x86/vioser\.inf"):
        needs_file(iso, "vioserial/w10/x86/vioser.inf")
