"""Errors, split by who is to blame.

A *lab* error is ours: provisioning, transport, configuration. pytest reports it as an error.
A *guest* error is the guest's or the driver's: a kernel that does not boot, crashes or hangs, a driver
that does not load, a wrong answer. pytest reports it as a failure.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Kind(enum.Enum):
    """What a verdict is about."""

    KERNEL_CRASH = "kernel crash"
    DRIVER_OOPS = "driver oops"
    REQUEST_HANG = "request hang"
    GUEST_HANG = "guest hang"
    AGENT_LOST = "agent lost"
    GUEST_GONE = "guest gone"
    DRIVER_LEAK = "driver leak"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a guest's trouble came to: which test and which request it is blamed on, what makes it the same as another
    one, and the folder of its evidence (empty if there is none)."""

    kind: Kind
    cell: str
    test: str
    request: str
    signature: str
    evidence: str

    def fields(self) -> dict[str, str]:
        """For JSON."""
        return {
            "kind": self.kind.value,
            "cell": self.cell,
            "test": self.test,
            "request": self.request,
            "signature": self.signature,
            "evidence": self.evidence,
        }


class HarnessError(Exception):
    """Base of every expected failure.

    `message` says what happened and to whom; `hint` says what to do about it; `evidence` is text to show
    below it (console tail, compiler output), already cut to a readable length. `verdict` is set where a guest was
    in trouble and a test is to blame.
    """

    def __init__(self, message: str, *, hint: str = "", evidence: str = "", verdict: Verdict | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.evidence = evidence
        self.verdict = verdict

    def __str__(self) -> str:
        text = self.message
        if self.hint:
            text += f" ({self.hint})"
        if self.evidence:
            text += "\n" + self.evidence
        return text


class LabError(HarnessError):
    """The harness, its host or its configuration is at fault."""


class ConfigError(LabError):
    """A TOML file or an option has a value that cannot be used."""


class SetupError(LabError):
    """A download, a package or an image could not be made ready on this machine."""


class ProvisionError(LabError):
    """libvirt or QEMU refused or lost a guest for reasons outside the guest."""


class TransportError(LabError):
    """The connection to a guest broke while its kernel gave no sign of trouble."""


class ProtocolError(LabError):
    """A peer sent bytes that are not the agent protocol."""


class GuestError(HarnessError):
    """The guest's kernel or the driver under test is at fault."""


class DriverBuildError(GuestError):
    """The driver does not compile for this guest's kernel; `evidence` is the compiler's output."""


class BootError(GuestError):
    """The guest did not come up within its deadline; `evidence` is the end of its console."""


class DriverLoadError(GuestError):
    """The guest's kernel refused to load or unload the driver."""


class GuestCrash(GuestError):
    """The guest's kernel reported a panic, an oops, a warning or a sanitizer report."""


class GuestHang(GuestError):
    """A request, or the whole guest, did not answer within its deadline."""


class AgentLost(GuestError):
    """The agent is gone while the kernel's console shows no crash."""


class CapabilityMissing(LabError):
    """A test asked a guest for what its system cannot do, and has no `needs` marker that says so."""

    def __init__(self, capability: str, system: str) -> None:
        self.capability = capability
        super().__init__(
            f"{system} has no {capability}", hint=f"mark the test needs({capability!r}), and name it under [missing]"
        )


class CellUnavailable(LabError):
    """A cell cannot run on this machine as it is; `hint` says what would change that. Its tests are skipped,
    and the cell counts as not run."""
