"""Cells: what there is to run, as values.

A cell is guest x driver build x client word size. Nothing here touches a machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.config import Guest
from harness.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the matrix.

    `id` is unique (`linux-compat`); `client` is the word size of the client program (`amd64` or `x86`);
    `driver` names the build of the driver (`release`, or `faults` for the test-only one). A cell `on_request`
    runs only where it is named.
    """

    id: str
    guest: Guest
    client: str
    driver: str
    required: bool
    on_request: bool = False

    @property
    def os(self) -> str:
        return self.guest.os

    @property
    def arch(self) -> str:
        """Architecture of the kernel and of the driver."""
        return self.guest.arch

    @property
    def compat(self) -> bool:
        """Whether a 32-bit client meets a 64-bit kernel."""
        return self.client != self.guest.arch

    @property
    def markers(self) -> tuple[str, ...]:
        """The pytest markers that select this cell with `-m`."""
        return (self.os, self.arch, *(("compat",) if self.compat else ()))

    def missing(self, capability: str) -> str | None:
        """The reason why the guest lacks `capability`, or None if it has it."""
        return self.guest.missing.get(capability)

    def stand_in(self, capability: str) -> str | None:
        """What stands in for `capability` in the guest, or None if it is the real thing."""
        return self.guest.emulated.get(capability)


def cells(guests: Iterable[Guest], driver: str = "release") -> list[Cell]:
    """Every cell of `guests` with the driver build `driver`, in the order of the definitions."""
    return [
        Cell(
            id=cell_id,
            guest=guest,
            client=definition.client,
            driver=driver,
            required=definition.required,
            on_request=definition.on_request,
        )
        for guest in guests
        for cell_id, definition in guest.cells.items()
    ]


def select(available: Sequence[Cell], wanted: Sequence[str], *, also: Sequence[str] = ()) -> list[Cell]:
    """The cells named in `wanted`, or if it is empty all but those on request; and those named in `also`.
    Raises ConfigError for an unknown name."""
    known = {cell.id: cell for cell in available}
    for name in (*wanted, *also):
        if name not in known:
            raise ConfigError(f"no cell {name!r}", hint=f"cells: {', '.join(known)}")
    chosen = wanted or [cell.id for cell in available if not cell.on_request]
    return [cell for cell in available if cell.id in chosen or cell.id in also]
