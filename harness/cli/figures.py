"""The measurements of `harness bench`. Each value is a median where nothing else is said."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from harness.abi import CONSTANTS
from harness.errors import HarnessError, LabError
from harness.events import SILENT
from harness.matrix import Cell
from harness.session.cell_session import CellSession
from harness.session.judging import judged
from harness.session.lab import Lab
from harness.session.starting import Starter
from harness.targets import target_for
from harness.transport import wire
from harness.transport.agent import AgentClient
from harness.transport.wire import Op, RequestFlag

_BOOTS = 3
_RESTORES = 5
_STARTS = 5
_SUITES = 3
_REWINDS = 15
_CRASHES = 5
_IOCTLS = 500
_BATCH = 4_000
_BATCHES = 9
_BATCH_SECONDS = 60.0
_RUN_SECONDS = 600
_GLUE = {"freebsd": "bsd", "linux": "kmod", "os2": "os2", "windows": "win"}
_COPIED = ("agent", "core", "docs", "guests", *_GLUE.values(), "tests", "build", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value: its key in the JSON, what it is, and its unit."""

    key: str
    what: str
    value: float
    unit: str


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def guest_figures(lab: Lab, cell: Cell) -> list[Figure]:
    """Each way to a guest at work."""
    booting = Lab(replace(lab.options, checkpoints=False), SILENT)
    try:
        boots = [_first_request(booting, cell) for _ in range(_BOOTS)]
    finally:
        booting.close()
    _first_request(lab, cell)  # makes the checkpoint if there is none
    restores = [_first_request(lab, cell) for _ in range(_RESTORES)]
    starter = Starter(lab, cell, on_crash=lambda _crash: None, on_line=lambda _line: None)
    live = starter.start()
    try:
        rewinds = []
        for _ in range(_REWINDS):
            begin = time.perf_counter()
            live = starter.rewind(live)
            rewinds.append(time.perf_counter() - begin)
    finally:
        live.end()
    return [
        Figure("boot_to_ioctl_s", "boot to the first driver request", statistics.median(boots), "s"),
        Figure("restore_to_ioctl_s", "checkpoint to the first driver request", statistics.median(restores), "s"),
        Figure(
            "restore_in_place_s",
            "restored in place, pristine kernel, agent answers",
            statistics.median(rewinds),
            "s",
        ),
    ]


def _first_request(lab: Lab, cell: Cell) -> float:
    session = CellSession(lab, cell)
    try:
        begin = time.perf_counter()
        session.begin_test("bench")
        session.new_client().open_session()
        return time.perf_counter() - begin
    finally:
        session.close()


def request_figures(lab: Lab, cell: Cell) -> list[Figure]:
    """Requests one by one, in a batch, and in a bare loop in the guest."""
    session = CellSession(lab, cell)
    try:
        session.begin_test("bench")
        driver = session.new_client().open_session()
        times = sorted(_seconds(lambda: driver.call("GET_PAGING_MODE")) * 1e3 for _ in range(_IOCTLS))
        request = driver.abi.request("GET_PAGING_MODE")
        assert request.number is not None
        payload = wire.pack_request(
            driver.device.handle,
            request.number,
            data=driver.input("GET_PAGING_MODE"),
            out_size=request.out_rule.minimum,
            flags=RequestFlag.NONE,
        )
        rates = [_batch_and_loop(session.agent, payload) for _ in range(_BATCHES)]
    finally:
        session.close()
    batch, loop = statistics.median(batch for batch, _ in rates), statistics.median(loop for _, loop in rates)
    ratio = statistics.median(loop / batch for batch, loop in rates)
    return [
        Figure("ioctl_ms", f"one request through the agent, median of {_IOCTLS}", statistics.median(times), "ms"),
        Figure("ioctl_p99_ms", "one request through the agent, p99", times[int(_IOCTLS * 0.99)], "ms"),
        Figure("batch_ioctls_per_s", f"requests in one batch of {_BATCH}, packed and unpacked", batch, "1/s"),
        Figure("loop_ioctls_per_s", "the same request in a bare loop in the guest", loop, "1/s"),
        Figure("loop_to_batch", "bare loop to batch, side by side", ratio, "times"),
    ]


def _batch_and_loop(agent: AgentClient, payload: bytes) -> tuple[float, float]:
    """Requests a second in a batch, all that the controller does with it included, and in a loop in the guest."""
    begin = time.perf_counter()
    replies = agent.batch([(Op.REQUEST, payload)] * _BATCH, deadline=_BATCH_SECONDS)
    seconds = time.perf_counter() - begin
    if any(reply.os_error for reply in replies):
        raise LabError("requests of the batch fail, so nothing is measured")
    timing = agent.loop(Op.REQUEST, payload, count=_BATCH, deadline=_BATCH_SECONDS)
    return _BATCH / seconds, _BATCH / timing.elapsed_ns * 1e9


def trouble_figures(lab: Lab, cell: Cell) -> list[Figure]:
    """A crash until the next test's first request; a hang until its verdict, without the deadline that it costs."""
    session = CellSession(lab, replace(cell, driver="faults"))
    try:
        crashes = [_trouble(session, "PANIC")[1] for _ in range(_CRASHES)]
        hang = _trouble(session, "HANG")[0] - lab.deadlines(cell.guest).request
    finally:
        session.close()
    return [
        Figure("crash_to_next_test_s", "panic to verdict, and the next test running", statistics.median(crashes), "s"),
        Figure("hang_to_verdict_s", "hang to verdict, beyond the deadline", hang, "s"),
    ]


def _trouble(session: CellSession, fault: str) -> tuple[float, float]:
    """Seconds to the verdict, and to the next request in a guest that is well."""
    session.begin_test(f"bench of {fault}")
    driver = session.new_client().open_session()
    begin = time.perf_counter()
    try:
        with judged(session):
            driver.call("TEST_FAULT", uFault=CONSTANTS[f"SUPTESTFAULT_{fault}"])
    except HarnessError as error:
        if error.verdict is None:
            raise
    else:
        raise LabError(f"the driver was to fail ({fault}), and nothing was noticed")
    to_verdict = time.perf_counter() - begin
    session.begin_test("bench, afterwards")
    session.new_client().open_session()
    return to_verdict, time.perf_counter() - begin


def build_figures(lab: Lab, cell: Cell, root: Path) -> list[Figure]:
    """In a copy of the sources, so that the edit stays out of the work tree."""
    target = target_for(cell.os)
    with tempfile.TemporaryDirectory() as name:
        sources, build = Path(name) / "sources", Path(name) / "build"
        for folder in ("core", "guests", _GLUE[cell.os]):
            shutil.copytree(root / folder, sources / folder)
        image = lab.image(cell.guest)

        def make() -> object:
            return target.build_driver(cell, image, sources=sources, build=build)

        scratch = _seconds(make)
        _edit(sources, cell)
        edit = _seconds(make)
        unchanged = _seconds(make)
    return [
        Figure("driver_scratch_s", "driver built from scratch", scratch, "s"),
        Figure("driver_edit_s", "driver built after an edit of one file", edit, "s"),
        Figure("driver_unchanged_s", "driver found to be unchanged", unchanged, "s"),
    ]


def _edit(sources: Path, cell: Cell) -> None:
    edited = sources / _GLUE[cell.os] / "main.c"
    edited.write_text(edited.read_text() + "\n/* edited */\n")


_FIRST_REQUEST = """
import pathlib, time

def test_first_request(session):
    session.call("GET_PAGING_MODE")
    pathlib.Path({mark!r}).write_text(str(time.time()))
"""


def run_figures(cell: Cell, root: Path) -> list[Figure]:
    """pytest as a developer calls it, in a copy of the project."""
    with tempfile.TemporaryDirectory() as name:
        project, mark = Path(name) / "project", Path(name) / "mark"
        project.mkdir()
        for entry in _COPIED:
            source = root / entry
            if source.is_dir():
                shutil.copytree(source, project / entry, symlinks=True)
            else:
                shutil.copyfile(source, project / entry)
        # As at a desk: the driver has been built there before, so that what is timed is an edit, and not a first build.
        _edit(project, cell)
        (project / "tests/ioctl/test_bench.py").write_text(_FIRST_REQUEST.format(mark=str(mark)))
        _pytest(project, cell, "tests/ioctl/test_bench.py")
        starts = []
        for _ in range(_STARTS):
            begin = time.time()
            _pytest(project, cell, "tests/ioctl/test_bench.py")
            starts.append(float(mark.read_text()) - begin - _python_start())
        (project / "tests/ioctl/test_bench.py").unlink()
        verdicts = []
        for _ in range(_SUITES):
            _edit(project, cell)
            verdicts.append(_seconds(lambda: _pytest(project, cell, "tests/ioctl", "-n", "2")))
    return [
        Figure("warm_start_s", "pytest to the first request, after Python's start", statistics.median(starts), "s"),
        Figure(
            "edit_to_verdict_s",
            "one line of the driver edited, to the verdict of the whole suite",
            statistics.median(verdicts),
            "s",
        ),
    ]


def _python_start() -> float:
    return _seconds(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))


def _pytest(project: Path, cell: Cell, *arguments: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "--cell", cell.id, *arguments]
    # As at a desk: what Python has compiled once stays compiled.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=_RUN_SECONDS
    )
    if done.returncode != 0:
        raise LabError(f"the suite does not pass in {cell.id}, so nothing is measured", evidence=done.stdout[-4000:])
