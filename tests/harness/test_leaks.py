"""Leaked memory is blamed on the test in whose time it was allocated. Fakes stand for the guest."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from harness.errors import GuestError
from harness.session.leaks import LeakHunt
from harness.transport.agent import AgentClient
from harness.transport.ssh import CommandResult, SshConnection

OBJECT = (Path(__file__).parent / "golden" / "linux-amd64-kmemleak.txt").read_text()
ALLOCATED = 4294907576


class Guest:
    """An agent whose guest's clock stands at `now`, and a connection over which kmemleak says `found`."""

    def __init__(self, found: str = "", *, status: int = 0, now: int = 0) -> None:
        self.found, self.status, self.now = found, status, now

    def file_read(self, path: str, *, length: int) -> bytes:
        return (
            f"Sched Debug Version: v0.11\nktime : 1.0\njiffies                                 : {self.now}\n".encode()
        )

    def run(self, command: str, *, deadline: float) -> CommandResult:
        return CommandResult(status=self.status, stdout=self.found.encode(), stderr=b"Device or resource busy")


def hunt(guest: Guest, begins: dict[str, int]) -> LeakHunt:
    made = LeakHunt()
    for test, guest.now in begins.items():
        made.begin(test, cast(AgentClient, guest))
    return made


@pytest.mark.parametrize(
    ("begins", "blamed"),
    [
        ({"a": ALLOCATED - 9, "b": ALLOCATED + 1}, ["a"]),
        ({"a": ALLOCATED - 9, "b": ALLOCATED}, ["b"]),
        ({"a": ALLOCATED - 9, "b": ALLOCATED - 5, "c": ALLOCATED + 4}, ["b"]),
        ({"a": ALLOCATED + 1}, []),
        ({}, []),
    ],
)
def test_the_last_test_that_began_before_the_allocation_is_blamed(begins: dict[str, int], blamed: list[str]) -> None:
    guest = Guest(OBJECT)
    assert list(hunt(guest, begins).search(cast(SshConnection, guest), deadline=1.0)) == blamed


def test_all_that_a_test_has_leaked_is_one_report_that_names_the_driver() -> None:
    guest = Guest(OBJECT + OBJECT.replace("size 1024", "size 8"))
    (report,) = hunt(guest, {"a": 0}).search(cast(SshConnection, guest), deadline=1.0).values()
    assert report.kind == "kmemleak report"
    assert report.title == "memory leaked, 1024 + 8 bytes, from supdrv_fault_leak+0x35/0x50 [supdrv]"
    assert report.report.count("unreferenced object") == 2


def test_a_kernel_that_cannot_be_asked_is_an_error() -> None:
    guest = Guest(status=1)
    with pytest.raises(GuestError, match="kmemleak cannot be asked\nDevice or resource busy"):
        hunt(guest, {}).search(cast(SshConnection, guest), deadline=1.0)
