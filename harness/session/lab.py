"""The lab: what all cells of one controller process share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.config import Guest
from harness.events import Progress, stage
from harness.matrix import Cell
from harness.provision.accelerator import EMULATION, KVM, choose_accelerator, known_accelerator
from harness.provision.daemon import SESSION_URI, resolve_uri
from harness.provision.guest import READY_LINE
from harness.provision.hypervisor import Hypervisor
from harness.provision.runs import Run, clear_orphans
from harness.session import guest_images
from harness.targets import DriverBuild, GuestImage, target_for
from harness.targets.agents import build_agent
from harness.timeouts import EMULATED, NATIVE, Deadlines


@dataclass(frozen=True, slots=True)
class LabOptions:
    """Choices of the user. `project` is the root of the source tree, `evidence` where failures are explained,
    `accelerator` is `auto`, `kvm` or `qemu`, `keep` leaves guests running at the end. `isolation` says how long a
    kernel is used: for one `test`, for one `file` of tests, or for the `run`. Without `checkpoints` every guest boots.
    `dump_memory` adds a guest's memory to the evidence of its failure.
    `driver_tree` is a tree to build the driver in and from, in place of the project's.
    `request_seconds` replaces the deadline of a request."""

    project: Path
    evidence: Path
    uri: str = SESSION_URI
    accelerator: str = "auto"
    keep: bool = False
    isolation: str = "run"
    checkpoints: bool = True
    dump_memory: bool = False
    driver_tree: Path | None = None
    request_seconds: float | None = None


class Lab:
    """Connection, run directory, images and builds, each made when it is first needed."""

    def __init__(self, options: LabOptions, progress: Progress) -> None:
        self.options = options
        self.progress = progress
        self._hypervisor: Hypervisor | None = None
        self._run: Run | None = None
        self._accelerator = ""

    @property
    def hypervisor(self) -> Hypervisor:
        """The libvirt connection. What dead runs left behind is removed when it is opened."""
        if self._hypervisor is None:
            hypervisor = Hypervisor(lambda: resolve_uri(self.options.uri), self.tell)
            clear_orphans(hypervisor)
            self._hypervisor = hypervisor
        return self._hypervisor

    def tell(self, text: str) -> None:
        """Show a step that takes no time."""
        with stage(self.progress, text):
            pass

    @property
    def run(self) -> Run:
        """This process's run directory."""
        if self._run is None:
            self._run = Run.begin(uri=self.hypervisor.uri)
        return self._run

    def image(self, guest: Guest) -> GuestImage:
        """What `guest` boots. Raises CellUnavailable if it has not been built; `make_image` builds it."""
        found = guest_images.find(guest)
        if found is None:
            raise guest_images.unavailable(guest)
        return found

    def make_image(self, guest: Guest) -> GuestImage:
        """Build the image of `guest` unless it is there."""
        return guest_images.ensure(guest, self.progress)

    def driver(self, cell: Cell) -> DriverBuild:
        """The driver of `cell`, built if anything has changed."""
        tree = self.options.driver_tree or self.options.project
        build = tree / "build" / cell.guest.name / cell.driver
        return target_for(cell.os).build_driver(cell, self.image(cell.guest), sources=tree, build=build)

    def agent(self, os: str, arch: str) -> Path:
        """The agent program for `os` and word size `arch`, built if anything has changed."""
        return build_agent(os, arch, sources=self.options.project, build=self.options.project / "build" / "agent")

    def accelerator(self, guest: Guest) -> str:
        """`kvm` or `qemu` (emulation), as asked for or as a probe boot of `guest` finds out. A guest that is no probe
        gets what another one has found out."""
        if not self._accelerator:
            asked = self.options.accelerator
            self._accelerator = asked if asked in {KVM, EMULATION} else self._probe(guest)
        return self._accelerator

    def _probe(self, guest: Guest) -> str:
        if not guest_images.is_probe(guest):
            return known_accelerator(self.hypervisor) or EMULATION
        image = self.image(guest)
        return choose_accelerator(
            self.hypervisor,
            self.run,
            guest,
            kernel=image.kernel,
            initrd=image.initrd,
            ready=READY_LINE,
            progress=self.progress,
        )

    def deadlines(self, guest: Guest) -> Deadlines:
        """The deadlines that fit `guest` with the accelerator in use."""
        scale = guest.slowness * (NATIVE if self._accelerator == KVM else EMULATED)
        return Deadlines(scale=scale, request_seconds=self.options.request_seconds)

    def close(self) -> None:
        """End the run and close the connection; guests that are to stay, stay."""
        if self._run is not None:
            if self.options.keep:
                self._run.keep()
            self._run.end()
            self._run = None
        if self._hypervisor is not None:
            self._hypervisor.close()
            self._hypervisor = None
