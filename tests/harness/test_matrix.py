"""Cells as values."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import load_guests
from harness.errors import ConfigError
from harness.matrix import Cell, cells, select

ROOT = Path(__file__).parents[2]

_FREEBSD = ["freebsd-amd64", "freebsd-compat", "freebsd-x86"]
_WINDOWS = ["windows-amd64", "windows-compat", "windows-x86"]


@pytest.fixture
def known() -> dict[str, Cell]:
    return {cell.id: cell for cell in cells(load_guests(ROOT / "guests"))}


@pytest.mark.parametrize(
    ("name", "markers"),
    [
        ("linux-amd64", ("linux", "amd64")),
        ("linux-x86", ("linux", "x86")),
        ("linux-compat", ("linux", "amd64", "compat")),
        ("linux-amd64-debug", ("linux", "amd64")),
        ("windows-amd64", ("windows", "amd64")),
        ("windows-x86", ("windows", "x86")),
        ("windows-compat", ("windows", "amd64", "compat")),
    ],
)
def test_a_cell_is_selected_by_its_system_its_kernel_and_its_client(
    known: dict[str, Cell], name: str, markers: tuple[str, ...]
) -> None:
    assert known[name].markers == markers


def test_a_32_bit_client_on_a_64_bit_kernel_is_compat(known: dict[str, Cell]) -> None:
    assert [name for name, cell in known.items() if cell.compat] == [
        "freebsd-compat",
        "linux-compat",
        "windows-compat",
    ]


def test_selecting_nothing_selects_all_but_those_on_request(known: dict[str, Cell]) -> None:
    chosen = select(list(known.values()), [])
    assert {"linux-amd64", "linux-compat", "linux-x86", *_WINDOWS} <= {cell.id for cell in chosen}
    assert [cell for cell in known.values() if cell not in chosen] == [
        cell for cell in known.values() if cell.on_request
    ]
    assert known["linux-amd64-debug"].on_request


@pytest.mark.parametrize(
    ("wanted", "also", "chosen"),
    [
        (
            [],
            ["linux-amd64-debug"],
            [*_FREEBSD, "linux-amd64", "linux-amd64-debug", "linux-compat", "linux-x86", "os2-x86", *_WINDOWS],
        ),
        (["linux-x86"], ["linux-amd64-debug"], ["linux-amd64-debug", "linux-x86"]),
        (["linux-amd64-debug"], [], ["linux-amd64-debug"]),
    ],
)
def test_a_cell_on_request_is_selected_by_its_name(
    known: dict[str, Cell], wanted: list[str], also: list[str], chosen: list[str]
) -> None:
    assert sorted(cell.id for cell in select(list(known.values()), wanted, also=also)) == chosen


def test_selecting_keeps_the_order_of_the_definitions(known: dict[str, Cell]) -> None:
    chosen = select(list(known.values()), ["linux-x86", "linux-amd64"])
    assert [cell.id for cell in chosen] == ["linux-amd64", "linux-x86"]


def test_an_unknown_cell_is_refused_with_the_known_ones(known: dict[str, Cell]) -> None:
    with pytest.raises(ConfigError, match=r"no cell 'linux-arm' \(cells: .*linux-amd64, "):
        select(list(known.values()), ["linux-arm"])
    with pytest.raises(ConfigError, match="no cell 'linux-arm'"):
        select(list(known.values()), [], also=["linux-arm"])
