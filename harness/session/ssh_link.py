"""The SSH connection to a guest: for people and what they look at; tests use the agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.provision.guest import RunningGuest
from harness.timeouts import Deadlines

if TYPE_CHECKING:
    from harness.transport.ssh import SshConnection


class SshLink:
    """Made when it is first wanted, and again when it was dropped, of which `tell` is told."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._connection: SshConnection | None = None

    def to(self, guest: RunningGuest, deadlines: Deadlines) -> SshConnection:
        """The connection to `guest`, which must be the same until `close`."""
        if self._connection is not None and not self._connection.alive:
            self._tell("its SSH connection was dropped; connect again")
            self.close()
        if self._connection is None:
            self._connection = guest.ssh(deadlines)
        return self._connection

    def close(self) -> None:
        """The guest is about to be another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
