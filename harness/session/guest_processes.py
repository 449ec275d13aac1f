"""The harness's own processes in a guest, which stay from test to test."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from harness.transport.agent import AgentClient
from harness.transport.wire import AgentOpError, ClientInfo

T = TypeVar("T")


class GuestProcesses:
    """The agent, and where requests have to come from another word size's process in the end, that one: starting a
    program takes longer than most tests."""

    def __init__(self) -> None:
        self._native: ClientInfo | None = None

    def native_client(self, agent: AgentClient, program: str) -> ClientInfo:
        """A client of the agent that runs `program`, the one that there is already if there is."""
        if self._native is None:
            self._native = agent.client_start(program)
        return self._native

    def reset(self, agent: AgentClient) -> None:
        """Nothing open and nothing allocated in the agent and the native client; all other processes end.

        The native client is the last to close, since what the driver has mapped into a process is unmapped only
        by a close in that process.
        """
        agent.reset(spared=0 if self._native is None else self._native.id)
        if self._native is not None:
            try:
                agent.reset(client=self._native.id)
            except AgentOpError:  # the test has killed it, or left it with something to do
                self._native = None
                agent.reset()

    def reset_and(self, agent: AgentClient, ask: Callable[[], T]) -> T:
        """`reset`, and then what `ask` asks the agent. Both at once where that can be: the agent answers in order, and
        a round trip is a good part of a short test."""
        if self._native is not None:
            self.reset(agent)
            return ask()
        reset = agent.reset_begin()
        answer = ask()
        reset.result().check()
        return answer

    def forget(self) -> None:
        """The guest is another now."""
        self._native = None
