"""Numbers that no request has, made from those that requests have.

The type is a letter where requests have an argument block, but on OS/2 the category, and the device's type on Windows;
the direction is there what the handle must be open for.
"""

from __future__ import annotations

from catalogue import number_of

from harness.abi import Abi, Status
from harness.targets import Refusal

_SIZE_SHIFT = 16
_SIZE_MASK = 0x3FFF << _SIZE_SHIFT
_TYPE_SHIFT = {True: 8, False: 16}
_TYPE_MASK = {True: 0xFF, False: 0xFFFF}
_DIRECTION_SHIFT = {True: 30, False: 14}
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


def with_type(abi: Abi, number: int, kind: int) -> int:
    """The same number with another type."""
    shift, mask = _TYPE_SHIFT[abi.argument_block], _TYPE_MASK[abi.argument_block]
    return (number & ~(mask << shift)) | (kind << shift)


def type_of(abi: Abi, number: int) -> int:
    """The type in a number."""
    return (number >> _TYPE_SHIFT[abi.argument_block]) & _TYPE_MASK[abi.argument_block]


def with_changed_direction(abi: Abi, number: int, change: int) -> int:
    """The same number with some of the two bits of its direction turned over."""
    return number ^ (change << _DIRECTION_SHIFT[abi.argument_block])


def refusal_of_type(abi: Abi) -> Refusal | Status:
    """What a number of another type meets: where the system has categories, an answer of its own."""
    return Status.GENERAL_FAILURE if abi.category is None else Refusal.OTHER_CATEGORY


def refusal_of_form(abi: Abi) -> Refusal | Status:
    """What a number meets whose form is none of the slow requests': the size field is in it where there is one."""
    return Refusal.BAD_SIZE_FIELD if abi.argument_block else Status.GENERAL_FAILURE
