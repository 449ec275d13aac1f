"""Whatever ends a run, nothing of it stays: no domain, file, socket, port or process."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HARNESS = Path(sys.executable).with_name("harness")
SECONDS = 90.0


class Place:
    """A state and a runtime directory of its own, so that other runs on this machine are neither seen nor hit."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.runs = directory / "state" / "supdrv-harness" / "runs"
        self.environment = os.environ | {
            "XDG_STATE_HOME": str(directory / "state"),
            "XDG_RUNTIME_DIR": str(directory / "run"),
        }

    def harness(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [HARNESS, *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        log = (self.directory / "log").open("wb")
        # As at a terminal: a caller in the background has Ctrl-C ignored, which children inherit.
        return subprocess.Popen(
            ["env", "--default-signal=INT", HARNESS, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def start_matrix(self, *arguments: str) -> subprocess.Popen[bytes]:
        results = ("--json", str(self.directory / "r.json"), "--junit", str(self.directory / "r.xml"))
        return self.start("matrix", *arguments, *results)

    def consoles(self) -> list[Path]:
        """Of runs that have their names: one that begins is hidden until it is whole."""
        return list(self.runs.glob("[!.]*/linux-*/console.log"))

    def processes(self) -> list[str]:
        """Command lines of living processes that name this place or have it in their environment."""
        mark = str(self.directory).encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes()
                environment = (process / "environ").read_bytes()
            except OSError:
                continue
            if mark in command or mark in environment:
                found.append(command.replace(b"\0", b" ").decode(errors="replace")[:200])
        return found


@pytest.fixture
def place() -> Iterator[Place]:
    directory = Path(tempfile.mkdtemp(prefix="sh-"))  # short: sockets lie below it
    (directory / "run").mkdir(mode=0o700)
    yield Place(directory)
    shutil.rmtree(directory, ignore_errors=True)


def wait_until(condition: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.02)


def wait_for(process: subprocess.Popen[bytes], place: Place, condition: Callable[[], object], what: str) -> None:
    """Wait until `condition` holds while `process` runs; its output is the reason if it ends before."""

    def held() -> object:
        ended = process.poll()
        return condition() or (ended is not None and pytest.fail(f"{what}: {(place.directory / 'log').read_text()}"))

    wait_until(held, what)


def console_says(place: Place, text: bytes) -> Callable[[], bool]:
    return lambda: any(text in console.read_bytes() for console in place.consoles())


def nothing_is_left(place: Place) -> None:
    assert not place.runs.exists() or list(place.runs.iterdir()) == []
    assert list((place.directory / "run" / "supdrv-harness").glob("*-linux-*")) == []
    wait_until(lambda: not place.processes(), f"processes end: {place.processes()}", 20.0)


MOMENTS: dict[str, Callable[[Place], Callable[[], object]]] = {
    "at-its-start": lambda place: place.runs.exists,
    "with-a-domain-just-made": lambda place: place.consoles,
    "with-a-guest-booting": lambda place: console_says(place, b"["),
    "with-a-guest-ready": lambda place: console_says(place, b"supdrv-guest: ready"),
    "with-a-guest-being-restored": lambda place: place.consoles,
    "with-the-driver-loaded": lambda place: console_says(place, b"supdrv: loading"),
}
RESTORED = {"with-a-guest-being-restored", "with-the-driver-loaded"}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_leaves_nothing_after_down(place: Place, moment: str) -> None:
    process = place.start_matrix("--cell", "linux-amd64", *([] if moment in RESTORED else ["--no-checkpoints"]))
    wait_for(process, place, MOMENTS[moment](place), moment)
    process.kill()
    process.wait()
    down = place.harness("down")
    assert down.returncode == 0, down.stderr
    nothing_is_left(place)


def test_a_killed_run_with_workers_leaves_nothing_after_down(place: Place) -> None:
    process = place.start_matrix("--cell", "linux-amd64", "--cell", "linux-compat", "-j", "2")
    wait_for(process, place, lambda: len(place.consoles()) == 2, "two guests")
    process.kill()
    process.wait()
    wait_until(
        lambda: not any("pytest" in line or "execnet" in line for line in place.processes()),
        "workers end",
        20,
    )
    down = place.harness("down")
    assert down.returncode == 0, down.stderr
    nothing_is_left(place)


def test_the_next_run_clears_what_a_killed_one_left(place: Place) -> None:
    process = place.start("shell", "linux-amd64", "-c", "sleep 60")
    wait_for(process, place, console_says(place, b"supdrv: loading"), "a guest at work")
    process.kill()
    process.wait()
    left = {path.name for path in place.runs.iterdir()}
    assert left
    assert place.harness("shell", "linux-amd64", "-c", "true").returncode == 0
    assert not left & {path.name for path in place.runs.iterdir()}
    place.harness("down")
    nothing_is_left(place)


def test_an_interrupted_run_leaves_nothing_by_itself(place: Place) -> None:
    process = place.start_matrix("--cell", "linux-amd64")
    wait_for(process, place, console_says(place, b"supdrv: loading"), "tests running")
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=30) == 130, (place.directory / "log").read_text()
    assert list(place.runs.iterdir()) == []
    place.harness("down")
    nothing_is_left(place)


def test_a_run_that_ends_leaves_nothing_by_itself(place: Place) -> None:
    done = place.harness("shell", "linux-amd64", "-c", "uname -r")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().startswith("6.")
    assert list(place.runs.iterdir()) == []
    place.harness("down")
    nothing_is_left(place)


def test_a_guest_that_was_asked_to_stay_stays_until_down(place: Place) -> None:
    assert place.harness("shell", "linux-amd64", "--keep", "-c", "true").returncode == 0
    assert any("qemu" in line for line in place.processes())
    assert place.harness("console", "linux-amd64", "--no-follow").stdout.count("supdrv: loading") == 1
    assert place.harness("shell", "linux-amd64", "-c", "true").returncode == 0, "it disturbs another run"
    down = place.harness("down")
    assert "ended supdrv-" in down.stdout
    nothing_is_left(place)
