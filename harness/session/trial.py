"""The test that is under way in a cell, and the verdict on what goes wrong in its guest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from harness.console.crash import Crash
from harness.errors import AgentLost, GuestCrash, GuestError, GuestHang, TransportError
from harness.matrix import Cell
from harness.session.evidence import Scene
from harness.session.guest_driver import GuestDriver
from harness.session.lab import Lab
from harness.session.starting import LiveGuest
from harness.session.verdicts import Case, crash_verdict, hang_verdict, leak_verdict, lost_verdict
from harness.targets import Target
from harness.transport.wire import ClientDiedError

_LOST = (AgentLost, TransportError, ClientDiedError)


class Trial:
    """What a verdict needs to know besides the guest.

    `test` is the test's node id, `breadcrumb` the last request that it was about to make, and `kernel` the release that
    the guest's kernel itself has named.
    """

    def __init__(self, lab: Lab, cell: Cell, *, target: Target, driver: GuestDriver) -> None:
        self.test = ""
        self.breadcrumb = ""
        self.kernel = ""
        self._lab = lab
        self._cell = cell
        self._target = target
        self._driver = driver
        self._since = 0

    def begin(self, test: str) -> None:
        """Another test is about to begin."""
        self.test, self.breadcrumb = test, ""

    def listen(self, live: LiveGuest) -> None:
        """What the guest prints from now on is part of the test."""
        self._since = live.guest.console.mark()

    def explain(self, live: LiveGuest, error: Exception) -> Exception:
        """The verdict for `error`, which ended the test: what the kernel says outranks what the test saw.

        Returns `error` itself if the guest is well; otherwise evidence is written.
        """
        deadlines = self._lab.deadlines(self._cell.guest)
        if isinstance(error, GuestHang):
            return hang_verdict(self._case(live), error, deadlines)
        if isinstance(error, _LOST):
            live.guest.console.settle(deadlines.diagnosis)
        crash = live.guest.console.crash()
        if crash is not None:
            return self.crash(live, crash)
        if isinstance(error, _LOST):
            return lost_verdict(self._case(live), error)
        return error

    def crash(self, live: LiveGuest, crash: Crash) -> GuestCrash:
        """The verdict on what the kernel has reported during the test."""
        return crash_verdict(self._case(live), crash)

    def leak(self, live: LiveGuest, left: Mapping[str, tuple[int, int]]) -> GuestError:
        """The verdict on what the driver still has, see `leak_verdict`."""
        return leak_verdict(self._case(live), left)

    def lost_memory(self, live: LiveGuest, found: Mapping[str, Crash]) -> list[tuple[str, GuestCrash]]:
        """The verdicts on earlier tests, by node id, whose leaks were found only now."""
        scene = replace(self._scene(live), request="not known: the leak was found when the cell's tests were over")
        return [(test, crash_verdict(self._case(live, test, scene), crash)) for test, crash in found.items()]

    def _scene(self, live: LiveGuest) -> Scene:
        return Scene(
            kernel=self.kernel,
            driver=self._driver.description(self._cell.driver),
            request=self.breadcrumb,
            console=live.guest.console.text(self._since),
        )

    def _case(self, live: LiveGuest, test: str | None = None, scene: Scene | None = None) -> Case:
        return Case(
            cell=self._cell.id,
            test=self.test if test is None else test,
            live=live,
            target=self._target,
            build=self._driver.build,
            scene=scene or self._scene(live),
            evidence=self._lab.options.evidence,
            dump_memory=self._lab.options.dump_memory,
        )
