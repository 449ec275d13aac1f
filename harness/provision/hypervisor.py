"""The connection to libvirt. Only this module and `lifecycle` import libvirt."""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from xml.etree import ElementTree

import libvirt
import libvirt_qemu

from harness.errors import ProvisionError
from harness.provision.domain_xml import METADATA_NAMESPACE, NETWORK_CARD
from harness.provision.lifecycle import Lifecycle, run_event_loop

Answer = TypeVar("Answer")

_FORWARD = re.compile(r"TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s+\S+\s+(\d+)")

_SPACE = 57
"""Linux' number of the space bar."""

_KEY_MS = 50

_LEAVE_SECONDS = 5.0
"""How long a daemon that has been idle for long may take to end, while it takes connections and closes them."""

_LEAVE_STEP = 0.05

_HUNG_UP = (errno.ECONNRESET, errno.EPIPE, errno.EIO)  # libvirt's word for an end of file is EIO

_HUNG_UP_BEFORE = ("client socket is closed", "received hangup event on socket")
"""What libvirt says, with no number, when its event loop was the first to notice."""


def _silence(_context: object, _error: object) -> None:
    """libvirt prints every error to stderr unless told otherwise; we raise them instead."""


libvirt.registerErrorHandler(_silence, None)


@dataclass(frozen=True, slots=True)
class Owner:
    """Who started a domain: the run directory's parent, the run and the cell."""

    state: str
    run: str
    cell: str


class Domain:
    """One running domain. Every method raises ProvisionError if libvirt refuses."""

    def __init__(self, hypervisor: Hypervisor, handle: libvirt.virDomain) -> None:
        self._hypervisor = hypervisor
        self._handle = handle
        self.name: str = handle.name()

    def forward(self, guest_port: int) -> int:
        """Forward a free port of 127.0.0.1 to `guest_port`; returns the port the kernel chose."""
        self._monitor(f"hostfwd_add host{NETWORK_CARD} tcp:127.0.0.1:0-:{guest_port}")
        for match in _FORWARD.finditer(self._monitor("info usernet")):
            if int(match.group(2)) == guest_port:
                return int(match.group(1))
        raise ProvisionError(f"domain {self.name!r}: QEMU made no forward to port {guest_port}")

    def plug_network(self) -> None:
        """Plug in the cable of a guest that started without."""
        self._expect_silence(f"set_link {NETWORK_CARD} on")

    def _monitor(self, command: str) -> str:
        human = libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP
        try:
            return self._ask(lambda handle: str(libvirt_qemu.qemuMonitorCommand(handle, command, human)))
        except libvirt.libvirtError as error:
            raise ProvisionError(f"domain {self.name!r}: monitor command {command!r} failed: {error}") from error

    def _ask(self, work: Callable[[libvirt.virDomain], Answer]) -> Answer:
        """`work` with the domain; once more through a new connection if the daemon behind the old one is gone. Guests
        outlive their daemon."""
        try:
            return work(self._handle)
        except libvirt.libvirtError:
            if not self._hypervisor.renew():
                raise
        self._handle = self._hypervisor.lookup(self.name)
        return work(self._handle)

    def save_snapshot(self, name: str) -> None:
        """Keep memory, devices and disk of the guest under `name`, in its disk; it does not run meanwhile."""
        self._expect_silence(f"savevm {name}")

    def load_snapshot(self, name: str) -> None:
        """Make the guest what it was at `save_snapshot`, in this process: its sockets and files stay open."""
        self._expect_silence(f"loadvm {name}")
        self._hypervisor.lifecycle.begin(self.name)

    def pause(self) -> None:
        """Stop the guest's processors; what it has written is in its disk's file then."""
        self._expect_silence("stop")

    def resume(self) -> None:
        """Let the guest's processors run, whatever has stopped them."""
        self._expect_silence("cont")

    def _expect_silence(self, command: str) -> None:
        """A monitor command that succeeds says nothing."""
        said = self._monitor(command).strip()
        if said:
            raise ProvisionError(f"domain {self.name!r}: monitor command {command!r}: {said}")

    def running(self) -> bool:
        """Whether the guest's processors run (a crashed, paused or vanished domain does not run)."""
        try:
            state, _reason = self._ask(lambda handle: handle.state())
        except libvirt.libvirtError:
            return False
        return bool(state == libvirt.VIR_DOMAIN_RUNNING)

    def end_told(self, seconds: float) -> tuple[str, ...]:
        """What libvirt has told of this domain by itself, the oldest first. Of one that has ended it tells why, if not
        at once then within `seconds`."""
        return self._hypervisor.lifecycle.wait_for_end(self.name, seconds)

    def inject_nmi(self) -> None:
        """Interrupt a guest that answers nothing; its kernel then prints where it was."""
        try:
            self._ask(lambda handle: handle.injectNMI())
        except libvirt.libvirtError as error:
            raise ProvisionError(f"domain {self.name!r}: no NMI could be injected: {error}") from error

    def go_on(self) -> None:
        """Let a guest run again that its panic device has stopped, so that it prints what it has to say: a
        kernel that panics inside an NMI reports the panic to the device first and prints it afterwards."""
        self.resume()

    def press_space(self) -> None:
        """Press the space bar for a moment."""
        try:
            self._ask(lambda handle: handle.sendKey(libvirt.VIR_KEYCODE_SET_LINUX, _KEY_MS, [_SPACE], 1, 0))
        except libvirt.libvirtError as error:
            raise ProvisionError(f"domain {self.name!r}: no key could be pressed: {error}") from error

    def screenshot(self, path: Path) -> None:
        """Write what the guest's screen shows to `path`, a PPM image. The guest must have a screen."""
        self._expect_silence(f'screendump "{path}"')

    def dump_memory(self, path: Path) -> None:
        """Write the guest's memory and registers to `path`, an ELF core file."""
        try:
            form, what = libvirt.VIR_DOMAIN_CORE_DUMP_FORMAT_RAW, libvirt.VIR_DUMP_MEMORY_ONLY
            self._ask(lambda handle: handle.coreDumpWithFormat(str(path), form, what))
        except libvirt.libvirtError as error:
            raise ProvisionError(f"domain {self.name!r}: its memory could not be dumped: {error}") from error

    def destroy(self) -> None:
        """End the domain at once. A domain that is already gone is fine."""
        try:
            self._ask(lambda handle: handle.destroy())
        except libvirt.libvirtError as error:
            gone = (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID)
            if error.get_error_code() not in gone:
                raise ProvisionError(f"domain {self.name!r} could not be destroyed: {error}") from error

    def owner(self) -> Owner | None:
        """Who started this domain, or None if it is not one of ours."""
        try:
            text = self._handle.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, METADATA_NAMESPACE)
        except libvirt.libvirtError:
            return None
        element = ElementTree.fromstring(text)  # noqa: S314 - libvirt's own answer
        return Owner(state=element.get("state", ""), run=element.get("run", ""), cell=element.get("cell", ""))


class Hypervisor:
    """An open libvirt connection. Closing it destroys the domains started by it, unless they are to stay.

    `find_uri` tells where to connect to, and starts the daemon there if that is up to us; `tell` hears of a connection
    that had to be made anew.
    """

    def __init__(self, find_uri: Callable[[], str], tell: Callable[[str], None]) -> None:
        self._find_uri = find_uri
        self._tell = tell
        self.lifecycle = Lifecycle()
        self.uri, self._handle = self._open()

    def _open(self) -> tuple[str, libvirt.virConnect]:
        run_event_loop()
        end = time.monotonic() + _LEAVE_SECONDS
        while True:
            uri = self._find_uri()
            try:
                handle = libvirt.open(uri)
                self.lifecycle.follow(handle)
            except libvirt.libvirtError as error:
                if not hung_up(error) or time.monotonic() > end:
                    raise ProvisionError(
                        f"cannot connect to libvirt at {uri}: {error}", hint="run: harness doctor"
                    ) from error
                self._tell(f"libvirt's daemon was about to end; connect again ({error})")
                time.sleep(_LEAVE_STEP)
            else:
                return uri, handle

    @classmethod
    def connect(cls, uri: str) -> Hypervisor:
        """Open `uri`. Raises ProvisionError if nobody answers there."""
        return cls(lambda: uri, lambda _text: None)

    def renew(self) -> bool:
        """Connect anew if the daemon behind the connection is gone; whether it was. Guests that were to die with the
        old connection are only ended by their run from now on, or by the next one."""
        try:
            if self._handle.isAlive():
                return False
        except libvirt.libvirtError:
            pass  # it cannot even say that
        self._tell("libvirt's daemon has gone; connect again")
        self.uri, self._handle = self._open()
        return True

    def lookup(self, name: str) -> libvirt.virDomain:
        """libvirt's handle of a domain; raises libvirt's own error if there is none."""
        return self._handle.lookupByName(name)

    def versions(self) -> tuple[str, str]:
        """Versions of libvirt and of the hypervisor, as `9.0.0`."""
        return _dotted(self._handle.getLibVersion()), _dotted(self._handle.getVersion())

    def hostname(self) -> str:
        """Name of the machine that the guests run on."""
        return str(self._handle.getHostname())

    def emulator(self, arch: str, accelerator: str) -> str:
        """Path of the program that runs guests of libvirt's architecture `arch` with `accelerator`."""
        try:
            text = self._handle.getDomainCapabilities(None, arch, None, accelerator)
        except libvirt.libvirtError as error:
            raise ProvisionError(f"libvirt has no {accelerator} guests of {arch}: {error}") from error
        return ElementTree.fromstring(text).findtext("path", "")  # noqa: S314 - libvirt's own answer

    def host_processor(self) -> str:
        """libvirt's description of the host's processor."""
        try:
            host = ElementTree.fromstring(self._handle.getCapabilities()).find("host/cpu")  # noqa: S314
        except libvirt.libvirtError as error:
            raise ProvisionError(f"libvirt at {self.uri} does not know its host: {error}") from error
        return "" if host is None else ElementTree.tostring(host, encoding="unicode")

    def start(self, xml: str, *, keep: bool = False, paused: bool = False) -> Domain:
        """Create and start a transient domain, its processors stopped if `paused`. It dies with this connection
        unless `keep`."""
        flags = 0 if keep else libvirt.VIR_DOMAIN_START_AUTODESTROY
        flags |= libvirt.VIR_DOMAIN_START_PAUSED if paused else 0
        try:
            try:
                return Domain(self, self._handle.createXML(xml, flags))
            except libvirt.libvirtError:
                if not self.renew():
                    raise
            return Domain(self, self._handle.createXML(xml, flags))
        except libvirt.libvirtError as error:
            raise ProvisionError(f"libvirt did not start the guest: {error}", hint="run: harness doctor") from error

    def ours(self) -> list[tuple[Domain, Owner]]:
        """Every domain that a harness started here, whoever's run it is."""
        try:
            domains = [Domain(self, handle) for handle in self._handle.listAllDomains()]
        except libvirt.libvirtError as error:
            raise ProvisionError(f"libvirt at {self.uri} does not list its domains: {error}") from error
        return [(domain, owner) for domain in domains if (owner := domain.owner()) is not None]

    def close(self) -> None:
        """Close the connection; calling it twice is fine."""
        try:
            self._handle.close()
        except libvirt.libvirtError as error:
            raise ProvisionError(f"libvirt connection {self.uri} did not close: {error}") from error


def hung_up(error: libvirt.libvirtError) -> bool:
    """Whether somebody had taken the connection and then closed it."""
    if error.get_error_domain() != libvirt.VIR_FROM_RPC:
        return False
    return error.get_int1() in _HUNG_UP or any(words in str(error) for words in _HUNG_UP_BEFORE)


def _dotted(number: int) -> str:
    return f"{number // 1000000}.{number // 1000 % 1000}.{number % 1000}"
