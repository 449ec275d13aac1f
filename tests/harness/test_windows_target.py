"""What the controller does on Windows, with a stand-in for the agent."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.abi import Status, load_abi
from harness.config import load_guests
from harness.errors import CapabilityMissing, DriverLoadError, GuestError
from harness.session.outcome import Outcome
from harness.targets import DriverBuild, Refusal, target_for
from harness.targets.win32 import Win32
from harness.transport.agent import AgentClient
from harness.transport.wire import AgentOpError, AgentStatus, DriverStatus, Op, RequestReply

ROOT = Path(__file__).parents[2]
TARGET = target_for("windows")
ABI = load_abi("windows-amd64")


class FakeAgent:
    """Answers `calls` by name, in order, and notes how they were made."""

    def __init__(self, **answers: object) -> None:
        self.made: list[tuple[str, tuple[object, ...]]] = []
        self._answers = answers

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(*arguments: object, **_options: object) -> object:
            self.made.append((name, arguments))
            answer = self._answers.get(name)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def agent(**answers: object) -> AgentClient:
    return FakeAgent(**answers)  # type: ignore[return-value]


def os_error(op: Op, code: int) -> AgentOpError:
    return AgentOpError(op, AgentStatus.OS_ERROR, code)


def test_an_outcome_is_compared_by_its_win32_code() -> None:
    outcome = Outcome(code=Win32.UNKNOWN_REVISION, abi=ABI, target=TARGET)
    assert outcome == Status.INVALID_MAGIC
    assert outcome != Refusal.BAD_ADDRESS
    assert repr(outcome) == "<ERROR_UNKNOWN_REVISION 1305: INVALID_MAGIC>"


@pytest.mark.parametrize("code", [Win32.NOACCESS, Win32.INVALID_USER_BUFFER])
def test_a_bad_address_has_the_codes_of_windows_and_of_wine(code: int) -> None:
    assert Outcome(code=code, abi=ABI, target=TARGET) == Refusal.BAD_ADDRESS


def test_a_refusal_that_the_system_does_not_know_has_no_code() -> None:
    assert TARGET.refusal_codes(Refusal.BAD_SIZE_FIELD) == frozenset()
    assert target_for("linux").refusal_codes(Refusal.NOT_THE_OPENER) == frozenset()


def test_the_driver_is_loaded_with_its_options_and_asked_for_its_build_id(tmp_path: Path) -> None:
    driver = tmp_path / "supdrv.sys"
    driver.write_bytes(b"MZ")
    fake = FakeAgent(driver_status=DriverStatus(loaded=True, references=-1, build_id=b"\x01\x02"))
    build = DriverBuild(path=driver, build_id="0102", seconds=0.0)
    assert TARGET.load_driver(fake, build, {"ring0_images": 1}) == "0102"  # type: ignore[arg-type]
    assert [name for name, _ in fake.made] == ["file_write", "driver_load", "driver_status"]
    assert fake.made[1][1][1] == "ring0_images=1"


def test_another_build_than_that_of_the_file_is_no_success(tmp_path: Path) -> None:
    driver = tmp_path / "supdrv.sys"
    driver.write_bytes(b"MZ")
    fake = agent(driver_status=DriverStatus(loaded=True, references=-1, build_id=b"\x03"))
    with pytest.raises(DriverLoadError, match="runs driver build 03, not 0102"):
        TARGET.load_driver(fake, DriverBuild(path=driver, build_id="0102", seconds=0.0), {})


def test_a_driver_that_does_not_start_is_told_by_the_name_of_the_error(tmp_path: Path) -> None:
    driver = tmp_path / "supdrv.sys"
    driver.write_bytes(b"MZ")
    fake = agent(driver_load=os_error(Op.DRIVER_LOAD, Win32.DLL_INIT_FAILED))
    with pytest.raises(DriverLoadError, match="ERROR_DLL_INIT_FAILED 1114"):
        TARGET.load_driver(fake, DriverBuild(path=driver, build_id="01", seconds=0.0), {})


def test_a_clock_that_nobody_may_set_is_left_alone() -> None:
    TARGET.refresh(agent(clock=os_error(Op.CLOCK, Win32.PRIVILEGE_NOT_HELD)))
    with pytest.raises(AgentOpError):
        TARGET.refresh(agent(clock=os_error(Op.CLOCK, Win32.INVALID_PARAMETER)))


def test_counters_are_lines_of_a_name_and_a_number() -> None:
    assert TARGET.counters(agent(file_read=b"sessions 2\nimages 0\n")) == {"sessions": 2, "images": 0}
    with pytest.raises(GuestError, match="not lines"):
        TARGET.counters(agent(file_read=b"sessions two\n"))


def test_a_fast_request_answers_with_its_output() -> None:
    reply = RequestReply(result=-37, os_error=0, returned=4, block=b"", out=struct.pack("<i", -37), in_after=b"")
    assert TARGET.fast_result(reply) == -37
    refused = RequestReply(result=-1, os_error=Win32.NOT_SUPPORTED, returned=0, block=b"", out=b"", in_after=b"")
    with pytest.raises(GuestError, match="ERROR_NOT_SUPPORTED 50"):
        TARGET.fast_result(refused)


def test_what_the_system_cannot_tell_names_the_capability() -> None:
    with pytest.raises(CapabilityMissing, match="physical-memory"):
        TARGET.physical_pages(agent(), 1, 0x10000, 1)


def test_what_the_guests_lack_is_documented_with_the_reason() -> None:
    page = (ROOT / "docs/windows.md").read_text()
    documented = dict(re.findall(r"^\| `([\w-]+)` \| \d+ of \d+ \| (.*) \|$", page, re.MULTILINE))
    guests = [guest for guest in load_guests(ROOT / "guests") if guest.os == "windows"]
    assert [name for guest in guests for name in guest.missing.items() - documented.items()] == []
    assert documented.keys() == {name for guest in guests for name in guest.missing}
