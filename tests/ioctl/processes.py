"""One open device in several processes."""

from __future__ import annotations

from harness.session.client import Client
from harness.session.device import Device
from harness.session.driver_session import DriverSession, greet


def open_alone(client: Client) -> DriverSession:
    """A session that `client` opened itself, without a 32-bit twin in a compat cell."""
    handle = client.agent.open(client.target.device, client=client.number)
    return greet(_device(client, handle))


def in_process(session: DriverSession, client: Client, handle: int) -> DriverSession:
    """The same session as `client` sees it, which has it open as `handle`."""
    return DriverSession(_device(client, handle), session.cookies, session.greeting)


def send(session: DriverSession, client: Client) -> DriverSession:
    """Pass the open device on to another process; the session as that one sees it."""
    owner = session.device.twin or session.device
    handle = client.agent.handle_send(owner.handle, client.number)
    return in_process(session, client, handle)


def _device(client: Client, handle: int) -> Device:
    return Device(client, handle, note=lambda _text: None, twin=None)
