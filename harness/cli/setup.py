"""`harness setup`: everything that can be made before a run is made."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import click

from harness.cli.options import also_option, known_cells, lab_options, make_lab
from harness.config import Guest
from harness.errors import CellUnavailable, DriverBuildError
from harness.events import stage
from harness.matrix import Cell
from harness.session.guest_images import is_probe
from harness.session.lab import Lab
from harness.targets import DriverBuild


def prepare(lab: Lab, cells: Sequence[Cell]) -> None:
    """Images, agents and drivers of `cells`, each only if something changed, and the probe for KVM.

    Compilers work beside each other, and while the next image is made. A driver that does not build is left to the
    tests of its cell, whose failure it is; so is a guest that nobody can build here.
    """
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as compilers:
        try:
            builds = _begin(lab, cells, compilers)
            _wait(lab, builds)
        except BaseException:
            compilers.shutdown(wait=False, cancel_futures=True)
            raise
    probe = next((guest for guest in builds.guests if is_probe(guest)), None)
    if probe is not None:
        lab.accelerator(probe)


@dataclass(slots=True)
class _Builds:
    """Guests that have their images, and what is being compiled for them: agents by system and word size, drivers by
    guest and kind."""

    guests: list[Guest] = field(default_factory=list)
    agents: dict[tuple[str, str], Future[Path]] = field(default_factory=dict)
    drivers: dict[tuple[str, str], Future[DriverBuild]] = field(default_factory=dict)


def _begin(lab: Lab, cells: Sequence[Cell], compilers: Executor) -> _Builds:
    """Make the images, one after the other, and have compiled what goes into each as soon as it is there."""
    builds = _Builds()
    for guest in {cell.guest.name: cell.guest for cell in cells}.values():
        try:
            lab.make_image(guest)
        except CellUnavailable as error:
            with stage(lab.progress, f"image of {guest.name}") as step:
                step.done(f"not there: {error.hint}")
            continue
        builds.guests.append(guest)
        for cell in (cell for cell in cells if cell.guest.name == guest.name):
            for agent in ((cell.os, cell.client), (cell.os, cell.arch)):
                if agent not in builds.agents:
                    builds.agents[agent] = compilers.submit(lab.agent, *agent)
            if (guest.name, cell.driver) not in builds.drivers:
                builds.drivers[guest.name, cell.driver] = compilers.submit(lab.driver, cell)
    return builds


def _wait(lab: Lab, builds: _Builds) -> None:
    """Wait for what is being compiled, one after the other."""
    for (system, arch), agent in sorted(builds.agents.items()):
        with stage(lab.progress, f"agent for {system}-{arch}"):
            agent.result()
    for (guest, kind), driver in builds.drivers.items():
        with stage(lab.progress, f"driver for {guest} ({kind})") as step:
            try:
                build = driver.result()
            except DriverBuildError as error:
                step.done(f"FAILED: {error.message}")
            else:
                step.done("built" if build.seconds else "unchanged")


@click.command()
@also_option
@lab_options
def setup(also: tuple[str, ...], uri: str, accelerator: str, guests: str | None, driver: str) -> None:
    """Build guest images, agents and drivers. What is there and unchanged is left alone."""
    cells = known_cells(guests, driver, also=also)
    lab = make_lab(uri, accelerator)
    try:
        prepare(lab, cells)
    finally:
        lab.close()
