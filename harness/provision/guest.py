"""One running guest: started, reached over SSH, ended."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.config import Guest
from harness.console.crash import Crash
from harness.console.follower import ConsoleFollower
from harness.errors import BootError, SetupError
from harness.images.cpio import overlay
from harness.images.keys import GuestKeys, make_keys
from harness.provision.domain_xml import AGENT_CHANNEL, DomainSpec, domain_xml
from harness.provision.hypervisor import Domain, Hypervisor
from harness.provision.runs import Run
from harness.timeouts import Deadlines
from harness.transport.ssh import SshConnection, SshIdentity
from harness.transport.streams import PortStream

READY_LINE = "supdrv-guest: ready"
_SSH_PORT = 22
_TAIL_LINES = 40

# quiet: the serial line is slow while booting; the guest's init turns the console up once it is ready.
# unknown_nmi_panic: a guest that spins with interrupts off tells where when it is sent an NMI.
# panic=0: a panicking guest stays as it is, so that what it printed and its memory can be read.
_CMDLINE = "console=ttyS0 quiet unknown_nmi_panic panic=0 cryptomgr.notests"


@dataclass(frozen=True, slots=True)
class GuestFiles:
    """What a guest of ours boots from."""

    kernel: Path
    initrd: Path


class RunningGuest:
    """A guest that has said that it is ready. `console` follows what it prints."""

    def __init__(
        self,
        domain: Domain,
        console: ConsoleFollower,
        directory: Path,
        *,
        keys: GuestKeys,
        port: int,
        agent_socket: Path,
    ) -> None:
        self.domain = domain
        self.console = console
        self.directory = directory
        self.port = port
        self._agent_socket = agent_socket
        self._keys = keys

    @classmethod
    def boot(
        cls,
        hypervisor: Hypervisor,
        run: Run,
        guest: Guest,
        *,
        cell: str,
        files: GuestFiles,
        accelerator: str,
        deadlines: Deadlines,
        on_crash: Callable[[Crash], None],
        keep: bool = False,
    ) -> RunningGuest:
        """Start `guest` for `cell` and wait until it is ready. Raises BootError with the console's end."""
        directory = run.cell_dir(cell)
        keys = make_keys()
        initrd = directory / "initrd.img"
        try:
            shutil.copyfile(files.initrd, initrd)
            with initrd.open("ab") as stream:
                stream.write(overlay(keys.files()))
        except OSError as error:
            raise SetupError(f"cannot write {initrd}: {error.strerror}") from error
        console_log = directory / "console.log"
        spec = DomainSpec(
            name=f"supdrv-{run.id}-{cell}",
            state=str(run.directory.parent.parent),
            run=run.id,
            cell=cell,
            accelerator=accelerator,
            arch=guest.arch,
            memory_mib=guest.memory_mib,
            cpus=guest.cpus,
            cpu_model=guest.cpu_model,
            kernel=files.kernel,
            initrd=initrd,
            cmdline=f"{_CMDLINE} {guest.cmdline}".strip(),
            console=console_log,
            agent_socket=run.socket(cell),
        )
        domain = hypervisor.start(domain_xml(spec), keep=keep)
        console = ConsoleFollower(console_log, on_crash)
        console.start()
        running = cls(domain, console, directory, keys=keys, port=0, agent_socket=spec.agent_socket)
        try:
            running.port = domain.forward(_SSH_PORT)
            running._wait_ready(guest, cell, deadlines)
        except BaseException:
            running.destroy()
            raise
        return running

    def _wait_ready(self, guest: Guest, cell: str, deadlines: Deadlines) -> None:
        if not self.console.wait_for(READY_LINE, deadlines.boot, alive=self.domain.running):
            raise BootError(
                f"guest {guest.name!r} was not ready within {deadlines.boot:.0f} s",
                hint=f"watch it boot: harness console {cell}",
                evidence=self.console_tail(),
            )

    def ssh(self, deadlines: Deadlines) -> SshConnection:
        """A new SSH connection to this guest, its host key checked."""
        return SshConnection.open(self.port, self.identity(), deadline=deadlines.ssh)

    def agent_stream(self, ssh: SshConnection, program: str, deadlines: Deadlines) -> PortStream:
        """Start the agent `program` (a path in the guest) over `ssh`, and talk to it on its port."""
        names = "/sys/class/virtio-ports/*/name"
        device = f'"/dev/$(basename "$(dirname "$(grep -lx {AGENT_CHANNEL} {names})")")"'
        started = ssh.stream(f"exec {program} --port {device}", deadline=deadlines.command)
        return PortStream(self._agent_socket, started)

    def identity(self) -> SshIdentity:
        return SshIdentity(user="root", private_key=self._keys.client_private.decode(), host_key=self._keys.host_public)

    def console_tail(self, lines: int = _TAIL_LINES) -> str:
        """The last lines of the console."""
        return "\n".join(self.console.text().replace("\r", "").splitlines()[-lines:])

    def destroy(self) -> None:
        """End the domain at once and stop following its console."""
        try:
            self.domain.destroy()
        finally:
            self.console.stop()
