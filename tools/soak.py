"""Does again and again what has to work every time: restores, and runs that are killed.

    python -m tools.soak [--cell linux-amd64] [--restores 200] [--kills 30] [--clean 100] [--seed 1]

Restores the guest in place and from its checkpoint, each `restores` times, with a request in between, and looks whether
memory or disk grow. Then starts runs and kills the controller, the emulator or libvirt's daemon at random moments, each
`kills` times, and looks at what is left after the next start. Last come `clean` runs of pytest, an equal share of them
in every cell that has an image, each of some files of the suite, of which not one may find anything. Exit status 0 if
nothing failed, grew, was left or was a false alarm.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from harness.cli.options import known_cells, make_lab, project_root
from harness.matrix import Cell
from harness.places import state_dir
from harness.provision.daemon import SESSION_URI
from harness.session import guest_images
from harness.session.cell_session import CellSession

HARNESS = Path(sys.executable).with_name("harness")
WARM_UP = 20
"""Restores after which memory is compared: before, caches fill."""

GROWTH = 1.10
LONGEST_RUN = 6.0
WAIT_SECONDS = 180
FILES_OF_A_RUN = 6
SUITE = "tests/ioctl"
LAST_LINES = 40


@dataclass(slots=True)
class Tally:
    """What one kind of work came to: seconds of each, kibibytes after each, and what went wrong."""

    name: str
    seconds: list[float] = field(default_factory=list)
    kibibytes: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def judge(self) -> None:
        """Compare the sizes after the warm-up with those at the end."""
        early, late = self.kibibytes[WARM_UP : 2 * WARM_UP], self.kibibytes[-WARM_UP:]
        if early and len(self.kibibytes) >= 3 * WARM_UP and statistics.median(late) > GROWTH * statistics.median(early):
            self.wrong.append(f"grew from {statistics.median(early):.0f} to {statistics.median(late):.0f} KiB")

    def line(self) -> str:
        times = f", median {statistics.median(self.seconds):.2f} s, longest {max(self.seconds):.2f} s"
        return f"{self.name}: {len(self.seconds)} times{times}, {len(self.wrong)} went wrong"


def resident(process: int) -> int:
    """KiB of memory that a process has."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def emulators(name: str) -> list[int]:
    """The processes that run domains whose name begins so."""
    found = subprocess.run(["pgrep", "-f", f"guest={name}"], capture_output=True, text=True, check=False)
    return [int(process) for process in found.stdout.split()]


def used(directory: Path) -> int:
    """KiB on disk below a directory."""
    return sum(path.lstat().st_blocks // 2 for path in directory.rglob("*"))


def restore_in_place(cell: Cell, times: int) -> Tally:
    tally, lab = Tally("restored in place"), make_lab(SESSION_URI, "auto")
    session = CellSession(lab, cell)
    try:
        session.begin_test("soak")
        emulator = emulators(session.guest.domain.name)[0]
        for _ in range(times):
            session.retire()
            tally.seconds.append(work_once(session))
            if emulators(session.guest.domain.name) != [emulator]:
                tally.wrong.append("it was not restored in place")
                emulator = emulators(session.guest.domain.name)[0]
            tally.kibibytes.append(resident(emulator) + used(session.guest.spec.console.parent))
    finally:
        session.close()
        lab.close()
    return tally


def restore_from_checkpoint(cell: Cell, times: int) -> Tally:
    tally, lab = Tally("restored from the checkpoint"), make_lab(SESSION_URI, "auto")
    try:
        for _ in range(times):
            session = CellSession(lab, cell)
            try:
                tally.seconds.append(work_once(session))
            finally:
                session.close()
            tally.kibibytes.append(resident(os.getpid()) + used(state_dir()))
    finally:
        lab.close()
    return tally


def work_once(session: CellSession) -> float:
    """Seconds to a request in a fresh kernel."""
    begin = time.perf_counter()
    session.begin_test("soak")
    session.new_client().open_session().call("GET_PAGING_MODE")
    seconds = time.perf_counter() - begin
    session.end_test()
    return seconds


class Place:
    """Directories of its own for runs that are killed, so that others are neither seen nor hit."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="sk-"))
        self.runtime = self.directory / "run"
        self.runtime.mkdir(mode=0o700)
        self.environment = os.environ | {
            "XDG_STATE_HOME": str(self.directory / "state"),
            "XDG_RUNTIME_DIR": str(self.runtime),
        }

    def start(self, cell: Cell) -> subprocess.Popen[bytes]:
        results = ["--json", str(self.directory / "r.json"), "--junit", str(self.directory / "r.xml")]
        command = [str(HARNESS), "matrix", "--cell", cell.id, "-j", "1", *results, "-k", "cookie or gip"]
        with (self.directory / "log").open("wb") as log:
            return subprocess.Popen(
                command, cwd=project_root(), env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def down(self) -> None:
        subprocess.run([HARNESS, "down"], cwd=project_root(), env=self.environment, check=True, capture_output=True)

    def left(self) -> list[str]:
        """Runs, sockets and processes that are still there; processes get a moment to end."""
        end = time.monotonic() + 20
        while self._processes() and time.monotonic() < end:
            time.sleep(0.1)
        runs = self.directory / "state" / "supdrv-harness" / "runs"
        files = [*runs.glob("*"), *(self.runtime / "supdrv-harness").glob("*-linux-*")]
        return [*(str(path) for path in files), *self._processes()]

    def _processes(self) -> list[str]:
        mark, found = str(self.directory).encode(), []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                texts = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
            except OSError:
                continue
            if any(mark in text for text in texts):
                found.append(texts[0].replace(b"\0", b" ").decode(errors="replace")[:120])
        return found


def kill_at_random(name: str, cell: Cell, times: int, victims: Callable[[Place, int], list[int]]) -> Tally:
    """Start runs, kill what `victims` names of each at some moment, and see what is left after `harness down`."""
    tally, place = Tally(f"{name} killed"), Place()
    try:
        for _ in range(times):
            run = place.start(cell)
            begin = time.perf_counter()
            time.sleep(random.uniform(0, LONGEST_RUN))  # noqa: S311 - a moment, no secret
            for process in victims(place, run.pid):
                os.kill(process, signal.SIGKILL)
            run.wait(timeout=WAIT_SECONDS)
            tally.seconds.append(time.perf_counter() - begin)
            place.down()
            tally.wrong += place.left()
    finally:
        place.down()
        shutil.rmtree(place.directory, ignore_errors=True)
    return tally


def clean_runs(cell: Cell, times: int) -> Tally:
    """Runs in which nothing is wrong, of files of the suite that chance picks."""
    tally, files = Tally(f"clean runs of {cell.id}"), sorted((project_root() / SUITE).glob("test_*.py"))
    for _ in range(times):
        chosen = random.sample(files, FILES_OF_A_RUN)
        command = [sys.executable, "-m", "pytest", "-q", "--cell", cell.id, *map(str, chosen)]
        begin = time.perf_counter()
        done = subprocess.run(command, cwd=project_root(), capture_output=True, text=True, check=False)
        tally.seconds.append(time.perf_counter() - begin)
        if done.returncode != 0:
            tally.wrong.append("\n".join(done.stdout.splitlines()[-LAST_LINES:]))
    return tally


def shares(cells: Sequence[Cell], times: int) -> list[tuple[Cell, int]]:
    """`times` divided among `cells`, the first of them with one more where it does not come out even."""
    each, rest = divmod(times, len(cells))
    return [(cell, each + (number < rest)) for number, cell in enumerate(cells)]


def the_emulators(place: Place, _run: int) -> list[int]:
    return [pid for pid in emulators("supdrv-") if str(place.directory) in Path(f"/proc/{pid}/cmdline").read_text()]


def the_daemon(place: Place, _run: int) -> list[int]:
    try:
        return [int((place.runtime / "supdrv-harness" / "libvirtd.pid").read_text())]
    except (OSError, ValueError):
        return []  # it has not started yet


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cell", default="linux-amd64", help="where guests are restored and killed")
    parser.add_argument("--restores", type=int, default=200, help="restores of each kind")
    parser.add_argument("--kills", type=int, default=30, help="kills of each victim")
    parser.add_argument("--clean", type=int, default=100, help="runs that find nothing, in all cells together")
    parser.add_argument("--seed", type=int, default=1, help="of the moments and of the files")
    options = parser.parse_args(arguments)
    random.seed(options.seed)
    (cell,) = known_cells(None, "release", (options.cell,))
    work: list[Callable[[], Tally]] = []
    if options.restores:
        work += [lambda: restore_in_place(cell, options.restores)]
        work += [lambda: restore_from_checkpoint(cell, options.restores)]
    if options.kills:
        work += [lambda: kill_at_random("controller", cell, options.kills, lambda _place, run: [run])]
        work += [lambda: kill_at_random("emulator", cell, options.kills, the_emulators)]
        work += [lambda: kill_at_random("libvirt's daemon", cell, options.kills, the_daemon)]
    if options.clean:
        runnable = [each for each in known_cells(None) if guest_images.find(each.guest) is not None]
        if not runnable:
            parser.error("no cell has an image: make setup")
        work += [partial(clean_runs, *share) for share in shares(runnable, options.clean) if share[1]]
    wrong = 0
    for each in work:
        tally = each()
        tally.judge()
        wrong += len(tally.wrong)
        print(tally.line(), *tally.wrong, sep="\n    ", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
