"""GET_PAGING_MODE: what the processor is set to, in the interface's own numbers."""

from __future__ import annotations

import pytest
from catalogue import ask

from harness.abi import Status
from harness.session.device import FILL

# The modes of each architecture: the plain one, and what no-execute and global pages add to it.
POSSIBLE = {"amd64": range(7, 11), "x86": range(1, 7)}
PLAIN = {("x86", False): 1, ("x86", True): 3, ("amd64", True): 7}
NO_EXECUTE, GLOBAL = 2, 1


def mode(session):
    reply = ask(session, "GET_PAGING_MODE")
    assert reply.outcome == Status.OK
    return session.output("GET_PAGING_MODE", reply)["enmMode"]


def processor_flags(agent):
    """The features that the kernel found and uses, of the first processor."""
    text = agent.file_read("/proc/cpuinfo", length=16384).decode("ascii", "replace")
    return next(line.split(":")[1].split() for line in text.splitlines() if line.startswith("flags"))


def has_large_pages_of_2m(agent):
    """Whether the page tables have 64-bit entries: a kernel without PAE has large pages of 4 MiB."""
    return b"DirectMap2M" in agent.file_read("/proc/meminfo", length=16384)


@pytest.mark.needs("control-registers")
def test_the_mode_is_one_of_the_architectures(session, cell):
    assert mode(session) in POSSIBLE[cell.arch]


def test_the_mode_does_not_change(session):
    assert len({mode(session) for _ in range(8)}) == 1


def test_every_session_sees_the_same_mode(session, open_session):
    assert mode(open_session()) == mode(session)


def test_four_bytes_are_written(session):
    reply = ask(session, "GET_PAGING_MODE", out_size=12, cb_out=4)
    assert reply.outcome == Status.OK
    assert reply.out[1:] == bytes(3) + bytes([FILL]) * 8


@pytest.mark.needs("proc-cpuinfo")
def test_the_mode_is_that_of_the_kernel(session, cell, agent):
    flags = processor_flags(agent)
    wide_entries = has_large_pages_of_2m(agent)
    plain = PLAIN[cell.arch, wide_entries]
    assert mode(session) == plain + NO_EXECUTE * ("nx" in flags and wide_entries) + GLOBAL * ("pge" in flags)


@pytest.mark.only("os2")
def test_the_mode_is_that_of_the_guest_of_our_own(session):
    """Which has 64-bit entries, pages that are not executed, and no global ones."""
    assert mode(session) == PLAIN["x86", True] + NO_EXECUTE
