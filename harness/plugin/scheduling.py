"""Which xdist worker runs what."""

from __future__ import annotations

from collections.abc import Sequence

from xdist.scheduler import LoadScopeScheduling

from harness.plugin.options import CELLS
from harness.plugin.selection import cell_of

_PARTS_A_WORKER = 20
"""How finely a cell is divided if it is the only one: so that no worker waits long for the last part."""


class CellScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """A cell's tests stay together on one worker, which owns the cell's guest; other tests stay with their file.

    If there is one cell only, each worker has a guest of it, and they share the cell's tests in parts of neighbours:
    neighbours have the driver's options in common.
    """

    def schedule(self) -> None:
        self._parts = self._divide()
        super().schedule()

    def _divide(self) -> dict[str, str]:
        """The part that each test is in, if its cell is divided."""
        cells = self.config.stash[CELLS]
        if len(cells) != 1 or not self.registered_collections:
            return {}
        collection = next(iter(self.registered_collections.values()))
        tests = [node for node in collection if cell_of(node, cells)]
        return {node: f"part {number}" for number, part in enumerate(self._chunks(tests)) for node in part}

    def _chunks(self, tests: Sequence[str]) -> list[Sequence[str]]:
        size = -(-len(tests) // (_PARTS_A_WORKER * self.numnodes)) or 1
        return [tests[start : start + size] for start in range(0, len(tests), size)]

    def _split_scope(self, nodeid: str) -> str:
        divided = self._parts.get(nodeid)
        return divided or cell_of(nodeid, self.config.stash[CELLS]) or nodeid.partition("::")[0]
