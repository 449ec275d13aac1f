"""Runs a command and reaps whatever is orphaned below it. A program by itself: `python reaper.py COMMAND...`.

A guest's process is nobody's child once libvirt has started it, so the first process of the machine has to reap it.
In a container that may be anything, which reaps late or never, and libvirt waits for it.
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_CHILD_SUBREAPER = 36


def main() -> int:
    """Stay until nothing is left to reap; the exit status is the command's."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
    os.chdir("/")
    command = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
    result = 0
    while True:
        try:
            process, status = os.wait()
        except ChildProcessError:
            return result
        if process == command:
            result = os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
