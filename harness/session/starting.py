"""How a guest comes to be at work: from where it is, from a checkpoint, or from its boot, whichever is nearest.

The ladder, and what makes one step up it: restore in place, if the guest still runs; restore from a checkpoint, if
there is one that fits; boot, which makes the checkpoint. Each step is verified by the guest's own word about itself,
and each that fails is told, with the reason.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from harness.config import FreeBsdDisk, FreeBsdKernel
from harness.console.crash import Crash
from harness.errors import AgentLost, HarnessError, SetupError
from harness.images.freebsd_disc import DiscParts
from harness.images.os2 import AGENT_FILE
from harness.matrix import Cell
from harness.provision.accelerator import KVM
from harness.provision.checkpoints import Checkpoint, CheckpointStore, checkpoint_key, file_identity, link_or_copy
from harness.provision.disc_guest import DiscGuest
from harness.provision.domain_xml import AGENT_CHANNEL, WATCH_CHANNEL, domain_xml, libvirt_arch
from harness.provision.guest import WARM, Place, RunningGuest
from harness.provision.media import DiscMedium, InitrdMedium, Medium, SeedMedium
from harness.session.lab import Lab
from harness.targets import DriverBuild, Target, target_for
from harness.transport.agent import AgentClient

_FORMAT = "6"
"""Raised when the way a checkpoint is made changes without any of its parts changing."""


_SETTLE_SECONDS = 0.5
_LOADED = "loaded"
"""The snapshot in which a driver is loaded, for tests that each want a fresh kernel."""

LoadedDriver = tuple[str, Mapping[str, int]]
"""A build id, and the options of the load."""


@dataclass(frozen=True, slots=True)
class LiveGuest:
    """A running guest and connections to the agents in it. `watch` is the one that opens no driver; `facts` is what
    the guest says of itself when no driver is loaded."""

    guest: RunningGuest
    agent: AgentClient
    watch: AgentClient
    facts: Mapping[str, str]

    def hang_up(self) -> None:
        """Close the connections; the guest goes on."""
        self.agent.close()
        self.watch.close()

    def end(self) -> None:
        """End connections and guest, whatever state they are in."""
        self.hang_up()
        self.guest.destroy()


class Starter:
    """Starts the guest of one cell. `on_crash` and `on_line`: see ConsoleFollower."""

    def __init__(
        self, lab: Lab, cell: Cell, *, on_crash: Callable[[Crash], None], on_line: Callable[[str], None]
    ) -> None:
        self._lab = lab
        self._cell = cell
        self._target: Target = target_for(cell.os)
        self._on_crash = on_crash
        self._on_line = on_line
        self._store = CheckpointStore()
        self._loaded: LoadedDriver | None = None

    def start_and_build(self) -> tuple[DriverBuild, LiveGuest]:
        """`start`, and at the same time build the driver: neither needs the other, and an edit is to be judged soon."""
        with ThreadPoolExecutor(max_workers=1) as builder:
            build = builder.submit(self._lab.driver, self._cell)
            live = self.start()
            try:
                return build.result(), live
            except BaseException:
                live.end()
                raise

    def start(self) -> LiveGuest:
        """The guest in a new process, from its checkpoint or booted."""
        self._loaded = None
        place, programs = self._place(), self._programs()
        key = self._key(place, programs)
        checkpoint = self._store.find(self._cell.id, key) if self._lab.options.checkpoints else None
        if checkpoint is not None:
            try:
                return self._restore(place, checkpoint)
            except HarnessError as error:
                self._tell(f"its checkpoint does not work, so it boots: {error.message}")
                self._store.discard(checkpoint)
        return self._boot(place, programs, key)

    def rewind(self, live: LiveGuest, wanted: LoadedDriver | None = None) -> LiveGuest:
        """The same guest as it was, in the same process if that works, else as `start`: with `wanted` loaded if that
        is what was last given to `keep_loaded`, else with no driver."""
        snapshot = _LOADED if wanted is not None and wanted == self._loaded else WARM
        live.hang_up()
        try:
            live.guest.rewind(snapshot)
            return self._verified(live.guest, live.facts if snapshot == WARM else None)
        except HarnessError as error:
            self._tell(f"it cannot be restored in place, so it starts anew: {error.message}")
            live.guest.destroy()
            return self.start()

    def keep_loaded(self, live: LiveGuest, loaded: LoadedDriver) -> None:
        """Keep the guest as it is, with `loaded` in it, for `rewind`."""
        self._target.prepare(live.agent)
        live.guest.domain.save_snapshot(_LOADED)
        self._target.refresh(live.agent)
        self._loaded = loaded

    def _tell(self, text: str) -> None:
        self._lab.tell(f"{self._cell.id}: {text}")

    def _place(self) -> Place:
        lab, guest = self._lab, self._cell.guest
        accelerator = lab.accelerator(guest)
        return Place(
            hypervisor=lab.hypervisor,
            run=lab.run,
            guest=guest,
            cell=self._cell.id,
            kernel=lab.image(guest).kernel,
            accelerator=accelerator,
            deadlines=lab.deadlines(guest),
            on_crash=self._on_crash,
            on_line=self._on_line,
            keep=lab.options.keep,
            disc=self._has_disc(),
            system=lab.image(guest).kernel if isinstance(guest.image, FreeBsdDisk) else None,
        )

    def _has_disc(self) -> bool:
        return isinstance(self._cell.guest.image, FreeBsdKernel | FreeBsdDisk)

    def _guest_class(self) -> type[RunningGuest]:
        return DiscGuest if self._has_disc() else RunningGuest

    def _medium(self, programs: Mapping[str, Path]) -> Medium:
        cell, image = self._cell, self._cell.guest.image
        if isinstance(image, FreeBsdDisk):
            return SeedMedium(programs, cell.client)
        if not isinstance(image, FreeBsdKernel):
            files = {AGENT_FILE: programs[cell.client].read_bytes()} if cell.guest.is_small else {}
            return InitrdMedium(self._lab.image(cell.guest).initrd, files)
        return DiscMedium(DiscParts(image.kernel, image.grub, programs, cell.client, cell.arch))

    def _medium_identity(self) -> str:
        """Of an image that was built the path, which tells its content; of one's own kernel its content; of a disk,
        which is large, what its file's properties tell."""
        image = self._lab.image(self._cell.guest)
        if isinstance(self._cell.guest.image, FreeBsdDisk):
            return file_identity(image.kernel)
        if self._has_disc():
            return hashlib.sha256(image.kernel.read_bytes()).hexdigest()
        return str(image.initrd.resolve())

    def _programs(self) -> Mapping[str, Path]:
        cell = self._cell
        return {arch: self._lab.agent(cell.os, arch) for arch in sorted({cell.client, cell.arch})}

    def _key(self, place: Place, programs: Mapping[str, Path]) -> str:
        """Of everything that the guest in a checkpoint is made of."""
        nowhere = Path("/")
        spec = place.spec(nowhere, nowhere)
        neutral = replace(spec, name="", state="", run="", ports=dict.fromkeys(spec.ports, nowhere))
        emulator = place.hypervisor.emulator(libvirt_arch(spec.arch), spec.accelerator)
        return checkpoint_key(
            {
                "format": _FORMAT,
                "domain": domain_xml(neutral),
                "initrd": self._medium_identity(),
                "emulator": file_identity(Path(emulator)),
                "processor": place.hypervisor.host_processor() if spec.accelerator == KVM else "",
                **{
                    f"agent {arch}": hashlib.sha256(program.read_bytes()).hexdigest()
                    for arch, program in programs.items()
                },
            }
        )

    def _restore(self, place: Place, checkpoint: Checkpoint) -> LiveGuest:
        guest = self._guest_class().restore(place, checkpoint)
        try:
            return self._verified(guest, checkpoint.facts())
        except BaseException:
            guest.destroy()
            raise

    def _boot(self, place: Place, programs: Mapping[str, Path], key: str) -> LiveGuest:
        guest = self._guest_class().boot(place, self._medium(programs))
        try:
            guest.install(programs, self._cell.client, place.deadlines, to_keep=self._lab.options.checkpoints)
            live = self._connected(guest, {})
            try:
                # Else what is kept is a guest that is still busy with starting its second agent, at every restore.
                live.watch.ping()
                if self._lab.options.checkpoints:
                    # What its boot has left for later is done once, not after every restore.
                    time.sleep(_SETTLE_SECONDS)
                live = replace(live, facts=self._target.fingerprint(live.agent))
                self._target.prepare(live.agent)
                guest.domain.save_snapshot(WARM)
                if self._lab.options.checkpoints:
                    self._publish(live, key)
                self._target.refresh(live.agent)
            except BaseException:
                live.hang_up()
                raise
        except BaseException:
            guest.destroy()
            raise
        return live

    def _publish(self, live: LiveGuest, key: str) -> None:
        """Keep the snapshot for later runs. A run whose checkpoint cannot be kept goes on without."""

        def fill(checkpoint: Checkpoint) -> None:
            spec = live.guest.spec
            assert spec.disk is not None
            shutil.copyfile(spec.disk, checkpoint.disk)
            link_or_copy(spec.initrd, checkpoint.initrd)

        live.guest.domain.pause()
        try:
            self._store.publish(self._cell.id, key, fill=fill, keys=live.guest.keys, facts=live.facts)
        except SetupError as error:
            self._tell(f"no checkpoint is kept, so the next run boots again: {error}")
        finally:
            live.guest.domain.resume()

    def _connected(self, guest: RunningGuest, facts: Mapping[str, str]) -> LiveGuest:
        deadline = self._lab.deadlines(self._cell.guest).request
        agent = AgentClient(guest.stream(AGENT_CHANNEL), deadline=deadline, resync=True)
        try:
            watch = AgentClient(guest.stream(WATCH_CHANNEL), deadline=deadline, resync=True)
        except BaseException:
            agent.close()
            raise
        return LiveGuest(guest, agent, watch, facts)

    def _verified(self, guest: RunningGuest, facts: Mapping[str, str] | None) -> LiveGuest:
        """Connected to a restored guest, which must be the one that was kept."""
        live = self._connected(guest, facts or {})
        try:
            if facts is not None:
                _compare(facts, self._target.fingerprint(live.agent))
            self._target.refresh(live.agent)
            live.watch.ping()
        except BaseException:
            live.hang_up()
            raise
        return live


def _compare(kept: Mapping[str, str], found: Mapping[str, str]) -> None:
    different = [f"{name} is {found.get(name)!r}, was {kept[name]!r}" for name in kept if found.get(name) != kept[name]]
    if different:
        raise AgentLost(f"a restored guest is not the one that was kept: {'; '.join(different)}")
