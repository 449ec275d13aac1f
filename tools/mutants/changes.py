"""The small mistakes that can be made in a C source, one at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tools.mutants.c_tokens import Token, spaced, tokens

_INSTEAD: dict[str, tuple[str, ...]] = {
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
    "&&": ("||",),
    "||": ("&&",),
    "+=": ("-=",),
    "-=": ("+=",),
    "|=": ("&=",),
    "&=": ("|=",),
    "^=": ("|=",),
    "<<=": (">>=",),
    ">>=": ("<<=",),
    "++": ("--",),
    "--": ("++",),
}
# These have other meanings too, without white space on both sides.
_INSTEAD_BINARY: dict[str, tuple[str, ...]] = {
    "+": ("-",),
    "-": ("+",),
    "*": ("/",),
    "/": ("*",),
    "%": ("/",),
    "&": ("|",),
    "|": ("&",),
    "^": ("|",),
    "<<": (">>",),
    ">>": ("<<",),
}
_INSTEAD_WORD = {"true": ("false",), "false": ("true",), "SUPDRV_OK": ("SUPDRV_ERR_GENERAL_FAILURE",)}
_STATUS = re.compile(r"SUPDRV_ERR_\w+")
_ERRNO = re.compile(r"E[A-Z]{3,}")
_NO_ACTIONS = {"if", "while", "for", "do", "switch", "return", "case", "default", "else"}
_ASSIGNS = {"=", "+=", "-=", "|=", "&=", "^=", "<<=", ">>=", "++", "--"}
_JUMPS = {"goto", "break", "continue"}
_REMOVED = "do if (0)"


@dataclass(frozen=True, slots=True)
class Change:
    """`new` in place of what stands from `start` to `end` of a source; `line` is where that begins."""

    line: int
    start: int
    end: int
    new: str

    def apply(self, source: str) -> str:
        """The source with this mistake in it."""
        return source[: self.start] + self.new + source[self.end :]

    def describe(self, source: str) -> str:
        """The lines that it changes, before and after."""
        begin = source.rfind("\n", 0, self.start) + 1
        end = source.find("\n", self.end)
        before = source[begin:end]
        after = source[begin : self.start] + self.new + source[self.end : end]
        return f"{_one_line(before)}  ->  {'removed' if _REMOVED in after else _one_line(after)}"


def changes(source: str) -> list[Change]:
    """Every change of what is inside of braces, in the order of the source. Lines keep their numbers."""
    found = list(tokens(source))
    result: list[Change] = []
    for index, token in enumerate(found):
        if token.braces:
            result += _replaced(source, token, found[index - 1])
            result += _decided(source, found, index)
            result += _removed(source, found, index)
    return result


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _replaced(source: str, token: Token, before: Token) -> Iterator[Change]:
    """Another operator, constant or result."""
    for new in _instead(source, token, before):
        yield Change(line=token.line, start=token.start, end=token.end, new=new)


def _instead(source: str, token: Token, before: Token) -> Sequence[str]:
    if token.kind == "number":
        zero = not token.text.rstrip("uUlL").strip("0")
        return ("1",) if zero else (f"({token.text} + 1)", f"({token.text} - 1)")
    if token.kind == "word":
        if _STATUS.fullmatch(token.text):
            other = "INVALID_PARAM" if token.text != "SUPDRV_ERR_INVALID_PARAM" else "GENERAL_FAILURE"
            return ("SUPDRV_OK", f"SUPDRV_ERR_{other}")
        if _ERRNO.fullmatch(token.text) and before.text == "-":
            return ("EIO",)
        return _INSTEAD_WORD.get(token.text, ())
    if token.text in {"!", "~"}:
        return ("",)
    return _INSTEAD.get(token.text) or (_INSTEAD_BINARY.get(token.text, ()) if spaced(source, token) else ())


def _decided(source: str, found: Sequence[Token], index: int) -> Iterator[Change]:
    """A condition that is evaluated no more: never true, or always."""
    if found[index].text not in {"if", "while"} or found[index + 1].text != "(":
        return
    opening = found[index + 1]
    closing = next(token for token in found[index + 2 :] if token.text == ")" and token.parens == opening.parens)
    condition = source[opening.start : closing.end]
    for new in ("(0 && %s)", "(1 || %s)")[: 2 if found[index].text == "if" else 1]:
        yield Change(line=opening.line, start=opening.start, end=closing.end, new=new % condition)


def _removed(source: str, found: Sequence[Token], index: int) -> Iterator[Change]:
    """A statement that is not executed. What it names stays used, so that the compiler has nothing to say."""
    token = found[index]
    if token.parens or not _begins_statement(found, index):
        return
    length = next(
        (i for i, other in enumerate(found[index:]) if other.text in {";", "}"} and other.parens == token.parens), 0
    )
    last = found[index + length]
    if last.text == ";" and _is_action(found[index : index + length]):
        new = f"{_REMOVED} {source[token.start : last.end]} while (0);"
        yield Change(line=token.line, start=token.start, end=last.end, new=new)


def _begins_statement(found: Sequence[Token], index: int) -> bool:
    before = found[index - 1]
    if before.text != ")":
        return before.text in {";", "{", "}", "else", ":", "do"} and not before.parens
    opening = next(i for i in range(index - 2, -1, -1) if found[i].text == "(" and found[i].parens == before.parens)
    return found[opening - 1].text in {"if", "while", "for"}


def _is_action(statement: Sequence[Token]) -> bool:
    """Whether it is a call, an assignment or a jump, rather than a declaration or a part of another statement."""
    if not statement or any(token.text == "{" for token in statement):
        return False
    first = statement[0]
    if first.text in _JUMPS:
        return True
    if first.kind == "word" and first.text in _NO_ACTIONS:
        return False
    if first.kind == "word" and len(statement) > 1:
        return statement[1].text in {"(", "->", ".", "["} | _ASSIGNS
    return first.text in {"*", "++", "--"}
