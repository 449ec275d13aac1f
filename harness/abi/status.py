"""The driver's result codes, in its own terms."""

from __future__ import annotations

import enum


class Status(enum.IntEnum):
    """What a request ends with. `Abi.client_code` gives the form in which a client sees it."""

    OK = 0
    GENERAL_FAILURE = -1
    INVALID_PARAM = -2
    INVALID_MAGIC = -3
    INVALID_HANDLE = -4
    LOCK_FAILED = -5
    INVALID_POINTER = -6
    IDT_FAILED = -7
    NO_MEMORY = -8
    ALREADY_LOADED = -9
    PERMISSION_DENIED = -10
    VERSION_MISMATCH = -11
