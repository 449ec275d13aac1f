"""A guest that came up from a disc: its agents are on it, and listen on TCP ports."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from harness.errors import AgentLost, BootError, GuestHang, TransportError
from harness.images.freebsd_disc import AGENT_PORTS
from harness.provision.domain_xml import AGENT_CHANNEL, WATCH_CHANNEL
from harness.provision.guest import RunningGuest
from harness.timeouts import Deadlines
from harness.transport.agent import AgentClient
from harness.transport.streams import ByteStream, NetworkStream
from harness.transport.wire import FileFlag

_PORTS = dict(zip((AGENT_CHANNEL, WATCH_CHANNEL), AGENT_PORTS, strict=True))
_PATIENCE = 1.0  # seconds for an answer: the card may not be up when the guest is


class DiscGuest(RunningGuest):
    """What differs from a guest with SSH and virtio-serial ports."""

    def install(self, programs: Mapping[str, Path], client: str, deadlines: Deadlines, *, to_keep: bool) -> None:
        """The agents run; the programs that clients are made of go through one of them."""
        self._wait_for_agent(deadlines)
        with closing(AgentClient(self.stream(AGENT_CHANNEL), deadline=deadlines.command, resync=True)) as agent:
            for arch, program in programs.items():
                flags = FileFlag.CREATE | FileFlag.TRUNCATE
                agent.file_write(f"/tmp/agent-{arch}", program.read_bytes(), flags=flags, mode=0o755)  # noqa: S108

    def stream(self, port: str) -> ByteStream:
        """Connect to one of the guest's ports. Whoever connects last is answered."""
        return NetworkStream(self._forwarded(_PORTS[port]))

    def _forwarded(self, port: int) -> int:
        if self.spec.system and not self._forwards:
            self.domain.plug_network()
        if port not in self._forwards:
            self._forwards[port] = self.domain.forward(port)
        return self._forwards[port]

    def _wait_for_agent(self, deadlines: Deadlines) -> None:
        end = time.monotonic() + deadlines.ssh
        while not self._answers():
            if time.monotonic() > end:
                raise BootError(
                    f"no agent of domain {self.spec.name!r} answers after {deadlines.ssh:.0f} s",
                    hint="is the network card one that the kernel has a driver for? it is virtio",
                    evidence=self.console_tail(),
                )

    def _answers(self) -> bool:
        begin = time.monotonic()
        try:
            with closing(AgentClient(self.stream(AGENT_CHANNEL), deadline=_PATIENCE, resync=True)) as agent:
                agent.ping()
        except (AgentLost, GuestHang, TransportError):
            time.sleep(max(0.0, begin + _PATIENCE / 4 - time.monotonic()))
            return False
        return True
