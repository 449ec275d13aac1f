"""The agent for Windows, wherever one can be started: `AGENT_ON_WINDOWS` is a command that runs it on its standard
streams, such as `wine64 Z:\\agent-windows-amd64.exe`. No driver is involved."""

from __future__ import annotations

import contextlib
import os
import random
import shlex
import struct
import time
from collections.abc import Iterator

import pytest

from harness.errors import AgentLost
from harness.transport import wire
from harness.transport.agent import AgentClient
from harness.transport.streams import ProcessStream
from harness.transport.wire import (
    AgentOpError,
    AgentStatus,
    ClientDiedError,
    ClientExit,
    FileFlag,
    MemFlag,
    Op,
    OpenFlag,
    Prot,
    RequestFlag,
    Touch,
    WriteHow,
)
from tests.agent.host_process import refused
from tests.agent.raw_frames import Raw, fuzz_bytes

COMMAND = shlex.split(os.environ.get("AGENT_ON_WINDOWS", ""), posix=False)
pytestmark = pytest.mark.skipif(not COMMAND, reason="AGENT_ON_WINDOWS names no command that starts the agent")

PAGE = 4096
GRANULE = 0x10000
KILLED = ClientExit(by_signal=True, code=0xC000010A)
ACCESS_VIOLATION = ClientExit(by_signal=True, code=0xC0000005)
FILE_NOT_FOUND, PATH_NOT_FOUND, ACCESS_DENIED, INVALID_HANDLE = 2, 3, 5, 6
INVALID_PARAMETER, UNSUPPORTED, INVALID_ADDRESS, NO_ACCESS, NO_SERVICE = 87, 120, 487, 998, 1060
FILE = "C:\\windows\\win.ini"
FRESH = "C:\\windows\\temp\\agent-test"


@pytest.fixture
def stream() -> Iterator[ProcessStream]:
    stream = ProcessStream(COMMAND)
    yield stream
    stream.close()


@pytest.fixture
def agent(stream: ProcessStream) -> Iterator[AgentClient]:
    client = AgentClient(stream, deadline=30)
    yield client
    with contextlib.suppress(AgentLost):
        client.exit()
    client.close()


def no_access() -> contextlib.AbstractContextManager[None]:
    return refused(AgentStatus.OS_ERROR, NO_ACCESS)


# The agent itself.


def test_hello_tells_windows(agent: AgentClient) -> None:
    hello = agent.hello()
    assert (hello.os, hello.page_size, hello.word_bits) == ("windows", PAGE, {"amd64": 64, "x86": 32}[hello.arch])
    assert hello.release.startswith("10.0.")


@pytest.mark.parametrize("size", [0, 1, 70_000, wire.MAX_PAYLOAD - 8])
def test_ping_returns_its_bytes(agent: AgentClient, size: int) -> None:
    data = random.Random(size).randbytes(size)
    assert agent.ping(data) == data
    client = agent.client_start().id
    assert agent.ping(data, client=client) == data
    assert agent.ping(data) == data


def test_exit_answers_and_ends_the_process(agent: AgentClient, stream: ProcessStream) -> None:
    agent.exit()
    assert stream.process.wait(timeout=10) == 0


def test_random_bytes_never_stop_the_agent(stream: ProcessStream) -> None:
    rng = random.Random(20061112)
    raw = Raw(stream)
    for number in range(100):
        raw.send(fuzz_bytes(rng))
        raw.send(bytes(2000))
        if number % 50 == 49:
            raw.send(bytes(wire.MAX_PAYLOAD))
            raw.pong(0x60000000 + number)


def test_a_frame_whose_rest_never_comes_is_given_up(stream: ProcessStream) -> None:
    raw = Raw(stream)
    raw.send(wire.HEADER.pack(wire.MAGIC, 1000, 9, 0, Op.PING) + wire.encode(wire.Frame(10, Op.PING)))
    assert raw.complaint() == (0, AgentStatus.BAD_FRAME)
    assert raw.complaint() == (10, AgentStatus.OK)


def test_the_time_of_day_is_nanoseconds_since_1970(agent: AgentClient) -> None:
    assert abs(agent.clock() - time.time_ns()) < 60 * 10**9


def test_what_the_system_cannot_do_is_told(agent: AgentClient) -> None:
    client = agent.client_start().id
    page = agent.mem_alloc(2 * PAGE)
    for action in (
        lambda: agent.client_start(inherit=True),
        lambda: agent.exec(client=client),
        lambda: agent.demote(1, PAGE, client=client),
        lambda: agent.mem_move(page, PAGE),
        lambda: agent.mem_trap(page, page + PAGE, b"x"),
    ):
        with refused(AgentStatus.OS_ERROR, UNSUPPORTED):
            action()
    assert not agent.mem_untrap()


# Memory.


def test_memory_reads_back_what_was_written(agent: AgentClient) -> None:
    address = agent.mem_alloc(1 << 20)
    assert agent.mem_read(address, 1 << 20) == bytes(1 << 20)
    data = random.Random(2).randbytes(100_001)
    agent.mem_write(address + 7, data)
    assert agent.mem_read(address + 7, len(data)) == data
    agent.mem_fill(address, 50_000, value=0xA5)
    assert agent.mem_read(address, 50_008)[:-8] == b"\xa5" * 50_000
    agent.mem_free(address, 1 << 20)
    with no_access():
        agent.mem_read(address, 1)


@pytest.mark.parametrize("address", [0, 8, 0x7FFF_0000, 0xFFFF_F000])
def test_a_bad_address_is_an_error_and_not_a_crash(agent: AgentClient, address: int) -> None:
    with no_access():
        agent.mem_write(address, b"x" * 16)
    with no_access():
        agent.mem_fill(address, 1, value=0)
    assert agent.ping(b"alive") == b"alive"


def test_a_guard_lies_right_behind_the_memory(agent: AgentClient) -> None:
    address = agent.mem_alloc(100, flags=MemFlag.GUARD | MemFlag.AT_END)
    assert (address + 100) % PAGE == 0
    agent.mem_write(address, b"e" * 100)
    with no_access():
        agent.mem_write(address, b"e" * 101)
    with no_access():
        agent.mem_read(address + 92, 16)
    agent.mem_free(address, 100)
    with no_access():
        agent.mem_read(address, 1)


@pytest.mark.parametrize("offset", [0, PAGE, 3 * PAGE])
def test_fixed_memory_is_where_it_was_wanted_or_refused(agent: AgentClient, offset: int) -> None:
    address = agent.mem_alloc(GRANULE)
    agent.mem_free(address, GRANULE)
    wanted = address + offset
    assert agent.mem_alloc(PAGE, flags=MemFlag.FIXED, hint=wanted) == wanted
    agent.mem_write(wanted, b"here")
    with refused(AgentStatus.OS_ERROR, INVALID_ADDRESS):
        agent.mem_alloc(PAGE, flags=MemFlag.FIXED, hint=wanted)
    assert agent.mem_read(wanted, 4) == b"here"
    agent.mem_free(wanted, PAGE)
    assert agent.mem_alloc(PAGE, flags=MemFlag.FIXED, hint=wanted) == wanted
    assert agent.mem_read(wanted, 4) == bytes(4)


def test_low_memory_is_below_4_gib(agent: AgentClient) -> None:
    assert agent.mem_alloc(PAGE, flags=MemFlag.LOW) < 2**32


def test_protection_is_what_was_asked_for(agent: AgentClient) -> None:
    address = agent.mem_alloc(PAGE)
    agent.mem_write(address, b"before")
    agent.mem_protect(address, PAGE, prot=Prot.READ)
    assert agent.mem_read(address, 6) == b"before"
    with no_access():
        agent.mem_write(address, b"after")
    agent.mem_protect(address, PAGE, prot=Prot.NONE)
    with no_access():
        agent.mem_read(address, 1)


def test_freeing_the_middle_of_a_region_leaves_both_ends_and_a_hole(agent: AgentClient) -> None:
    address = agent.mem_alloc(3 * PAGE)
    agent.mem_free(address + PAGE, PAGE)
    assert agent.mem_read(address, PAGE) == agent.mem_read(address + 2 * PAGE, PAGE) == bytes(PAGE)
    with no_access():
        agent.mem_read(address + PAGE, 1)
    assert agent.mem_alloc(PAGE, flags=MemFlag.FIXED, hint=address + PAGE) == address + PAGE
    assert agent.reset().regions == 3


def test_nothing_is_left_of_a_region_that_was_freed_in_parts(agent: AgentClient) -> None:
    address = agent.mem_alloc(2 * GRANULE)
    for at in range(address, address + 2 * GRANULE, GRANULE):
        agent.mem_free(at, GRANULE)
    assert agent.mem_alloc(PAGE, flags=MemFlag.FIXED, hint=address + GRANULE) == address + GRANULE


def test_an_absurd_allocation_is_refused(agent: AgentClient) -> None:
    with refused(AgentStatus.OS_ERROR, INVALID_PARAMETER):
        agent.mem_alloc(0)
    with pytest.raises(AgentOpError):
        agent.mem_alloc(2**47)


@pytest.mark.parametrize("how", list(Touch))
def test_a_touch_that_is_not_allowed_ends_the_process(agent: AgentClient, how: Touch) -> None:
    client = agent.client_start().id
    prot = {Touch.READ: Prot.NONE, Touch.WRITE: Prot.READ, Touch.EXECUTE: Prot.RW}[how]
    address = agent.mem_alloc(PAGE, prot=prot, client=client)
    with pytest.raises(ClientDiedError) as caught:
        agent.mem_touch(address, how, client=client)
    assert caught.value.exit == ACCESS_VIOLATION


def test_a_touch_that_is_allowed_changes_nothing(agent: AgentClient) -> None:
    return_at_once = b"\xc3"
    address = agent.mem_alloc(PAGE, prot=Prot.RWX)
    agent.mem_write(address, return_at_once)
    for how in Touch:
        agent.mem_touch(address, how)
    assert agent.mem_read(address, 2) == return_at_once + b"\0"


# Handles and files.


def test_handles_are_small_stable_numbers(agent: AgentClient) -> None:
    assert [agent.open(FILE, OpenFlag.READ) for _ in range(3)] == [0, 1, 2]
    agent.close_handle(1)
    assert agent.dup(2) == 1
    counts = agent.reset()
    assert (counts.handles, counts.clients) == (3, 0)


def test_open_tells_the_systems_error(agent: AgentClient) -> None:
    with refused(AgentStatus.OS_ERROR, FILE_NOT_FOUND):
        agent.open("C:\\nothing")
    with refused(AgentStatus.OS_ERROR, FILE_NOT_FOUND):
        agent.open("\\\\.\\nothing")


def test_a_file_is_written_extended_read_and_told(agent: AgentClient) -> None:
    made = FileFlag.CREATE | FileFlag.TRUNCATE
    assert agent.file_write(FRESH, b"0123456789", flags=made) == 10
    assert agent.file_write(FRESH, b"abc", flags=FileFlag.APPEND) == 3
    assert agent.file_write(FRESH, b"XY", flags=FileFlag.NONE, offset=1) == 2
    assert agent.file_read(FRESH) == b"0XY3456789abc"
    assert agent.file_read(FRESH, 4, offset=9) == b"9abc"
    assert agent.file_read(FRESH, 4, offset=1000) == b""
    facts = agent.file_stat(FRESH)
    assert (facts.size, facts.mode) == (13, 0o100666)
    assert agent.file_write(FRESH, b"", flags=made) == 0
    assert agent.file_stat(FRESH).size == 0


def test_a_directory_is_listed(agent: AgentClient) -> None:
    agent.file_write(FRESH, b"", flags=FileFlag.CREATE)
    names = agent.file_list("C:\\windows\\temp")
    assert "agent-test" in names
    assert not {".", ".."} & set(names)
    assert agent.file_stat("C:\\windows\\temp").mode == 0o040777
    with refused(AgentStatus.OS_ERROR, PATH_NOT_FOUND):
        agent.file_list("C:\\nothing")


def test_a_file_can_be_mapped(agent: AgentClient) -> None:
    agent.file_write(FRESH, b"mapped".ljust(PAGE), flags=FileFlag.CREATE | FileFlag.TRUNCATE)
    address = agent.mem_map(agent.open(FRESH), PAGE)
    assert agent.mem_read(address, 6) == b"mapped"
    agent.mem_write(address, b"MAP")
    assert agent.file_read(FRESH, 6) == b"MAPped"
    agent.mem_free(address, PAGE)
    with no_access():
        agent.mem_read(address, 1)


# Requests: no device takes them, but they are made.


def test_a_request_that_nobody_takes_fails_and_leaves_its_buffers(agent: AgentClient) -> None:
    handle = agent.open(FILE, OpenFlag.READ)
    reply = agent.request(handle, 0x222000, data=b"in", out_size=5000, fill=0x5A, flags=RequestFlag.RETURN_IN)
    assert (reply.result, reply.block, reply.in_after) == (-1, b"", b"in")
    assert reply.os_error != 0
    assert reply.out == b"\x5a" * 5000


@pytest.mark.parametrize("flag", [RequestFlag.OVERLAPPED, RequestFlag.CANCEL])
def test_an_overlapped_request_is_waited_for(agent: AgentClient, flag: RequestFlag) -> None:
    handle = agent.open(FILE, OpenFlag.READ | OpenFlag.OVERLAPPED)
    plain = agent.request(agent.open(FILE, OpenFlag.READ), 0x222000, data=b"in", out_size=8)
    reply = agent.request(handle, 0x222000, data=b"in", out_size=8, flags=flag)
    assert (reply.os_error, reply.result, reply.out) == (plain.os_error, -1, plain.out)


def test_a_length_that_the_system_cannot_tell_is_bad_value(agent: AgentClient) -> None:
    handle = agent.open(FILE, OpenFlag.READ)
    with refused(AgentStatus.BAD_VALUE):
        agent.request(handle, 0x222000, cb_in=2**32)


def test_a_loop_counts_and_times_its_calls(agent: AgentClient) -> None:
    handle = agent.open(FILE, OpenFlag.READ)
    timing = agent.loop(Op.REQUEST, wire.pack_request(handle, 0x222000), count=200, threads=4)
    assert (timing.count, timing.failures) == (800, 800)
    assert timing.min_ns <= timing.median_ns <= timing.max_ns


def test_a_handle_that_is_closed_meanwhile_is_told_to_every_thread(agent: AgentClient) -> None:
    handle = agent.open(FILE, OpenFlag.READ)
    payload = wire.pack_request(handle, 0x222000)
    _, errors = agent.close_during(handle, 2000, payload, threads=3, limit_ms=5000)
    assert errors[INVALID_HANDLE] >= 3
    with refused(AgentStatus.NO_HANDLE):
        agent.close_handle(handle)


# Clients.


def test_a_client_has_nothing_of_the_agent(agent: AgentClient) -> None:
    handle = agent.open(FILE, OpenFlag.READ)
    client = agent.client_start()
    assert agent.hello(client=client.id).pid == client.pid
    with refused(AgentStatus.NO_HANDLE):
        agent.dup(handle, client=client.id)


def test_a_client_that_is_busy_keeps_nobody(agent: AgentClient) -> None:
    slow, fast = agent.client_start().id, agent.client_start().id
    sleeping = agent.start(Op.SLEEP, struct.pack("<I", 700), client=slow)
    for _ in range(50):
        assert agent.ping(b"agent") == b"agent"
        assert agent.ping(b"other", client=fast) == b"other"
    assert agent.call(Op.PING, client=slow).status == AgentStatus.CLIENT_BUSY
    assert sleeping.result().status == AgentStatus.OK
    assert agent.ping(b"slow", client=slow) == b"slow"


def test_a_client_is_killed_whatever_it_does(agent: AgentClient) -> None:
    client = agent.client_start().id
    sleeping = agent.start(Op.SLEEP, struct.pack("<I", 60_000), client=client)
    assert agent.client_kill(client) == KILLED
    assert sleeping.result().status == AgentStatus.CLIENT_DIED
    with refused(AgentStatus.NO_CLIENT):
        agent.ping(client=client)


def test_a_client_that_ends_by_itself_is_noticed(agent: AgentClient) -> None:
    client = agent.client_start().id
    agent.exit(client=client)
    deadline = time.monotonic() + 10
    while agent.call(Op.PING, client=client).status == AgentStatus.OK:
        assert time.monotonic() < deadline
    assert agent.call(Op.PING, client=client).status == AgentStatus.CLIENT_DIED
    assert agent.client_kill(client) == ClientExit(by_signal=False, code=0)


def test_reset_ends_all_clients_but_one(agent: AgentClient) -> None:
    spared, _other = agent.client_start(), agent.client_start()
    assert agent.reset(spared=spared.id).clients == 1
    assert agent.ping(b"here", client=spared.id) == b"here"
    assert agent.reset().clients == 1


def test_a_client_that_reset_finds_idle_is_the_next_one_with_nothing_left(agent: AgentClient) -> None:
    first, busy = agent.client_start(), agent.client_start()
    agent.open(FILE, OpenFlag.READ, client=first.id)
    address = agent.mem_alloc(PAGE, client=first.id)
    agent.start(Op.SLEEP, struct.pack("<I", 60_000), client=busy.id)
    assert agent.reset().clients == 2
    with refused(AgentStatus.NO_CLIENT):
        agent.ping(client=first.id)
    second, third = agent.client_start(), agent.client_start()
    assert second.pid == first.pid
    assert third.pid not in {first.pid, busy.pid}
    assert second.id not in {first.id, busy.id}
    with refused(AgentStatus.NO_HANDLE):
        agent.dup(0, client=second.id)
    with no_access():
        agent.mem_read(address, 1, client=second.id)
    assert agent.client_kill(second.id) == KILLED
    assert agent.client_start().pid != first.pid


def test_a_handle_sent_to_a_client_is_the_same_file(agent: AgentClient) -> None:
    agent.file_write(FRESH, b"sent".ljust(PAGE), flags=FileFlag.CREATE | FileFlag.TRUNCATE)
    client = agent.client_start().id
    handle = agent.open(FRESH)
    sent = agent.handle_send(handle, client)
    agent.close_handle(handle)
    assert agent.mem_read(agent.mem_map(sent, PAGE, client=client), 4, client=client) == b"sent"
    with refused(AgentStatus.NO_HANDLE):
        agent.handle_send(handle, client)


def test_a_handle_taken_from_a_client_is_the_same_file(agent: AgentClient) -> None:
    agent.file_write(FRESH, b"taken".ljust(PAGE), flags=FileFlag.CREATE | FileFlag.TRUNCATE)
    client = agent.client_start().id
    handle = agent.open(FRESH, client=client)
    taken = agent.handle_take(handle, client)
    agent.close_handle(handle, client=client)
    assert agent.mem_read(agent.mem_map(taken, PAGE), 5) == b"taken"
    with refused(AgentStatus.NO_HANDLE):
        agent.handle_take(handle, client)


def test_a_program_that_cannot_run_is_refused(agent: AgentClient) -> None:
    with refused(AgentStatus.OS_ERROR, FILE_NOT_FOUND):
        agent.client_start("C:\\no-such-program.exe")


@pytest.mark.parametrize("how", list(WriteHow))
def test_the_memory_of_another_process_can_be_written(agent: AgentClient, how: WriteHow) -> None:
    owner, writer = agent.client_start(), agent.client_start()
    address = agent.mem_alloc(PAGE, client=owner.id)
    agent.process_write(owner.pid, address, b"poke", how=how, client=writer.id)
    assert agent.mem_read(address, 4, client=owner.id) == b"poke"
    with pytest.raises(AgentOpError):
        agent.process_write(owner.pid, PAGE, b"poke", how=how, client=writer.id)
    assert agent.ping(b"alive", client=owner.id) == b"alive"


def test_clients_die_with_the_agent(agent: AgentClient) -> None:
    client = agent.client_start()
    agent.exit()
    survivor = ProcessStream(COMMAND)
    watch = AgentClient(survivor, deadline=30)
    payload = struct.pack("<IIQ", client.pid, WriteHow.COPY, PAGE) + wire.blob(b"")
    deadline = time.monotonic() + 10
    while watch.call(Op.PROCESS_WRITE, payload).status == AgentStatus.OK:
        assert time.monotonic() < deadline
    watch.exit()
    watch.close()


# The driver's service.


def test_a_driver_that_is_not_there_is_told_as_that(agent: AgentClient) -> None:
    status = agent.driver_status("no-such-driver")
    assert (status.loaded, status.references, status.build_id) == (False, -1, b"")
    with refused(AgentStatus.OS_ERROR, NO_SERVICE):
        agent.driver_unload("no-such-driver")
    with refused(AgentStatus.OS_ERROR, FILE_NOT_FOUND):
        agent.driver_load("C:\\no-such-driver.sys")
    with pytest.raises(AgentOpError):
        agent.driver_load(FILE)
    assert not agent.driver_status("win").loaded
    with refused(AgentStatus.OS_ERROR, NO_SERVICE):
        agent.driver_unload("win")
