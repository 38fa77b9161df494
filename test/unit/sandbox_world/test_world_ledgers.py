"""Balances, one by one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from seeded_world import opened
from world_support import START

from elarian_trio.models.payments import Cash, PaymentBalance, PaymentStatus, PendingPaymentTransaction
from elarian_trio.sandbox.world.ledgers import (
    Declined,
    amount_of,
    check_value,
    credited,
    debited,
    empty,
    held,
    released,
    spent,
)

Status = PaymentStatus


def kes(amount: int | str) -> Cash:
    """Give shillings."""
    return Cash("KES", amount)


def hold(balance: PaymentBalance, value: Cash) -> PaymentBalance:
    """Hold *value* for the one transaction of these tests."""
    return held(balance, "t", PendingPaymentTransaction(created_at=START, value=value), value)


def sums(balance: PaymentBalance) -> tuple[Decimal | int, ...]:
    """Give what is available, what is there, and how often it changed."""
    return amount_of(balance.available), amount_of(balance.actual), balance.sequence_nr


def test_money_that_is_held_is_still_there_but_cannot_be_spent() -> None:
    """The published model of a balance: available, actual, pending, and a number that grows by one."""
    balance = hold(opened(kes(10)), kes(4))
    assert sums(balance) == (6, 10, 1)
    assert balance.pending["t"].value == kes(4)
    assert sums(spent(balance, "t")) == (6, 6, 2)
    assert sums(released(balance, "t")) == (10, 10, 2)
    assert spent(balance, "t").pending == released(balance, "t").pending == {}


def test_money_between_ledgers_moves_at_once() -> None:
    """Both sums change together."""
    assert sums(credited(empty("KES"), kes("0.0001"))) == (Decimal("0.0001"), Decimal("0.0001"), 1)
    assert sums(debited(opened(kes(10)), kes(10))) == (0, 0, 1)


@pytest.mark.parametrize("take", [debited, hold])
def test_more_than_is_available_cannot_be_taken(take: object) -> None:
    """What is held does not count; nothing ever goes below zero."""
    balance = hold(opened(kes(10)), kes(4))
    assert callable(take)
    with pytest.raises(Declined) as caught:
        take(balance, kes("6.01"))
    assert caught.value.status is Status.INSUFFICIENT_FUNDS
    assert "6" in caught.value.description


def test_a_balance_that_was_never_filled_in_counts_as_nothing() -> None:
    """The wire leaves amounts out."""
    assert sums(credited(PaymentBalance(currency_code="KES"), kes(1))) == (1, 1, 1)


def test_sums_are_exact_or_declined() -> None:
    """A sum that a double would change must not lose a cent in silence."""
    large = opened(kes("1e15"))
    with pytest.raises(Declined) as caught:
        credited(large, kes("0.0001"))
    assert caught.value.status is Status.INVALID_REQUEST
    with pytest.raises(Declined):
        credited(opened(kes("1e300")), kes(1))


@pytest.mark.parametrize("value", [kes("0.0001"), kes("1e15"), kes("1.50000"), kes("2.5e3")])
def test_amounts_above_zero_with_four_decimals_are_money(value: Cash) -> None:
    """The design's bound."""
    check_value(value)


@pytest.mark.parametrize(
    "value", [kes(0), kes(-1), kes("0.00001"), kes("1.00005"), Cash("", 1), Cash("kes", 1), Cash("KESH", 1)]
)
def test_what_is_no_money_is_declined(value: Cash) -> None:
    """Each with what would be right."""
    with pytest.raises(Declined) as caught:
        check_value(value)
    assert caught.value.status is Status.INVALID_REQUEST
    assert ";" in caught.value.description
