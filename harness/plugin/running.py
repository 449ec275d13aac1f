"""Around each test: what happened in the guest meanwhile decides the verdict."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from harness.errors import GuestError, HarnessError
from harness.plugin.collector import verdict_properties
from harness.plugin.fixtures import SESSION
from harness.session.judging import judged


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Look at the guest when the test is over, however it ended; a crash in it is the test's failure."""
    session = pyfuncitem.stash.get(SESSION, None)
    if session is None:
        return (yield)
    with judged(session):
        result = yield
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show our errors by their own text, and count a guest's fault during set-up as a failure."""
    report = yield
    if call.excinfo is None or not isinstance(call.excinfo.value, Exception):
        return report
    error = call.excinfo.value
    session = item.stash.get(SESSION, None)
    if session is not None and report.when == "setup":
        error = session.explain(error)  # the guest was up when a fixture of the test made a request
    report.user_properties += verdict_properties(error)
    if report.failed and isinstance(error, HarnessError):
        report.longrepr = f"{type(error).__name__}: {error}"
        if isinstance(error, GuestError) and report.when == "setup":
            # pytest calls every exception before the test an error; a guest that does not boot or a driver
            # that does not load is not the lab's error but the result.
            report.when = "call"
    return report
