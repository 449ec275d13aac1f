"""How much of the ioctl suite one cell runs, of the number that another one does, and why not the rest: by collection,
no guest. A case is a test with its parameters, as pytest counts.

`python -m tools.suite_share windows-amd64 --of linux-amd64`
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.cli.options import known_cells
from harness.matrix import Cell

ROOT = Path(__file__).parents[1]
SUITE = ROOT / "tests/ioctl"
_ABSENT = "(does not exist in the cell)"


@dataclass(frozen=True, slots=True)
class Case:
    """A test with its parameters but for the cell; `lacks` is the first capability that the cell is without."""

    function: str
    parameters: str
    lacks: str


class _Collector:
    def __init__(self) -> None:
        self.cases: dict[str, set[Case]] = defaultdict(set)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            callspec = getattr(item, "callspec", None)
            cell = callspec.params.get("cell") if callspec is not None else None
            if isinstance(cell, Cell):
                self.cases[cell.id].add(_case(item, cell))


def _case(item: pytest.Item, cell: Cell) -> Case:
    function, _, parameters = item.nodeid.partition("[")
    rest = parameters.removesuffix("]").replace(cell.id, "", 1)
    wanted = (str(mark.args[0]) for mark in item.iter_markers("needs"))
    lacks = next((name for name in wanted if cell.missing(name) is not None), "")
    return Case(function.removeprefix("tests/ioctl/"), rest, lacks)


def collect(cells: Iterable[str]) -> dict[str, set[Case]]:
    """The suite's cases in each of the cells. Raises SystemExit if it cannot be collected."""
    collector = _Collector()
    options = [argument for cell in cells for argument in ("--cell", cell)]
    status = pytest.main(["--collect-only", "-qq", "--no-header", *options, str(SUITE)], plugins=[collector])
    if status != pytest.ExitCode.OK:
        raise SystemExit(int(status))
    return collector.cases


def reasons(cases: set[Case], reference: set[Case]) -> tuple[dict[Case, str], set[Case]]:
    """For each case that `reference` runs and `cases` do not, the capability; and those that both run."""
    here = {(case.function, case.parameters): case for case in cases}
    missing: dict[Case, str] = {}
    for case in reference:
        if not case.lacks:
            found = here.get((case.function, case.parameters))
            if found is None or found.lacks:
                missing[case] = found.lacks if found else _ABSENT
    return missing, {case for case in reference if not case.lacks and case not in missing}


def runs(cases: set[Case]) -> set[Case]:
    """Those that lack nothing. What a cell skips for another reason than a capability would be among them; there is
    nothing of the kind in the suite."""
    return {case for case in cases if not case.lacks}


def reason_of(cell: str) -> dict[str, str]:
    """Why the cell's guest lacks each of its missing capabilities."""
    (found,) = known_cells(None, wanted=(cell,))
    return {**found.guest.missing, _ABSENT: "the test is another system's own"}


def table(missing: dict[Case, str], why: dict[str, str]) -> list[str]:
    """Rows of what is left out: the capability, why it is missing, the cases, and the tests by name."""
    rows = []
    for lacks, count in Counter(missing.values()).most_common():
        files: dict[str, list[str]] = defaultdict(list)
        for function in sorted({case.function for case, reason in missing.items() if reason == lacks}):
            file, _, name = function.partition("::")
            files[file].append(f"`{name.removeprefix('test_')}`")
        tests = "; ".join(f"{file.removesuffix('.py')}: {', '.join(names)}" for file, names in sorted(files.items()))
        rows.append(f"| `{lacks.strip('()')}` | {why[lacks]} | {count} | {tests} |")
    return rows


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.1f} %)"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cell")
    parser.add_argument("--of", default="linux-amd64")
    parser.add_argument("--list", action="store_true", help="name the tests, too")
    parser.add_argument("--table", action="store_true", help="the same as rows of a document, with the guest's reasons")
    parser.add_argument("--apart", nargs="*", default=[], metavar="CAPABILITY", help="what the system itself lacks")
    options = parser.parse_args()
    cases = collect((options.cell, options.of))
    missing, both = reasons(cases[options.cell], cases[options.of])
    here, there = runs(cases[options.cell]), runs(cases[options.of])
    print(f"runs in {options.cell}, of the number that runs in {options.of}: {_share(len(here), len(there))}")
    print(f"of the same: {_share(len(both), len(there))}; of its own: {len(here) - len(both)}")
    if options.apart:
        possible = {case: why for case, why in missing.items() if why not in (*options.apart, _ABSENT)}
        print(f"cases that the system can have: {_share(len(both), len(both) + len(possible))}")
    if options.table:
        print(*table(missing, reason_of(options.cell)), sep="\n")
        return 0
    for reason, count in Counter(missing.values()).most_common():
        names = sorted({case.function for case, why in missing.items() if why == reason})
        print(f"  {reason}: {count} cases of {len(names)} tests")
        if options.list:
            print(*(f"    {name}" for name in names), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
