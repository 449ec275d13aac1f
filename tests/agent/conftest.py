"""The real agent, in both word sizes, as a process of this host. No driver is involved."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.transport.agent import AgentClient
from harness.transport.streams import ProcessStream
from tests.agent.host_process import WORD

ROOT = Path(__file__).resolve().parents[2]


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
