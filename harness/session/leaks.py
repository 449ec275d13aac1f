"""Memory that tests made the kernel lose, found afterwards and blamed on the test in which it was allocated.

A search takes longer than most tests, and finds nothing younger than five seconds, so it is made once, when the
tests of a guest are over. Each object that is found says when it was allocated, to a few milliseconds.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.console.crash import Crash
from harness.console.kmemleak import Leak, find_leaks
from harness.errors import GuestError
from harness.transport.agent import AgentClient

if TYPE_CHECKING:
    from harness.transport.ssh import SshConnection

_CLOCK = "/sys/kernel/debug/sched/debug"
_CLOCK_BYTES = 1024
_JIFFIES = re.compile(r"^jiffies\s*: (\d+)$", re.MULTILINE)

# The first pass takes a new object's checksum, the second reports it if that has not changed and it is old enough.
_SEARCH = "k=/sys/kernel/debug/kmemleak; echo scan >$k && sleep 5 && echo scan >$k && cat $k"


class LeakHunt:
    """kmemleak in one running guest, and when the guest's tests began."""

    def __init__(self) -> None:
        self._begins: list[int] = []
        self._tests: list[str] = []

    def begin(self, test: str, agent: AgentClient) -> None:
        """What is allocated from now on is `test`'s."""
        text = agent.file_read(_CLOCK, length=_CLOCK_BYTES).decode("ascii", errors="replace")
        match = _JIFFIES.search(text)
        if match is None:
            raise GuestError(f"{_CLOCK} in the guest does not tell the time", evidence=text)
        self._begins.append(int(match[1]))
        self._tests.append(test)

    def search(self, ssh: SshConnection, *, deadline: float) -> dict[str, Crash]:
        """What each test has leaked, for those that have; what is older than the first test is not reported.

        The kernel's own report of it on the console ends what the agent is doing; the guest is of no use after it.
        """
        result = ssh.run(_SEARCH, deadline=deadline)
        if result.status != 0:
            raise GuestError("kmemleak cannot be asked", evidence=result.stderr.decode(errors="replace"))
        blamed: dict[str, list[Leak]] = {}
        for leak in find_leaks(result.stdout.decode(errors="replace")):
            index = bisect.bisect_right(self._begins, leak.jiffies) - 1
            if index >= 0:
                blamed.setdefault(self._tests[index], []).append(leak)
        return {test: _report(leaks) for test, leaks in blamed.items()}


def _report(leaks: Sequence[Leak]) -> Crash:
    sizes = " + ".join(str(leak.size) for leak in leaks)
    frames = leaks[0].frames
    culprit = next((frame for frame in frames if frame.module), frames[0]) if frames else "no known place"
    return Crash(
        kind="kmemleak report",
        title=f"memory leaked, {sizes} bytes, from {culprit}",
        frames=frames,
        report="\n".join(leak.report for leak in leaks),
    )
