"""The machine that a real Windows is installed on and then restored on, which must be the same one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import SetupError
from harness.images.windows.releases import UEFI
from harness.provision.domain_xml import AGENT_CHANNEL, WATCH_CHANNEL
from harness.provision.guest import WARM
from harness.provision.hypervisor import Domain, Hypervisor
from harness.provision.runs import Run
from harness.provision.windows_domain import Firmware, WindowsDomain, windows_domain_xml
from harness.provision.windows_images import WindowsImage

# COM1 is the console; COM3 and COM4 would share the interrupts of the first two, which Windows does not allow.
_SERIAL_PORTS = {AGENT_CHANNEL: r"\\.\COM2"}
_VIRTIO_PORTS = {name: rf"\\.\Global\{name}" for name in (AGENT_CHANNEL, WATCH_CHANNEL)}

_FIRMWARE = (
    (Path("/usr/share/OVMF/OVMF_CODE_4M.fd"), Path("/usr/share/OVMF/OVMF_VARS_4M.fd")),
    (Path("/usr/share/edk2/x64/OVMF_CODE.4m.fd"), Path("/usr/share/edk2/x64/OVMF_VARS.4m.fd")),
    (Path("/usr/share/edk2/ovmf/OVMF_CODE.fd"), Path("/usr/share/edk2/ovmf/OVMF_VARS.fd")),
)
"""Where Debian, Arch and Fedora put UEFI without secure boot, which a test-signed driver does not pass."""

_FACT = "machine"


@dataclass(frozen=True, slots=True)
class Machine:
    """`firmware` is `bios` or `uefi`; `virtio`: the agents have virtio-serial ports, else a serial line."""

    arch: str
    firmware: str
    accelerator: str
    memory_mib: int
    cpus: int
    virtio: bool

    @property
    def ports(self) -> Mapping[str, str]:
        """The agents' ports: their names, and where Windows has them. Without virtio there is one only."""
        return _VIRTIO_PORTS if self.virtio else _SERIAL_PORTS

    def facts(self) -> Mapping[str, str]:
        """For the facts of an image; `machine_of` reads it back."""
        return {_FACT: json.dumps(asdict(self))}

    def domain(self, run: Run, name: str, disk: Path, firmware: Firmware | None) -> WindowsDomain:
        """A domain of this machine in `run`, with sockets and a console of its own and no discs."""
        place = run.cell_dir(name)
        sockets = {port: run.socket(f"{name}-{port}") for port in self.ports}
        return WindowsDomain(
            name=f"supdrv-{run.id}-{name}",
            state=str(run.directory.parent.parent),
            run=run.id,
            cell=name,
            accelerator=self.accelerator,
            arch=self.arch,
            memory_mib=self.memory_mib,
            cpus=self.cpus,
            disk=disk,
            console=place / "console.log",
            screen=run.socket(f"{name}-screen"),
            firmware=firmware,
            ports=sockets if self.virtio else {},
            lines={} if self.virtio else sockets,
        )

    def running_firmware(self) -> Firmware | None:
        """What an installed system starts with: a snapshot cannot hold UEFI's variables, so it has none."""
        return Firmware(find_firmware()[0], None) if self.firmware == UEFI else None


def machine_of(image: WindowsImage) -> Machine:
    """The machine that `image` was made on. Raises SetupError if its facts do not say."""
    try:
        return Machine(**json.loads(image.facts()[_FACT]))
    except (KeyError, TypeError, ValueError) as error:
        raise SetupError(f"the image {image.directory} is damaged: it does not say what machine it is for") from error


def find_firmware() -> tuple[Path, Path]:
    """UEFI of this host: the program, and its variables as they are at first."""
    for code, variables in _FIRMWARE:
        if code.exists() and variables.exists():
            return code, variables
    raise SetupError("there is no UEFI for guests here", hint="install the package ovmf, or use --firmware bios")


def restore(image: WindowsImage, *, hypervisor: Hypervisor, run: Run, name: str) -> tuple[Domain, WindowsDomain]:
    """The running system of `image`, agents waiting, with a copy of its disk in `run`."""
    machine = machine_of(image)
    spec = machine.domain(run, name, run.directory / name / image.disk.name, machine.running_firmware())
    try:
        shutil.copyfile(image.disk, spec.disk)
    except OSError as error:
        raise SetupError(f"cannot use the image {image.directory}: {error}") from error
    domain = hypervisor.start(windows_domain_xml(spec), paused=True)
    try:
        domain.load_snapshot(WARM)
        domain.resume()
    except BaseException:
        domain.destroy()
        raise
    return domain, spec
