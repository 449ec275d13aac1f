"""What differs between operating systems on the controller's side: one file for each."""

from harness.errors import ConfigError
from harness.targets.base import DriverBuild, GuestImage, Refusal, Target
from harness.targets.freebsd import FreeBsdTarget
from harness.targets.linux import LinuxTarget
from harness.targets.os2 import Os2Target
from harness.targets.windows import WindowsTarget

__all__ = ["DriverBuild", "GuestImage", "Refusal", "Target", "target_for"]

_TARGETS: dict[str, Target] = {
    "freebsd": FreeBsdTarget(),
    "linux": LinuxTarget(),
    "os2": Os2Target(),
    "windows": WindowsTarget(),
}


def target_for(os: str) -> Target:
    """The target of operating system `os`. Raises ConfigError while there is none for it."""
    try:
        return _TARGETS[os]
    except KeyError:
        raise ConfigError(f"no target for the operating system {os!r}") from None
