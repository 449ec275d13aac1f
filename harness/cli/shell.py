"""`harness shell` and `harness console`: look into a guest."""

from __future__ import annotations

import os
import select
import shutil
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager

import click

from harness.cli.options import guests_option, known_cells, lab_options, make_lab
from harness.errors import ConfigError, LabError
from harness.places import last_changes, state_dir
from harness.session.cell_session import CellSession
from harness.transport.ssh import SshConnection

_POLL_SECONDS = 0.1


@click.command()
@click.argument("cell")
@click.option("--keep", is_flag=True, help="Leave the guest running; end it with: harness down")
@click.option("--command", "-c", help="Run this command instead of an interactive shell.")
@lab_options
def shell(
    cell: str, keep: bool, command: str | None, uri: str, accelerator: str, guests: str | None, driver: str
) -> int:
    """Boot the guest of CELL with driver and agent in it, and open a shell there."""
    (chosen,) = known_cells(guests, driver, (cell,))
    if command is None and not sys.stdin.isatty():
        raise ConfigError("harness shell wants a terminal", hint="or a command: harness shell CELL -c 'uname -a'")
    lab = make_lab(uri, accelerator, keep=keep)
    session = CellSession(lab, chosen)
    try:
        session.start()
        click.echo(f"{cell}: kernel {session.kernel}, driver {session.driver[:12]}", err=True)
        if command is not None:
            result = session.ssh.run(command, deadline=lab.deadlines(chosen.guest).command * 10)
            sys.stdout.buffer.write(result.stdout)
            sys.stderr.buffer.write(result.stderr)
            return result.status
        _interact(session.ssh)
        return 0
    finally:
        session.close()
        lab.close()


@click.command()
@click.argument("cell")
@click.option("--follow/--no-follow", default=True, show_default=True, help="Go on while the guest prints.")
@guests_option
def console(cell: str, follow: bool, guests: str | None) -> None:
    """Print what the running guest of CELL has printed, from the first byte, and go on."""
    known_cells(guests, wanted=(cell,))
    changed = last_changes((state_dir() / "runs").glob(f"*/{cell}/console.log"))
    path = max(changed, key=changed.__getitem__, default=None)
    if path is None:
        raise LabError(f"no guest of cell {cell!r} is running", hint=f"start one: harness shell {cell}")
    with path.open("rb") as stream:
        while True:
            data = stream.read()
            if data:
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
            elif not follow or not path.exists():
                return
            else:
                time.sleep(_POLL_SECONDS)


def _interact(ssh: SshConnection) -> None:
    size = shutil.get_terminal_size()
    channel = ssh.shell(width=size.columns, height=size.lines)
    with _raw_terminal():
        while True:
            readable, _, _ = select.select([channel, sys.stdin], [], [])
            if channel in readable:
                data = channel.recv(4096)
                if not data:
                    return
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
            if sys.stdin in readable:
                typed = os.read(sys.stdin.fileno(), 4096)
                if not typed:
                    return
                channel.sendall(typed)


@contextmanager
def _raw_terminal() -> Iterator[None]:
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setraw(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
