"""Starts of a guest that failed, so that none is tried again that would fail in the same way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.errors import DriverBuildError, DriverLoadError, GuestError, HarnessError, ProvisionError, TransportError

_TRIES = 2


class StartFailures:
    """Those of one cell, of whose name the errors speak, since the last start that worked."""

    def __init__(self, cell: str) -> None:
        self._cell = cell
        self._count = 0
        self._last = HarnessError("")

    def forget(self) -> None:
        """The next start is tried, whatever became of earlier ones."""
        self._count = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Around a start. What failed for a reason that the next try would meet as well is raised again at once,
        without the evidence: a driver that does not build or load, a guest that did not come up twice in a row."""
        if self._count >= _TRIES:
            raise type(self._last)(f"{self._cell}: as before: {self._last.message}")
        try:
            yield
        except (DriverBuildError, DriverLoadError) as error:
            self._last, self._count = error, _TRIES
            raise
        except (GuestError, ProvisionError, TransportError) as error:
            self._last, self._count = error, self._count + 1
            raise
        self._count = 0
