"""Handles and files."""

from __future__ import annotations

import errno
import time
from pathlib import Path

import pytest

from harness.transport.agent import AgentClient
from harness.transport.wire import AgentOpError, AgentStatus, FileFacts, FileFlag, OpenFlag
from tests.agent.host_process import refused


def test_handles_are_small_stable_numbers(agent: AgentClient) -> None:
    assert [agent.open("/dev/null") for _ in range(3)] == [0, 1, 2]
    agent.close_handle(1)
    assert agent.dup(2) == 1
    with refused(AgentStatus.NO_HANDLE):
        agent.close_handle(77)


def test_open_tells_the_errno_and_obeys_its_flags(agent: AgentClient, tmp_path: Path) -> None:
    with refused(AgentStatus.OS_ERROR, errno.ENOENT):
        agent.open("/no/such/file")
    with refused(AgentStatus.OS_ERROR, errno.EISDIR):
        agent.open(str(tmp_path))
    assert agent.open(str(tmp_path), OpenFlag.READ) == 0
    with refused(AgentStatus.BAD_VALUE):
        agent.open("/dev/null", OpenFlag(16))


def test_a_directory_is_listed(agent: AgentClient, tmp_path: Path) -> None:
    for name in ("b", ".hidden", "a name"):
        (tmp_path / name).touch()
    assert sorted(agent.file_list(str(tmp_path))) == [".hidden", "a name", "b"]
    with pytest.raises(AgentOpError) as refused:
        agent.file_list(str(tmp_path / "b"))
    assert refused.value.os_error == errno.ENOTDIR


def test_what_a_file_is_is_told(agent: AgentClient, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    path.chmod(0o640)
    known = path.stat()
    assert agent.file_stat(str(path)) == FileFacts(known.st_mode, known.st_uid, known.st_gid, 5)
    with pytest.raises(AgentOpError) as refused:
        agent.file_stat(str(tmp_path / "other"))
    assert refused.value.os_error == errno.ENOENT


def test_the_time_of_day_is_told(agent: AgentClient) -> None:
    before = time.time_ns()
    assert before <= agent.clock() <= time.time_ns()


def test_files_are_written_and_read(agent: AgentClient, tmp_path: Path) -> None:
    path = str(tmp_path / "file")
    assert agent.file_write(path, b"hello world", flags=FileFlag.CREATE, mode=0o600) == 11
    assert agent.file_write(path, b"W", offset=6) == 1
    assert agent.file_read(path) == b"hello World"
    assert agent.file_read(path, 3, offset=4) == b"o W"
    assert agent.file_read("/proc/self/comm").startswith(b"agent-linux")
    with refused(AgentStatus.OS_ERROR, errno.ENOENT):
        agent.file_read("/no/such/file")


def test_a_driver_that_is_not_there_is_not_loaded(agent: AgentClient) -> None:
    assert agent.driver_status("no_such_driver").loaded is False
    with refused(AgentStatus.OS_ERROR, errno.ENOENT):
        agent.driver_load("/no/such/driver.ko", "a=1")
    with refused(AgentStatus.BAD_VALUE):
        agent.driver_status("../../etc")
