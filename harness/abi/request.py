"""Requests of the interface: numbers and the sizes the driver accepts."""

from __future__ import annotations

from dataclasses import dataclass

from harness.abi.layout import Layout


@dataclass(frozen=True, slots=True)
class SizeRule:
    """How long one direction of a request may be, in bytes.

    `minimum` is also the maximum where `exact` is set; otherwise the transport's limit is. `layout` is
    None for a direction that has no bytes.
    """

    layout: Layout | None
    minimum: int
    exact: bool

    def accepts(self, size: int, /) -> bool:
        return size == self.minimum if self.exact else size >= self.minimum


@dataclass(frozen=True, slots=True)
class Request:
    """A request in one ABI. `number` is None where the ABI does not have it.

    `cookies` says that the input starts with both cookies and that they are checked.
    """

    name: str
    macro: str
    function: int
    fast: bool
    cookies: bool
    number: int | None
    in_rule: SizeRule
    out_rule: SizeRule
