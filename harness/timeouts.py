"""Every deadline of the harness, in one table.

Seconds are stated for hardware virtualisation and multiplied by one factor: plain emulation (TCG) was
measured to be about ten times slower for work inside a guest, so `EMULATED` is the factor used there. A guest
whose kernel is slow by itself says so in its definition (`slowness`), and that is multiplied with it.
"""

from __future__ import annotations

from dataclasses import dataclass

EMULATED = 5.0
NATIVE = 1.0


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Deadlines in seconds, already scaled. `scale` is a factor >= 1, see `EMULATED` and `NATIVE`; `request_seconds`
    replaces the deadline of a request."""

    scale: float = NATIVE
    request_seconds: float | None = None

    @property
    def boot(self) -> float:
        """From the start of the domain to the guest's own line that it is ready."""
        return 12.0 * self.scale

    @property
    def ssh(self) -> float:
        """To one authenticated SSH connection to a guest that said it is ready."""
        return 6.0 * self.scale

    @property
    def command(self) -> float:
        """For one short command or file copy over SSH."""
        return 4.0 * self.scale

    @property
    def request(self) -> float:
        """For one driver request. A request that takes longer is reported as a hang."""
        return 2.0 * self.scale if self.request_seconds is None else self.request_seconds

    @property
    def sign_of_life(self) -> float:
        """For an agent that has nothing to do to answer, in a guest in which something else hangs."""
        return 0.2 * self.scale

    @property
    def diagnosis(self) -> float:
        """For a guest that hangs or crashes to give its last words before it is destroyed."""
        return 1.0 * self.scale

    @property
    def leak_search(self) -> float:
        """For the guest's kernel to look for leaked memory, twice, with five seconds between that are never scaled."""
        return 5.0 + 4.0 * self.scale

    @property
    def probe_boot(self) -> float:
        """For the probe guest to prove that hardware virtualisation works; scaled by the guest's slowness alone."""
        return 8.0 * self.scale

    @property
    def windows_install(self) -> float:
        """For Windows' setup, from its medium to the end of the first logon. Not measured: it has not run here."""
        return 3600.0 * self.scale

    @property
    def windows_silence(self) -> float:
        """For a Windows that installs or starts and neither says a word nor writes to its disk: it asks somebody."""
        return 600.0 * self.scale

    @property
    def windows_boot(self) -> float:
        """From the start of an installed Windows to its line that it is ready."""
        return 180.0 * self.scale

    @property
    def windows_any_key(self) -> float:
        """For a medium to ask for any key before it starts; one is pressed again and again meanwhile."""
        return 10.0 * self.scale
