"""How a request ended, comparable with what the specification says about it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.abi import Abi, Status
from harness.targets.base import Refusal, Target


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """`code` is the system's own: errno, Win32 error or OS/2 code; 0 is success.

    Compares equal to every `Status` (the driver's answer) and `Refusal` (the transport's) that this system
    reports by that code.
    """

    code: int
    abi: Abi
    target: Target

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Status):
            return self.code == self.abi.client_code(other)
        if isinstance(other, Refusal):
            return self.code in self.target.refusal_codes(other)
        if isinstance(other, Outcome):
            return self.code == other.code
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.code)

    def __repr__(self) -> str:
        meanings = sorted(status.name for status in self.abi.statuses(self.code))
        meanings += [refusal.name for refusal in Refusal if self.code in self.target.refusal_codes(refusal)]
        return f"<{self.target.code_name(self.code)}: {' or '.join(meanings) or 'no code of the driver'}>"
