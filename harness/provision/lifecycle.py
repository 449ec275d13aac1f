"""What libvirt tells of domains by itself: that one was stopped, crashed or paused, and why."""

from __future__ import annotations

import threading
from collections import defaultdict

import libvirt

# By event, in the words of libvirt's documentation: what happened, and for each detail why.
_EVENTS: dict[int, tuple[str, dict[int, str]]] = {
    libvirt.VIR_DOMAIN_EVENT_SUSPENDED: (
        "paused",
        {
            libvirt.VIR_DOMAIN_EVENT_SUSPENDED_IOERROR: "input or output failed",
            libvirt.VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG: "watchdog",
        },
    ),
    libvirt.VIR_DOMAIN_EVENT_STOPPED: (
        "stopped",
        {
            libvirt.VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN: "it shut down",
            libvirt.VIR_DOMAIN_EVENT_STOPPED_DESTROYED: "it was destroyed",
            libvirt.VIR_DOMAIN_EVENT_STOPPED_CRASHED: "it crashed",
            libvirt.VIR_DOMAIN_EVENT_STOPPED_FAILED: "its emulator failed",
        },
    ),
    libvirt.VIR_DOMAIN_EVENT_SHUTDOWN: (
        "shutting down",
        {
            libvirt.VIR_DOMAIN_EVENT_SHUTDOWN_GUEST: "the guest asked for it",
            libvirt.VIR_DOMAIN_EVENT_SHUTDOWN_HOST: "the host asked for it",
        },
    ),
    libvirt.VIR_DOMAIN_EVENT_CRASHED: (
        "crashed",
        {libvirt.VIR_DOMAIN_EVENT_CRASHED_PANICKED: "its panic device says so"},
    ),
}

_loop = threading.Lock()


def run_event_loop() -> None:
    """Have libvirt's events delivered, to a thread of this process. Before the first connection is opened; calls after
    the first do nothing."""
    if _loop.acquire(blocking=False):
        libvirt.virEventRegisterDefaultImpl()
        threading.Thread(target=_deliver, name="libvirt-events", daemon=True).start()


def _deliver() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


class Lifecycle:
    """What has been told of each domain of a connection, by the domain's name."""

    def __init__(self) -> None:
        self._told: defaultdict[str, list[str]] = defaultdict(list)
        self._news = threading.Condition()

    def follow(self, connection: libvirt.virConnect) -> None:
        """Hear of the domains of `connection` from now on."""
        connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._hear, None)

    def begin(self, domain: str) -> None:
        """A domain is what it was before: what has been told of it is of no interest any more."""
        with self._news:
            self._told[domain].clear()

    def wait_for_end(self, domain: str, seconds: float) -> tuple[str, ...]:
        """The same, once its end has been told, which may come a moment after it: at most `seconds` later."""
        with self._news:
            self._news.wait_for(lambda: any(text.startswith("stopped") for text in self._told[domain]), seconds)
            return tuple(self._told[domain])

    def _hear(
        self, _connection: libvirt.virConnect, domain: libvirt.virDomain, event: int, detail: int, _opaque: object
    ) -> None:
        what, reasons = _EVENTS.get(event, ("", {}))
        reason = reasons.get(detail)
        if not what or (event == libvirt.VIR_DOMAIN_EVENT_SUSPENDED and reason is None):
            return  # each restore pauses a guest for a moment
        with self._news:
            self._told[domain.name()].append(f"{what}: {reason}" if reason else what)
            self._news.notify_all()
