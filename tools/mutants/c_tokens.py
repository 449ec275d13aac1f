"""C source as tokens: enough to find places to change, with no knowledge of types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<skipped> \s+ | //[^\n]* | /\*.*?\*/ | (?<![^\n])[ \t]*\#(?:\\\n|[^\n])* )
  | (?P<string>  "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' )
  | (?P<number>  0[xX][0-9a-fA-F]+[uUlL]* | \d+[uUlL]* )
  | (?P<word>    [A-Za-z_]\w* )
  | (?P<mark>    <<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|. )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is `word`, `number`, `string` or `mark`; `braces` and `parens` count what is open around it. Opening and
    closing marks themselves are outside of what they enclose."""

    kind: str
    text: str
    start: int
    line: int
    braces: int
    parens: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def tokens(source: str) -> Iterator[Token]:
    """The tokens of `source` without white space, comments and preprocessor lines."""
    braces = parens = 0
    line, counted = 1, 0
    for match in _TOKEN.finditer(source):
        kind = str(match.lastgroup)
        if kind == "skipped":
            continue
        text = match[0]
        line += source.count("\n", counted, match.start())
        counted = match.start()
        braces -= text == "}"
        parens -= text in {")", "]"}
        yield Token(kind=kind, text=text, start=match.start(), line=line, braces=braces, parens=parens)
        braces += text == "{"
        parens += text in {"(", "["}


def spaced(source: str, token: Token) -> bool:
    """Whether there is white space on both sides, as the formatter puts around operators with two operands."""
    return source[token.start - 1 : token.start].isspace() and source[token.end : token.end + 1].isspace()
