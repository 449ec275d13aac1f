"""Samples, the journal of verdicts, and the report."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

from tools.mutants.changes import changes
from tools.mutants.equivalent import equivalents
from tools.mutants.journal import CAUGHT, EQUAL, EQUIVALENT, REFUSED, SURVIVED, Journal, Verdict, stamp_of
from tools.mutants.report import report
from tools.mutants.sample import draw

ROOT = Path(__file__).parents[2]
SOURCES = {
    "core/long.c": "void f(void)\n{\n" + "\ta = b < c;\n" * 50 + "}\n",
    "core/short.c": "void f(void)\n{\n\ta = b < c;\n\td();\n}\n",
}


def verdict(key: str, suite: str, *, file: str = "core/a.c", by: str = "", unit: str = CAUGHT) -> Verdict:
    return Verdict(key=key, file=file, line=3, description=f"change {key}", suite=suite, by=by, unit=unit)


def journal(path: Path, *, sources: str = "s", suite: str = "t") -> Journal:
    return Journal(path / "journal.jsonl", sources=sources, suite=suite)


def test_a_sample_takes_files_and_lines_in_turn() -> None:
    sample = list(islice(draw(SOURCES, 1), 4))
    assert sorted(mutant.file for mutant in sample) == ["core/long.c"] * 2 + ["core/short.c"] * 2
    assert len({(mutant.file, mutant.change.line) for mutant in sample}) == 4


def test_a_sample_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    keys = [[mutant.key for mutant in draw(SOURCES, seed)] for seed in (1, 1, 2)]
    assert keys[0] == keys[1] != keys[2]
    assert len(set(keys[0])) == len(keys[0])
    assert set(keys[0]) == set(keys[2])


def test_a_journal_is_read_again(tmp_path: Path) -> None:
    first = journal(tmp_path)
    first.add(verdict("1", CAUGHT, by="test_a"))
    first.add(verdict("2", EQUAL))
    again = journal(tmp_path)
    assert again.verdicts == first.verdicts
    assert again.counted == 1
    assert again.kills == {"test_a": {"core/a.c": 1}}


def test_another_state_of_the_sources_keeps_only_which_tests_are_good(tmp_path: Path) -> None:
    journal(tmp_path).add(verdict("1", CAUGHT, by="test_a"))
    other = journal(tmp_path, sources="other")
    assert other.verdicts == {}
    assert other.kills == {"test_a": {"core/a.c": 1}}


def test_what_survived_another_suite_is_tried_again(tmp_path: Path) -> None:
    first = journal(tmp_path)
    first.add(verdict("1", CAUGHT, by="test_a"))
    first.add(verdict("2", SURVIVED))
    assert list(journal(tmp_path, suite="other").verdicts) == ["1"]


def test_a_stamp_changes_with_a_file(tmp_path: Path) -> None:
    file = tmp_path / "a.c"
    file.write_text("a")
    first = stamp_of([file])
    file.write_text("b")
    assert stamp_of([file]) != first


def test_the_report_has_the_share_by_file_and_names_the_survivors() -> None:
    said = list(
        report(
            [
                verdict("1", CAUGHT, by="test_a"),
                verdict("2", SURVIVED),
                verdict("3", SURVIVED, file="kmod/b.c", unit="-"),
                verdict("4", EQUAL),
                verdict("5", REFUSED),
            ]
        )
    )
    assert [line.split() for line in said[1:4]] == [
        ["core/a.c", "2", "1", "=", "50%", "2", "=", "100%"],
        ["kmod/b.c", "1", "0", "=", "0%", "-"],
        ["all", "3", "1", "=", "33%", "2", "=", "100%"],
    ]
    assert said[4:] == [
        "not counted: 1 that do not compile, 1 that change no code, 0 equivalent",
        "survivors: 2",
        "  core/a.c:3: change 2 (unit tests catch it)",
        "  kmod/b.c:3: change 3",
    ]


def test_an_equivalent_mutant_does_not_count_and_is_listed_with_its_reason(tmp_path: Path) -> None:
    journal(tmp_path).add(verdict("1", SURVIVED))
    known = {("core/a.c", 3, "change 1"): "nobody can see it"}
    again = Journal(tmp_path / "journal.jsonl", sources="s", suite="t", equivalent=known)
    assert again.verdicts == {}
    again.add(replace(verdict("1", EQUIVALENT), why="nobody can see it"))
    assert again.counted == 0
    assert "  core/a.c:3: change 1: nobody can see it" in report(again.verdicts.values())
    assert journal(tmp_path).verdicts["1"].suite == SURVIVED, "it is no longer listed"


def test_every_listed_equivalent_mutant_is_one_of_the_sources_as_they_are() -> None:
    for file, line, change in equivalents():
        source = (ROOT / file).read_text()
        found = {each.describe(source) for each in changes(source) if each.line == line}
        assert change in found, f"{file}:{line}"
