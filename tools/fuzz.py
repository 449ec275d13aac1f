"""Fuzzes the driver's core in user space.

    python -m tools.fuzz [--seconds 600]

What was found in earlier runs is kept in build/fuzz/corpus. Exit status 1 if something is found now; the input is
then in build/fuzz/found, and `build/fuzz/fuzzer/fuzzer FILE` runs it again, in a debugger too.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.core_programs import ROOT, make_core_program
from tools.coverage import INSTRUMENTED, forget_counts, report
from tools.fuzz_seeds import seeds

_SANITIZED = "-O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all"
_LENGTH = 512
_INPUT_SECONDS = 10
_GRACE_SECONDS = 60.0
_INTERRUPTED = 72


@dataclass(frozen=True, slots=True)
class Finding:
    """How fuzzing ended: the input that shows a fault, if one was found, what was said about it, and the statistics."""

    input: Path | None
    output: str
    runs: int
    runs_per_second: int


def make_fuzzer(out: Path, *, driver: Path = ROOT) -> Path:
    """The fuzzer of the core in the tree `driver`."""
    return make_core_program("fuzzer", out=out, driver=driver, cc="clang", flags=_SANITIZED)


def write_seeds(directory: Path) -> Path:
    """The seeds as files, named by their contents."""
    directory.mkdir(parents=True, exist_ok=True)
    for seed in seeds():
        (directory / hashlib.sha1(seed, usedforsecurity=False).hexdigest()).write_bytes(seed)
    return directory


def fuzz(fuzzer: Path, *, corpus: Path, seeds: Path, found: Path, seconds: int) -> Finding:
    """Fuzz until something is found, `seconds` at most. `corpus` grows; an input that shows a fault goes to `found`."""
    for directory in (corpus, found):
        directory.mkdir(parents=True, exist_ok=True)
    before = set(found.iterdir())
    command = [str(fuzzer), f"-max_total_time={seconds}", f"-max_len={_LENGTH}", f"-timeout={_INPUT_SECONDS}"]
    command += ["-verbosity=0", "-print_final_stats=1", f"-artifact_prefix={found}/", str(corpus), str(seeds)]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=seconds + _GRACE_SECONDS,
        check=False,
    )
    inputs = sorted(set(found.iterdir()) - before)
    if done.returncode not in {0, _INTERRUPTED} and not inputs:
        raise RuntimeError(f"the fuzzer ended with status {done.returncode}:\n{done.stdout}")
    return Finding(
        input=inputs[0] if inputs else None,
        output=done.stdout,
        runs=_statistic(done.stdout, "number_of_executed_units"),
        runs_per_second=_statistic(done.stdout, "average_exec_per_sec"),
    )


def _statistic(output: str, name: str) -> int:
    match = re.search(rf"stat::{name}: +(\d+)", output)
    return int(match[1]) if match else 0


def replay(*directories: Path, out: Path) -> None:
    """Run all inputs in `directories` with a program whose coverage is measured; its objects are in `out`."""
    program = make_core_program("replay", out=out, flags=INSTRUMENTED)
    forget_counts(out)
    files = [file for directory in directories for file in sorted(directory.iterdir())]
    subprocess.run([program, *files], check=True)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz")
    parser.add_argument("--seconds", type=int, default=600)
    seconds: int = parser.parse_args(arguments).seconds
    home = ROOT / "build/fuzz"
    corpus, seed_files = home / "corpus", write_seeds(home / "seeds")
    print(f"fuzzing for {seconds} s", flush=True)
    finding = fuzz(make_fuzzer(home / "fuzzer"), corpus=corpus, seeds=seed_files, found=home / "found", seconds=seconds)
    if finding.input is not None:
        print(finding.output)
        print(f"found a fault; the input is {finding.input}")
        return 1
    replay(corpus, seed_files, out=home / "replay")
    report(home / "replay")
    print(f"{finding.runs} runs, {finding.runs_per_second} a second, nothing found")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
