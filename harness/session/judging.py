"""Around a test: what happened in the guest meanwhile decides the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.errors import HarnessError
from harness.session.cell_session import CellSession


@contextmanager
def judged(session: CellSession) -> Iterator[None]:
    """Look at the guest when the block is over, however it ended; a crash in it is what the block then raises."""
    try:
        yield
    except Exception as error:
        verdict = session.explain(error)
        if verdict is not error:
            raise verdict from error
        try:
            session.end_test()
        except HarnessError as afterwards:
            error.add_note(f"and after the test: {afterwards}")
        raise
    session.end_test()
