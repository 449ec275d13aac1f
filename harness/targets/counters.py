"""The driver's counters, as it tells them on every system: lines of a name and a number."""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import GuestError


def parse_counters(text: bytes) -> Mapping[str, int]:
    """The counters by name. Raises GuestError with the text where it has another form."""
    try:
        return {name: int(value) for name, value in (line.split() for line in text.decode("ascii").splitlines())}
    except ValueError as error:
        shown = text.decode("ascii", "backslashreplace")
        raise GuestError("the driver's counters are not lines of a name and a number", evidence=shown) from error
