"""The store of checkpoints: whole or not there, private, few, and never one that does not fit."""

from __future__ import annotations

import errno
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.errors import SetupError
from harness.images.new_keys import make_keys
from harness.provision.checkpoints import Checkpoint, CheckpointStore, checkpoint_key, link_or_copy

KEYS = make_keys()
FACTS = {"kernel": "6.1", "boot": "4711"}


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(tmp_path)


def fill(checkpoint: Checkpoint) -> None:
    checkpoint.disk.write_bytes(b"disk")
    checkpoint.initrd.write_bytes(b"initrd")


def keep(store: CheckpointStore, key: str) -> Checkpoint:
    return store.publish("cell", key, fill=fill, keys=KEYS, facts=FACTS)


def test_what_was_kept_is_found_under_its_key_only(store: CheckpointStore) -> None:
    kept = keep(store, "one")
    found = store.find("cell", "one")
    assert found == kept
    assert (found.disk.read_bytes(), found.initrd.read_bytes()) == (b"disk", b"initrd")
    assert found.keys() == KEYS
    assert found.facts() == FACTS
    assert store.find("cell", "two") is None
    assert store.find("other", "one") is None


def test_keys_are_for_the_owner_alone(store: CheckpointStore) -> None:
    kept = keep(store, "one")
    assert stat.S_IMODE(kept.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((kept.directory / "keys.json").stat().st_mode) == 0o600


def test_each_part_counts_for_the_key() -> None:
    parts = {"kernel": "a", "agent": "b"}
    changed = [parts | {"kernel": "c"}, parts | {"agent": "c"}, {"kernel": "b", "agent": "a"}, {"kernel": "a"}]
    assert checkpoint_key(parts) == checkpoint_key(dict(reversed(parts.items())))
    assert len({checkpoint_key(each) for each in (parts, *changed)}) == 5


def test_a_full_disk_is_told_and_leaves_nothing(store: CheckpointStore) -> None:
    def full(checkpoint: Checkpoint) -> None:
        checkpoint.disk.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(SetupError, match=r"cannot keep a checkpoint of cell.*No space left"):
        store.publish("cell", "one", fill=full, keys=KEYS, facts=FACTS)
    assert list((store.root / "cell").iterdir()) == []
    assert store.find("cell", "one") is None


def test_the_first_of_two_runs_that_keep_the_same_wins(store: CheckpointStore) -> None:
    def fill_late(checkpoint: Checkpoint) -> None:
        fill(checkpoint)
        (keep(store, "one").directory / "first").touch()

    late = store.publish("cell", "one", fill=fill_late, keys=KEYS, facts=FACTS)
    assert (late.directory / "first").exists()
    assert [path.name for path in (store.root / "cell").iterdir()] == ["one"]


def test_runs_that_keep_and_remove_at_the_same_time_do_not_disturb_each_other(store: CheckpointStore) -> None:
    def keep_some(run: int) -> None:
        for number in range(40):
            keep(store, f"{run}-{number}")

    with ThreadPoolExecutor() as runs:
        list(runs.map(keep_some, range(4)))
    left = [path.name for path in (store.root / "cell").iterdir()]
    assert not [name for name in left if name.startswith(".")]
    keep(store, "last")
    assert len(list((store.root / "cell").iterdir())) == 2


def test_the_two_used_last_stay(store: CheckpointStore) -> None:
    for age, key in ((30, "one"), (20, "two")):
        os.utime(keep(store, key).directory, (time.time() - age,) * 2)
    store.find("cell", "one")
    keep(store, "three")
    assert sorted(path.name for path in (store.root / "cell").iterdir()) == ["one", "three"]


def test_what_a_killed_run_left_half_made_goes_when_it_is_old(store: CheckpointStore) -> None:
    old, young = store.root / "cell" / ".old", store.root / "cell" / ".young"
    for path in (old, young):
        path.mkdir(parents=True)
    os.utime(old, (time.time() - 3600,) * 2)
    keep(store, "one")
    assert not old.exists()
    assert young.exists()


def test_one_that_does_not_work_goes(store: CheckpointStore) -> None:
    store.discard(keep(store, "one"))
    assert store.find("cell", "one") is None


def test_a_link_outlives_the_file(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"text")
    link_or_copy(source, target)
    source.unlink()
    assert target.read_bytes() == b"text"


def test_a_link_to_what_is_gone_fails(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        link_or_copy(tmp_path / "gone", tmp_path / "target")


@pytest.mark.parametrize("text", ["", "{", "{}"], ids=["empty", "cut", "without-keys"])
def test_damaged_keys_are_told(store: CheckpointStore, text: str) -> None:
    kept = keep(store, "one")
    (kept.directory / "keys.json").write_text(text)
    with pytest.raises(SetupError, match="is damaged"):
        kept.keys()


@pytest.mark.parametrize("damage", ["empty", "gone"])
def test_damaged_facts_are_told(store: CheckpointStore, damage: str) -> None:
    facts = keep(store, "one").directory / "facts.json"
    facts.unlink() if damage == "gone" else facts.write_text("")
    with pytest.raises(SetupError, match="is damaged"):
        Checkpoint(facts.parent).facts()
