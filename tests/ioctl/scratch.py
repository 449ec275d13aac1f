"""Memory in the kernel that tests read and write, for drivers whose images run."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from images import Image, call_vmmr0, run_program

from harness.abi import PAGE_SIZE, Status
from harness.session.driver_session import DriverSession

INITS, TERMS, INIT_RESULT, INIT_WAITS, ENTRY_WAITS, INSIDE, CALLS_OUT_OF_LIFE = range(7)
"""Words of `tests/images/counting.c`; it tells them, too, as operations of these numbers."""
WAIT = 100
_PEEK = 101
_WORD_BYTES = 4
_numbers = count()


@dataclass(frozen=True, slots=True)
class Scratch:
    """The memory of an image that is open and never loaded: zeroed, writable, and its address is known.

    No request tells or changes what is in it, but programs do. Reading registers one as VMMR0 image for a moment, so
    no other may be registered then; writing does not.
    """

    session: DriverSession
    arch: str
    image: Image

    @classmethod
    def open(cls, session: DriverSession, arch: str) -> Scratch:
        """A page of it, as long as `session` is open."""
        return cls(session, arch, Image.open(session, f"scratch {next(_numbers)}", PAGE_SIZE))

    @property
    def base(self) -> int:
        return self.image.base

    def keep(self, session: DriverSession) -> DriverSession:
        """The same session. It keeps the memory for as long as it is open: for programs that it will keep alive."""
        self.image.again(session)
        return session

    def __setitem__(self, word: int, value: int) -> None:
        """Write the 32-bit word of that number."""
        imports = {"target": self.base + word * _WORD_BYTES, "value": value % (1 << 32)}
        poking = run_program(self.session, self.arch, "poking", imports, entry=False)
        assert poking.free() == Status.OK

    def __getitem__(self, word: int) -> int:
        """The 32-bit word of that number, as a signed one."""
        peeking = run_program(self.session, self.arch, "operations")
        value = call_vmmr0(self.session, _PEEK, vm=self.base + word * _WORD_BYTES)
        assert peeking.free() == Status.OK
        return value
