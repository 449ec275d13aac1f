"""The seeds fit what tests/core/fuzz makes of bytes."""

from __future__ import annotations

import re

from tools import fuzz_seeds
from tools.core_programs import ROOT


def test_the_requests_are_in_the_order_of_the_fuzzer():
    header = (ROOT / "tests/core/fuzz/forms.h").read_text()
    names = re.findall(r"^\tFORM_(\w+),$", header, re.MULTILINE)
    assert list(fuzz_seeds.FIELD_BYTES) == names


def test_each_seed_is_short_and_there_once():
    seeds = list(fuzz_seeds.seeds())
    assert len(seeds) == len(set(seeds))
    assert max(map(len, seeds)) < 256
