"""`harness bench`: what the README says about speed, measured on this machine."""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from harness.cli.options import known_cells, lab_options, make_lab, project_root
from harness.events import stage
from harness.matrix import Cell
from harness.provision.guest import GuestFiles, RunningGuest
from harness.session.cell_session import CellSession
from harness.session.lab import Lab
from harness.targets import target_for
from harness.transport import wire
from harness.transport.wire import Op, RequestFlag

_BOOTS = 3
_IOCTLS = 500
_LOOP = 20_000


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


def _boot_figures(lab: Lab, cell: Cell) -> list[Figure]:
    to_ssh, to_ioctl = [], []
    image = lab.image(cell.guest)
    accelerator, deadlines = lab.accelerator(cell.guest), lab.deadlines(cell.guest)
    for _ in range(_BOOTS):
        begin = time.perf_counter()
        guest = RunningGuest.boot(
            lab.hypervisor,
            lab.run,
            cell.guest,
            cell=cell.id,
            files=GuestFiles(kernel=image.kernel, initrd=image.initrd),
            accelerator=accelerator,
            deadlines=deadlines,
            on_crash=lambda _crash: None,
        )
        try:
            guest.ssh(deadlines).close()
            to_ssh.append(time.perf_counter() - begin)
        finally:
            guest.destroy()
        session = CellSession(lab, cell)
        try:
            begin = time.perf_counter()
            session.begin_test("bench")
            session.new_client().open_session()
            to_ioctl.append(time.perf_counter() - begin)
        finally:
            session.close()
    return [
        Figure("boot_to_ssh_s", f"start of the domain to SSH, median of {_BOOTS}", statistics.median(to_ssh), "s"),
        Figure(
            "boot_to_ioctl_s",
            f"start of the domain to the first driver request, median of {_BOOTS}",
            statistics.median(to_ioctl),
            "s",
        ),
    ]


def _ioctl_figures(lab: Lab, cell: Cell) -> list[Figure]:
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
        timing = session.agent.loop(Op.REQUEST, payload, count=_LOOP, deadline=60.0)
    finally:
        session.close()
    return [
        Figure("ioctl_ms", f"one request through the agent, median of {_IOCTLS}", statistics.median(times), "ms"),
        Figure("ioctl_p99_ms", "one request through the agent, p99", times[int(_IOCTLS * 0.99)], "ms"),
        Figure("batch_ioctls_per_s", f"requests in one batch of {_LOOP}", _LOOP / timing.elapsed_ns * 1e9, "1/s"),
    ]


def _build_figures(lab: Lab, cell: Cell, root: Path) -> list[Figure]:
    """In a copy of the sources, so that the edit stays out of the work tree."""
    target = target_for(cell.os)
    with tempfile.TemporaryDirectory() as name:
        sources, build = Path(name) / "sources", Path(name) / "build"
        for folder in ("core", "kmod"):
            shutil.copytree(root / folder, sources / folder)
        image = lab.image(cell.guest)

        def make() -> object:
            return target.build_driver(cell, image, sources=sources, build=build)

        scratch = _seconds(make)
        edited = sources / "kmod" / "main.c"
        edited.write_text(edited.read_text() + "\n/* edited */\n")
        edit = _seconds(make)
        unchanged = _seconds(make)
    return [
        Figure("driver_scratch_s", "driver built from scratch", scratch, "s"),
        Figure("driver_edit_s", "driver built after an edit of one file", edit, "s"),
        Figure("driver_unchanged_s", "driver found to be unchanged", unchanged, "s"),
    ]


@click.command()
@click.option("--cell", "cell_id", default="linux-amd64", show_default=True, help="Cell to measure.")
@click.option("--json", "json_file", metavar="FILE", help="Write the figures as JSON, by key.")
@lab_options
def bench(cell_id: str, json_file: str | None, uri: str, accelerator: str, guests: str | None, driver: str) -> None:
    """Measure boot, requests and builds in one cell."""
    (cell,) = known_cells(guests, driver, (cell_id,))
    lab = make_lab(uri, accelerator)
    try:
        lab.make_image(cell.guest)
        with stage(lab.progress, f"driver and agent of {cell.id}"):
            lab.driver(cell)
            lab.agent(cell.os, cell.client)
        with stage(lab.progress, f"boot {cell.id} {2 * _BOOTS} times"):
            figures = _boot_figures(lab, cell)
        with stage(lab.progress, "requests"):
            figures += _ioctl_figures(lab, cell)
        with stage(lab.progress, "builds"):
            figures += _build_figures(lab, cell, project_root())
        accelerator_used = lab.accelerator(cell.guest)
    finally:
        lab.close()
    table = Table(title=f"{cell.id}, {accelerator_used}", header_style="bold")
    table.add_column("what")
    table.add_column("measured", justify="right")
    for figure in figures:
        digits = 0 if figure.unit == "1/s" else 2
        table.add_row(figure.what, f"{figure.value:,.{digits}f} {figure.unit}")
    Console().print(table)
    if json_file is not None:
        values = {figure.key: round(figure.value, 4) for figure in figures}
        Path(json_file).write_text(json.dumps(values, indent=2) + "\n")
