"""Installing a Windows of the user's own: from its medium to an image with a snapshot of the running system."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.console.follower import GUEST_SAYS
from harness.errors import SetupError
from harness.events import Progress, stage
from harness.images import host_tool
from harness.images.windows.releases import UEFI
from harness.provision.guest import READY_LINE, WARM
from harness.provision.hypervisor import Hypervisor
from harness.provision.runs import Run
from harness.provision.windows_domain import Firmware, WindowsDomain, windows_domain_xml
from harness.provision.windows_images import WindowsImage
from harness.provision.windows_machine import Machine, find_firmware
from harness.provision.windows_watch import Limits, Watch
from harness.timeouts import Deadlines

INSTALLED = "installed"
"""What the seed's script says last, before it powers the guest off."""

OFF = "off"
"""The snapshot of the disk before the installed system was first started."""

READY = READY_LINE.removeprefix(GUEST_SAYS)

_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Plan:
    """What is installed, and on what. `discs`: the medium, the seed, and one with drivers if there is one;
    `evidence`: the folder for what explains a failure; `needed_gib`: what must be free for the image."""

    name: str
    machine: Machine
    disk_gib: int
    discs: Sequence[Path]
    evidence: Path
    needed_gib: int


class Installer:
    """Installs one plan, in a run."""

    def __init__(
        self, plan: Plan, *, hypervisor: Hypervisor, run: Run, deadlines: Deadlines, progress: Progress
    ) -> None:
        self._plan = plan
        self._hypervisor = hypervisor
        self._run = run
        self._deadlines = deadlines
        self._progress = progress

    def fill(self, image: WindowsImage) -> None:
        """Install into the new `image`. Raises BootError for what the guest does, SetupError for what is lacking here;
        no domain is left."""
        plan, deadlines = self._plan, self._deadlines
        _check_space(image.directory, plan.needed_gib)
        firmware = _own_firmware(image.directory) if plan.machine.firmware == UEFI else None
        create = ["qemu-img", "create", "-q", "-f", "qcow2", str(image.disk), f"{plan.disk_gib}G"]
        host_tool.run(create, what=f"make the disk of {plan.name}", hint="run: make setup")
        limits = Limits(deadlines.windows_install, deadlines.windows_silence, deadlines.windows_any_key)
        spec = plan.machine.domain(self._run, plan.name, image.disk, firmware)
        self._start(replace(spec, discs=plan.discs, restarts=True), INSTALLED, limits, then_off=True)
        mark = ["qemu-img", "snapshot", "-c", OFF, str(image.disk)]
        host_tool.run(mark, what=f"mark the installed disk of {plan.name}")
        limits = Limits(deadlines.windows_boot, deadlines.windows_silence)
        spec = plan.machine.domain(self._run, plan.name, image.disk, plan.machine.running_firmware())
        self._start(spec, READY, limits, then_off=False)

    def _start(self, spec: WindowsDomain, line: str, limits: Limits, *, then_off: bool) -> None:
        """Start the guest and wait for `line`; a guest that has not powered itself off is kept as the snapshot."""
        plan = self._plan
        domain = self._hypervisor.start(windows_domain_xml(spec))
        try:
            with Watch(
                domain,
                name=plan.name,
                console=spec.console,
                disk=spec.disk,
                evidence=plan.evidence,
                progress=self._progress,
            ) as watch:
                watch.until(line, limits, then_off=then_off)
            if not then_off:
                with stage(self._progress, f"{plan.name}: keep it as it runs"):
                    domain.save_snapshot(WARM)
        finally:
            domain.destroy()


def _own_firmware(directory: Path) -> Firmware:
    """UEFI of this host, with a copy of its variables in `directory`."""
    code, template = find_firmware()
    variables = directory / "variables.fd"
    shutil.copyfile(template, variables)
    return Firmware(code, variables)


def _check_space(directory: Path, needed_gib: int) -> None:
    free = shutil.disk_usage(directory).free
    if free < needed_gib * _GIB:
        raise SetupError(
            f"{free / _GIB:.1f} GiB are free at {directory}, and an installed Windows takes about {needed_gib}",
            hint="free some, or set XDG_CACHE_HOME to a larger place",
        )
