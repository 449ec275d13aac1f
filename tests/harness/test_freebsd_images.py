"""FreeBSD's own images, fetched from a server that is not theirs."""

from __future__ import annotations

import hashlib
import lzma
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import commands
from harness.errors import ConfigError, SetupError
from harness.events import RecordingProgress
from harness.images.download import Remote, download
from harness.images.freebsd_images import FreeBsdImages
from harness.images.freebsd_release import Release, check_release

DISK = b"QFI\xfb" + random.Random(1).randbytes(40_000)
PACKED = lzma.compress(DISK)
FOLDER = "/VM-IMAGES/14.3-RELEASE/amd64/Latest"
NAME = "FreeBSD-14.3-RELEASE-amd64-BASIC-CLOUDINIT-ufs.qcow2.xz"


class Server(ThreadingHTTPServer):
    """Serves `files`. `breaks` is after how many bytes of each answer the connection ends, while there are any."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.breaks: list[int] = []
        self.ranges: list[str] = []
        self.has_ranges = True
        self.status = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/VM-IMAGES"

    def publish(self, content: bytes = PACKED, name: str = NAME, *, sha512: str = "", folder: str = FOLDER) -> None:
        self.files[f"{folder}/{name}"] = content
        line = f"SHA512 ({name}) = {sha512 or hashlib.sha512(content).hexdigest()}\n"
        listed = self.files.get(f"{folder}/CHECKSUM.SHA512", b"")
        self.files[f"{folder}/CHECKSUM.SHA512"] = listed + line.encode()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        content = server.files.get(self.path)
        if server.status or content is None:
            self.send_error(server.status or 404)
            return
        begin = 0
        asked = self.headers.get("Range", "")
        if asked and server.has_ranges:
            begin = int(asked.removeprefix("bytes=").removesuffix("-"))
        server.ranges.append(asked)
        if begin >= len(content) > 0 and asked:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        end = len(content)
        if server.breaks and not self.path.endswith("SHA512"):
            end = min(end, begin + server.breaks.pop(0))
        self.wfile.write(content[begin:end])

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.05,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def store(tmp_path: Path) -> FreeBsdImages:
    return FreeBsdImages(tmp_path / "freebsd")


def left_in(store: FreeBsdImages) -> list[str]:
    """Every file of the store but its lock."""
    return sorted(path.name for path in store.root.rglob("*") if path.is_file() and path.name != "lock")


def test_an_image_is_fetched_checked_and_unpacked(server: Server, store: FreeBsdImages) -> None:
    server.publish()
    progress = RecordingProgress()
    image = store.fetch("freebsd-amd64", Release("14.3", "amd64", server.base), progress=progress)
    assert image.disk.read_bytes() == DISK
    assert image.facts()["release"] == "14.3"
    assert image.facts()["url"] == f"{server.base}{FOLDER.removeprefix('/VM-IMAGES')}/{NAME}"
    assert progress.bytes[f"fetch {NAME}"] == len(PACKED)
    assert [line.rpartition(" ... ")[2] for line in progress.lines] == ["done"] * 3
    assert left_in(store) == ["disk.qcow2", "facts.json"]
    found = store.find("freebsd-amd64")
    assert found == image
    assert store.all() == [image]
    assert store.find("freebsd-x86") is None
    assert store.remove("freebsd-amd64")
    assert store.all() == []
    assert not store.remove("freebsd-amd64")


def test_a_connection_that_breaks_is_made_again_for_the_rest(server: Server, store: FreeBsdImages) -> None:
    server.publish()
    server.breaks = [1000, 500]
    image = store.fetch("freebsd-amd64", Release("14.3", "amd64", server.base))
    assert image.disk.read_bytes() == DISK
    assert server.ranges == ["", "", "bytes=1000-", "bytes=1500-"]


def test_the_next_try_goes_on_where_the_last_one_ended(server: Server, store: FreeBsdImages) -> None:
    server.publish()
    server.breaks = [1000, 0, 0, 0, 0, 0]
    with pytest.raises(SetupError, match=r"the connection ended early; 1 kB are kept, and the next try goes on there"):
        store.fetch("freebsd-amd64", Release("14.3", "amd64", server.base))
    assert [name for name in left_in(store) if name.endswith(f"{NAME}.part")]
    assert store.find("freebsd-amd64") is None
    server.breaks, server.ranges = [], []
    image = store.fetch("freebsd-amd64", Release("14.3", "amd64", server.base))
    assert image.disk.read_bytes() == DISK
    assert server.ranges == ["", "bytes=1000-"]


def test_a_server_that_cannot_go_on_begins_anew(server: Server, tmp_path: Path) -> None:
    server.files["/f"] = PACKED
    server.has_ranges = False
    (tmp_path / "f.part").write_bytes(b"something")
    download(remote(server, PACKED), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == PACKED


def test_what_was_whole_before_the_check_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    server.files["/f"] = PACKED
    (tmp_path / "f.part").write_bytes(PACKED)
    download(remote(server, PACKED), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == PACKED
    assert server.ranges == [f"bytes={len(PACKED)}-"]


def test_what_is_longer_than_the_file_is_of_another_one(server: Server, tmp_path: Path) -> None:
    server.files["/f"] = PACKED
    (tmp_path / "f.part").write_bytes(PACKED + b"more")
    download(remote(server, PACKED), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == PACKED


def test_a_wrong_checksum_is_said_and_nothing_is_kept(server: Server, store: FreeBsdImages) -> None:
    server.publish(sha512="0" * 128)
    with pytest.raises(SetupError, match=r"is not what its checksum says: SHA-512 [0-9a-f]{16}\.\.\., not 0{16}"):
        store.fetch("freebsd-amd64", Release("14.3", "amd64", server.base))
    assert left_in(store) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [(lzma.compress(b"no disk at all"), "holds no qcow2 disk"), (b"not packed", "cannot be unpacked")],
)
def test_a_file_that_is_no_image_is_refused(server: Server, store: FreeBsdImages, content: bytes, says: str) -> None:
    server.publish(content)
    with pytest.raises(SetupError, match=says):
        store.fetch("freebsd-amd64", Release("14.3", "amd64", server.base))
    assert left_in(store) == []


def test_an_image_that_is_cut_short_is_refused(server: Server, store: FreeBsdImages) -> None:
    server.publish(PACKED[:-40])
    with pytest.raises(SetupError, match="cannot be unpacked"):
        store.fetch("freebsd-amd64", Release("14.3", "amd64", server.base))
    assert store.find("freebsd-amd64") is None


def test_a_failed_fetch_leaves_the_image_that_was_there(server: Server, store: FreeBsdImages) -> None:
    server.publish()
    store.fetch("freebsd-amd64", Release("14.3", "amd64", server.base))
    server.publish(b"newer", folder="/VM-IMAGES/14.4-RELEASE/amd64/Latest", name=NAME.replace("14.3", "14.4"))
    with pytest.raises(SetupError):
        store.fetch("freebsd-amd64", Release("14.4", "amd64", server.base))
    image = store.find("freebsd-amd64")
    assert image is not None
    assert image.facts()["release"] == "14.3"


def test_a_release_without_images_is_said(server: Server, store: FreeBsdImages) -> None:
    with pytest.raises(
        SetupError, match=r"no images of FreeBSD 14\.9 for x86 at http://127\.0\.0\.1:\d+/VM-IMAGES/14\.9"
    ):
        store.fetch("freebsd-x86", Release("14.9", "x86", server.base))


def test_a_server_that_fails_or_is_not_there_is_said(server: Server, store: FreeBsdImages) -> None:
    server.status = 503
    with pytest.raises(SetupError, match="the server says 503"):
        store.fetch("freebsd-amd64", Release("14.3", "amd64", server.base))
    with pytest.raises(SetupError, match=r"Connection refused.*is 127\.0\.0\.1:1 reachable"):
        store.fetch("freebsd-amd64", Release("14.3", "amd64", "http://127.0.0.1:1"))
    with pytest.raises(SetupError, match="is no address of a web server"):
        store.fetch("freebsd-amd64", Release("14.3", "amd64", "file:///etc"))


def test_a_list_without_a_fitting_image_is_said(server: Server, store: FreeBsdImages) -> None:
    server.publish(name="FreeBSD-14.3-RELEASE-amd64.vhd.xz")
    with pytest.raises(SetupError, match=r"has no image that fits\nit has: FreeBSD-14\.3-RELEASE-amd64\.vhd\.xz"):
        store.fetch("freebsd-amd64", Release("14.3", "amd64", server.base))
    server.files[f"{FOLDER}/CHECKSUM.SHA512"] = b"<html>hello</html>"
    with pytest.raises(SetupError, match="is no list of checksums"):
        store.fetch("freebsd-amd64", Release("14.3", "amd64", server.base))


@pytest.mark.parametrize(
    ("kinds", "chosen"),
    [
        (["", "-zfs", "-BASIC-CLOUDINIT-ufs", "-BASIC-CLOUDINIT-zfs"], "-BASIC-CLOUDINIT-ufs"),
        (["-zfs", "-BASIC-CLOUDINIT"], "-BASIC-CLOUDINIT"),
        (["-zfs", "-ufs", "-BASIC-CLOUDINIT-zfs"], "-ufs"),
        (["", "-zfs"], ""),
        (["-zfs"], "-zfs"),
    ],
)
def test_what_sets_itself_up_is_taken_first_then_ufs(kinds: list[str], chosen: str) -> None:
    names = {kind: f"FreeBSD-13.5-RELEASE-i386{kind}.qcow2.xz" for kind in kinds}
    listed = "".join(f"SHA512 ({name}) = {'ab' * 64}\n" for name in names.values())
    assert Release("13.5", "x86").choose(listed) == (names[chosen], "ab" * 64)


def test_the_projects_own_server_is_asked_unless_another_is_named() -> None:
    assert Release("13.5", "x86").directory == (
        "https://download.freebsd.org/releases/VM-IMAGES/13.5-RELEASE/i386/Latest"
    )


@pytest.mark.parametrize(("number", "arch"), [("15.0", "x86"), ("11.4", "amd64"), ("14", "amd64"), ("x", "x86")])
def test_a_release_that_cannot_be_is_refused(number: str, arch: str) -> None:
    with pytest.raises(ConfigError):
        check_release(number, arch)
    check_release("14.3", arch)


def test_the_command_fetches_lists_and_removes(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    server.publish()
    fetch = ["images", "fetch", "freebsd-amd64", "--release", "14.3", "--base", server.base]
    first = CliRunner().invoke(commands, fetch)
    assert first.exit_code == 0, first.output
    assert "freebsd-amd64: FreeBSD 14.3, 40 kB, " in first.output
    again = CliRunner().invoke(commands, fetch)
    assert again.exit_code != 0
    assert "freebsd-amd64 has an image, of FreeBSD 14.3 (--replace)" in str(again.exception) + again.output
    assert CliRunner().invoke(commands, [*fetch, "--replace"]).exit_code == 0
    assert "FreeBSD 14.3" in CliRunner().invoke(commands, ["images", "list"]).output
    assert CliRunner().invoke(commands, ["images", "rm", "freebsd-amd64"]).exit_code == 0
    assert FreeBsdImages().all() == []


def remote(server: Server, content: bytes) -> Remote:
    return Remote(f"http://127.0.0.1:{server.server_port}/f", hashlib.sha512(content).hexdigest())
