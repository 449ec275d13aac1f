"""Which xdist worker runs what."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

from harness.plugin.options import CELLS
from harness.plugin.selection import cell_of


class CellScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """A cell's tests stay together on one worker, which owns the cell's guest; other tests stay with their file."""

    def _split_scope(self, nodeid: str) -> str:
        return cell_of(nodeid, self.config.stash[CELLS]) or nodeid.partition("::")[0]
