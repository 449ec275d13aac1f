"""Numbers that no request has, made from those that requests have."""

from __future__ import annotations

from catalogue import number_of

from harness.abi import Abi

_SIZE_SHIFT = 16
_SIZE_MASK = 0x3FFF << _SIZE_SHIFT
_LETTER_SHIFT = 8
_LETTER_MASK = 0xFF << _LETTER_SHIFT
_DIRECTION_MASK = 0xC0000000
_WORD_SIZE_BIT = 128


def slow_number(abi: Abi, function: int) -> int:
    """The number that a request with `function` would have."""
    first, second = number_of(abi, "COOKIE"), number_of(abi, "QUERY_FUNCS")
    return first + (function - 1) * (second - first)


def fast_number(abi: Abi, function: int) -> int:
    """The number that a fast request with `function` would have."""
    first, second = number_of(abi, "FAST_DO_RAW_RUN"), number_of(abi, "FAST_DO_HWACC_RUN")
    return first + (function - abi.request("FAST_DO_RAW_RUN").function) * (second - first)


def of_other_word_size(abi: Abi, number: int) -> int:
    """The same number with the bit of the word size in its function turned over."""
    step = number_of(abi, "QUERY_FUNCS") - number_of(abi, "COOKIE")
    return number ^ (_WORD_SIZE_BIT * step)


def with_size(number: int, size: int) -> int:
    """The same number with another size field (systems with an argument block)."""
    return (number & ~_SIZE_MASK) | (size << _SIZE_SHIFT)


def size_field(number: int) -> int:
    """The size field of a number (systems with an argument block)."""
    return (number & _SIZE_MASK) >> _SIZE_SHIFT


def with_letter(number: int, letter: int) -> int:
    """The same number with another type letter (systems with an argument block)."""
    return (number & ~_LETTER_MASK) | (letter << _LETTER_SHIFT)


def letter_of(number: int) -> int:
    """The type letter of a number (systems with an argument block)."""
    return (number & _LETTER_MASK) >> _LETTER_SHIFT


def with_direction(number: int, direction: int) -> int:
    """The same number with other direction bits, 0 to 3 (systems with an argument block)."""
    return (number & ~_DIRECTION_MASK) | (direction << 30)
