"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from harness.config import load_guests
from harness.errors import ConfigError
from harness.events import terminal_progress
from harness.matrix import Cell, select
from harness.matrix import cells as all_cells
from harness.provision.daemon import SESSION_URI
from harness.session.lab import Lab, LabOptions

Function = TypeVar("Function", bound=Callable[..., Any])


guests_option = click.option("--guests", metavar="DIR", help="Directory of guest definitions.  [default: guests/]")


def lab_options(function: Function) -> Function:
    """`--uri`, `--accelerator`, `--guests`, `--driver`."""
    driver = click.option(
        "--driver", default="release", show_default=True, help="Build of the driver: release or faults."
    )
    return machine_options(driver(function))


def machine_options(function: Function) -> Function:
    """`--uri`, `--accelerator`, `--guests`."""
    for option in (
        guests_option,
        click.option(
            "--accelerator",
            type=click.Choice(["auto", "kvm", "qemu"]),
            default="auto",
            show_default=True,
            help="auto probes KVM by booting a guest with it.",
        ),
        click.option("--uri", default=SESSION_URI, show_default=True, help="libvirt connection."),
    ):
        function = option(function)
    return function


def project_root() -> Path:
    """The source tree that the current directory is in: the nearest one with `guests/` and `kmod/`."""
    here = Path.cwd()
    for directory in (here, *here.parents):
        if (directory / "guests").is_dir() and (directory / "kmod").is_dir():
            return directory
    raise ConfigError(f"{here} is not inside the project's source tree", hint="cd into the clone")


also_option = click.option(
    "--also", multiple=True, metavar="ID", help="This cell too, which is on request only; may be repeated."
)


def every_cell(guests: str | None, driver: str = "release") -> list[Cell]:
    """All cells of the guest definitions, those on request too."""
    return all_cells(load_guests(Path(guests) if guests else project_root() / "guests"), driver)


def known_cells(
    guests: str | None, driver: str = "release", wanted: tuple[str, ...] = (), *, also: tuple[str, ...] = ()
) -> list[Cell]:
    """The cells of the guest definitions that `select` chooses."""
    return select(every_cell(guests, driver), wanted, also=also)


def make_lab(
    uri: str,
    accelerator: str,
    *,
    keep: bool = False,
    evidence: str = "evidence",
    request_seconds: float | None = None,
) -> Lab:
    """A lab of the options. `evidence` is the name of a folder in `results`."""
    root = project_root()
    options = LabOptions(
        project=root,
        evidence=root / "results" / evidence,
        uri=uri,
        accelerator=accelerator,
        keep=keep,
        request_seconds=request_seconds,
    )
    return Lab(options, terminal_progress())
