"""A start that failed for a reason that stays is not tried again and again."""

from __future__ import annotations

from contextlib import suppress
from unittest.mock import Mock

import pytest

from harness.errors import DriverBuildError, DriverLoadError, GuestError, HarnessError, ProvisionError, TransportError
from harness.session.start_failures import StartFailures

LASTING = [DriverBuildError, DriverLoadError]
PASSING = [GuestError, ProvisionError, TransportError]


def start(failures: StartFailures, *, error: BaseException | None = None) -> bool:
    """Whether a start was tried; it ends with `error`, if any."""
    attempt = Mock(side_effect=error)
    with suppress(HarnessError, KeyboardInterrupt), failures.counted():
        attempt()
    return attempt.called


@pytest.fixture
def failures() -> StartFailures:
    return StartFailures("linux-amd64")


@pytest.mark.parametrize("kind", LASTING)
def test_what_the_next_try_would_meet_as_well_is_tried_once(failures: StartFailures, kind: type[HarnessError]) -> None:
    assert start(failures, error=kind("it is broken"))
    with pytest.raises(kind, match="linux-amd64: as before: it is broken"), failures.counted():
        pytest.fail("it was tried again")


@pytest.mark.parametrize("kind", PASSING)
def test_a_guest_that_does_not_come_up_is_tried_twice(failures: StartFailures, kind: type[HarnessError]) -> None:
    tries = [start(failures, error=kind("it is broken")) for _ in range(4)]
    assert tries == [True, True, False, False]


def test_a_start_that_works_forgets_those_that_did_not(failures: StartFailures) -> None:
    broken = GuestError("it is broken")
    assert all(start(failures, error=error) for error in (broken, None, broken, None, broken, broken))
    assert not start(failures)


def test_other_circumstances_are_another_try(failures: StartFailures) -> None:
    assert start(failures, error=DriverLoadError("it is broken"))
    failures.forget()
    assert start(failures)


def test_an_interrupt_is_no_failure(failures: StartFailures) -> None:
    assert all(start(failures, error=KeyboardInterrupt()) for _ in range(5))
