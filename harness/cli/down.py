"""`harness down`: remove what is ours."""

from __future__ import annotations

import click

from harness.provision.daemon import SESSION_URI, resolve_uri, stop_daemon
from harness.provision.hypervisor import Hypervisor
from harness.provision.runs import clear_orphans


@click.command()
@click.option("--uri", default=SESSION_URI, show_default=True, help="libvirt connection.")
def down(uri: str) -> None:
    """End guests that were asked to stay or that a killed run left behind, and remove their files.

    Guests of runs that are alive are left alone.
    """
    hypervisor = Hypervisor.connect(resolve_uri(uri))
    try:
        cleared = clear_orphans(hypervisor, kept=True)
        busy = bool(hypervisor.ours())
    finally:
        hypervisor.close()
    for name in cleared.domains:
        click.echo(f"ended {name}")
    for name in cleared.runs:
        click.echo(f"removed run {name}")
    if not busy and stop_daemon():
        click.echo("stopped libvirt's session daemon")
    if not cleared.domains and not cleared.runs:
        click.echo("nothing of ours was left")
