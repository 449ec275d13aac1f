"""The mistakes made by hand: each can still be put into the driver, and the page says which test notices it."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tools.core_programs import ROOT
from tools.defects.catalogue import Defect, defects

PAGE = (ROOT / "docs/defects.md").read_text(encoding="utf-8")
DEFECTS = defects()


def name(defect: Defect) -> str:
    return defect.what


def test_there_are_ten_of_the_core_and_ten_of_windows() -> None:
    assert Counter(defect.file.partition("/")[0] for defect in DEFECTS) == {"core": 10, "win": 10}
    assert len({defect.what for defect in DEFECTS}) == len(DEFECTS)


@pytest.mark.parametrize("defect", DEFECTS, ids=name)
def test_it_changes_its_file(defect: Defect) -> None:
    assert defect.text() != (ROOT / defect.file).read_text(encoding="utf-8")


@pytest.mark.parametrize("defect", DEFECTS, ids=name)
def test_the_page_names_a_test_that_notices_it(defect: Defect) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{defect.file}` | {defect.what} | ")]
    file, test = re.findall(r"`(test_\w+\.py)::(test_\w+)", row)[0]
    assert re.search(rf"^def {test}\(", (ROOT / "tests/ioctl" / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_a_mistake_whose_place_is_gone_is_told() -> None:
    gone = Defect(what="x", file="core/session.c", tests="test_x.py", before="was never there", after="")
    with pytest.raises(ValueError, match="0 times, not once"):
        gone.text()
