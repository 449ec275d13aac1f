"""An open device: requests with any number, any sizes and any pointers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from harness.abi import Abi
from harness.session.outcome import Outcome
from harness.targets import Refusal, Target
from harness.transport.agent import AgentClient
from harness.transport.wire import RequestFlag, RequestReply

FILL = 0xA5
"""What output buffers are filled with before a request, so that a test sees which bytes were written."""


class Process(Protocol):
    """The process that has the device open."""

    agent: AgentClient
    target: Target
    number: int
    abi: Abi


@dataclass(frozen=True, slots=True)
class Reply:
    """How a request ended and what it left.

    `out` is the whole output buffer, `block` the argument block as it was after the call (empty on systems
    without one), `result` the raw return value.
    """

    outcome: Outcome
    result: int
    out: bytes
    block: bytes
    raw: RequestReply

    @property
    def untouched(self) -> bool:
        """Whether the output buffer is as it was before the request."""
        return self.out == bytes([FILL]) * len(self.out)


class Device:
    """One open handle of the device in one process."""

    def __init__(self, process: Process, handle: int, *, note: Callable[[str], None], twin: Device | None) -> None:
        self.process = process
        self.handle = handle
        self.twin = twin
        self._note = note

    @property
    def abi(self) -> Abi:
        return self.process.abi

    def request(
        self,
        number: int,
        data: bytes = b"",
        *,
        out_size: int = 0,
        cb_in: int | None = None,
        cb_out: int | None = None,
        in_pointer: int | None = None,
        out_pointer: int | None = None,
        overlay: bool = False,
        name: str = "",
        twin_data: bytes | None = None,
        flags: RequestFlag = RequestFlag.NONE,
    ) -> Reply:
        """Make a request in the system's normal form.

        `data` is the input; `out_size` the real size of the output buffer in bytes. `cb_in` and `cb_out` are
        the lengths to claim, the real ones if None. The pointers replace the agent's own buffers. `overlay`
        lets input and output share one buffer. `name` is for messages; `twin_data` is what the 32-bit twin of
        a compat cell sends, if its layout differs. `flags` are further ones of the agent's.
        """
        if self.twin is not None:
            self.twin._must_be_refused(number, data if twin_data is None else twin_data, out_size, name)
        self._note(_describe(name, number, len(data), out_size, cb_in, cb_out, in_pointer, out_pointer))
        flags |= RequestFlag.OVERLAY if overlay else RequestFlag.NONE
        flags |= RequestFlag.NONE if in_pointer is None else RequestFlag.IN_PTR
        flags |= RequestFlag.NONE if out_pointer is None else RequestFlag.OUT_PTR
        reply = self.process.agent.request(
            self.handle,
            number,
            data=data,
            out_size=out_size,
            cb_in=cb_in,
            cb_out=cb_out,
            in_ptr=in_pointer or 0,
            out_ptr=out_pointer or 0,
            fill=FILL,
            flags=flags,
            client=self.process.number,
        )
        return self._reply(reply)

    def fast(self, number: int, *, name: str = "") -> RequestReply:
        """Make a fast request: no argument at all."""
        if self.twin is not None:
            self.twin._must_refuse_fast(number, name)
        self._note(f"{name or 'request'} ({number:#010x}), fast")
        return self.process.agent.request(self.handle, number, flags=RequestFlag.NO_ARG, client=self.process.number)

    def raw(self, number: int, argument: int) -> Outcome:
        """Call the system's ioctl with exactly this number and argument."""
        if self.twin is not None:
            refused = self.twin.raw(number & 0xFFFFFFFF, argument & 0xFFFFFFFF)
            assert refused == Refusal.NARROW_ADDRESS, f"the 32-bit client was not refused: {refused}"
        self._note(f"ioctl({number:#x}, {argument:#x})")
        reply = self.process.agent.ioctl_raw(self.handle, number, argument, client=self.process.number)
        return self._outcome(reply.os_error)

    def close(self) -> None:
        """Close the handle, the twin's too. This one is the last: only a close in the process that a mapping was
        made for can unmap it there."""
        if self.twin is not None:
            self.twin.close()
        self.process.agent.close_handle(self.handle, client=self.process.number)

    def _outcome(self, code: int) -> Outcome:
        return Outcome(code=code, abi=self.abi, target=self.process.target)

    def _reply(self, reply: RequestReply) -> Reply:
        return Reply(
            outcome=self._outcome(reply.os_error),
            result=reply.result,
            out=reply.out,
            block=reply.block,
            raw=reply,
        )

    def _must_be_refused(self, native_number: int, data: bytes, out_size: int, name: str) -> None:
        reply = self.request(self._own_number(native_number, name), data, out_size=out_size, name=f"{name} by 32-bit")
        assert reply.outcome == Refusal.WRONG_WORD_SIZE, f"{name} by a 32-bit client: {reply.outcome}"
        assert reply.untouched, f"{name} by a 32-bit client wrote to its output: {reply.out.hex()}"

    def _must_refuse_fast(self, native_number: int, name: str) -> None:
        reply = self.fast(self._own_number(native_number, name), name=f"{name} by 32-bit")
        outcome = self._outcome(reply.os_error)
        assert outcome == Refusal.WRONG_WORD_SIZE, f"{name} by a 32-bit client: {outcome}"

    def _own_number(self, number: int, name: str) -> int:
        known = self.abi.requests.get(name)
        return known.number if known is not None and known.number is not None else number


def _describe(
    name: str,
    number: int,
    data: int,
    out_size: int,
    cb_in: int | None,
    cb_out: int | None,
    in_pointer: int | None,
    out_pointer: int | None,
) -> str:
    text = f"{name or 'request'} ({number:#010x}), input {data} bytes, output {out_size} bytes"
    for label, value in (("cbIn", cb_in), ("cbOut", cb_out), ("pvIn", in_pointer), ("pvOut", out_pointer)):
        if value is not None:
            text += f", {label} {value:#x}"
    return text
