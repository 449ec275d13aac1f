"""The peers' own Python packages, in an environment of their own in the cache."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from harness.events import Progress, stage
from harness.images import host_tool
from tools.core_programs import ROOT
from tools.peers.bench import peers_dir

LOCK = ROOT / "requirements/peers.lock"


def ensure_packages(progress: Progress) -> Path:
    """The `bin` directory of an environment with the packages of `requirements/peers.lock`. Raises SetupError."""
    home = peers_dir() / "venv"
    stamp, wanted = home / ".stamp", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        with stage(progress, f"install virtme-ng and pytest-testinfra into {home}"):
            uv, what = str(Path(sys.executable).with_name("uv")), "cannot install the peers' packages"
            host_tool.run([uv, "venv", "-q", "--clear", "--python", sys.executable, str(home)], what=what)
            python = str(home / "bin" / "python")
            install = [uv, "pip", "install", "-q", "--python", python, "--require-hashes", "-r", str(LOCK)]
            host_tool.run(install, what=what, hint="check the network")
            stamp.write_text(wanted)
    return home / "bin"
