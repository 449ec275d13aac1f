"""What goes into an initramfs: the archive, which cpio reads back as it was put in, and the keys of a run."""

from __future__ import annotations

import gzip
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key, load_ssh_public_key
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SetupError
from harness.images.cpio import (
    Entry,
    append,
    archive,
    char_device,
    directory,
    gzipped,
    overlay,
    parse,
    regular,
    symlink,
)
from harness.images.debs import AptRoot
from harness.images.new_keys import dropbear_private, make_keys, openssh_public
from harness.images.store import default_root

ENTRIES = [
    regular("bin/busybox", b"\x7fELF" + bytes(7), mode=0o755),
    directory("bin"),
    symlink("sbin", "bin"),
    char_device("dev/console", (5, 1)),
    directory("dev"),
    directory("tmp", mode=0o1777),
    regular("empty", b""),
]


def test_what_is_written_is_read_back_sorted_with_modes_targets_and_device_numbers() -> None:
    found = parse(archive(ENTRIES))

    assert {entry.path: entry for entry in found} == {entry.path: entry for entry in ENTRIES}
    assert [entry.path for entry in found] == sorted(entry.path for entry in ENTRIES)


def test_the_order_of_entries_does_not_change_a_byte() -> None:
    assert archive(ENTRIES) == archive(reversed(ENTRIES))


def test_parents_come_before_what_is_in_them_even_where_plain_sorting_would_not() -> None:
    entries = [regular("a/x", b""), regular("a-b", b""), directory("a")]

    paths = [entry.path for entry in parse(archive(entries))]

    assert paths.index("a") < paths.index("a/x")


@pytest.mark.skipif(shutil.which("cpio") is None, reason="no cpio on this machine")
def test_cpio_lists_the_archive_as_root_owned_with_the_types_intended() -> None:
    listing = subprocess.run(
        ["cpio", "-itvn", "--quiet"], input=archive(ENTRIES), capture_output=True, check=True
    ).stdout.decode()
    lines = {line.split()[8]: line.split() for line in listing.splitlines() if "->" not in line and "," not in line}

    assert lines["bin/busybox"][:5] == ["-rwxr-xr-x", "1", "0", "0", "11"]
    assert lines["tmp"][0] == "drwxrwxrwt"
    assert "sbin -> bin" in listing
    assert "crw-------" in listing


@given(
    st.dictionaries(
        st.text(st.characters(min_codepoint=48, max_codepoint=122, exclude_characters="/"), min_size=1).filter(
            lambda name: name not in {".", ".."}
        ),
        st.binary(max_size=300),
        max_size=6,
    )
)
def test_any_content_of_any_length_survives(files: dict[str, bytes]) -> None:
    found = parse(archive(regular(path, data) for path, data in files.items()))

    assert {entry.path: entry.data for entry in found} == files


def test_the_same_data_compresses_to_the_same_bytes() -> None:
    packed = gzipped(archive(ENTRIES))

    assert packed == gzipped(archive(ENTRIES))
    assert packed[4:8] == bytes(4), "a date of zero"
    assert gzip.decompress(packed) == archive(ENTRIES), "the padding does not disturb"


def test_an_overlay_makes_the_directories_above_its_files() -> None:
    found = {entry.path: entry for entry in parse(overlay({"/root/.ssh/authorized_keys": b"key\n"}))}

    assert list(found) == ["root", "root/.ssh", "root/.ssh/authorized_keys"]
    assert stat.S_IMODE(found["root/.ssh/authorized_keys"].mode) == 0o600
    assert stat.S_ISDIR(found["root/.ssh"].mode)


def test_an_overlay_takes_an_entry_s_own_mode() -> None:
    found = parse(overlay({"agent": regular("agent", b"x", mode=0o755)}))

    assert stat.S_IMODE(found[0].mode) == 0o755


@pytest.mark.parametrize("base_length", range(4))
def test_what_is_appended_starts_at_a_multiple_of_four(base_length: int) -> None:
    base = gzip.compress(b"base") + b"\0" * base_length
    extra = overlay({"x": b"1"})

    whole = append(base, extra)

    assert whole.index(b"070701") % 4 == 0
    assert len(whole) % 4 == 0


def test_archives_end_where_a_third_one_may_simply_be_appended() -> None:
    assert len(archive(ENTRIES)) % 512 == 0
    assert len(gzipped(archive(ENTRIES))) % 4 == 0
    assert [e.path for e in parse(archive(ENTRIES) + overlay({"later": b""}))][-1] == "later"


@pytest.mark.parametrize("path", ["", "/abs", "a//b", "../up", "a/./b", "a/", "nul\0", "TRAILER!!!"])
def test_a_path_that_is_not_clean_and_relative_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"path|name"):
        regular(path, b"")


def test_the_same_path_twice_and_a_mode_without_a_type_are_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        archive([regular("a", b""), directory("a")])
    with pytest.raises(ValueError, match="no file type"):
        Entry("a", 0o644)


def test_a_damaged_archive_is_refused() -> None:
    with pytest.raises(ValueError, match="no cpio header"):
        parse(b"garbage")
    with pytest.raises(ValueError, match="ends in the middle"):
        parse(archive([regular("a", bytes(4096))])[:600])


def test_keys_are_new_each_time_and_private_halves_are_not_shown() -> None:
    one, other = make_keys(), make_keys()

    assert one.client_private != other.client_private
    assert one.host_public != other.host_public
    assert "PRIVATE" not in repr(one)


def test_the_client_s_key_opens_what_authorized_keys_lets_in() -> None:
    keys = make_keys()
    private = load_ssh_private_key(keys.client_private, None)
    assert isinstance(private, Ed25519PrivateKey)

    assert private.public_key() == load_ssh_public_key(keys.authorized_keys.rsplit(b" ", 1)[0])
    assert set(keys.files()) >= {"root/.ssh/authorized_keys", "etc/dropbear/dropbear_ed25519_host_key"}
    assert keys.known_host("127.0.0.1", port=2200).startswith("[127.0.0.1]:2200 ssh-ed25519 ")


def dropbearkey(tmp_path: Path) -> list[str]:
    """dropbear's own tool, from Debian's package: the host need not have it."""
    try:
        apt = AptRoot(default_root())
        apt.update("amd64")
        files = apt.fetch(apt.resolve("amd64", ["dropbear-bin"]))
    except SetupError as error:
        pytest.skip(f"no dropbear: {error.message}")
    for file in files:
        subprocess.run(["dpkg-deb", "--extract", file, tmp_path / "root"], check=True)
    libraries = ":".join(str(p) for p in (tmp_path / "root").glob("**/x86_64-linux-gnu"))
    (loader,) = [p for p in (tmp_path / "root").rglob("ld-linux-x86-64.so.2") if not p.is_symlink()]
    return [str(loader), "--library-path", libraries, str(tmp_path / "root/usr/bin/dropbearkey")]


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="runs dropbear for amd64")
def test_dropbear_reads_our_host_key_and_writes_the_same_format(tmp_path: Path) -> None:
    tool = dropbearkey(tmp_path)
    key = Ed25519PrivateKey.generate()
    (tmp_path / "ours").write_bytes(dropbear_private(key))
    said = subprocess.run([*tool, "-y", "-f", tmp_path / "ours"], capture_output=True, text=True, check=True).stdout
    assert openssh_public(key) in said

    subprocess.run([*tool, "-t", "ed25519", "-f", tmp_path / "theirs"], capture_output=True, check=True)
    theirs = (tmp_path / "theirs").read_bytes()
    seed = theirs[len(b"\0\0\0\x0bssh-ed25519\0\0\0\x40") :][:32]
    assert dropbear_private(Ed25519PrivateKey.from_private_bytes(seed)) == theirs
