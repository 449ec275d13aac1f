"""SET_VM_FOR_FAST: which numbers may be a VM's address. They are only numbers and are never looked at."""

from __future__ import annotations

import pytest
from addresses import bad_address
from catalogue import ask

from harness.abi import PAGE_SIZE, Status

# As distances from the start of the address space, or from its end where negative.
GOOD = {
    "second-page": PAGE_SIZE,
    "third-page": 2 * PAGE_SIZE,
    "middle": 0x12345000,
    "upper-half": -0x40000000,
    "last-but-two": -3 * PAGE_SIZE,
    "last-but-one": -2 * PAGE_SIZE,
}
BAD = {
    "one": 1,
    "odd-in-first-page": 0x10,
    "middle-of-first-page": PAGE_SIZE // 2,
    "end-of-first-page": PAGE_SIZE - 1,
    "one-after-a-page": PAGE_SIZE + 1,
    "half-a-page-off": PAGE_SIZE + PAGE_SIZE // 2,
    "one-before-a-page": 2 * PAGE_SIZE - 1,
    "next-to-last-page": -2 * PAGE_SIZE + 1,
    "before-last-page": -PAGE_SIZE - 1,
    "last-page": -PAGE_SIZE,
    "in-last-page": -PAGE_SIZE + 1,
    "middle-of-last-page": -PAGE_SIZE // 2,
    "last-byte": -1,
}


def set_vm(session, value):
    address = value % (1 << session.abi.word_size)
    return ask(session, "SET_VM_FOR_FAST", session.input("SET_VM_FOR_FAST", pVMR0=address))


def cases(table):
    return [pytest.param(value, id=name) for name, value in table.items()]


def test_no_vm_is_accepted(session):
    assert set_vm(session, 0).outcome == Status.OK


@pytest.mark.parametrize("value", cases(GOOD))
def test_the_address_of_a_page_is_accepted(session, value):
    assert set_vm(session, value).outcome == Status.OK


@pytest.mark.parametrize("value", cases(BAD))
def test_what_cannot_be_an_address_of_a_vm_is_refused(session, value):
    assert set_vm(session, value).outcome == Status.INVALID_POINTER


@pytest.mark.only("amd64")
@pytest.mark.parametrize("value", [1 << 32, -(1 << 32), 0xFFFFF000, 0x4141414141414000])
def test_all_64_bits_of_the_address_count(session, value):
    assert set_vm(session, value).outcome == Status.OK


@pytest.mark.only("amd64")
@pytest.mark.parametrize("value", [(1 << 32) + 1, (1 << 63) + 0x800])
def test_an_odd_address_above_4_gib_is_refused(session, value):
    assert set_vm(session, value).outcome == Status.INVALID_POINTER


@pytest.mark.parametrize("kind", ["unmapped", "inaccessible", "kernel-text"])
def test_the_address_is_never_looked_at(session, client, kind):
    assert set_vm(session, bad_address(client, kind)).outcome == Status.OK


def test_a_vm_can_be_replaced_and_taken_away_again(session):
    for value in (PAGE_SIZE, 5 * PAGE_SIZE, 5 * PAGE_SIZE, 0, 0, PAGE_SIZE):
        assert set_vm(session, value).outcome == Status.OK


def test_two_sessions_can_name_the_same_vm(session, open_session):
    other = open_session()
    assert set_vm(session, 7 * PAGE_SIZE).outcome == Status.OK
    assert set_vm(other, 7 * PAGE_SIZE).outcome == Status.OK


def test_a_vm_is_no_record_in_the_driver(session, guest):
    before = dict(guest.counters())
    assert set_vm(session, PAGE_SIZE).outcome == Status.OK
    assert dict(guest.counters()) == before
