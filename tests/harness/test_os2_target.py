"""What the controller does on OS/2, with a stand-in for the agent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.abi import Status, load_abi
from harness.console.crash import find_crash
from harness.console.os2 import locate, offsets_in
from harness.errors import CapabilityMissing, DriverLoadError, GuestError
from harness.session.outcome import Outcome
from harness.targets import DriverBuild, Refusal, target_for
from harness.targets.os2_errors import Os2Error, os2_name
from harness.transport.agent import AgentClient
from harness.transport.wire import AgentOpError, AgentStatus, DriverStatus, Op, RequestReply

GOLDEN = Path(__file__).parent / "golden"
TARGET = target_for("os2")
ABI = load_abi("os2-x86")

TRAP = """
TRAP 000e       ERRCD=0002  ERACC=****  ERLIM=********
EAX=00000000  EBX=d0061c40  ECX=00000000  EDX=00000000
CS:EIP=0008:f0011a22  CSACC=009b  CSLIM=ffffffff
process 3 (C:\\AGENT.EXE), thread 1
at   f0011a22 SUPDRV$ +0x5a22 (C:\\SUPDRV.SYS at f000c000)
from f0011a31 SUPDRV$ +0x5a31 (C:\\SUPDRV.SYS at f000c000)
from c0109da1 OS2KRNL+0x109da1
stack 00000000 00000001
The system detected an internal processing error at
location ##0008:f0011a22.
The system is stopped. Record the location number of the error.
after it
"""


class FakeAgent:
    """Answers `calls` by name and notes how they were made."""

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


def outcome(code: int) -> Outcome:
    return Outcome(code=code, abi=ABI, target=TARGET)


@pytest.mark.parametrize("status", list(Status))
def test_the_code_in_the_data_packet_tells_every_status_from_the_others(status: Status) -> None:
    found = outcome(int(status) & 0xFFFFFFFF)
    assert [other for other in Status if found == other] == [status]


def test_an_error_of_the_system_is_no_status() -> None:
    for error in Os2Error:
        assert not [status for status in Status if outcome(error) == status]
    assert outcome(Os2Error.BAD_COMMAND) == Refusal.OTHER_CATEGORY
    assert outcome(Os2Error.INVALID_PARAMETER) == Refusal.BAD_SIZE_FIELD


def test_codes_are_named_as_a_person_looks_them_up() -> None:
    assert os2_name(22) == "ERROR_BAD_COMMAND 22"
    assert os2_name(0xFFFFFFFE) == "code -2 of the driver"
    assert os2_name(640) == "OS/2 error 640"
    assert TARGET.code_name(0) == "success"


def test_a_number_has_the_packets_length_and_the_category_above_the_function() -> None:
    for name, request in ABI.requests.items():
        if request.fast:
            assert request.number is None
        else:
            assert request.number == 16 << 16 | 0x56 << 8 | request.function, name
    assert ABI.number(127) == 16 << 16 | 0x56 << 8 | 127


def test_the_driver_is_loaded_with_its_options_and_asked_for_its_build_id(tmp_path: Path) -> None:
    driver = tmp_path / "supdrv.sys"
    driver.write_bytes(b"\x7fELF")
    fake = FakeAgent(driver_status=DriverStatus(loaded=True, references=0, build_id=b"\x01\x02"))
    build = DriverBuild(path=driver, build_id="0102", seconds=0.0)
    assert TARGET.load_driver(fake, build, {"ring0_images": 1}) == "0102"  # type: ignore[arg-type]
    assert [name for name, _ in fake.made] == ["file_write", "driver_load", "driver_status"]
    assert fake.made[1][1] == ("C:\\SUPDRV.SYS", "ring0_images=1")


def test_another_build_than_that_of_the_file_is_no_success(tmp_path: Path) -> None:
    driver = tmp_path / "supdrv.sys"
    driver.write_bytes(b"\x7fELF")
    fake = agent(driver_status=DriverStatus(loaded=True, references=0, build_id=b"\x03"))
    with pytest.raises(DriverLoadError, match="runs driver build 03, not 0102"):
        TARGET.load_driver(fake, DriverBuild(path=driver, build_id="0102", seconds=0.0), {})


def test_a_driver_that_does_not_start_is_told_by_the_name_of_the_error(tmp_path: Path) -> None:
    driver = tmp_path / "supdrv.sys"
    driver.write_bytes(b"\x7fELF")
    fake = agent(driver_load=AgentOpError(Op.DRIVER_LOAD, AgentStatus.OS_ERROR, Os2Error.BAD_EXE_FORMAT))
    with pytest.raises(DriverLoadError, match="ERROR_BAD_EXE_FORMAT 193"):
        TARGET.load_driver(fake, DriverBuild(path=driver, build_id="01", seconds=0.0), {})


def test_what_the_kernel_tells_in_files_is_read() -> None:
    assert TARGET.counters(agent(file_read=b"sessions 2\nimages 0\n")) == {"sessions": 2, "images": 0}
    assert TARGET.mappings(agent(file_read=b"00010000 0000f000 program\n"), 1) == ((0x10000, 0xF000),)
    assert TARGET.memory_used(agent(file_read=b"total 10\nfree 7\nlocked 2\n")) == 3 * 4096
    assert TARGET.pages_held(agent(file_read=b"total 10\nfree 7\nlocked 2\n")) == 2
    words = (0x5000).to_bytes(8, "little") + bytes(8)
    assert TARGET.physical_pages(agent(file_read=words), 1, 0x10000, 2) == (0x5000, 0)


def test_nothing_is_the_answer_of_a_fast_request() -> None:
    reply = RequestReply(result=0, os_error=0, returned=4, block=b"", out=b"", in_after=b"")
    with pytest.raises(GuestError, match="no fast requests"):
        TARGET.fast_result(reply)


def test_what_the_system_cannot_tell_names_the_capability() -> None:
    with pytest.raises(CapabilityMissing, match="page-flags"):
        TARGET.pages_dirty(agent(), [0x1000])


def test_a_trap_screen_is_a_crash_up_to_its_last_line() -> None:
    crash = find_crash("supdrv-guest: ready\n" + TRAP)
    assert crash is not None
    assert (crash.kind, crash.title) == ("trap", "TRAP 000e")
    assert "stack 00000000" in crash.report
    assert "after it" not in crash.report


def test_an_internal_error_is_a_panic_with_its_text() -> None:
    crash = find_crash("\nInternal error: supdrv: panic on request\nfrom f0011a31 SUPDRV$+0x5a31 (X at f000c000)\n")
    assert crash is not None
    assert (crash.kind, crash.title) == ("panic", "supdrv: panic on request")
    assert offsets_in(crash.report, "supdrv") == [0x5A30]


def test_the_screen_of_a_real_trap_has_the_way_into_the_driver() -> None:
    crash = find_crash((GOLDEN / "os2-x86-trap.log").read_text())
    assert crash is not None
    assert (crash.kind, crash.title) == ("trap", "TRAP 000e")
    offsets = offsets_in(crash.report, "supdrv")
    assert offsets[:3] == [0x6D2E, 0x6D14, 0x6C94]
    assert len(offsets) == 10


def test_a_trap_is_in_the_driver_where_its_offsets_are() -> None:
    assert offsets_in(TRAP, "supdrv") == [0x5A22, 0x5A30]
    assert offsets_in(TRAP, "other") == []


def test_without_debug_information_the_offsets_stay(tmp_path: Path) -> None:
    driver = tmp_path / "supdrv.sys"
    driver.write_bytes(bytes(100))
    crash = find_crash(TRAP)
    assert crash is not None
    assert [(frame.module, frame.offset) for frame in locate(crash, module="supdrv", image=driver).frames] == [
        ("supdrv", 0x5A22),
        ("supdrv", 0x5A30),
    ]


def test_a_waiting_thread_is_in_the_driver_where_its_offsets_are() -> None:
    text = "process 1 thread 2 blocked\n  f0010d15 C:\\SUPDRV.SYS+0x6d15\n  c010c240 OS2KRNL+0x10c240\n"
    assert offsets_in(text, "supdrv") == [0x6D14]
