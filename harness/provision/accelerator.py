"""Whether hardware virtualisation works here: found out by booting a guest with it, then remembered.

A device node `/dev/kvm`, even one that opens and makes virtual machines, proves nothing: under nested or
paravirtual hosts stock kernels crash in it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from harness.config import Guest
from harness.console.follower import ConsoleFollower
from harness.errors import ProvisionError
from harness.events import Progress, stage
from harness.places import cache_dir
from harness.provision.domain_xml import DomainSpec, domain_xml
from harness.provision.hypervisor import Hypervisor
from harness.provision.runs import Run
from harness.timeouts import Deadlines

KVM = "kvm"
EMULATION = "qemu"


def choose_accelerator(
    hypervisor: Hypervisor,
    run: Run,
    guest: Guest,
    *,
    kernel: Path,
    initrd: Path,
    ready: str,
    progress: Progress,
) -> str:
    """`kvm` if the AMD64 `guest` with `kernel` and `initrd` prints `ready` with it in time, else `qemu`.

    The answer is kept until the machine, its kernel or its hypervisor changes.
    """
    known = known_accelerator(hypervisor)
    if known:
        return known
    with stage(progress, "probe hardware virtualisation (KVM) by booting a guest with it") as step:
        answer = KVM if _boots(hypervisor, run, guest, kernel=kernel, initrd=initrd, ready=ready) else EMULATION
        step.done("it works" if answer == KVM else "the guest does not boot, so emulation is used; found out")
    memory = _memory()
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(json.dumps({"facts": _facts(hypervisor), "accelerator": answer}))
    return answer


def known_accelerator(hypervisor: Hypervisor) -> str:
    """What is known without a probe; empty if that is nothing."""
    if not Path("/dev/kvm").exists():
        return EMULATION
    try:
        known = json.loads(_memory().read_text())
        return str(known["accelerator"]) if known["facts"] == _facts(hypervisor) else ""
    except (OSError, ValueError, KeyError):
        return ""  # never probed, or by another version


def _memory() -> Path:
    return cache_dir() / "accelerator.json"


def _facts(hypervisor: Hypervisor) -> list[str]:
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return [boot_id, os.uname().release, hypervisor.hostname(), *hypervisor.versions()]


def _boots(hypervisor: Hypervisor, run: Run, guest: Guest, *, kernel: Path, initrd: Path, ready: str) -> bool:
    directory = run.cell_dir("kvm-probe")
    console = directory / "console.log"
    spec = DomainSpec(
        name=f"supdrv-{run.id}-kvm-probe",
        state=str(run.directory.parent.parent),
        run=run.id,
        cell="kvm-probe",
        accelerator=KVM,
        arch="amd64",
        memory_mib=guest.memory_mib,
        cpus=1,
        cpu_model="",
        kernel=kernel,
        initrd=initrd,
        cmdline="console=ttyS0 panic=-1",
        console=console,
    )
    try:
        domain = hypervisor.start(domain_xml(spec))
    except ProvisionError:
        return False  # libvirt or QEMU does not even start it
    follower = ConsoleFollower(console, lambda _crash: None)
    follower.start()
    try:
        return follower.wait_for(ready, Deadlines(scale=guest.slowness).probe_boot, alive=domain.running)
    finally:
        domain.destroy()
        follower.stop()
