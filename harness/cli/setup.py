"""`harness setup`: everything that can be made before a run is made."""

from __future__ import annotations

from collections.abc import Sequence

import click

from harness.cli.options import also_option, known_cells, lab_options, make_lab
from harness.errors import CellUnavailable, DriverBuildError
from harness.events import stage
from harness.matrix import Cell
from harness.session.guest_images import is_probe
from harness.session.lab import Lab


def prepare(lab: Lab, cells: Sequence[Cell]) -> None:
    """Images, agents and drivers of `cells`, each only if something changed, and the probe for KVM.

    A driver that does not build is left to the tests of its cell, whose failure it is; so is a guest that nobody can
    build here.
    """
    missing = set()
    for guest in {cell.guest.name: cell.guest for cell in cells}.values():
        try:
            lab.make_image(guest)
        except CellUnavailable as error:
            missing.add(guest.name)
            with stage(lab.progress, f"image of {guest.name}") as step:
                step.done(f"not there: {error.hint}")
    cells = [cell for cell in cells if cell.guest.name not in missing]
    for system, arch in sorted({(cell.os, arch) for cell in cells for arch in (cell.client, cell.arch)}):
        with stage(lab.progress, f"agent for {system}-{arch}"):
            lab.agent(system, arch)
    for cell in {(cell.guest.name, cell.driver): cell for cell in cells}.values():
        with stage(lab.progress, f"driver for {cell.guest.name} ({cell.driver})") as step:
            try:
                build = lab.driver(cell)
            except DriverBuildError as error:
                step.done(f"FAILED: {error.message}")
            else:
                step.done("built" if build.seconds else "unchanged")
    probe = next((cell.guest for cell in cells if is_probe(cell.guest)), None)
    if probe is not None:
        lab.accelerator(probe)


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
