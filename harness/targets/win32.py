"""Win32 error codes that the agent, the driver and the system's own layer answer with (winerror.h)."""

from __future__ import annotations

import enum


class Win32(enum.IntEnum):
    """GetLastError() values, by the names of the system's own header without `ERROR_`."""

    INVALID_FUNCTION = 1
    FILE_NOT_FOUND = 2
    PATH_NOT_FOUND = 3
    ACCESS_DENIED = 5
    INVALID_HANDLE = 6
    NOT_ENOUGH_MEMORY = 8
    GEN_FAILURE = 31
    HANDLE_EOF = 38
    NOT_SUPPORTED = 50
    UNEXP_NET_ERR = 59
    INVALID_PARAMETER = 87
    CALL_NOT_IMPLEMENTED = 120
    INSUFFICIENT_BUFFER = 122
    NOT_LOCKED = 158
    BAD_EXE_FORMAT = 193
    MORE_DATA = 234
    INVALID_ADDRESS = 487
    OPERATION_ABORTED = 995
    NOACCESS = 998
    INVALID_SERVICE_CONTROL = 1052
    SERVICE_REQUEST_TIMEOUT = 1053
    SERVICE_ALREADY_RUNNING = 1056
    SERVICE_DOES_NOT_EXIST = 1060
    SERVICE_NOT_ACTIVE = 1062
    SERVICE_MARKED_FOR_DELETE = 1072
    DLL_INIT_FAILED = 1114
    UNKNOWN_REVISION = 1305
    REVISION_MISMATCH = 1306
    PRIVILEGE_NOT_HELD = 1314
    NO_SYSTEM_RESOURCES = 1450
    INVALID_USER_BUFFER = 1784


def win32_name(code: int) -> str:
    """The code as a person looks it up: `ERROR_NOACCESS 998`."""
    known = code in Win32._value2member_map_
    return f"ERROR_{Win32(code).name} {code}" if known else f"Win32 error {code}"
