"""The driver's request interface as data: numbers, layouts, size rules and result codes of every ABI.

The data is `abi.json` beside this file. `load_abi("linux-amd64")` gives one ABI's view of it.
"""

from __future__ import annotations

from harness.abi.layout import Field, Layout, LayoutError, Record, Value, c_string
from harness.abi.request import Request, SizeRule
from harness.abi.status import Status
from harness.abi.tables import (
    ABI_NAMES,
    CONSTANTS,
    COOKIE_MAGIC,
    INTERFACE_VERSION,
    LIMITS,
    ORIGINAL_COOKIES,
    PAGE_SIZE,
    Abi,
    Limits,
    load_abi,
)

__all__ = [
    "ABI_NAMES",
    "CONSTANTS",
    "COOKIE_MAGIC",
    "INTERFACE_VERSION",
    "LIMITS",
    "ORIGINAL_COOKIES",
    "PAGE_SIZE",
    "Abi",
    "Field",
    "Layout",
    "LayoutError",
    "Limits",
    "Record",
    "Request",
    "SizeRule",
    "Status",
    "Value",
    "c_string",
    "load_abi",
]
