"""Runs: what the dead leave behind is cleared, and only that."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.provision.hypervisor import Owner
from harness.provision.runs import Run, clear_orphans


class FakeDomain:
    def __init__(self, name: str) -> None:
        self.name = name
        self.destroyed = False

    def destroy(self) -> None:
        self.destroyed = True


class FakeHypervisor:
    def __init__(self) -> None:
        self.domains: list[tuple[FakeDomain, Owner]] = []

    def add(self, state: Path, run: str) -> FakeDomain:
        domain = FakeDomain(f"supdrv-{run}-cell")
        self.domains.append((domain, Owner(state=str(state), run=run, cell="cell")))
        return domain

    def ours(self) -> list[tuple[FakeDomain, Owner]]:
        return self.domains


@pytest.fixture
def hypervisor() -> FakeHypervisor:
    return FakeHypervisor()


@pytest.fixture
def dead_run(tmp_path: Path) -> str:
    """The id of a run whose process was killed while a guest of it was running."""
    script = (
        "import os, sys; from pathlib import Path; from harness.provision.runs import Run\n"
        "run = Run.begin(uri='test:///default', state=Path(sys.argv[1])); run.cell_dir('cell')\n"
        "print(run.id, flush=True); os.kill(os.getpid(), 9)"
    )
    result = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert result.returncode == -9, result.stderr
    return result.stdout.strip()


def test_a_live_run_and_its_guest_are_left_alone(tmp_path: Path, hypervisor: FakeHypervisor) -> None:
    run = Run.begin(uri="test:///default", state=tmp_path)
    domain = hypervisor.add(tmp_path, run.id)
    cleared = clear_orphans(hypervisor, state=tmp_path)
    assert (cleared.domains, cleared.runs, domain.destroyed) == ((), (), False)
    assert run.directory.exists()
    run.end()
    assert not run.directory.exists()


def test_a_killed_runs_guest_and_files_go(tmp_path: Path, hypervisor: FakeHypervisor, dead_run: str) -> None:
    domain = hypervisor.add(tmp_path, dead_run)
    cleared = clear_orphans(hypervisor, state=tmp_path)
    assert cleared.runs == (dead_run,)
    assert cleared.domains == (domain.name,)
    assert domain.destroyed
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_run_that_another_process_clears_at_the_same_time_is_no_error(
    tmp_path: Path, hypervisor: FakeHypervisor, dead_run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faster(directory: Path) -> None:
        monkeypatch.undo()
        assert clear_orphans(hypervisor, state=tmp_path).runs == ()  # its lock is ours
        shutil.rmtree(directory)
        shutil.rmtree(directory)

    monkeypatch.setattr("harness.provision.runs.shutil.rmtree", faster)
    assert clear_orphans(hypervisor, state=tmp_path).runs == ()
    assert list((tmp_path / "runs").iterdir()) == []


def test_guests_that_were_asked_to_stay_go_only_when_asked_for(tmp_path: Path, hypervisor: FakeHypervisor) -> None:
    run = Run.begin(uri="test:///default", state=tmp_path)
    run.keep()
    domain = hypervisor.add(tmp_path, run.id)
    run.end()
    assert clear_orphans(hypervisor, state=tmp_path).runs == ()
    assert not domain.destroyed
    assert clear_orphans(hypervisor, kept=True, state=tmp_path).runs == (run.id,)
    assert domain.destroyed


def test_a_guest_of_another_state_directory_is_not_ours(
    tmp_path: Path, hypervisor: FakeHypervisor, dead_run: str
) -> None:
    theirs = hypervisor.add(tmp_path / "elsewhere", dead_run)
    clear_orphans(hypervisor, state=tmp_path)
    assert not theirs.destroyed


def test_a_guest_whose_run_directory_is_gone_is_ended(tmp_path: Path, hypervisor: FakeHypervisor) -> None:
    domain = hypervisor.add(tmp_path, "0badcafe")
    assert clear_orphans(hypervisor, state=tmp_path).domains == (domain.name,)


def test_two_cleaners_at_once_do_not_disturb_each_other(
    tmp_path: Path, hypervisor: FakeHypervisor, dead_run: str
) -> None:
    lock = (tmp_path / "runs" / dead_run / "lock").open("a")
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert clear_orphans(hypervisor, state=tmp_path).runs == ()
    lock.close()
    assert clear_orphans(hypervisor, state=tmp_path).runs == (dead_run,)


def test_a_guests_directory_is_empty_when_it_starts_again(tmp_path: Path) -> None:
    run = Run.begin(uri="test:///default", state=tmp_path)
    (run.cell_dir("cell") / "console.log").write_text("old")
    assert list(run.cell_dir("cell").iterdir()) == []
    run.end()
