"""Memory of the agent and its clients, and what happens where there is none."""

from __future__ import annotations

import errno
import random
import signal
import struct
from pathlib import Path

import pytest

from harness.transport.agent import AgentClient
from harness.transport.wire import AgentOpError, AgentStatus, ClientDiedError, ClientExit, MemFlag, Op, Prot, Touch
from tests.agent.host_process import PAGE, refused


def test_memory_reads_back_what_was_written(agent: AgentClient) -> None:
    address = agent.mem_alloc(1 << 20)
    assert agent.mem_read(address, 1 << 20) == bytes(1 << 20)
    data = random.Random(2).randbytes(100_001)
    agent.mem_write(address + 7, data)
    assert agent.mem_read(address + 7, len(data)) == data
    agent.mem_fill(address, 50_000, value=0xA5)
    assert agent.mem_read(address, 50_008)[:-8] == b"\xa5" * 50_000
    agent.mem_free(address, 1 << 20)


@pytest.mark.parametrize("address", [0, 8, 0x7FFF_F000, 0xFFFF_F000, 0xFFFF_FFFF])
def test_a_bad_address_is_efault_and_not_a_crash(agent: AgentClient, address: int) -> None:
    for action in (
        lambda: agent.mem_read(address, 16),
        lambda: agent.mem_write(address, b"x" * 16),
        lambda: agent.mem_fill(address, 1, value=0),
    ):
        reply_status = None
        try:
            action()
        except AgentOpError as error:
            reply_status = (error.status, error.os_error)
        assert reply_status in {
            (AgentStatus.OS_ERROR, errno.EFAULT),
            (AgentStatus.BAD_VALUE, 0),  # the end is beyond the word size
        }
    assert agent.ping(b"alive") == b"alive"


def test_an_address_over_the_word_size_is_bad_value_on_x86(agent: AgentClient, arch: str) -> None:
    expected = refused(AgentStatus.BAD_VALUE) if arch == "x86" else refused(AgentStatus.OS_ERROR, errno.EFAULT)
    with expected:
        agent.mem_read(2**47 + 2**40, 8)


def test_a_read_across_the_end_of_memory_fails_as_a_whole(agent: AgentClient) -> None:
    address = agent.mem_alloc(PAGE, flags=MemFlag.GUARD)
    with refused(AgentStatus.OS_ERROR, errno.EFAULT):
        agent.mem_read(address + PAGE - 8, 16)
    assert agent.mem_read(address + PAGE - 8, 8) == bytes(8)


def test_a_failed_write_leaves_nothing_behind_for_the_next(agent: AgentClient) -> None:
    address = agent.mem_alloc(PAGE, flags=MemFlag.GUARD)
    with refused(AgentStatus.OS_ERROR, errno.EFAULT):
        agent.mem_write(address + PAGE - 8, b"X" * 5000)
    agent.mem_write(address, b"fresh")
    assert agent.mem_read(address, 5) == b"fresh"


def test_memory_at_the_end_of_its_page_has_the_guard_right_behind_it(agent: AgentClient) -> None:
    address = agent.mem_alloc(100, flags=MemFlag.GUARD | MemFlag.AT_END)
    assert (address + 100) % PAGE == 0
    agent.mem_write(address, b"e" * 100)
    with refused(AgentStatus.OS_ERROR, errno.EFAULT):
        agent.mem_write(address, b"e" * 101)
    agent.mem_free(address, 100)
    with refused(AgentStatus.OS_ERROR, errno.EFAULT):
        agent.mem_read(address, 1)


def test_fixed_memory_is_where_it_was_wanted_or_refused(agent: AgentClient) -> None:
    address = agent.mem_alloc(4 * PAGE)
    agent.mem_free(address, 4 * PAGE)
    assert agent.mem_alloc(PAGE, flags=MemFlag.FIXED, hint=address) == address
    with refused(AgentStatus.OS_ERROR, errno.EEXIST):
        agent.mem_alloc(PAGE, flags=MemFlag.FIXED, hint=address)


def test_low_memory_is_below_4_gib(agent: AgentClient) -> None:
    assert agent.mem_alloc(PAGE, flags=MemFlag.LOW) < 2**32


def test_protection_is_what_was_asked_for(agent: AgentClient) -> None:
    address = agent.mem_alloc(PAGE)
    agent.mem_write(address, b"before")
    agent.mem_protect(address, PAGE, prot=Prot.READ)
    assert agent.mem_read(address, 6) == b"before"
    with refused(AgentStatus.OS_ERROR, errno.EFAULT):
        agent.mem_write(address, b"after")
    agent.mem_protect(address, PAGE, prot=Prot.NONE)
    with refused(AgentStatus.OS_ERROR, errno.EFAULT):
        agent.mem_read(address, 1)


def test_freeing_the_middle_of_a_region_leaves_both_ends(agent: AgentClient) -> None:
    address = agent.mem_alloc(3 * PAGE)
    agent.mem_free(address + PAGE, PAGE)
    assert agent.mem_read(address, PAGE) == agent.mem_read(address + 2 * PAGE, PAGE) == bytes(PAGE)
    with refused(AgentStatus.OS_ERROR, errno.EFAULT):
        agent.mem_read(address + PAGE, 1)
    assert agent.reset().regions == 2


def test_an_absurd_allocation_is_refused(agent: AgentClient, arch: str) -> None:
    with pytest.raises(AgentOpError):
        agent.mem_alloc(2**63 if arch == "amd64" else 2**32 - 1)
    with refused(AgentStatus.OS_ERROR, errno.EINVAL):
        agent.mem_alloc(0)


def test_a_file_can_be_mapped_and_a_refusal_is_told(agent: AgentClient, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(PAGE) + b"second page".ljust(PAGE))
    handle = agent.open(str(file))
    address = agent.mem_map(handle, PAGE, offset=PAGE)
    assert agent.mem_read(address, 11) == b"second page"
    with refused(AgentStatus.OS_ERROR, errno.ENODEV):
        agent.mem_map(agent.open("/dev/null"), PAGE)


@pytest.mark.parametrize("how", list(Touch))
def test_a_touch_that_is_not_allowed_ends_the_process(agent: AgentClient, how: Touch) -> None:
    client = agent.client_start().id
    prot = {Touch.READ: Prot.NONE, Touch.WRITE: Prot.READ, Touch.EXECUTE: Prot.RW}[how]
    address = agent.mem_alloc(PAGE, prot=prot, client=client)
    with pytest.raises(ClientDiedError) as caught:
        agent.mem_touch(address, how, client=client)
    assert caught.value.exit == ClientExit(by_signal=True, code=signal.SIGSEGV)


def test_a_touch_that_is_allowed_changes_nothing(agent: AgentClient) -> None:
    return_at_once = b"\xc3"
    address = agent.mem_alloc(PAGE, prot=Prot.RWX)
    agent.mem_write(address, return_at_once)
    for how in Touch:
        agent.mem_touch(address, how)
    assert agent.mem_read(address, 2) == return_at_once + b"\0"


def test_moved_memory_is_elsewhere_with_its_contents(agent: AgentClient) -> None:
    address = agent.mem_alloc(PAGE)
    agent.mem_write(address, b"moved")
    moved = agent.mem_move(address, PAGE)
    assert moved != address
    assert agent.mem_read(moved, 5) == b"moved"
    with refused(AgentStatus.OS_ERROR, errno.EFAULT):
        agent.mem_read(address, 1)
    assert agent.reset().regions == 1


def trapped(agent: AgentClient) -> tuple[int, int]:
    """Two pages, the second one of which is a trap that changes the end of the first."""
    first = agent.mem_alloc(2 * PAGE)
    agent.mem_write(first + PAGE - 4, b"old!second page")
    agent.mem_trap(first + PAGE, first + PAGE - 4, b"new!")
    return first, first + PAGE


def test_the_first_touch_of_a_page_changes_other_memory(agent: AgentClient) -> None:
    first, page = trapped(agent)
    assert agent.mem_read(first + PAGE - 4, 4) == b"old!"
    assert agent.mem_read(page, 11) == b"second page"
    assert agent.mem_read(first + PAGE - 4, 4) == b"new!"
    assert agent.mem_untrap()
    assert agent.mem_read(page, 11) == b"second page"


def test_a_trap_that_nobody_touched_leaves_everything_as_it_was(agent: AgentClient) -> None:
    first, _ = trapped(agent)
    assert not agent.mem_untrap()
    assert agent.mem_read(first + PAGE - 4, 15) == b"old!second page"
    assert not agent.mem_untrap()


def test_what_the_kernel_read_before_the_trap_is_what_was_there(agent: AgentClient) -> None:
    first, _ = trapped(agent)
    payload = struct.pack("<QI", first + PAGE - 4, 15)
    assert agent.call(Op.MEM_READ, payload).check().body == b"old!second page"
    assert agent.mem_read(first + PAGE - 4, 4) == b"new!"


def test_a_trap_is_gone_after_a_reset_and_in_a_fork(agent: AgentClient) -> None:
    first, _ = trapped(agent)
    heir = agent.client_start(inherit=True)
    assert agent.mem_read(first + PAGE - 4, 4, client=heir.id) == b"old!"
    agent.reset()
    assert not agent.mem_untrap()


@pytest.mark.parametrize("distance", [-PAGE, -1, 0, 4])
def test_a_trap_does_not_change_its_own_page(agent: AgentClient, distance: int) -> None:
    page = agent.mem_alloc(3 * PAGE) + PAGE
    with refused(AgentStatus.BAD_VALUE):
        agent.mem_trap(page, page + distance, bytes(PAGE + 1))


def test_a_trap_that_could_not_change_anything_is_refused(agent: AgentClient) -> None:
    page = agent.mem_alloc(PAGE)
    with refused(AgentStatus.OS_ERROR, errno.EFAULT):
        agent.mem_trap(page, PAGE, b"x")
    with refused(AgentStatus.OS_ERROR, errno.EFAULT):
        agent.mem_trap(page, agent.mem_alloc(PAGE, prot=Prot.READ), b"x")
