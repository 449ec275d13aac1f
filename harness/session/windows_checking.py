"""Looking at an image of real Windows: whether it runs and answers, and whether it crashed before it was kept."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from harness.events import stage
from harness.provision.accelerator import KVM
from harness.provision.domain_xml import AGENT_CHANNEL
from harness.provision.windows_images import WindowsImage
from harness.provision.windows_machine import machine_of, restore
from harness.session.lab import Lab
from harness.session.windows_dumps import fetch_minidumps, kernel_dump
from harness.timeouts import EMULATED, NATIVE, Deadlines
from harness.transport.agent import AgentClient
from harness.transport.streams import PortStream


def check(lab: Lab, image: WindowsImage, dumps: Path) -> list[str]:
    """Restore `image`, ask each of its agents who it is, and copy the minidumps to the folder `dumps`. The answers are
    lines for people. Raises what restoring and asking raise; no domain is left."""
    deadlines = Deadlines(NATIVE if machine_of(image).accelerator == KVM else EMULATED)
    with stage(lab.progress, f"restore {image.name}"):
        domain, spec = restore(image, hypervisor=lab.hypervisor, run=lab.run, name=image.name)
    lines = []
    try:
        for port, socket in (*spec.ports.items(), *spec.lines.items()):
            with closing(AgentClient(PortStream(socket), deadline=deadlines.request, resync=True)) as agent:
                hello = agent.hello()
                lines.append(f"{port}: {hello.arch} agent, {hello.os} {hello.release} ({hello.machine})")
                if port == AGENT_CHANNEL:
                    lines += _crashes(agent, dumps)
    finally:
        domain.destroy()
    return lines


def _crashes(agent: AgentClient, into: Path) -> list[str]:
    kernel = kernel_dump(agent)
    fetched = [*([] if kernel is None else [kernel]), *fetch_minidumps(agent, into)]
    lines = []
    for found in fetched:
        lines.append(f"{found.copy or found.name}:")
        lines += [f"    {line}" for line in found.dump.lines()]
    return lines or ["no crash dumps"]
