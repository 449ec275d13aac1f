"""One running guest: booted or restored, reached over its ports and SSH, ended."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config import Guest
from harness.console.crash import Crash
from harness.console.follower import GUEST_SAYS, ConsoleFollower
from harness.errors import BootError, ConfigError, SetupError
from harness.images import host_tool
from harness.images.keys import NO_KEYS, GuestKeys
from harness.provision.checkpoints import Checkpoint, link_or_copy
from harness.provision.domain_xml import AGENT_CHANNEL, WATCH_CHANNEL, DomainSpec, domain_xml
from harness.provision.hypervisor import Domain, Hypervisor
from harness.provision.media import Medium
from harness.provision.runs import Run
from harness.timeouts import Deadlines
from harness.transport.streams import ByteStream, PortStream

if TYPE_CHECKING:
    from harness.transport.ssh import SshConnection

READY_LINE = f"{GUEST_SAYS}ready"
AGENT_ENDED = "agent ended"
"""What the guest says when one of its agents has come to its end."""

WARM = "warm"
"""The snapshot of a checkpoint: agents waiting, no driver loaded."""

_SSH_PORT = 22
_AGENT_PATH = "/tmp/agent"  # noqa: S108 - a path in the guest, whose only user is us
_TAIL_LINES = 40
_DISK_SIZE = "64M"
_QCOW2 = b"QFI\xfb"

# quiet: the serial line is slow while booting; the guest's init turns the console up once it is ready.
# unknown_nmi_panic: a guest that spins with interrupts off tells where when it is sent an NMI.
# panic=0: a panicking guest stays as it is, so that what it printed and its memory can be read.
_CMDLINE = "console=ttyS0 quiet unknown_nmi_panic panic=0 cryptomgr.notests ipv6.disable=1"

# The agent's port is found by its name; its end is told on the console, whatever it was that ended it.
_SERVE = (
    'port=/dev/$(basename "$(dirname "$(grep -lx {port} /sys/class/virtio-ports/*/name)")"); '
    "setsid sh -c '{program} --port '$port'; echo \"{says}{ended}: {port}, status $?\" >/dev/console' "
    "</dev/null >/dev/null 2>&1 &"
)

# All free memory but 24 MiB, which a guest of any size goes on with, is a file of zeros for a moment.
_CLEAR_FREE_MEMORY = (
    "size=$(awk '/^MemFree/ {print int($2 / 1024) - 24}' /proc/meminfo); place=/run/zeros; "
    "[ $size -le 0 ] || { mkdir $place && mount -t tmpfs -o size=${size}m none $place && "
    "dd if=/dev/zero of=$place/zeros bs=1M count=$size && umount $place && rmdir $place; }"
)


def _disk_format(image: Path) -> str:
    with image.open("rb") as stream:
        return "qcow2" if stream.read(len(_QCOW2)) == _QCOW2 else "raw"


def agent_path(arch: str) -> str:
    """Where the agent of word size `arch` lies in a guest."""
    return f"{_AGENT_PATH}-{arch}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a guest runs, and who is told of what its console says. `system` is the image of a disk that the guest
    starts from, which it does not change."""

    hypervisor: Hypervisor
    run: Run
    guest: Guest
    cell: str
    kernel: Path
    accelerator: str
    deadlines: Deadlines
    on_crash: Callable[[Crash], None]
    on_line: Callable[[str], None] = lambda _line: None
    keep: bool = False
    disc: bool = False
    system: Path | None = None

    def spec(self, directory: Path, initrd: Path) -> DomainSpec:
        """The domain of the guest, with its files in `directory`."""
        return DomainSpec(
            name=f"supdrv-{self.run.id}-{self.cell}",
            state=str(self.run.directory.parent.parent),
            run=self.run.id,
            cell=self.cell,
            accelerator=self.accelerator,
            arch=self.guest.machine,
            memory_mib=self.guest.memory_mib,
            cpus=self.guest.cpus,
            cpu_model=self.guest.cpu_model,
            kernel=self.kernel,
            initrd=initrd,
            cmdline=f"{_CMDLINE} {self.guest.cmdline}".strip(),
            console=directory / "console.log",
            ports={} if self.disc else self._ports(),
            disk=directory / "disk.qcow2",
            is_small=self.guest.is_small,
            disc=self.disc,
            system=self.system is not None,
        )

    def make_disk(self, disk: Path) -> None:
        """A new disk: an empty one, or one that begins as `system` is."""
        create = ["qemu-img", "create", "-q", "-f", "qcow2"]
        if self.system is None:
            create += [str(disk), _DISK_SIZE]
        else:
            create += ["-F", _disk_format(self.system), "-b", str(self.system), str(disk)]
        host_tool.run(create, what=f"make the disk of {self.cell}", hint="run: make setup")

    def _ports(self) -> Mapping[str, Path]:
        return {AGENT_CHANNEL: self.run.socket(self.cell), WATCH_CHANNEL: self.run.socket(f"{self.cell}-watch")}


class RunningGuest:
    """A guest that has said that it is ready. `console` follows what it prints."""

    def __init__(self, domain: Domain, console: ConsoleFollower, spec: DomainSpec, keys: GuestKeys) -> None:
        self.domain = domain
        self.console = console
        self.spec = spec
        self.keys = keys
        self._port = 0
        self._forwards: dict[int, int] = {}

    @classmethod
    def boot(cls, place: Place, medium: Medium) -> RunningGuest:
        """Start the guest and wait until it is ready. Raises BootError with the console's end."""
        directory = place.run.cell_dir(place.cell)
        keys = NO_KEYS if place.guest.is_small else _new_keys()
        own_initrd = directory / "initrd.img"
        spec = place.spec(directory, own_initrd)
        assert spec.disk is not None
        medium.write(own_initrd, keys)
        place.make_disk(spec.disk)
        guest = cls._start(place, spec, keys, paused=False)
        try:
            guest._wait_ready(place)
        except BaseException:
            guest.destroy()
            raise
        return guest

    @classmethod
    def restore(cls, place: Place, checkpoint: Checkpoint) -> RunningGuest:
        """Start the guest as it was when `checkpoint` was made. Raises SetupError or ProvisionError."""
        directory = place.run.cell_dir(place.cell)
        spec = place.spec(directory, directory / "initrd.img")
        assert spec.disk is not None
        try:
            link_or_copy(checkpoint.initrd, spec.initrd)
            shutil.copyfile(checkpoint.disk, spec.disk)
            keys = checkpoint.keys()
        except OSError as error:
            raise SetupError(f"cannot use the checkpoint {checkpoint.directory}: {error}") from error
        guest = cls._start(place, spec, keys, paused=True)
        try:
            guest.rewind()
        except BaseException:
            guest.destroy()
            raise
        return guest

    @classmethod
    def _start(cls, place: Place, spec: DomainSpec, keys: GuestKeys, *, paused: bool) -> RunningGuest:
        domain = place.hypervisor.start(domain_xml(spec), keep=place.keep, paused=paused)
        console = ConsoleFollower(spec.console, place.on_crash, place.on_line)
        console.start()
        return cls(domain, console, spec, keys)

    def rewind(self, snapshot: str = WARM) -> None:
        """Make the guest what it was at a snapshot, in place. Its ports must not be connected."""
        self.domain.load_snapshot(snapshot)
        self.console.begin_kernel()
        self.domain.resume()

    def _wait_ready(self, place: Place) -> None:
        deadline = place.deadlines.boot

        def alive() -> bool:
            return self.console.crash() is None and self.domain.running()

        begin = time.monotonic()
        if not self.console.wait_for(READY_LINE, deadline, alive=alive):
            raise BootError(
                f"guest {place.guest.name!r} was not ready after {time.monotonic() - begin:.0f} s of {deadline:.0f} s",
                hint=f"watch it boot: harness console {place.cell}",
                evidence=self.console_tail(),
            )

    def ssh(self, deadlines: Deadlines) -> SshConnection:
        """A new SSH connection to this guest, its host key checked."""
        from harness.transport.ssh import SshConnection, SshIdentity  # noqa: PLC0415 - slow; restored guests need none

        if self.spec.is_small or self.spec.disc:
            raise ConfigError(
                f"the guest of {self.spec.cell} has no SSH", hint="its console is in the evidence of a run"
            )
        if not self._port:
            self._port = self.domain.forward(_SSH_PORT)
        private_key, host_key = self.keys.client_private.decode(), self.keys.host_public
        identity = SshIdentity(user="root", private_key=private_key, host_key=host_key)
        return SshConnection.open(self._port, identity, deadline=deadlines.ssh)

    def install(self, programs: Mapping[str, Path], client: str, deadlines: Deadlines, *, to_keep: bool) -> None:
        """Put the agents (by word size) into the guest, and start that of word size `client` on each port. In a small
        guest they have started by themselves. A guest `to_keep` has its free memory cleared: a boot has written to most
        of it, and pages of zeros take neither room in a snapshot nor time at a restore."""
        if self.spec.is_small:
            return
        with closing(self.ssh(deadlines)) as ssh:
            for arch, program in programs.items():
                ssh.put(program.read_bytes(), agent_path(arch), deadline=deadlines.command, mode=0o755)
            for port in (AGENT_CHANNEL, WATCH_CHANNEL):
                self._serve(ssh, agent_path(client), port, deadlines)
            if to_keep:
                cleared = ssh.run(_CLEAR_FREE_MEMORY, deadline=deadlines.command)
                if cleared.status != 0:
                    said = cleared.stderr.decode(errors="replace")
                    raise BootError(f"the free memory of {self.spec.cell} was not cleared: {said}")

    def _serve(self, ssh: SshConnection, program: str, port: str, deadlines: Deadlines) -> None:
        command = _SERVE.format(port=port, program=program, says=GUEST_SAYS, ended=AGENT_ENDED)
        ssh.run(command, deadline=deadlines.command)

    def stream(self, port: str) -> ByteStream:
        """Connect to one of the guest's ports. One connection at a time is answered."""
        return PortStream(self.spec.ports[port])

    def console_tail(self, lines: int = _TAIL_LINES) -> str:
        """The last lines of the console."""
        return "\n".join(self.console.text().replace("\r", "").splitlines()[-lines:])

    def destroy(self) -> None:
        """End the domain at once and stop following its console."""
        try:
            self.domain.destroy()
        finally:
            self.console.stop()


def _new_keys() -> GuestKeys:
    from harness.images.new_keys import make_keys  # noqa: PLC0415 - slow; restored guests need none

    return make_keys()
