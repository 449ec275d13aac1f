"""Where packages come from, that the host's own apt has no part in it, and what is said meanwhile."""

from __future__ import annotations

import io
import re
import subprocess
from pathlib import Path

import pytest

from harness.errors import SetupError
from harness.events import LineProgress, RecordingProgress, megabytes, stage
from harness.images import debs, host_tool
from harness.images.debs import AptRoot, unpack
from harness.images.sources import (
    Source,
    deb822,
    debian_only,
    in_suite,
    is_debian,
    parse_deb822,
    parse_one_line,
)
from harness.images.store import default_root

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def unknown(uri: str, suite: str) -> str:
    """A host that has no Release file of anything."""
    return ""


def test_one_line_sources_are_read_with_options_and_without_comments() -> None:
    text = f"""
        # deb http://old.example/debian bookworm main
        deb [arch=amd64 signed-by={KEYRING}] http://mirror.example/debian bookworm main contrib # near
        deb-src http://mirror.example/debian bookworm main
        deb http://mirror.example/debian-security bookworm-security main
    """

    assert parse_one_line(text) == [
        Source(("http://mirror.example/debian",), ("bookworm",), ("main", "contrib"), KEYRING),
        Source(("http://mirror.example/debian-security",), ("bookworm-security",), ("main",)),
    ]


def test_deb822_sources_are_read_with_several_suites_comments_and_disabled_stanzas() -> None:
    text = f"""\
Types: deb deb-src
# a snapshot
URIs: http://mirror.example/debian
Suites: bookworm
 bookworm-updates
Components: main
Signed-By: {KEYRING}

Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
Enabled: no

Types: deb-src
URIs: http://mirror.example/debian
Suites: bookworm
Components: main
"""

    assert parse_deb822(text) == [
        Source(("http://mirror.example/debian",), ("bookworm", "bookworm-updates"), ("main",), KEYRING)
    ]


def test_a_key_block_inside_a_stanza_is_kept_whole() -> None:
    text = "Types: deb\nURIs: http://x.example/debian\nSuites: s\nComponents: main\nSigned-By:\n -----BEGIN\n .\n"

    (source,) = parse_deb822(text)

    assert parse_deb822(deb822([source], keyring="")) == [source]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (f"deb [signed-by={KEYRING}] http://any.example/mirror/x bookworm main", True),
        (
            "deb [signed-by=/etc/apt/keyrings/docker.asc] https://docker.example/linux/debian bookworm stable",
            False,
        ),
        (
            "deb [signed-by=/usr/share/keyrings/nodesource.gpg] https://node.example/node_20.x nodistro main",
            False,
        ),
        ("deb http://mirror.example/debian bookworm main", True),
        ("deb http://mirror.example/debian-security/ bookworm-security main", True),
        ("deb mirror+file:/etc/apt/mirrors/debian.list bookworm main", True),
        ("deb https://docker.example/linux/debian bookworm stable", False),
        ("deb https://cloud.example/apt cloud-sdk main", False),
        ("deb cdrom:[Debian]/ bookworm main", False),
    ],
)
def test_only_debian_s_own_sources_are_taken(line: str, wanted: bool) -> None:
    (source,) = parse_one_line(line)

    assert is_debian(source, origin_of=unknown) is wanted


@pytest.mark.parametrize(("origin", "wanted"), [("Debian", True), ("Docker", False)])
def test_the_origin_of_the_release_file_decides_where_no_key_is_named(origin: str, wanted: bool) -> None:
    (source,) = parse_one_line("deb http://mirror.example/debian bookworm main")

    assert is_debian(source, origin_of=lambda uri, suite: origin) is wanted


def test_a_source_without_a_key_is_held_to_debian_s_keyring() -> None:
    (source,) = parse_one_line("deb http://mirror.example/debian bookworm main")

    assert f"Signed-By: {KEYRING}" in deb822([source], keyring=KEYRING)


def test_a_host_without_debian_sources_is_told_what_to_do() -> None:
    with pytest.raises(SetupError, match=r"sources\.list\.d") as caught:
        debian_only(parse_one_line("deb http://x.example/ubuntu jammy main"), origin_of=unknown)

    assert "1 sources of others" in caught.value.message


def test_another_suite_keeps_mirrors_and_pockets() -> None:
    source = Source(("http://m.example/debian",), ("bookworm", "bookworm-updates", "bookworm-security"), ("main",))

    assert in_suite([source], "trixie")[0].suites == ("trixie", "trixie-updates", "trixie-security")


def test_no_mirror_is_named_in_the_code() -> None:
    """What Debian's packages come from is what this machine has them from."""
    for file in Path(debs.__file__).parent.glob("*.py"):
        assert not re.search(r"://[\w.-]*(?:debian|ubuntu|mirror)", file.read_text()), file


def test_a_missing_tool_is_named() -> None:
    with pytest.raises(SetupError, match="no-such-tool is not installed"):
        host_tool.run(["no-such-tool"], what="trying")


def test_a_tool_that_hangs_is_ended_at_its_deadline() -> None:
    with pytest.raises(SetupError, match=r"did not end in 0 s|did not end in 1 s"):
        host_tool.run(["sleep", "30"], what="waiting", timeout=0.3)


def test_a_tool_that_fails_shows_what_it_said() -> None:
    with pytest.raises(SetupError, match="failed with status 3") as caught:
        host_tool.run(["sh", "-c", "echo broken >&2; exit 3"], what="trying")

    assert caught.value.evidence == "broken"


def test_a_full_disk_is_recognised_in_what_a_tool_says() -> None:
    with pytest.raises(SetupError, match="no space left: free some"):
        host_tool.run(["sh", "-c", "echo 'write: No space left on device' >&2; exit 1"], what="trying")


@pytest.fixture
def unreachable(tmp_path: Path) -> Path:
    """A sources file of a mirror that does not exist."""
    file = tmp_path / "debian.sources"
    lines = (
        "Types: deb",
        "URIs: file:///nowhere/debian",
        "Suites: bookworm",
        "Components: main",
        f"Signed-By: {KEYRING}",
    )
    file.write_text("\n".join(lines) + "\n")
    return file


def test_without_a_mirror_and_without_lists_the_error_says_to_check_the_network(
    tmp_path: Path, unreachable: Path
) -> None:
    apt = AptRoot(tmp_path / "root", source_files=[unreachable])

    with pytest.raises(SetupError, match="check the network"):
        apt.update("amd64")


def test_without_a_mirror_but_with_lists_the_old_lists_are_used_and_that_is_said(
    tmp_path: Path, unreachable: Path
) -> None:
    progress = RecordingProgress()
    apt = AptRoot(tmp_path / "root", source_files=[unreachable], progress=progress)
    with pytest.raises(SetupError):
        apt.update("amd64")
    (tmp_path / "root/apt/host/amd64/lists/x_Packages").touch()

    apt.update("amd64")
    apt.update("amd64")

    assert "failed, using what is there" in progress.lines[-1]
    assert len(progress.lines) == 2, "the third call waits a while before it tries again"


@pytest.fixture(scope="module")
def shared() -> AptRoot:
    """The developer's own package cache, so that a warm one makes these tests quick."""
    root = AptRoot(default_root())
    try:
        for arch in ("amd64", "i386"):
            root.update(arch)
    except SetupError as error:
        pytest.skip(f"no package lists: {error.message}")
    return root


@pytest.mark.parametrize("arch", ["amd64", "i386"])
def test_dependencies_are_resolved_for_both_architectures_on_an_empty_system(shared: AptRoot, arch: str) -> None:
    found = {package.name: package for package in shared.resolve(arch, ["dropbear-bin"])}

    assert {"dropbear-bin", "libc6", "libtomcrypt1"} <= set(found)
    assert found["libc6"].arch == arch
    assert len(found["libc6"].sha256) == 64
    assert found["libc6"].size > 1_000_000


def test_a_package_is_fetched_once_verified_and_unpacked(shared: AptRoot, tmp_path: Path) -> None:
    apt = AptRoot(default_root(), progress=(progress := RecordingProgress()))
    (package,) = [each for each in apt.resolve("i386", ["hello"]) if each.name == "hello"]  # no image has it
    (file,) = apt.fetch([package])
    file.write_bytes(b"damaged")

    assert apt.fetch([package]) == [file]
    assert progress.lines[-1].startswith("fetch hello (i386) ")
    said = len(progress.lines)
    assert apt.fetch([package]) == [file]
    assert len(progress.lines) == said, "nothing was fetched again"

    unpack(file, tmp_path / "out")
    assert (tmp_path / "out/usr/bin/hello").read_bytes()[4] == 1, "a 32-bit ELF file"


def test_an_unknown_package_is_named(shared: AptRoot) -> None:
    with pytest.raises(SetupError, match="no way to install no-such-package") as caught:
        shared.resolve("amd64", ["no-such-package"])

    assert "Unable to locate package" in caught.value.evidence


def test_the_host_s_architectures_stay_as_they_are(shared: AptRoot) -> None:
    before = subprocess.run(["dpkg", "--print-foreign-architectures"], capture_output=True, check=True).stdout
    shared.resolve("i386", ["busybox-static"])

    assert subprocess.run(["dpkg", "--print-foreign-architectures"], capture_output=True, check=True).stdout == before


def test_a_log_has_one_line_for_each_step_with_size_and_time() -> None:
    out = io.StringIO()
    with stage(LineProgress(out), f"fetch linux-image (amd64) {megabytes(25_900_000)}"):
        pass

    assert out.getvalue() == "fetch linux-image (amd64) 25.9 MB ... done in 0.0 s\n"


def test_steps_that_overlap_in_a_log_do_not_run_into_one_another() -> None:
    out = io.StringIO()
    progress = LineProgress(out)
    first = progress.step("one")
    progress.step("two").done()
    first.done("skipped")

    assert out.getvalue().splitlines() == ["one ...", "two ... done in 0.0 s", "one ... skipped in 0.0 s"]


def test_a_step_that_raises_is_shown_as_failed() -> None:
    progress = RecordingProgress()
    with pytest.raises(ValueError, match="x"), stage(progress, "fetch"):
        raise ValueError("x")

    assert progress.lines == ["fetch ... failed"]
