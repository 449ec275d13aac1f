"""A process in the guest from which a test makes its requests.

In a cell of one word size that is the agent itself, or a child of it. In a compat cell it is a native 64-bit
process, and every request is first made by its *twin*: the cell's 32-bit client, on the same open file, in its
own layout. The twin must be refused with nothing written anywhere; that the refusal has no side effect either is
what the native request then shows, since the test expects of it just what it expects in a native cell.
"""

from __future__ import annotations

from typing import Protocol

from harness.abi import Abi, load_abi
from harness.matrix import Cell
from harness.session.device import Device
from harness.session.driver_session import DriverSession, greet
from harness.targets import Target
from harness.transport.agent import AgentClient
from harness.transport.wire import ClientInfo, MemFlag, OpenFlag, Prot

_AGENT_ITSELF = 0


class Surroundings(Protocol):
    """What a client needs to know of the cell it lives in."""

    agent_pid: int
    cell: Cell
    target: Target

    @property
    def agent(self) -> AgentClient: ...

    def agent_path(self, arch: str) -> str: ...

    def native_client(self) -> ClientInfo: ...

    def note(self, request: str) -> None: ...


class Client:
    """One process in the guest; `number` is the agent's number for it, 0 for the agent itself, `pid` its id."""

    def __init__(self, around: Surroundings, *, number: int, pid: int, abi: Abi, twin: Client | None) -> None:
        self.agent = around.agent
        self.target = around.target
        self.number = number
        self.pid = pid
        self.abi = abi
        self.twin = twin
        self._around = around

    @classmethod
    def first(cls, around: Surroundings) -> Client:
        """The process that a test's own requests come from."""
        cell = around.cell
        own = cls(
            around,
            number=_AGENT_ITSELF,
            pid=around.agent_pid,
            abi=load_abi(around.target.abi_name(cell.client)),
            twin=None,
        )
        if not cell.compat:
            return own
        native = around.native_client()
        return cls(
            around,
            number=native.id,
            pid=native.pid,
            abi=load_abi(around.target.abi_name(cell.arch)),
            twin=own,
        )

    def open(self, *, read: bool = True, write: bool = True) -> Device:
        """Open the device. In a compat cell one process opens it and the other gets it passed: the 32-bit client is the
        first, unless the driver answers the opener only. Where it does, the system too looks at how a handle was
        opened, and one that is not for writing says nothing of the driver: then there is no twin."""
        path = self.target.device
        flags = (OpenFlag.READ if read else OpenFlag(0)) | (OpenFlag.WRITE if write else OpenFlag(0))
        if self.twin is None or (self.target.opener_only and not write):
            handle = self.agent.open(path, flags, client=self.number)
            return Device(self, handle, note=self._note, twin=None)
        if self.target.opener_only:
            handle = self.agent.open(path, flags, client=self.number)
            twin_handle = self.agent.handle_take(handle, self.number)
        else:
            twin_handle = self.agent.open(path, flags, client=self.twin.number)
            handle = self.agent.handle_send(twin_handle, self.number)
        twin = Device(self.twin, twin_handle, note=self._note, twin=None)
        return Device(self, handle, note=self._note, twin=twin)

    def open_session(self) -> DriverSession:
        """Open the device and greet the driver; raises AssertionError if it does not answer as it should."""
        return greet(self.open())

    def start_child(self, *, inherit: bool = False) -> Client:
        """Another process of the same word size; `inherit` lets it have what the agent has open."""
        program = "" if self.twin is None else self._around.agent_path(self._around.cell.arch)
        child = self.agent.client_start(program, inherit=inherit)
        return Client(self._around, number=child.id, pid=child.pid, abi=self.abi, twin=self.twin)

    def kill(self) -> None:
        """Kill the process at once, in the middle of whatever it does."""
        self.agent.client_kill(self.number)

    def exec(self) -> None:
        """Let the process go on as its own program anew: with what it has open, without its memory."""
        self.agent.exec(client=self.number)

    def trap(self, page: int, address: int, data: bytes) -> None:
        """Whoever first touches `page`, a request too, waits until another thread has written `data` to `address`."""
        self.agent.mem_trap(page, address, data, client=self.number)

    def untrap(self) -> bool:
        """End the trap; whether its page was touched."""
        return self.agent.mem_untrap(client=self.number)

    def alloc(self, size: int, *, read: bool = True, write: bool = True, execute: bool = False) -> int:
        """New memory in the process, zeroed; returns its address. A page that faults lies behind it."""
        return self.agent.mem_alloc(
            size, prot=_protection(read, write, execute), flags=MemFlag.GUARD, client=self.number
        )

    def alloc_at(self, address: int, size: int) -> None:
        """New memory at `address`, where nothing must be; no page that faults is behind it."""
        self.agent.mem_alloc(size, flags=MemFlag.FIXED, hint=address, client=self.number)

    def free(self, address: int, size: int) -> None:
        """Unmap a range of the process."""
        self.agent.mem_free(address, size, client=self.number)

    def protect(self, address: int, size: int, *, read: bool, write: bool, execute: bool = False) -> None:
        """Change the protection of a range."""
        self.agent.mem_protect(address, size, prot=_protection(read, write, execute), client=self.number)

    def read(self, address: int, size: int) -> bytes:
        """`size` bytes of the process's memory."""
        return self.agent.mem_read(address, size, client=self.number)

    def write(self, address: int, data: bytes) -> None:
        """Write into the process's memory."""
        self.agent.mem_write(address, data, client=self.number)

    def _note(self, text: str) -> None:
        self._around.note(text)


def _protection(read: bool, write: bool, execute: bool) -> Prot:
    chosen = Prot(0)
    for wanted, flag in ((read, Prot.READ), (write, Prot.WRITE), (execute, Prot.EXEC)):
        chosen |= flag if wanted else Prot(0)
    return chosen
