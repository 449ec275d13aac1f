"""Cells as values."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import load_guests
from harness.errors import ConfigError
from harness.matrix import Cell, cells, select

ROOT = Path(__file__).parents[2]


@pytest.fixture
def known() -> dict[str, Cell]:
    return {cell.id: cell for cell in cells(load_guests(ROOT / "guests"))}


@pytest.mark.parametrize(
    ("name", "markers"),
    [
        ("linux-amd64", ("linux", "amd64")),
        ("linux-x86", ("linux", "x86")),
        ("linux-compat", ("linux", "amd64", "compat")),
    ],
)
def test_a_cell_is_selected_by_its_system_its_kernel_and_its_client(
    known: dict[str, Cell], name: str, markers: tuple[str, ...]
) -> None:
    assert known[name].markers == markers


def test_a_32_bit_client_on_a_64_bit_kernel_is_compat(known: dict[str, Cell]) -> None:
    assert [name for name, cell in known.items() if cell.compat] == ["linux-compat"]


def test_selecting_nothing_selects_all(known: dict[str, Cell]) -> None:
    assert select(list(known.values()), []) == list(known.values())


def test_selecting_keeps_the_order_of_the_definitions(known: dict[str, Cell]) -> None:
    chosen = select(list(known.values()), ["linux-x86", "linux-amd64"])
    assert [cell.id for cell in chosen] == ["linux-amd64", "linux-x86"]


def test_an_unknown_cell_is_refused_with_the_known_ones(known: dict[str, Cell]) -> None:
    with pytest.raises(ConfigError, match=r"no cell 'linux-arm' \(cells: linux-amd64, "):
        select(list(known.values()), ["linux-arm"])
