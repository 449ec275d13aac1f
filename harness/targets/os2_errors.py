"""Error codes of OS/2 that the agent, the driver and the system answer with, as its toolkit publishes them."""

from __future__ import annotations

import enum

_CODES = 1 << 31
"""From here on, a value is a code of the driver: a negative number of 32 bits."""


class Os2Error(enum.IntEnum):
    """By the names of the toolkit without `ERROR_`."""

    INVALID_FUNCTION = 1
    FILE_NOT_FOUND = 2
    ACCESS_DENIED = 5
    INVALID_HANDLE = 6
    NOT_ENOUGH_MEMORY = 8
    BAD_COMMAND = 22
    GEN_FAILURE = 31
    NOT_SUPPORTED = 50
    INVALID_PARAMETER = 87
    INTERRUPT = 95
    DEVICE_IN_USE = 99
    BROKEN_PIPE = 109
    OPEN_FAILED = 110
    BAD_EXE_FORMAT = 193
    INVALID_ADDRESS = 487


def os2_name(code: int) -> str:
    """The code as a person looks it up: `ERROR_BAD_COMMAND 22`, `code -2 of the driver`."""
    if code >= _CODES:
        return f"code {code - 2 * _CODES} of the driver"
    known = code in Os2Error._value2member_map_
    return f"ERROR_{Os2Error(code).name} {code}" if known else f"OS/2 error {code}"
