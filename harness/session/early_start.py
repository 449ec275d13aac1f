"""A start that goes on while the caller has something else to do."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait


class EarlyStart:
    """At most one at a time; between `begin` and `finish` or `abandon` only the start may use what it starts."""

    def __init__(self) -> None:
        self._under_way: Future[None] | None = None

    def begin(self, start: Callable[[], None], *, name: str) -> None:
        """Call `start` in a thread of the name `name`."""
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._under_way = thread.submit(start)
        thread.shutdown(wait=False)

    def finish(self) -> None:
        """Wait for it, if there is one, and raise what it has met."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()

    def abandon(self) -> None:
        """Wait for it, whatever becomes of it."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            wait([under_way])
