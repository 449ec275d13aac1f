"""The pytest plugin: cells as parameters, guests as fixtures, verdicts in kernel developers' terms.

Loaded through the entry point `harness`. It changes nothing for tests that ask for none of its fixtures.
"""

from harness.plugin.early import pytest_load_initial_conftests
from harness.plugin.fixtures import agent, cell, cell_session, client, guest, lab, open_session, session
from harness.plugin.garbage import pytest_collection
from harness.plugin.late import pytest_runtest_teardown
from harness.plugin.options import pytest_addoption, pytest_configure
from harness.plugin.running import pytest_pyfunc_call, pytest_runtest_makereport
from harness.plugin.selection import (
    pytest_collection_modifyitems,
    pytest_generate_tests,
    pytest_xdist_make_scheduler,
)

__all__ = [
    "agent",
    "cell",
    "cell_session",
    "client",
    "guest",
    "lab",
    "open_session",
    "pytest_addoption",
    "pytest_collection",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_load_initial_conftests",
    "pytest_pyfunc_call",
    "pytest_runtest_makereport",
    "pytest_runtest_teardown",
    "pytest_xdist_make_scheduler",
    "session",
]
