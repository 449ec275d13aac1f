"""Images as data, which is the default: nothing of them is ever executed, and no address of the kernel is told."""

from __future__ import annotations

import pytest
from addresses import in_kernel_half
from images import INT3, NOP, Image, ask_vmmr0, call_vmmr0, functions

from harness.abi import PAGE_SIZE, Status

CALLBACKS = ["pfnModuleInit", "pfnModuleTerm"]
DEADLY = {"int3": INT3, "hlt": b"\xf4", "ud2": b"\x0f\x0b", "zero": b"\0"}


@pytest.mark.parametrize("code", DEADLY)
def test_the_entry_is_not_called(session, code):
    image = Image.open(session)
    image.load_well(DEADLY[code] * (PAGE_SIZE // len(DEADLY[code])), **image.entry())
    assert call_vmmr0(session, NOP) == 0
    assert image.free() == Status.OK


@pytest.mark.parametrize("code", DEADLY)
@pytest.mark.parametrize("field", CALLBACKS)
def test_a_callback_is_refused(session, field, code):
    image = Image.open(session)
    data = DEADLY[code] * (PAGE_SIZE // len(DEADLY[code]))
    assert image.load(data, **image.entry(), **{field: image.base}) == Status.PERMISSION_DENIED
    assert ask_vmmr0(session, NOP).outcome == Status.GENERAL_FAILURE
    assert image.again(session).needs_loading
    image.load_well(data, **image.entry())


@pytest.mark.parametrize("offset", [0, 1, PAGE_SIZE - 1])
@pytest.mark.parametrize("field", CALLBACKS)
def test_a_callback_is_refused_wherever_it_is(session, field, offset):
    image = Image.open(session)
    assert image.load(**{field: image.base + offset}) == Status.PERMISSION_DENIED


@pytest.mark.parametrize("field", CALLBACKS)
def test_every_other_check_comes_before_that_refusal(session, field):
    image = Image.open(session)
    base = {field: image.base}
    other = next(name for name in CALLBACKS if name != field)
    assert image.load(**base, cbImage=PAGE_SIZE + 1) == Status.INVALID_PARAM
    assert image.load(**base, cSymbols=1) == Status.INVALID_PARAM
    assert image.load(**base, cbImage=PAGE_SIZE - 1) == Status.INVALID_HANDLE
    assert image.load(**base, eEPType=2) == Status.INVALID_PARAM
    assert image.load(**base, **{other: image.base + PAGE_SIZE}) == Status.INVALID_PARAM
    image.load_well()
    assert image.load(**base) == Status.ALREADY_LOADED


def test_that_refusal_comes_before_the_registration(session):
    first = Image.open(session, "first")
    first.load_well(**first.entry())
    image = Image.open(session)
    assert image.load(**image.entry(), pfnModuleInit=image.base) == Status.PERMISSION_DENIED


def test_a_base_is_no_kernel_address(session):
    for number in range(8):
        image = Image.open(session, f"image {number}")
        assert not in_kernel_half(image.base, session.abi.word_size)


@pytest.mark.only("amd64")
def test_a_base_is_no_address_at_all(session):
    for number in range(8):
        image = Image.open(session, f"image {number}")
        assert image.base >> 47 not in (0, 0x1FFFF)
        assert (image.base + image.size) >> 47 not in (0, 0x1FFFF)


def test_a_base_is_another_one_each_time(session):
    seen = set()
    for _ in range(8):
        image = Image.open(session)
        seen.add(image.base)
        assert image.free() == Status.OK
    assert len(seen) == 8
    assert max(seen) - min(seen) > 1 << 20


@pytest.mark.needs("opaque-functions")
def test_functions_are_no_kernel_addresses(session):
    assert not any(in_kernel_half(address, session.abi.word_size) for address in functions(session).values())
