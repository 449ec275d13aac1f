"""What the tests of canaries do besides failing."""

from __future__ import annotations

from collections.abc import Callable

from harness.abi import CONSTANTS, PAGE_SIZE, Status
from harness.abi.layout import Input
from harness.session.cell_session import CellSession
from harness.session.driver_session import DriverSession

Step = Callable[[CellSession, DriverSession], None]


def pin(_session: CellSession, driver: DriverSession) -> None:
    """Pin a page of the client."""
    process = driver.device.process
    _make(driver, "PINPAGES", pv=process.agent.mem_alloc(PAGE_SIZE, client=process.number), cb=PAGE_SIZE)


def cont(_session: CellSession, driver: DriverSession) -> None:
    """Allocate a page of contiguous memory."""
    _make(driver, "CONT_ALLOC", cb=PAGE_SIZE)


def low(_session: CellSession, driver: DriverSession) -> None:
    """Allocate a page of low memory."""
    _make(driver, "LOW_ALLOC", cPages=1)


def image(_session: CellSession, driver: DriverSession) -> None:
    """Open an image."""
    _make(driver, "LDR_OPEN", cbImage=PAGE_SIZE, szName=b"canary\0")


def gip(_session: CellSession, driver: DriverSession) -> None:
    """Map the global information page."""
    _make(driver, "GIP_MAP")


def unload(session: CellSession, driver: DriverSession) -> None:
    """Close the device and unload the driver."""
    driver.close()
    session.agent.driver_unload(session.target.module)


def reload(session: CellSession, driver: DriverSession) -> None:
    """`unload`, and load the driver again."""
    unload(session, driver)
    session.load_driver()


def fail(driver: DriverSession, fault: str) -> None:
    """Ask the driver to fail; raises AssertionError if its answer is wrong, should there be one."""
    number = CONSTANTS[f"SUPTESTFAULT_{fault}"]
    reply = driver.call("TEST_FAULT", uFault=number)
    assert reply.outcome == Status.OK, f"TEST_FAULT {fault}: {reply.outcome}"
    answer = int.from_bytes(reply.out, "little")
    assert answer == number, f"TEST_FAULT {fault}: the answer is {answer:#x}, not {number:#x}"


def behave(session: CellSession, driver: DriverSession) -> None:
    """Make everything that a session can have, ask the same driver not to fail, and leave the rest to the close."""
    for step in (pin, cont, low, image, gip):
        step(session, driver)
    fail(driver, "NONE")


def _make(driver: DriverSession, name: str, **fields: Input) -> None:
    request = driver.abi.request(name)
    assert request.number is not None
    # The twin of a compat cell sends the same bytes: it is refused before they are looked at.
    data, size = driver.input(name, **fields), request.out_rule.minimum
    reply = driver.device.request(request.number, data, out_size=size, name=name)
    assert reply.outcome == Status.OK, f"{name}: {reply.outcome}"
