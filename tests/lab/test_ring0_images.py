"""A driver that runs images, in real guests: the wrong use of their memory crashes the kernel, and only the test that
did it, whatever the driver is loaded with before and after."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SUITE = f"""
import sys
sys.path.insert(0, {str(ROOT / "tests/ioctl")!r})

import pytest
from images import Image, call_vmmr0

ring0 = pytest.mark.driver_options(ring0_images=1)

WRITE_HERE = bytes.fromhex("c605f9ffffffc3c3")  # mov byte [the instruction itself], 0xc3
RETURN_7 = bytes.fromhex("b807000000c3")

def runs(session, code):
    image = Image.open(session)
    image.load_well(code, **image.entry())
    return call_vmmr0(session, 0)

def jump_to(address):
    return bytes.fromhex("48b8") + address.to_bytes(8, "little") + bytes.fromhex("ffe0")

def test_1_data(session): assert runs(session, RETURN_7) == -37
@ring0
def test_2_runs(session): assert runs(session, RETURN_7) == 7
@ring0
def test_3_a_loaded_image_cannot_be_written(session): runs(session, WRITE_HERE)
@ring0
def test_4_still_runs(session): assert runs(session, RETURN_7) == 7
@ring0
def test_5_an_open_image_cannot_be_executed(session): runs(session, jump_to(Image.open(session, "open").base))
def test_6_data(session): assert runs(session, RETURN_7) == -37
"""
KEEP_ORDER = """
import pytest
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items): items.sort(key=lambda item: item.name)
"""


def run(directory: Path) -> tuple[str, dict[str, object]]:
    (directory / "test_suite.py").write_text(SUITE)
    results = directory / "results.json"
    command = [sys.executable, "-m", "pytest", str(directory / "test_suite.py"), "-q", "-p", "no:cacheprovider"]
    command += [f"--rootdir={ROOT}", f"-c{ROOT / 'pyproject.toml'}", "--cell=linux-amd64", f"--results={results}"]
    command += [f"--evidence={directory / 'evidence'}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    (cell,) = json.loads(results.read_text())["cells"]
    return done.stdout + done.stderr, cell


@pytest.mark.parametrize("order", ["grouped", "as-written"])
def test_writing_code_and_executing_data_crashes_the_guest_and_costs_one_test_each(tmp_path: Path, order: str) -> None:
    """As written, the driver is loaded anew for nearly every test."""
    if order == "as-written":
        (tmp_path / "conftest.py").write_text(KEEP_ORDER)
    text, cell = run(tmp_path)
    assert (cell["passed"], cell["failed"], cell["errors"]) == (4, 2, 0), text
    verdicts = [path.read_text() for path in (tmp_path / "evidence").rglob("verdict.txt")]
    assert len(verdicts) == 2
    assert all("driver:    release, ring0_images=1, build id" in verdict for verdict in verdicts)
    assert sum("supervisor write access in kernel mode" in verdict for verdict in verdicts) == 1
    assert sum("supervisor instruction fetch in kernel mode" in verdict for verdict in verdicts) == 1
    assert len({verdict.split("build id ")[1].split()[0] for verdict in verdicts} | {cell["driver"]}) == 1
