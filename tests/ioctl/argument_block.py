"""An argument block that a test places itself."""

from __future__ import annotations

from dataclasses import dataclass

from harness.session.client import Client


@dataclass(frozen=True, slots=True)
class ArgumentBlock:
    """A SUPDRVIOCTLDATA in the memory of `client`: where it lies and what was written there."""

    client: Client
    address: int
    data: bytes

    @classmethod
    def place(
        cls,
        client: Client,
        *,
        pv_in: int,
        cb_in: int,
        pv_out: int = 0,
        cb_out: int = 0,
        at: int | None = None,
    ) -> ArgumentBlock:
        """Write a block at `at`, or into new memory."""
        layout = client.abi.layout("SUPDRVIOCTLDATA")
        data = layout.pack(pvIn=pv_in, cbIn=cb_in, pvOut=pv_out, cbOut=cb_out)
        address = client.alloc(layout.size) if at is None else at
        client.write(address, data)
        return cls(client=client, address=address, data=data)

    @property
    def unchanged(self) -> bool:
        """Whether it is as the test wrote it."""
        return self.client.read(self.address, len(self.data)) == self.data


def place_bytes(client: Client, data: bytes, *, room: int = 0) -> int:
    """The address of `data` in new memory of the process, with `room` bytes at least."""
    address = client.alloc(max(len(data), room, 1))
    client.write(address, data)
    return address
