"""The share of mutants that were caught, and those that were not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tools.mutants.journal import CAUGHT, EQUAL, EQUIVALENT, REFUSED, SURVIVED, UNTESTED, Verdict


def report(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """Lines of text: a table by file, then the survivors."""
    every = list(verdicts)
    counted = [verdict for verdict in every if verdict.counts]
    yield f"{'file':24} {'mutants':>8} {'suite':>12} {'unit tests':>12}"
    for file in sorted({verdict.file for verdict in counted}):
        yield _row(file, [verdict for verdict in counted if verdict.file == file])
    yield _row("all", counted)
    refused = sum(verdict.suite == REFUSED for verdict in every)
    equal = sum(verdict.suite == EQUAL for verdict in every)
    equivalent = [verdict for verdict in every if verdict.suite == EQUIVALENT]
    yield f"not counted: {refused} that do not compile, {equal} that change no code, {len(equivalent)} equivalent"
    for verdict in sorted(equivalent, key=lambda verdict: verdict.place):
        yield f"  {verdict.file}:{verdict.line}: {verdict.description}: {verdict.why}"
    survivors = [verdict for verdict in counted if verdict.suite == SURVIVED]
    yield f"survivors: {len(survivors)}"
    for verdict in sorted(survivors, key=lambda verdict: (verdict.file, verdict.line)):
        unit = " (unit tests catch it)" if verdict.unit == CAUGHT else ""
        yield f"  {verdict.file}:{verdict.line}: {verdict.description}{unit}"


def _row(name: str, verdicts: Sequence[Verdict]) -> str:
    suite = [verdict.suite for verdict in verdicts]
    unit = [verdict.unit for verdict in verdicts if verdict.unit != UNTESTED]
    return f"{name:24} {len(verdicts):8} {_share(suite):>12} {_share(unit):>12}"


def _share(outcomes: Sequence[str]) -> str:
    caught = sum(outcome == CAUGHT for outcome in outcomes)
    return f"{caught} = {caught / len(outcomes):.0%}" if outcomes else "-"
