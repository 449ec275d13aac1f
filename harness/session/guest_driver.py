"""The driver of one cell, in the guest that runs."""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import DriverLoadError
from harness.session.starting import LiveGuest
from harness.targets import DriverBuild, Target


class GuestDriver:
    """Which build is in the guest, what it was loaded with, and what it has given away since.

    `build` is the last one that was put into the guest or is to be next, None until there was one; `build_id` is the
    one that the loaded driver carries, and `options` are those of its load.
    """

    def __init__(self, target: Target) -> None:
        self.build: DriverBuild | None = None
        self.build_id = ""
        self.options: Mapping[str, int] = {}
        self._target = target
        self._baseline: Mapping[str, int] = {}

    def load(self, live: LiveGuest, build: DriverBuild, options: Mapping[str, int]) -> None:
        """Load `build` into a guest that has no driver loaded. Raises DriverLoadError, with what the guest's console
        said meanwhile."""
        self.build = build
        begin = live.guest.console.position()
        try:
            self.build_id = self._target.load_driver(live.agent, build, options)
        except DriverLoadError as error:
            said = live.guest.console.text(begin).replace("\r", "")
            raise DriverLoadError(error.message, hint=error.hint, evidence=error.evidence or said) from error
        self.options = options

    def unload(self, live: LiveGuest) -> None:
        """Unload it; raises AgentOpError while it is in use."""
        live.agent.driver_unload(self._target.module)

    def loaded(self, live: LiveGuest) -> bool:
        """Whether the guest has it loaded."""
        return live.agent.driver_status(self._target.module).loaded

    def counters(self, live: LiveGuest) -> Mapping[str, int]:
        """Its own counters, by name; see docs/driver.md."""
        return self._target.counters(live.agent)

    def begin_count(self, live: LiveGuest) -> None:
        """What its counters say now is what they are to say when nobody uses it."""
        self._baseline = self.counters(live)

    def left(self, counters: Mapping[str, int]) -> dict[str, tuple[int, int]]:
        """The counters that are not what they are to be, by name: what they say, and what they should."""
        should = {name: self._baseline.get(name, 0) for name in counters}
        return {name: (now, should[name]) for name, now in counters.items() if now != should[name]}

    def description(self, name: str) -> str:
        """One line for the evidence: `name` of the driver, its options and its build id."""
        options = (f"{option}={value}" for option, value in self.options.items())
        return ", ".join((name, *options, f"build id {self.build_id}"))
