"""Guest definitions: what is read, and how wrong ones are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import load_guest, load_guests
from harness.config.guest import CellDefinition, DebianImage, FreeBsdDisk, Guest, WineImage
from harness.errors import ConfigError

ROOT = Path(__file__).parents[2]

GOOD = """
name = "g"
os = "linux"
arch = "amd64"
[image]
kind = "debian"
kernel_package = "linux-image-cloud-amd64"
[cells.g-native]
client = "amd64"
"""


def write(directory: Path, text: str, name: str = "g.toml") -> Path:
    path = directory / name
    path.write_text(text)
    return path


def test_the_projects_own_definitions_are_read() -> None:
    guests = load_guests(ROOT / "guests")
    assert [guest.name for guest in guests] == sorted(guest.name for guest in guests)
    assert {"linux-amd64", "linux-compat", "linux-x86"} <= {cell for guest in guests for cell in guest.cells}


def test_keys_that_are_left_out_have_their_documented_defaults(tmp_path: Path) -> None:
    guest = load_guest(write(tmp_path, GOOD))
    assert (guest.memory_mib, guest.cpus, guest.cmdline, guest.missing, guest.offers) == (256, 1, "", {}, [])
    assert (guest.slowness, guest.leak_detector, guest.image.model_dump().get("kernel_config")) == (1.0, "", "")
    assert (guest.cells["g-native"].required, guest.cells["g-native"].on_request) == (True, False)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('os = "linux"', 'os = "linux"\nmemroy_mib = 5', "unknown key 'memroy_mib'"),
        ('client = "amd64"', 'client = "amd64"\nrequire = true', "unknown key 'cells.g-native.require'"),
        ('kind = "debian"', 'kind = "debian"\nsize = 5', "unknown key 'image.size'"),
        ('os = "linux"', 'os = "solaris"', "os: "),
        ('os = "linux"', "", "missing key 'os'"),
        ('arch = "amd64"', 'arch = "amd64"\nmemory_mib = "256"', "memory_mib: "),
        ('arch = "amd64"', 'arch = "amd64"\nmemory_mib = 1', "memory_mib: "),
        ('arch = "amd64"', 'arch = "amd64"\nslowness = 0.5', "slowness: "),
        ('arch = "amd64"', 'arch = "amd64"\nleak_detector = "luck"', "leak_detector: "),
        ('arch = "amd64"', 'arch = "x86"', "an x86 kernel runs x86 programs only"),
        ('name = "g"', 'name = "other"', "the file is called 'g'"),
        ('name = "g"', 'name = "g', "not valid TOML"),
    ],
)
def test_a_wrong_definition_is_refused_by_file_and_key(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ConfigError) as error:
        load_guest(path)
    assert str(path) in str(error.value)
    assert complaint in str(error.value)


def test_all_wrong_keys_are_named_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace('os = "linux"', 'os = "linux"\none = 1\ntwo = 2'))
    with pytest.raises(ConfigError, match=r"unknown key 'one'.*unknown key 'two'"):
        load_guest(path)


def test_a_cell_defined_twice_is_refused_with_both_guests(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, GOOD.replace('name = "g"', 'name = "h"'), "h.toml")
    with pytest.raises(ConfigError, match="'g-native' is defined by both guest 'g' and 'h'"):
        load_guests(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_guest(tmp_path / "none.toml")


@pytest.mark.parametrize("exists", [True, False])
def test_a_directory_without_definitions_is_refused(tmp_path: Path, exists: bool) -> None:
    with pytest.raises(ConfigError, match=r"no guest definition|no such directory"):
        load_guests(tmp_path if exists else tmp_path / "none")


@pytest.mark.parametrize("table", [Guest, DebianImage, WineImage, FreeBsdDisk, CellDefinition])
def test_every_key_is_documented(table: type[Guest | DebianImage | WineImage | FreeBsdDisk | CellDefinition]) -> None:
    page = (ROOT / "docs" / "guests.md").read_text()
    for name, field in table.model_fields.items():
        assert field.description, f"{name} has no description"
        assert f"`{name}`" in page, f"docs/guests.md does not name the key {name}"


@pytest.mark.parametrize("guest", load_guests(ROOT / "guests"), ids=lambda guest: guest.name)
def test_what_a_guest_lacks_or_has_a_stand_in_for_is_what_some_test_asks_for(guest: Guest) -> None:
    suite = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "ioctl").glob("*.py"))
    unused = [name for name in (*guest.missing, *guest.emulated) if f'"{name}"' not in suite]
    assert unused == []
