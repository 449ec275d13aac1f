"""Options and markers of the plugin, and what it keeps for the length of a pytest run."""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.config import load_guests
from harness.errors import ConfigError
from harness.matrix import Cell, cells, select
from harness.plugin.collector import ResultsCollector
from harness.provision.daemon import SESSION_URI
from harness.session.lab import LabOptions

_PR_SET_PDEATHSIG = 1

MARKERS = {
    "linux": "cells whose guest runs Linux",
    "windows": "cells whose guest runs Windows",
    "freebsd": "cells whose guest runs FreeBSD",
    "os2": "cells whose guest runs OS/2",
    "x86": "cells with a 32-bit kernel",
    "amd64": "cells with a 64-bit kernel",
    "compat": "cells with a 32-bit client on a 64-bit kernel",
    "needs(capability): the test is not covered in guests that lack the capability": "",
    "driver_options(name=value...): the driver is loaded with these options for the test": "",
}

CELLS = pytest.StashKey[Sequence[Cell]]()
LAB_OPTIONS = pytest.StashKey[LabOptions]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("harness", "cells of the driver test harness")
    group.addoption("--cell", action="append", default=[], metavar="ID", help="run this cell only; may be repeated")
    group.addoption("--guests", metavar="DIR", help="directory of guest definitions (default: guests/)")
    group.addoption("--uri", default=SESSION_URI, help="libvirt connection (default: %(default)s)")
    group.addoption(
        "--accelerator",
        choices=("auto", "kvm", "qemu"),
        default="auto",
        help="auto (default) probes KVM by booting a guest with it",
    )
    group.addoption("--driver", default="release", help="build of the driver: release (default) or faults")
    group.addoption("--driver-tree", metavar="DIR", help="tree to build the driver in and from (default: the project)")
    group.addoption(
        "--isolate",
        choices=("test", "file", "run"),
        default="run",
        help="a fresh kernel for each test, each file of tests, or each run of a cell (default)",
    )
    group.addoption("--no-checkpoints", action="store_true", help="boot every guest, and keep nothing of it")
    group.addoption("--dump-memory", action="store_true", help="add the guest's memory to the evidence of a failure")
    group.addoption("--keep-guests", action="store_true", help="leave the guests running; end them: harness down")
    group.addoption("--evidence", metavar="DIR", help="where failures are explained (default: results/evidence)")
    group.addoption("--results", metavar="FILE", help="write the results of the cells as JSON")


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}" if meaning else name)
    if CELLS not in config.stash:  # else a guest has been started early, by the same options
        choose(config, config.option)
    if hasattr(config, "workerinput"):
        _die_with_controller()
    else:
        results = config.getoption("--results")
        path = Path(results) if results else None
        collector = ResultsCollector(config.stash[CELLS], path, isolation=config.getoption("--isolate"))
        config.pluginmanager.register(collector, "harness-results")


def choose(config: pytest.Config, options: argparse.Namespace) -> None:
    """Put what `options` say into the stash of `config`. Raises pytest.UsageError for a cell that does not exist, or a
    guest that is not defined as it should be."""
    root = config.rootpath
    guests = Path(options.guests or root / "guests")
    try:
        known = cells(load_guests(guests), options.driver) if guests.is_dir() else []
        config.stash[CELLS] = select(known, options.cell)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[LAB_OPTIONS] = LabOptions(
        project=root,
        evidence=Path(options.evidence or root / "results" / "evidence"),
        uri=options.uri,
        accelerator=options.accelerator,
        keep=options.keep_guests,
        isolation=options.isolate,
        dump_memory=options.dump_memory,
        checkpoints=not options.no_checkpoints,
        driver_tree=Path(options.driver_tree) if options.driver_tree else None,
    )


def _die_with_controller() -> None:
    """A worker whose controller is killed must not go on alone: its guests would outlive the run."""
    controller = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != controller:  # it died before we could say so
        os._exit(1)
