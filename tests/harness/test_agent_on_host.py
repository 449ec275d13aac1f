"""The real agent, in both word sizes, as a process of this host. No driver is involved."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pty
import queue
import random
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.errors import AgentLost, GuestHang, ProtocolError
from harness.transport import wire
from harness.transport.agent import AgentClient
from harness.transport.streams import ProcessStream
from harness.transport.wire import (
    AgentOpError,
    AgentStatus,
    ClientDiedError,
    ClientExit,
    FileFacts,
    FileFlag,
    Frame,
    FrameDecoder,
    MemFlag,
    Op,
    OpenFlag,
    Prot,
    RequestFlag,
    Touch,
    WriteHow,
)

ROOT = Path(__file__).resolve().parents[2]
WORD = {"amd64": 8, "x86": 4}
PAGE = 4096
KILLED = ClientExit(by_signal=True, code=signal.SIGKILL)


@pytest.fixture(scope="session")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The two agents. AGENT_DIR names a directory of ready ones, for a build with sanitizers."""
    ready = os.environ.get("AGENT_DIR")
    out = Path(ready) if ready else tmp_path_factory.mktemp("agent")
    if not ready:
        command = ["make", "-s", "-C", ROOT / "agent", f"OUT={out}", "AGENT_BUILD_ID=test-build"]
        subprocess.run([*command, f"ZIG={sys.executable} -m ziglang", "linux-amd64", "linux-x86"], check=True)
    return {arch: out / f"agent-linux-{arch}" for arch in WORD}


@pytest.fixture(params=list(WORD))
def arch(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def program(binaries: dict[str, Path], arch: str) -> Path:
    if not binaries[arch].exists():
        pytest.skip(f"AGENT_DIR has no agent for {arch}")
    return binaries[arch]


@pytest.fixture
def stream(program: Path) -> Iterator[ProcessStream]:
    stream = ProcessStream([program])
    yield stream
    stream.close()


@pytest.fixture
def agent(stream: ProcessStream) -> Iterator[AgentClient]:
    client = AgentClient(stream, deadline=20)
    yield client
    client.close()


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.005)


def is_gone(pid: int) -> bool:
    """No process, or at most a zombie, has this pid."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextlib.contextmanager
def refused(status: AgentStatus, os_error: int = 0) -> Iterator[None]:
    with pytest.raises(AgentOpError) as caught:
        yield
    assert (caught.value.status, caught.value.os_error) == (status, os_error)


# The agent itself.


def test_hello_tells_both_word_sizes_apart(agent: AgentClient, stream: ProcessStream, arch: str) -> None:
    hello = agent.hello()
    assert (hello.arch, hello.word_bits, hello.os) == (arch, 8 * WORD[arch], "linux")
    assert (hello.machine, hello.release) == ("amd64", os.uname().release)
    assert (hello.pid, hello.page_size) == (stream.process.pid, PAGE)
    if "AGENT_DIR" not in os.environ:
        assert hello.build_id == "test-build"


@pytest.mark.parametrize("size", [0, 1, 70_000, wire.MAX_PAYLOAD - 8])
def test_ping_returns_its_bytes(agent: AgentClient, size: int) -> None:
    data = random.Random(size).randbytes(size)
    assert agent.ping(data) == data


def test_a_reply_that_would_be_too_long_is_refused(agent: AgentClient) -> None:
    with refused(AgentStatus.TOO_LONG):
        agent.ping(bytes(wire.MAX_PAYLOAD))
    assert agent.ping(b"next") == b"next"


def test_exit_answers_and_ends_the_process(agent: AgentClient, stream: ProcessStream) -> None:
    agent.exit()
    assert stream.process.wait(timeout=5) == 0
    with pytest.raises(AgentLost):
        agent.ping()


def test_the_end_of_its_input_ends_the_agent(program: Path) -> None:
    assert subprocess.run([program], stdin=subprocess.DEVNULL, timeout=5, check=False).returncode == 0


def test_reset_drops_everything_and_counts_it(agent: AgentClient, stream: ProcessStream) -> None:
    for _ in range(3):
        agent.open("/dev/null")
    addresses = [agent.mem_alloc(PAGE) for _ in range(2)]
    pid = agent.client_start().pid
    counts = agent.reset()
    assert (counts.clients, counts.handles, counts.regions, counts.stuck) == (1, 3, 2, 0)
    assert is_gone(pid)
    assert children(stream.process.pid) == []
    with refused(AgentStatus.OS_ERROR, errno.EFAULT):
        agent.mem_read(addresses[0], 1)
    with refused(AgentStatus.NO_HANDLE):
        agent.dup(0)
    assert agent.reset().handles == 0


def test_reset_spares_the_client_that_it_is_told_to(agent: AgentClient) -> None:
    spared, other = agent.client_start(), agent.client_start()
    assert agent.reset(spared=spared.id).clients == 1
    assert agent.ping(b"here", client=spared.id) == b"here"
    assert is_gone(other.pid)
    assert not is_gone(spared.pid)
    assert agent.reset().clients == 1
    assert is_gone(spared.pid)


# Malformed frames, on the bare stream.


class Raw:
    """Bytes to the agent, frames from it. Reads all the time, as an agent that is not read from stops."""

    def __init__(self, stream: ProcessStream) -> None:
        self._stream = stream
        self._frames: queue.Queue[Frame] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        decoder = FrameDecoder()
        while True:
            try:
                data = self._stream.recv(1 << 20, 30)
            except TimeoutError:
                return
            if not data:
                return
            for frame in decoder.feed(data):
                self._frames.put(frame)

    def send(self, data: bytes) -> None:
        self._stream.send(data)

    def frame(self) -> Frame:
        return self._frames.get(timeout=20)

    def complaint(self) -> tuple[int, int]:
        """Id and status of the next reply."""
        frame = self.frame()
        return frame.id, struct.unpack_from("<I", frame.payload)[0]

    def pong(self, number: int = 0x7FFF0001) -> None:
        """Sends a PING and skips replies until its own."""
        self.send(wire.encode(Frame(number, Op.PING, 0, b"still here")))
        while self.frame().id != number:
            pass


def test_garbage_is_answered_once_and_skipped(stream: ProcessStream) -> None:
    raw = Raw(stream)
    raw.send(b"GET / HTTP/1.1\r\nSSS SDA0 SDASDA" * 50)
    raw.send(wire.encode(Frame(7, Op.PING)))
    assert raw.complaint() == (0, AgentStatus.BAD_FRAME)
    assert raw.complaint() == (7, AgentStatus.OK)


def test_a_magic_cut_by_garbage_is_found(stream: ProcessStream) -> None:
    raw = Raw(stream)
    raw.send(b"xSDSDA")
    assert raw.complaint() == (0, AgentStatus.BAD_FRAME)
    raw.send(wire.encode(Frame(7, Op.PING))[3:])
    assert raw.complaint() == (7, AgentStatus.OK)


def test_an_overlong_frame_is_refused_with_its_id(stream: ProcessStream) -> None:
    raw = Raw(stream)
    raw.send(wire.HEADER.pack(wire.MAGIC, wire.MAX_PAYLOAD + 1, 9, 0, Op.PING) + bytes(100))
    assert raw.complaint() == (9, AgentStatus.TOO_LONG)
    raw.pong()


def test_a_frame_whose_rest_never_comes_is_given_up(stream: ProcessStream) -> None:
    raw = Raw(stream)
    raw.send(wire.HEADER.pack(wire.MAGIC, 1000, 9, 0, Op.PING) + wire.encode(Frame(10, Op.PING)))
    assert raw.complaint() == (0, AgentStatus.BAD_FRAME)
    assert raw.complaint() == (10, AgentStatus.OK)


def test_a_frame_sent_byte_by_byte_is_a_frame(stream: ProcessStream) -> None:
    raw = Raw(stream)
    for byte in wire.encode(Frame(3, Op.PING, 0, b"slow")):
        raw.send(bytes([byte]))
    assert raw.complaint() == (3, AgentStatus.OK)


@pytest.mark.parametrize("op", [0, 0x7FFF, 0x8001, 0x07FF, 0x06F0, Op.HANDLE_RECV])
def test_an_op_that_is_not_there_is_bad_op(agent: AgentClient, op: int) -> None:
    assert agent.call(op).status == AgentStatus.BAD_OP


VARIABLE = {Op.PING, Op.HELLO, Op.EXIT, Op.RESET, Op.MEM_UNTRAP}


@pytest.mark.parametrize("op", [op for op in Op if op not in VARIABLE | {Op.HANDLE_RECV}])
def test_a_short_payload_is_bad_payload(agent: AgentClient, op: Op) -> None:
    assert agent.call(op).status == AgentStatus.BAD_PAYLOAD
    assert agent.call(op, b"\x00").status == AgentStatus.BAD_PAYLOAD


@pytest.mark.parametrize(
    ("op", "payload"),
    [
        (Op.HELLO, b""),
        (Op.SLEEP, bytes(4)),
        (Op.CLOSE, bytes(4)),
        (Op.OPEN, wire.text("/dev/null") + bytes(4)),
        (Op.MEM_READ, bytes(12)),
        (Op.MEM_TOUCH, bytes(9)),
        (Op.MEM_MOVE, bytes(16)),
        (Op.PROCESS_WRITE, bytes(20)),
        (Op.DEMOTE, bytes(12)),
        (Op.MEM_TRAP, bytes(20)),
        (Op.MEM_UNTRAP, b""),
        (Op.EXEC, bytes(2)),
        (Op.REQUEST, wire.pack_request(0, 0)),
        (Op.IOCTL_RAW, wire.pack_ioctl_raw(0, 0, 0)),
        (Op.IOCTL_PACKETS, wire.pack_ioctl_packets(0, 0, parameters=(0, 0), data=(0, 0))),
        (Op.CLIENT_START, bytes(6)),
    ],
)
def test_a_payload_with_a_byte_too_many_is_bad_payload(agent: AgentClient, op: Op, payload: bytes) -> None:
    assert agent.call(op, payload + b"\x00").status == AgentStatus.BAD_PAYLOAD


def test_a_path_with_a_nul_is_bad_payload(agent: AgentClient) -> None:
    with pytest.raises(ProtocolError, match="BAD_PAYLOAD"):
        agent.open("/dev/null\0x")


# Ops whose random payloads can do no harm to the host that runs the test, whose clock root can set, and do not stop
# the agent by design. A new op is none of them until somebody has thought about it.
HARMLESS = [
    Op.HELLO,
    Op.PING,
    Op.RESET,
    Op.BATCH,
    Op.DRIVER_STATUS,
    Op.OPEN,
    Op.CLOSE,
    Op.DUP,
    Op.HANDLE_SEND,
    Op.HANDLE_VALUE,
    Op.HANDLE_TAKE,
    Op.HANDLE_RECV,
    Op.REQUEST,
    Op.IOCTL_RAW,
    Op.IOCTL_PACKETS,
    Op.MEM_ALLOC,
    Op.MEM_READ,
    Op.MEM_MAP,
    Op.MEM_UNTRAP,
    Op.FILE_READ,
    Op.FILE_LIST,
    Op.FILE_STAT,
    Op.CLIENT_KILL,
]


def fuzz_bytes(rng: random.Random) -> bytes:
    """A few hundred bytes: noise, true frames with random payloads, and true frames with a byte changed."""
    parts: list[bytes] = []
    for _ in range(rng.randrange(1, 6)):
        op = rng.choice(HARMLESS)
        frame = wire.encode(
            Frame(rng.randrange(2**32), op, rng.choice([0, 0, 0, 1, 9]), rng.randbytes(rng.randrange(90)))
        )
        kind = rng.randrange(4)
        if kind == 0:
            parts.append(rng.randbytes(rng.randrange(200)))
        elif kind == 1:
            parts.append(frame[: rng.randrange(len(frame))])
        elif kind == 2:
            at = rng.randrange(14)
            parts.append(frame[:at] + rng.randbytes(1) + frame[at + 1 :])
        else:
            parts.append(frame)
    return b"".join(parts)


def test_random_bytes_never_stop_the_agent(program: Path, stream: ProcessStream) -> None:
    rng = random.Random(20061112)
    raw = Raw(stream)
    rounds = int(os.environ.get("AGENT_FUZZ_ROUNDS", "300"))
    for number in range(rounds):
        raw.send(fuzz_bytes(rng))
        # A cut frame may claim up to 16 MiB; fill it up so that the agent need not wait for its time limit.
        raw.send(bytes(2000))
        if number % 50 == 49:
            raw.send(bytes(wire.MAX_PAYLOAD))
            raw.pong(0x60000000 + number)
    raw.send(bytes(wire.MAX_PAYLOAD))
    raw.pong()


def test_a_client_survives_random_payloads_of_every_op(agent: AgentClient) -> None:
    rng = random.Random(1)
    client = agent.client_start().id
    for _ in range(500):
        op = rng.choice(HARMLESS)
        reply = agent.call(op, rng.randbytes(rng.randrange(100)), client=client)
        assert reply.status != AgentStatus.CLIENT_DIED
    assert agent.ping(b"!", client=client) == b"!"


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


def test_only_clients_replace_their_program(agent: AgentClient) -> None:
    with refused(AgentStatus.UNSUPPORTED):
        agent.exec(client=0)


def test_a_program_that_replaces_another_has_its_handles_and_no_memory(agent: AgentClient, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    client = agent.client_start().id
    agent.open("/dev/null", client=client)
    agent.open(str(file), client=client)
    agent.close_handle(0, client=client)
    before, address = agent.hello(client=client), agent.mem_alloc(PAGE, client=client)
    agent.mem_write(address, b"mine", client=client)
    agent.exec(client=client)
    assert agent.hello(client=client) == before
    with refused(AgentStatus.NO_HANDLE):
        agent.dup(0, client=client)
    count = agent.mem_alloc(PAGE, client=client)
    assert agent.ioctl_raw(1, termios.FIONREAD, count, client=client).os_error == 0
    assert agent.mem_read(count, 1, client=client) == b"\x05"
    assert agent.reset(client=client).regions == 1


def test_an_exec_that_fails_changes_nothing(agent: AgentClient) -> None:
    client = agent.client_start().id
    handle = agent.open("/dev/null", client=client)
    with refused(AgentStatus.OS_ERROR, errno.ENOENT):
        agent.exec("/nowhere", client=client)
    assert agent.dup(handle, client=client) == 1


def test_only_clients_are_demoted(agent: AgentClient) -> None:
    with refused(AgentStatus.UNSUPPORTED):
        agent.demote(65534, PAGE, client=0)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_demoted_client_is_the_other_user_for_good(agent: AgentClient) -> None:
    client = agent.client_start()
    agent.demote(65534, PAGE, client=client.id)
    status = Path(f"/proc/{client.pid}/status").read_text()
    assert "Uid:\t65534\t65534\t65534\t65534\n" in status
    assert "CapEff:\t0000000000000000\n" in status
    assert f"Max locked memory         {PAGE}" in Path(f"/proc/{client.pid}/limits").read_text()
    with refused(AgentStatus.OS_ERROR, errno.EPERM):
        agent.demote(0, PAGE, client=client.id)


@pytest.mark.parametrize("how", list(WriteHow))
def test_the_memory_of_another_process_can_be_written(agent: AgentClient, how: WriteHow) -> None:
    owner, writer = agent.client_start(), agent.client_start()
    address = agent.mem_alloc(PAGE, client=owner.id)
    agent.process_write(owner.pid, address, b"poke", how=how, client=writer.id)
    assert agent.mem_read(address, 4, client=owner.id) == b"poke"
    with pytest.raises(AgentOpError):
        agent.process_write(owner.pid, PAGE, b"poke", how=how, client=writer.id)
    assert agent.ping(b"alive", client=owner.id) == b"alive"


# Handles and files.


def test_handles_are_small_stable_numbers(agent: AgentClient) -> None:
    assert [agent.open("/dev/null") for _ in range(3)] == [0, 1, 2]
    agent.close_handle(1)
    assert agent.dup(2) == 1
    with refused(AgentStatus.NO_HANDLE):
        agent.close_handle(77)


def test_open_tells_the_errno_and_obeys_its_flags(agent: AgentClient, tmp_path: Path) -> None:
    with refused(AgentStatus.OS_ERROR, errno.ENOENT):
        agent.open("/no/such/file")
    with refused(AgentStatus.OS_ERROR, errno.EISDIR):
        agent.open(str(tmp_path))
    assert agent.open(str(tmp_path), OpenFlag.READ) == 0
    with refused(AgentStatus.BAD_VALUE):
        agent.open("/dev/null", OpenFlag(16))


def test_a_directory_is_listed(agent: AgentClient, tmp_path: Path) -> None:
    for name in ("b", ".hidden", "a name"):
        (tmp_path / name).touch()
    assert sorted(agent.file_list(str(tmp_path))) == [".hidden", "a name", "b"]
    with pytest.raises(AgentOpError) as refused:
        agent.file_list(str(tmp_path / "b"))
    assert refused.value.os_error == errno.ENOTDIR


def test_what_a_file_is_is_told(agent: AgentClient, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    path.chmod(0o640)
    known = path.stat()
    assert agent.file_stat(str(path)) == FileFacts(known.st_mode, known.st_uid, known.st_gid, 5)
    with pytest.raises(AgentOpError) as refused:
        agent.file_stat(str(tmp_path / "other"))
    assert refused.value.os_error == errno.ENOENT


def test_the_time_of_day_is_told(agent: AgentClient) -> None:
    before = time.time_ns()
    assert before <= agent.clock() <= time.time_ns()


def test_files_are_written_and_read(agent: AgentClient, tmp_path: Path) -> None:
    path = str(tmp_path / "file")
    assert agent.file_write(path, b"hello world", flags=FileFlag.CREATE, mode=0o600) == 11
    assert agent.file_write(path, b"W", offset=6) == 1
    assert agent.file_read(path) == b"hello World"
    assert agent.file_read(path, 3, offset=4) == b"o W"
    assert agent.file_read("/proc/self/comm").startswith(b"agent-linux")
    with refused(AgentStatus.OS_ERROR, errno.ENOENT):
        agent.file_read("/no/such/file")


def test_a_driver_that_is_not_there_is_not_loaded(agent: AgentClient) -> None:
    assert agent.driver_status("no_such_driver").loaded is False
    with refused(AgentStatus.OS_ERROR, errno.ENOENT):
        agent.driver_load("/no/such/driver.ko", "a=1")
    with refused(AgentStatus.BAD_VALUE):
        agent.driver_status("../../etc")


# Requests. A file or terminal of the host stands in for the device.


def read_number(agent: AgentClient, address: int) -> int:
    return struct.unpack("<i", agent.mem_read(address, 4))[0]


def test_a_failing_request_is_an_answer_with_its_errno(agent: AgentClient, arch: str) -> None:
    handle = agent.open("/dev/null")
    reply = agent.request(handle, 0xC0205681, data=b"in" * 10, out_size=24, cb_in=77, cb_out=2**31, fill=0x5A)
    assert (reply.result, reply.os_error, reply.returned) == (-1, errno.ENOTTY, wire.NOT_TOLD)
    assert reply.out == b"\x5a" * 24
    layout = "<QQQQ" if arch == "amd64" else "<IIII"
    in_at, cb_in, out_at, cb_out = struct.unpack(layout, reply.block)
    assert (cb_in, cb_out) == (77, 2**31)
    assert (in_at + 20) % PAGE == (out_at + 24) % PAGE == 0


def test_buffers_end_at_a_guard_page(agent: AgentClient, arch: str) -> None:
    handle = agent.open("/dev/null")
    reply = agent.request(handle, 1, data=b"0123456789", out_size=70_000)
    layout = "<QQQQ" if arch == "amd64" else "<IIII"
    in_at, _, _, _ = struct.unpack(layout, reply.block)
    assert agent.mem_read(in_at, 10) == b"0123456789"
    with refused(AgentStatus.OS_ERROR, errno.EFAULT):
        agent.mem_read(in_at, 11)
    assert len(reply.out) == 70_000


def test_absurd_lengths_reach_the_block_where_the_word_can_hold_them(agent: AgentClient, arch: str) -> None:
    handle = agent.open("/dev/null")
    if arch == "x86":
        with refused(AgentStatus.BAD_VALUE):
            agent.request(handle, 1, cb_in=2**63)
    else:
        assert struct.unpack("<QQQQ", agent.request(handle, 1, cb_in=2**63).block)[1] == 2**63


def test_pointers_of_the_caller_are_passed_as_they_are(agent: AgentClient, arch: str) -> None:
    handle = agent.open("/dev/null")
    flags = RequestFlag.IN_PTR | RequestFlag.OUT_PTR
    reply = agent.request(handle, 1, in_ptr=0xDEAD0000, out_ptr=1, flags=flags, data=b"unused", out_size=8)
    block = struct.unpack("<QQQQ" if arch == "amd64" else "<IIII", reply.block)
    assert block[::2] == (0xDEAD0000, 1)
    assert reply.out == b""


def test_no_request_is_overlapped_where_the_system_has_none(agent: AgentClient) -> None:
    with refused(AgentStatus.OS_ERROR, errno.ENOSYS):
        agent.open("/dev/null", OpenFlag.READ_WRITE | OpenFlag.OVERLAPPED)
    handle = agent.open("/dev/null")
    for flag in (RequestFlag.OVERLAPPED, RequestFlag.CANCEL):
        with refused(AgentStatus.UNSUPPORTED):
            agent.request(handle, 1, flags=flag)


def test_overlaid_buffers_are_one(agent: AgentClient, arch: str) -> None:
    handle = agent.open("/dev/null")
    flags = RequestFlag.OVERLAY | RequestFlag.RETURN_IN
    reply = agent.request(handle, 1, data=b"abc", out_size=6, fill=0x2E, flags=flags)
    block = struct.unpack("<QQQQ" if arch == "amd64" else "<IIII", reply.block)
    assert block[0] == block[2]
    assert (reply.out, reply.in_after) == (b"abc...", b"abc")


def test_the_block_is_the_argument_of_the_request(agent: AgentClient) -> None:
    """FIONREAD overwrites the first four bytes of what its argument points to: here, of the block."""
    master, slave = pty.openpty()
    try:
        handle = agent.open(os.ttyname(slave))
        termios.tcsetwinsize(slave, (24, 80))
        reply = agent.request(handle, termios.FIONREAD, flags=RequestFlag.IN_PTR, in_ptr=0x11223344)
        assert (reply.result, reply.os_error) == (0, 0)
        assert struct.unpack_from("<I", reply.block)[0] == 0
        reply = agent.request(handle, termios.TIOCGWINSZ)
        assert struct.unpack_from("<HH", reply.block) == (24, 80)
    finally:
        os.close(master)
        os.close(slave)


def test_a_request_without_an_argument_passes_none(agent: AgentClient) -> None:
    master, slave = pty.openpty()
    try:
        handle = agent.open(os.ttyname(slave))
        reply = agent.request(handle, termios.TIOCGWINSZ, flags=RequestFlag.NO_ARG)
        assert (reply.os_error, reply.block, reply.out) == (errno.EFAULT, b"", b"")
    finally:
        os.close(master)
        os.close(slave)


def test_ioctl_raw_passes_number_argument_and_errno_through(agent: AgentClient, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 1234)
    handle = agent.open(str(file))
    address = agent.mem_alloc(PAGE)
    assert agent.ioctl_raw(handle, termios.FIONREAD, address).result == 0
    assert read_number(agent, address) == 1234
    assert agent.ioctl_raw(handle, termios.FIONREAD, 1).os_error == errno.EFAULT
    assert agent.ioctl_raw(handle, 0xC0205681, 0).os_error == errno.ENOTTY
    with refused(AgentStatus.NO_HANDLE):
        agent.ioctl_raw(55, 0)


def test_a_number_with_its_top_bit_set_arrives_as_it_is(agent: AgentClient) -> None:
    """TIOCGPTN is 0x80045430: sign-extension or truncation would make it another request."""
    master, slave = pty.openpty()
    os.close(master)
    os.close(slave)
    handle = agent.open("/dev/ptmx")
    address = agent.mem_alloc(PAGE)
    agent.mem_write(address, b"\xff" * 4)
    assert agent.ioctl_raw(handle, 0x80045430, address) == wire.IoctlReply(0, 0)
    assert read_number(agent, address) >= 0
    reply = agent.request(handle, 0x80045430)
    assert (reply.result, reply.os_error) == (0, 0)


@pytest.mark.parametrize("size", [64 * 1024, 64 * 1024 + 1, 4 << 20])
def test_buffers_of_any_size_come_back_whole(agent: AgentClient, size: int) -> None:
    handle = agent.open("/dev/null")
    data = random.Random(size).randbytes(size)
    reply = agent.request(handle, 1, data=data, out_size=size, flags=RequestFlag.RETURN_IN)
    assert reply.in_after == data
    assert reply.out == b"\xcc" * size


def test_the_largest_buffer_works_and_a_larger_one_is_refused(agent: AgentClient) -> None:
    handle = agent.open("/dev/null")
    assert len(agent.request(handle, 1, out_size=wire.BUFFER_MAX).out) == wire.BUFFER_MAX
    with refused(AgentStatus.TOO_LONG):
        agent.request(handle, 1, out_size=wire.BUFFER_MAX + 1)


# Batches and loops.


def test_a_batch_answers_each_op_in_order(agent: AgentClient) -> None:
    replies = agent.batch(
        [
            (Op.PING, b"a"),
            (Op.OPEN, wire.text("/no/such/file") + bytes(4)),
            (Op.OPEN, wire.text("/dev/null") + bytes(4)),
            (Op.REQUEST, wire.pack_request(0, 5, out_size=4)),
            (0x7ABC, b""),
        ]
    )
    assert [r.status for r in replies] == [0, AgentStatus.OS_ERROR, 0, 0, AgentStatus.BAD_OP]
    assert replies[1].os_error == errno.ENOENT
    assert wire.parse_request(replies[3]).os_error == errno.ENOTTY


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1999])
def test_a_long_batch_is_answered_in_order_too(agent: AgentClient, count: int) -> None:
    wanted = [str(number).encode() for number in range(count)]
    assert [reply.body for reply in agent.batch([(Op.PING, text) for text in wanted])] == wanted


def test_a_long_batch_has_one_deadline(agent: AgentClient) -> None:
    begin = time.monotonic()
    with pytest.raises(GuestHang):
        agent.batch([(Op.SLEEP, (1).to_bytes(4, "little"))] * 2000, deadline=0.5)
    assert time.monotonic() - begin < 1.0


def test_a_batch_stops_at_an_error_if_asked(agent: AgentClient) -> None:
    replies = agent.batch([(Op.PING, b""), (0x7ABC, b""), (Op.PING, b"")], stop_on_error=True)
    assert [r.status for r in replies] == [0, AgentStatus.BAD_OP]


@pytest.mark.parametrize(
    "op", [Op.BATCH, Op.EXIT, Op.RESET, Op.HANDLE_SEND, Op.HANDLE_TAKE, Op.CLIENT_START, Op.CLIENT_KILL]
)
def test_ops_that_change_the_process_are_refused_in_a_batch(agent: AgentClient, op: Op) -> None:
    assert agent.batch([(op, bytes(4))])[0].status == AgentStatus.UNSUPPORTED


def test_a_batch_that_is_cut_short_executes_nothing(agent: AgentClient) -> None:
    payload = wire.pack_batch([(Op.OPEN, wire.text("/dev/null") + bytes(4)), (Op.PING, b"abc")])
    assert agent.call(Op.BATCH, payload[:-1]).status == AgentStatus.BAD_PAYLOAD
    assert agent.open("/dev/null") == 0


def test_replies_too_long_for_a_batch_are_refused_one_by_one(agent: AgentClient) -> None:
    size = 9 << 20
    address = agent.mem_alloc(size)
    read = (Op.MEM_READ, struct.pack("<QI", address, size))
    replies = agent.batch([read, read, (Op.PING, b"end")])
    assert [r.status for r in replies] == [0, AgentStatus.TOO_LONG, 0]
    assert replies[2].body == b"end"


@pytest.mark.parametrize("threads", [1, 4])
def test_a_loop_counts_and_times_every_thread(agent: AgentClient, threads: int) -> None:
    handle = agent.open("/dev/null")
    payload = wire.pack_request(handle, 0xC0205681, data=b"x" * 20, out_size=24)
    timing = agent.loop(Op.REQUEST, payload, count=2000, threads=threads)
    assert (timing.count, timing.failures, timing.first_error) == (
        2000 * threads,
        2000 * threads,
        errno.ENOTTY,
    )
    assert 0 < timing.min_ns <= timing.median_ns <= timing.p99_ns <= timing.max_ns
    assert timing.samples > 0
    assert timing.elapsed_ns > timing.max_ns


def test_a_loop_of_bare_ioctls_succeeds(agent: AgentClient, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    payload = wire.pack_ioctl_raw(agent.open(str(file)), termios.FIONREAD, agent.mem_alloc(PAGE))
    timing = agent.loop(Op.IOCTL_RAW, payload, count=1000, stride=10)
    assert (timing.count, timing.failures, timing.stride, timing.samples) == (1000, 0, 10, 100)


def test_a_loop_ends_at_its_time_limit(agent: AgentClient) -> None:
    payload = wire.pack_ioctl_raw(agent.open("/dev/null"), 1, 0)
    timing = agent.loop(Op.IOCTL_RAW, payload, count=0, limit_ms=50)
    assert timing.count > 0
    assert 50e6 <= timing.elapsed_ns < 5e9
    assert timing.samples <= 65536


def test_memory_comes_and_goes_while_a_loop_runs(agent: AgentClient) -> None:
    address = agent.mem_alloc(4 * PAGE)
    payload = wire.pack_request(agent.open("/dev/null"), 0)
    timing, rounds = agent.disturb(address, 4 * PAGE, payload, count=20_000)
    assert timing.count == timing.failures == 20_000
    assert rounds > 0
    with refused(AgentStatus.OS_ERROR, errno.EFAULT):
        agent.mem_read(address, 1)


def test_a_handle_is_closed_while_a_loop_uses_it(agent: AgentClient) -> None:
    handle = agent.open("/dev/null")
    payload = wire.pack_request(handle, 0)
    timing, tally = agent.close_during(handle, 2000, payload, threads=4, limit_ms=20_000)
    assert set(tally) == {errno.ENOTTY, errno.EBADF}
    assert tally[errno.EBADF] >= 4
    assert sum(tally.values()) == timing.failures == timing.count
    assert timing.first_error == errno.ENOTTY
    with refused(AgentStatus.NO_HANDLE):
        agent.close_handle(handle)


def device_steps(agent: AgentClient, *carries: wire.Carry) -> list[tuple[bytes, list[wire.Carry]]]:
    payload = wire.pack_request(agent.open("/dev/null"), 0, data=bytes(8), out_size=8)
    return [(payload, []), (payload, list(carries))]


def test_processes_are_killed_while_they_make_requests(agent: AgentClient, stream: ProcessStream) -> None:
    steps = device_steps(agent, wire.Carry(source=0, start=4, to=0, length=4))
    kills = agent.kills("/dev/null", steps, count=20, spread_us=500, repeat_from=1)
    assert kills.killed == 20
    assert kills.inside <= 20
    assert kills.begun >= 20
    assert kills.failures >= kills.begun - kills.inside
    assert children(stream.process.pid) == []


def test_a_process_without_a_device_is_not_killed(agent: AgentClient) -> None:
    kills = agent.kills("/nowhere", device_steps(agent), count=2, spread_us=0, repeat_from=0)
    assert (kills.killed, kills.begun) == (0, 0)


@pytest.mark.parametrize("carry", [(0, 5, 0, 4), (0, 0, 5, 4), (1, 0, 0, 1), (99, 0, 0, 1), (0, 2**32 - 1, 0, 2)])
def test_bytes_that_are_not_there_are_not_carried(agent: AgentClient, carry: tuple[int, int, int, int]) -> None:
    with refused(AgentStatus.BAD_VALUE):
        agent.kills("/dev/null", device_steps(agent, wire.Carry(*carry)), count=1, spread_us=0, repeat_from=0)


def test_a_loop_of_something_else_is_refused(agent: AgentClient) -> None:
    with refused(AgentStatus.UNSUPPORTED):
        agent.loop(Op.PING, b"abcd", count=1)
    with refused(AgentStatus.BAD_VALUE):
        agent.loop(Op.IOCTL_RAW, wire.pack_ioctl_raw(0, 0, 0), count=0)
    with refused(AgentStatus.NO_HANDLE):
        agent.loop(Op.IOCTL_RAW, wire.pack_ioctl_raw(9, 0, 0), count=1)


# Clients.


def test_the_agent_and_other_clients_answer_while_a_client_is_busy(agent: AgentClient) -> None:
    busy, idle = agent.client_start().id, agent.client_start().id
    call = agent.start(Op.SLEEP, struct.pack("<I", 60_000), client=busy)
    assert agent.ping(b"0") == b"0"
    assert agent.ping(b"1", client=idle) == b"1"
    assert not call.done
    assert agent.call(Op.PING, client=busy).status == AgentStatus.CLIENT_BUSY
    with pytest.raises(GuestHang, match=r"SLEEP \(client 1\)"):
        call.result(0.01)
    assert agent.client_kill(busy) == KILLED
    with pytest.raises(ClientDiedError) as caught:
        call.result().check()
    assert caught.value.exit == KILLED


def test_a_client_that_dies_by_itself_is_reported_and_reaped(agent: AgentClient, stream: ProcessStream) -> None:
    client = agent.client_start()
    call = agent.start(Op.SLEEP, struct.pack("<I", 60_000), client=client.id)
    os.kill(client.pid, signal.SIGTERM)
    with pytest.raises(ClientDiedError) as caught:
        call.result(5).check()
    assert caught.value.exit == ClientExit(by_signal=True, code=signal.SIGTERM)
    assert agent.call(Op.PING, client=client.id).status == AgentStatus.CLIENT_DIED
    assert children(stream.process.pid) == []
    assert agent.client_kill(client.id) == ClientExit(by_signal=True, code=signal.SIGTERM)
    assert agent.call(Op.PING, client=client.id).status == AgentStatus.NO_CLIENT


def test_an_idle_client_that_dies_leaves_no_zombie(agent: AgentClient, stream: ProcessStream) -> None:
    client = agent.client_start()
    os.kill(client.pid, signal.SIGKILL)
    wait_for(lambda: children(stream.process.pid) == [], "the agent reaps the client")


def test_a_client_exits_when_told_to(agent: AgentClient) -> None:
    client = agent.client_start().id
    agent.exit(client=client)
    wait_for(lambda: agent.call(Op.PING, client=client).status == AgentStatus.CLIENT_DIED, "the client is dead")
    assert agent.client_kill(client) == ClientExit(by_signal=False, code=0)


def test_clients_die_with_the_agent(agent: AgentClient, stream: ProcessStream) -> None:
    idle, busy = agent.client_start(), agent.client_start()
    agent.start(Op.SLEEP, struct.pack("<I", 60_000), client=busy.id)
    stream.process.kill()
    wait_for(lambda: is_gone(idle.pid) and is_gone(busy.pid), "both clients are dead")


def test_a_frame_for_nobody_is_no_client(agent: AgentClient) -> None:
    assert agent.call(Op.PING, client=42).status == AgentStatus.NO_CLIENT
    with refused(AgentStatus.NO_CLIENT):
        agent.client_kill(42)


def test_a_client_has_no_clients(agent: AgentClient) -> None:
    client = agent.client_start().id
    assert agent.call(Op.CLIENT_START, bytes(6), client=client).status == AgentStatus.UNSUPPORTED


def test_sixty_four_clients_answer_at_once(agent: AgentClient) -> None:
    clients = [agent.client_start().id for _ in range(64)]
    calls = [agent.start(Op.PING, bytes([n]), client=c) for n, c in enumerate(clients)]
    assert [c.result().body for c in calls] == [bytes([n]) for n in range(64)]
    assert agent.reset().clients == 64


def test_clients_are_refused_when_the_table_is_full_and_welcome_after_a_death(agent: AgentClient) -> None:
    clients = [agent.client_start().id for _ in range(128)]
    with refused(AgentStatus.TABLE_FULL):
        agent.client_start()
    agent.client_kill(clients[5])
    assert agent.client_start().id == 129


def test_large_frames_pass_through_a_client(agent: AgentClient) -> None:
    client = agent.client_start().id
    data = random.Random(3).randbytes(5 << 20)
    call = agent.start(Op.PING, data, client=client)
    assert agent.ping(b"meanwhile") == b"meanwhile"
    assert call.result().body == data


def test_a_stopped_client_does_not_stop_the_agent(agent: AgentClient) -> None:
    client = agent.client_start()
    os.kill(client.pid, signal.SIGSTOP)
    call = agent.start(Op.PING, bytes(8 << 20), client=client.id)
    assert agent.ping(b"0") == b"0"
    os.kill(client.pid, signal.SIGCONT)
    assert len(call.result().body) == 8 << 20


def test_a_plain_client_starts_empty_and_an_heir_keeps_handles_and_memory(agent: AgentClient) -> None:
    handle = agent.open("/dev/null")
    # Far from where the system puts things: what a plain client gave up must not be in use again.
    address = agent.mem_alloc(PAGE, flags=MemFlag.SHARED | MemFlag.FIXED, hint=0x3000_0000)
    agent.mem_write(address, b"from client 0")
    plain = agent.client_start().id
    heir = agent.client_start(inherit=True).id
    with refused(AgentStatus.NO_HANDLE):
        agent.ioctl_raw(handle, 1, client=plain)
    with refused(AgentStatus.OS_ERROR, errno.EFAULT):
        agent.mem_read(address, 1, client=plain)
    assert agent.ioctl_raw(handle, 1, client=heir).os_error == errno.ENOTTY
    assert agent.mem_read(address, 13, client=heir) == b"from client 0"
    agent.mem_write(address, b"FROM", client=heir)
    assert agent.mem_read(address, 13) == b"FROM client 0"


def test_a_client_holds_nothing_of_the_agent_open(agent: AgentClient) -> None:
    first = agent.client_start()
    agent.open("/dev/zero")
    second = agent.client_start()
    sockets = [p for p in Path(f"/proc/{second.pid}/fd").iterdir() if "socket" in str(p.readlink())]
    targets = {str(p.readlink()) for p in Path(f"/proc/{second.pid}/fd").iterdir()}
    assert len(sockets) == 1
    assert "/dev/zero" not in targets
    assert not any("pipe" in t for t in targets if t != str(Path(f"/proc/{second.pid}/fd/2").readlink()))
    assert agent.client_kill(first.id) == KILLED


def test_a_client_can_be_the_agent_of_the_other_word_size(
    agent: AgentClient, arch: str, binaries: dict[str, Path]
) -> None:
    other = "x86" if arch == "amd64" else "amd64"
    if not binaries[other].exists():
        pytest.skip(f"AGENT_DIR has no agent for {other}")
    client = agent.client_start(str(binaries[other]))
    hello = agent.hello(client=client.id)
    assert (hello.arch, hello.pid) == (other, client.pid)
    handle = agent.open("/dev/null")
    sent = agent.handle_send(handle, client.id)
    assert len(agent.request(sent, 1, client=client.id).block) == 4 * WORD[other]


def test_a_program_that_cannot_run_is_refused_with_its_errno(agent: AgentClient, stream: ProcessStream) -> None:
    with refused(AgentStatus.OS_ERROR, errno.ENOENT):
        agent.client_start("/no/such/program")
    with refused(AgentStatus.OS_ERROR, errno.EACCES):
        agent.client_start("/etc/passwd")
    assert children(stream.process.pid) == []


def test_a_program_that_is_no_agent_is_a_dead_client(agent: AgentClient, stream: ProcessStream) -> None:
    with refused(AgentStatus.CLIENT_DIED):
        agent.client_start("/bin/true")
    with refused(AgentStatus.CLIENT_DIED):
        agent.client_start("/bin/echo")
    assert children(stream.process.pid) == []


def test_a_handle_sent_to_a_client_is_the_same_open_file(agent: AgentClient, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"123")
    client = agent.client_start()
    handle = agent.open(str(file))
    sent = agent.handle_send(handle, client.id)
    agent.close_handle(handle)
    address = agent.mem_alloc(PAGE, client=client.id)
    assert agent.ioctl_raw(sent, termios.FIONREAD, address, client=client.id).result == 0
    assert struct.unpack("<i", agent.mem_read(address, 4, client=client.id)) == (3,)


def test_a_handle_is_not_sent_to_a_busy_dead_or_missing_client(agent: AgentClient) -> None:
    handle = agent.open("/dev/null")
    client = agent.client_start()
    with refused(AgentStatus.NO_CLIENT):
        agent.handle_send(handle, 99)
    with refused(AgentStatus.NO_HANDLE):
        agent.handle_send(handle + 1, client.id)
    agent.start(Op.SLEEP, struct.pack("<I", 60_000), client=client.id)
    with refused(AgentStatus.CLIENT_BUSY):
        agent.handle_send(handle, client.id)
    os.kill(client.pid, signal.SIGKILL)
    wait_for(lambda: is_gone(client.pid), "the client is dead")
    wait_for(lambda: agent.call(Op.PING, client=client.id).status == AgentStatus.CLIENT_DIED, "and noticed")
    with refused(AgentStatus.CLIENT_DIED):
        agent.handle_send(handle, client.id)


# Ports.


class PortStream:
    """The host's end of a pty."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._fd, data) :]

    def recv(self, limit: int, timeout: float) -> bytes:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                return os.read(self._fd, limit)
            except OSError as error:
                if error.errno not in {errno.EAGAIN, errno.EIO}:  # EIO: the agent has not opened its end yet
                    raise
            time.sleep(0.001)
        raise TimeoutError

    def close(self) -> None:
        pass


def open_port(link: Path) -> int:
    """A raw pty whose other end the link names from now on; the host's end."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    fcntl.fcntl(master, fcntl.F_SETFL, os.O_NONBLOCK)
    fresh = link.with_suffix(".new")
    fresh.symlink_to(os.ttyname(slave))
    fresh.rename(link)
    os.close(slave)
    return master


def test_a_port_survives_its_peer_and_keeps_the_clients(program: Path, tmp_path: Path) -> None:
    link = tmp_path / "port"
    process = subprocess.Popen([program, "--port", link])
    try:
        master = open_port(link)
        agent = AgentClient(PortStream(master), deadline=10, resync=True)
        data = bytes(range(256)) * 20
        assert agent.ping(data) == data
        client = agent.client_start().id
        agent.close()
        os.write(master, wire.encode(Frame(1, Op.PING, 0, bytes(100)))[:50])
        os.close(master)

        master = open_port(link)
        agent = AgentClient(PortStream(master), deadline=10, resync=True)
        assert agent.ping(b"again") == b"again"
        assert agent.ping(b"client", client=client) == b"client"
        assert process.poll() is None
        agent.close()
        os.close(master)
    finally:
        process.kill()
        process.wait()


def test_an_agent_waits_for_its_port_to_appear(program: Path, tmp_path: Path) -> None:
    link = tmp_path / "port"
    process = subprocess.Popen([program, "--port", link])
    try:
        time.sleep(0.1)
        assert process.poll() is None
        master = open_port(link)
        agent = AgentClient(PortStream(master), deadline=10)
        assert agent.hello().pid == process.pid
        agent.exit()
        assert process.wait(timeout=5) == 0
        agent.close()
        os.close(master)
    finally:
        process.kill()
        process.wait()


def test_a_life_ends_with_a_kill(agent: AgentClient) -> None:
    """A terminal tells its size as often as one likes."""
    master, slave = pty.openpty()
    try:
        path, client = os.ttyname(slave), agent.client_start().id
        step = wire.pack_request(agent.open(path, client=client), termios.TIOCGWINSZ)
        living = agent.live(path, [(step, [])], repeat_from=0, failures=3, client=client)
        agent.sleep(5)
        assert not living.done
        assert agent.client_kill(client).by_signal
        with pytest.raises(ClientDiedError):
            living.result().check()
    finally:
        os.close(master)
        os.close(slave)


def test_a_life_ends_with_a_step_that_fails(agent: AgentClient) -> None:
    client = agent.client_start().id
    step = wire.pack_request(agent.open("/dev/null", client=client), 1)
    reply = agent.live("/dev/null", [(step, [])], repeat_from=0, failures=3, client=client).result()
    assert (reply.status, reply.os_error) == (AgentStatus.OS_ERROR, errno.ENOTTY)
    assert agent.ping(b"here", client=client) == b"here"


def test_there_is_no_life_without_a_device(agent: AgentClient) -> None:
    client = agent.client_start().id
    step = wire.pack_request(agent.open("/dev/null", client=client), 1)
    reply = agent.live("/nowhere", [(step, [])], repeat_from=0, failures=3, client=client).result()
    assert (reply.status, reply.os_error) == (AgentStatus.OS_ERROR, errno.ENOENT)
