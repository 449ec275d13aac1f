"""What the controller does on FreeBSD, with a stand-in for the agent."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from harness.abi import Status, load_abi
from harness.errors import CapabilityMissing, DriverLoadError
from harness.images.freebsd_disc import DiscParts, menu
from harness.session.outcome import Outcome
from harness.targets import DriverBuild, Refusal, target_for
from harness.targets.freebsd import parse_mappings
from harness.transport.agent import AgentClient
from harness.transport.wire import AgentOpError, AgentStatus, DriverStatus, Op

TARGET = target_for("freebsd")
ABI = load_abi("bsd-amd64")
EFAULT, EINVAL, ENOTTY, EILSEQ, ENOEXEC = 14, 22, 25, 86, 8


class FakeAgent:
    """Answers `calls` by name, reads by path, and notes what was loaded."""

    def __init__(self, files: Mapping[str, bytes] | None = None, **answers: object) -> None:
        self.made: list[tuple[str, tuple[object, ...]]] = []
        self._files = files or {}
        self._answers = answers

    def file_read(self, path: str, length: int = 0) -> bytes:
        return self._files[path][:length]

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(*arguments: object, **_options: object) -> object:
            self.made.append((name, arguments))
            answer = self._answers.get(name)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def agent(files: Mapping[str, bytes] | None = None, **answers: object) -> AgentClient:
    return FakeAgent(files, **answers)  # type: ignore[return-value]


def outcome(code: int) -> Outcome:
    return Outcome(code=code, abi=ABI, target=TARGET)


def test_error_numbers_are_freebsds() -> None:
    assert outcome(EILSEQ) == Status.INVALID_MAGIC
    assert "EILSEQ 86" in repr(outcome(EILSEQ))


@pytest.mark.parametrize("code", [EINVAL, EFAULT, ENOTTY])
def test_the_kernel_may_refuse_a_size_field_before_the_driver_does(code: int) -> None:
    assert outcome(code) == Refusal.BAD_SIZE_FIELD


def test_the_counters_are_a_sysctl_that_ends_with_a_nul() -> None:
    there = agent({"sysctl:hw.supdrv.counters": b"sessions 1\nimages 2\n\0"})
    assert TARGET.counters(there) == {"sessions": 1, "images": 2}


def test_the_memory_that_a_process_has_pinned_is_the_drivers_to_tell() -> None:
    there = agent({"sysctl:hw.supdrv.locked.17": (8192).to_bytes(8, "little")})
    assert TARGET.locked_memory(there, 17) == 8192


def test_mappings_are_records_that_tell_their_length() -> None:
    records = b"".join(struct.pack("<iiQQ", 24 + extra, 1, start, end) + bytes(extra) for start, end, extra in RANGES)
    assert parse_mappings(records + bytes(10)) == ((0x1000, 0x1000), (0x8000, 0x4000))


RANGES = ((0x1000, 0x2000, 40), (0x8000, 0xC000, 8))


def test_a_driver_that_does_not_load_says_what_the_kernel_said(tmp_path: Path) -> None:
    file = tmp_path / "supdrv.ko"
    file.write_bytes(b"module")
    refused = AgentOpError(Op.DRIVER_LOAD, AgentStatus.OS_ERROR, ENOEXEC)
    with pytest.raises(DriverLoadError, match="ENOEXEC 8"):
        TARGET.load_driver(agent(driver_load=refused), DriverBuild(file, "ab", 0.0), {})


def test_another_build_than_the_one_of_the_file_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "supdrv.ko"
    file.write_bytes(b"module")
    there = agent(driver_status=DriverStatus(True, -1, b"\x01"))
    with pytest.raises(DriverLoadError, match="runs driver build 01, not ab"):
        TARGET.load_driver(there, DriverBuild(file, "ab", 0.0), {"ring0_images": 1})


def test_what_the_system_lacks_is_said() -> None:
    with pytest.raises(CapabilityMissing, match="FreeBSD has no physical-memory"):
        TARGET.physical_pages(agent(), 1, 0, 1)


def test_the_disc_starts_the_agent_of_the_clients_word_size() -> None:
    parts = DiscParts(kernel=Path("/kernel"), grub=Path(), programs={}, client="x86", arch="amd64")
    lines = menu(parts).splitlines()
    assert "kfreebsd /boot/kernel.gz" in lines
    assert 'set kFreeBSD.supdrv.program="/sbin/agent-x86"' in lines
    assert 'set kFreeBSD.supdrv.ports="tcp:4001 tcp:4002"' in lines
    assert lines[-1] == "boot"
