"""Which mistakes are made in a C source, and that each is made in one place."""

from __future__ import annotations

import pytest

from tools.core_programs import ROOT
from tools.mutants.c_tokens import tokens
from tools.mutants.changes import changes

EVERY_SOURCE = sorted([*ROOT.glob("core/*.c"), *ROOT.glob("kmod/*.c")])


def body(statements: str) -> str:
    return f"int f(void)\n{{\n\t{statements}\n}}\n"


def made(statements: str) -> set[str]:
    """What becomes of the statements, one result for each change."""
    source = body(statements)
    return {change.apply(source).partition("{\n\t")[2].removesuffix("\n}\n") for change in changes(source)}


@pytest.mark.parametrize(
    ("statements", "mistakes"),
    [
        ("return a < b;", {"return a <= b;", "return a >= b;"}),
        ("return a == b && c;", {"return a != b && c;", "return a == b || c;"}),
        ("return a + b;", {"return a - b;"}),
        ("return a & ~b;", {"return a | ~b;", "return a & b;"}),
        ("return !a;", {"return a;"}),
        ("return true;", {"return false;"}),
        ("return 7;", {"return (7 + 1);", "return (7 - 1);"}),
        ("return 0;", {"return 1;"}),
        ("return -EFAULT;", {"return -EIO;"}),
        (
            "return SUPDRV_ERR_NO_MEMORY;",
            {"return SUPDRV_OK;", "return SUPDRV_ERR_INVALID_PARAM;"},
        ),
        ("unlock(&a->lock);", {"do if (0) unlock(&a->lock); while (0);"}),
        ("a->b = c;", {"do if (0) a->b = c; while (0);"}),
        ("*a = b;", {"do if (0) *a = b; while (0);"}),
        ("goto out;", {"do if (0) goto out; while (0);"}),
        ("while (a)\n\t\tb;", {"while (0 && (a))\n\t\tb;"}),
    ],
)
def test_each_mistake_is_made(statements: str, mistakes: set[str]) -> None:
    assert made(statements) == mistakes


def test_a_check_is_dropped_or_always_fails() -> None:
    assert {"if (0 && (f(a)))\n\t\tg();", "if (1 || (f(a)))\n\t\tg();"} <= made("if (f(a))\n\t\tg();")


def test_a_statement_of_several_lines_is_removed_whole() -> None:
    assert "do if (0) f(a,\n\t  b); while (0);" in made("f(a,\n\t  b);")


@pytest.mark.parametrize(
    "source",
    [
        "#define A(x) ((x) + 1)\nint a = 1 + 2;\n",
        body("/* a < b */ // c == d"),
        body('return "a && b";'),
        body("struct a *b;"),
        body("const struct a *b, c;"),
        body("return a->b;"),
        body("return *a;"),
        body("return -a;"),
    ],
)
def test_what_is_no_code_and_what_only_looks_like_an_operator_stays(source: str) -> None:
    assert changes(source) == []


def test_a_change_says_what_the_line_becomes() -> None:
    source = body("if (a < b)\n\t\treturn c;")
    said = {change.describe(source) for change in changes(source)}
    assert "if (a < b)  ->  if (a <= b)" in said


@pytest.mark.parametrize("source", EVERY_SOURCE, ids=lambda path: path.name)
def test_the_drivers_sources_are_read_whole_and_lines_stay_where_they_are(source) -> None:
    text = source.read_text()
    for token in tokens(text):
        assert text.startswith(token.text, token.start)
        assert token.line == text.count("\n", 0, token.start) + 1
    assert token.braces == token.parens == 0
    for change in changes(text):
        changed = change.apply(text)
        assert changed != text
        assert changed.count("\n") == text.count("\n")
