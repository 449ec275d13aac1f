"""The command line: `harness COMMAND`. One file for each command or pair of commands."""

from __future__ import annotations

import sys

import click

from harness import __version__
from harness.cli.bench import bench
from harness.cli.canary import canary
from harness.cli.cells import cells
from harness.cli.doctor import doctor
from harness.cli.down import down
from harness.cli.images import images
from harness.cli.matrix import matrix
from harness.cli.setup import setup
from harness.cli.shell import console, shell
from harness.errors import HarnessError

EXIT_PROBLEM = 2
EXIT_INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="harness")
def commands() -> None:
    """Tests one ring-0 driver on every operating system it is written for."""


for command in (matrix, cells, doctor, setup, shell, console, down, bench, canary, images):
    commands.add_command(command)


def main() -> None:
    """The entry point: expected failures are one message and exit status 2, never a traceback."""
    try:
        status = commands(standalone_mode=False)
    except HarnessError as error:
        print(f"harness: {error}", file=sys.stderr)
        status = EXIT_PROBLEM
    except click.ClickException as error:
        error.show()
        status = EXIT_PROBLEM
    except (KeyboardInterrupt, click.Abort):
        print("harness: interrupted", file=sys.stderr)
        status = EXIT_INTERRUPTED
    sys.exit(status)
