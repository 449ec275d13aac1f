"""Measures the same tests through virtme-ng, through pytest-testinfra and through this harness, in turn.

    python -m tools.peers [--rounds 3] [--tests 20] [--boots 3] [--json FILE]

All boot the same kernel under the same accelerator and load the same driver; each test opens the device, greets the
driver, makes one request and checks the answer. Exit status 1 if a variant did not run.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.cli.options import known_cells
from harness.errors import HarnessError
from harness.events import stage, terminal_progress
from harness.session.lab import Lab, LabOptions
from tools.core_programs import ROOT
from tools.peers.bench import CELL, GUESTS, Bench, alone
from tools.peers.client_program import build_client
from tools.peers.command import DidNotRun
from tools.peers.measured import Outcome, Round, rows
from tools.peers.ours import Ours
from tools.peers.over_ssh import OverSsh
from tools.peers.packages import ensure_packages
from tools.peers.table import as_json, table
from tools.peers.virtme import Virtme, ensure_kernel

DEFAULT = "harness, --isolate run"
Variant = Callable[[], tuple[Outcome, ...]]


def _variants(bench: Bench, kernel: Path) -> Mapping[tuple[str, ...], Variant]:
    """By the names of the figures that each gives."""
    return {
        (DEFAULT,): Ours(bench),
        ("harness, --isolate file",): Ours(bench, "--isolate=file"),
        ("harness, --isolate test",): Ours(bench, "--isolate=test"),
        ("harness, --no-checkpoints",): Ours(bench, "--no-checkpoints"),
        ("testinfra, guest booted", "testinfra, guest at hand"): OverSsh(bench),
        ("vng, one boot",): Virtme(bench, kernel, boot_each=False),
        ("vng, a boot for each test",): Virtme(bench, kernel, boot_each=True),
    }


def _measure(lab: Lab, options: argparse.Namespace, work: Path) -> tuple[list[Round], dict[str, object]]:
    """The rounds, and what else there is to say of them."""
    (cell,) = known_cells(str(GUESTS), wanted=(CELL,))
    image = lab.make_image(cell.guest)
    kernel, tools = ensure_kernel(image, lab.progress), ensure_packages(lab.progress)
    with stage(lab.progress, "driver, agent and client"):
        lab.agent(cell.os, cell.client)
        driver, client = lab.driver(cell).path, build_client(work)
    bench = Bench(lab, cell, work, tools, driver=driver, client=client, tests=options.tests, boots=options.boots)
    variants = _variants(bench, kernel)
    with stage(lab.progress, "checkpoint of the guest, as any earlier run leaves it"):
        Ours(bench)()
    before = _load()
    rounds = [_round(lab, variants, number) for number in range(1, options.rounds + 1)]
    return rounds, {
        "kernel": image.release,
        "accelerator": lab.accelerator(cell.guest),
        "processors": os.cpu_count(),
        "load_before": before,
        "load_after": _load(),
    }


def _load() -> list[float]:
    """How many processes wanted a processor, over 1, 5 and 15 minutes."""
    return [round(load, 1) for load in os.getloadavg()]


def _round(lab: Lab, variants: Mapping[tuple[str, ...], Variant], number: int) -> Round:
    outcomes: dict[str, Outcome] = {}
    for names, variant in variants.items():
        with stage(lab.progress, f"round {number}: {names[0]}") as step:
            try:
                outcomes |= zip(names, variant(), strict=True)
            except (DidNotRun, HarnessError) as error:
                outcomes |= dict.fromkeys(names, Outcome.absent(str(error)))
                step.done("did not run")
    return outcomes


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.peers")
    parser.add_argument("--rounds", type=int, default=3, help="how often each variant runs (default: 3)")
    parser.add_argument("--tests", type=int, default=20, help="tests in a run (default: 20)")
    parser.add_argument("--boots", type=int, default=3, help="tests where vng boots for each (default: 3)")
    parser.add_argument("--accelerator", choices=("auto", "kvm", "qemu"), default="auto", help="as of the harness")
    parser.add_argument("--json", metavar="FILE", help="write the figures as JSON")
    return parser.parse_args(arguments)


def _end(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _end)
    with tempfile.TemporaryDirectory(prefix="supdrv-peers-") as name:
        work = Path(name)
        lab_options = LabOptions(project=ROOT, evidence=work / "evidence", accelerator=options.accelerator)
        lab = Lab(lab_options, terminal_progress())
        try:
            with alone():
                rounds, about = _measure(lab, options, work)
        except (HarnessError, DidNotRun) as error:
            print(error, file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            return 130
        finally:
            lab.close()
    result = rows(rounds, reference=DEFAULT)
    print("\n".join(table(result)))
    print(", ".join(f"{key.replace('_', ' ')} {value}" for key, value in about.items()))
    if options.json:
        Path(options.json).write_text(json.dumps(as_json(result, rounds, about), indent=2) + "\n")
    return 1 if any(row.seconds is None for row in result) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
