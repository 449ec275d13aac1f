"""Building in a copy: only what changed, never half."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.targets.sources import Sources


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name, text in {
        "core/a.c": "a",
        "core/include/a.h": "h",
        "kmod/Kbuild": "k",
        "kmod/notes.txt": "n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def tree(project: Path) -> Sources:
    return Sources(project, ("core", "kmod"))


def test_the_stamp_changes_with_a_files_content(project: Path) -> None:
    before = tree(project).stamp()
    (project / "core/a.c").write_text("b")
    assert tree(project).stamp() != before


def test_the_stamp_changes_with_a_files_name(project: Path) -> None:
    before = tree(project).stamp()
    (project / "core/a.c").rename(project / "core/b.c")
    assert tree(project).stamp() != before


def test_the_stamp_changes_with_an_option(project: Path) -> None:
    assert tree(project).stamp("W=1") != tree(project).stamp("W=1", "SUPDRV_FAULTS=1")


def test_a_file_that_is_no_source_changes_nothing(project: Path) -> None:
    before = tree(project).stamp()
    (project / "kmod/notes.txt").write_text("other")
    assert tree(project).stamp() == before


def test_copying_leaves_unchanged_files_alone(project: Path, tmp_path: Path) -> None:
    build = tmp_path / "build"
    tree(project).sync(build)
    before = (build / "core/a.c").stat().st_mtime_ns
    (project / "kmod/Kbuild").write_text("changed")
    tree(project).sync(build)
    assert (build / "core/a.c").stat().st_mtime_ns == before
    assert (build / "kmod/Kbuild").read_text() == "changed"


def test_a_source_that_is_gone_goes_from_the_copy_but_what_the_build_made_stays(project: Path, tmp_path: Path) -> None:
    build = tmp_path / "build"
    tree(project).sync(build)
    (build / "kmod/supdrv.mod.c").write_text("made by kbuild")
    (project / "core/a.c").unlink()
    tree(project).sync(build)
    assert not (build / "core/a.c").exists()
    assert (build / "kmod/supdrv.mod.c").exists()


def test_a_build_is_fresh_only_when_it_was_finished(project: Path, tmp_path: Path) -> None:
    build, sources = tmp_path / "build", tree(project)
    sources.sync(build)
    assert not sources.fresh(build, sources.stamp())
    sources.seal(build, sources.stamp())
    assert sources.fresh(build, sources.stamp())
    sources.sync(build)
    assert not sources.fresh(build, sources.stamp())
