"""What the tests of the agent as a process of this host share."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.transport.wire import AgentOpError, AgentStatus, ClientExit

WORD = {"amd64": 8, "x86": 4}
PAGE = 4096
KILLED = ClientExit(by_signal=True, code=signal.SIGKILL)


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.005)


def is_gone(pid: int) -> bool:
    """No process, or at most a zombie, has this pid."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextlib.contextmanager
def refused(status: AgentStatus, os_error: int = 0) -> Iterator[None]:
    with pytest.raises(AgentOpError) as caught:
        yield
    assert (caught.value.status, caught.value.os_error) == (status, os_error)
