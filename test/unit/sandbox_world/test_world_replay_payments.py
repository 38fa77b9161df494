"""Replays of payments: each is shown once with its parties, moves nothing, and has the latest status that is known."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from replaying import PAST, load, refused
from seeded_world import AT_PAYBILL, PAYBILL, PURSE, customer_id, seeded_world, state
from world_support import ASHA, BEN

from elarian_trio.models.commands import (
    AdoptCustomerState,
    CreateCustomer,
    DeleteCustomer,
    InitiatePayment,
    ReceivePayment,
    ReplayPayment,
    ReplayPaymentStatusUpdate,
)
from elarian_trio.models.payments import Cash, CustomerPayment, PaymentChannelNumber, PaymentStatus, Purse, Wallet
from elarian_trio.sandbox.world.entities import CustomerRecord

if TYPE_CHECKING:
    from elarian_trio.models.identity import CustomerNumber

Status = PaymentStatus


def payment(name: str = "mpesa-1", status: Status = Status.SUCCESS, **changes: Any) -> ReplayPayment:  # noqa: ANN401 - the command's fields
    """Give a replayed payment."""
    given = {"debit_party": AT_PAYBILL, "credit_party": PURSE, "value": Cash("KES", 50), "narration": "", **changes}
    return ReplayPayment(provider_transaction_id=name, status=status, created_at=PAST, **given)


def test_a_payment_of_the_past_is_shown_and_moves_nothing() -> None:
    """The reply has Elarian's own id of it, and the customers."""
    world = seeded_world()
    reply = load(world, payment(narration="loan"))
    assert reply.transaction_id.startswith("el_txn_")
    assert (reply.debit_customer_id, reply.credit_customer_id) == (customer_id(world), None)
    (done,) = state(world).payment_state.transaction_log
    assert (done.transaction_id, done.provider_transaction_id, done.created_at, done.narration) == (
        reply.transaction_id,
        "mpesa-1",
        PAST,
        "loan",
    )
    assert state(world).payment_state.customer_numbers == (ASHA,)


def test_loading_a_payment_again_changes_nothing() -> None:
    """The id it got the first time is given again."""
    world = seeded_world()
    first = load(world, payment())
    again = load(world, payment(status=Status.FAILED))
    assert again.transaction_id == first.transaction_id
    assert len(state(world).payment_state.transaction_log) == 1


def test_a_payment_is_loaded_again_for_a_customer_who_was_deleted() -> None:
    """A past bug: it was said to be there, and the customer that the number is now had nothing of it."""
    world = seeded_world()
    first = load(world, payment(credit_party=CustomerPayment(BEN, PAYBILL)))
    load(world, DeleteCustomer(customer=ASHA))
    again = load(world, payment(credit_party=CustomerPayment(BEN, PAYBILL)))
    assert again.transaction_id == first.transaction_id
    assert again.debit_customer_id == customer_id(world) != first.debit_customer_id
    assert again.credit_customer_id == first.credit_customer_id
    for number in (ASHA, BEN):
        (done,) = state(world, number).payment_state.transaction_log
        assert done.transaction_id == first.transaction_id


def test_loading_a_payment_that_was_made_here_makes_nobody_a_customer() -> None:
    """Nor does one whose wallet went with its customer."""
    world = seeded_world()
    received = ReceivePayment(
        customer_number=ASHA.number,
        channel_number=PAYBILL,
        transaction_id="mpesa-1",
        value=Cash("KES", 1),
        status=Status.SUCCESS,
    )
    assert world.run(received).status
    to_a_wallet = payment("b", debit_party=PURSE, credit_party=Wallet(customer_id(world), "w"))
    assert world.run(to_a_wallet).status
    world.told()
    load(world, DeleteCustomer(customer=ASHA))
    before = dict(world.records)
    load(world, payment())
    load(world, to_a_wallet)
    assert world.records == before


def test_the_parties_of_the_past_need_not_be_the_organisations_any_more() -> None:
    """Purses and paybills are given up; a wallet's customer must be there, to show it with."""
    world = seeded_world()
    old = CustomerPayment(BEN, PaymentChannelNumber("20100"))
    load(world, payment("a", debit_party=Purse("el_prs_old"), credit_party=old))
    assert state(world, BEN).payment_state.transaction_log
    mine = Wallet(customer_id(world), "old")
    assert load(world, payment("b", debit_party=mine, credit_party=PURSE)).debit_customer_id == mine.customer_id
    assert state(world).payment_state.wallets == {}
    refused(world, payment("c", credit_party=Wallet("el_cst_none", "w")))


@pytest.mark.parametrize(
    "command",
    [
        payment(""),
        payment(status=Status.UNKNOWN),
        payment(value=Cash("KES", -1)),
    ],
)
def test_payments_that_mean_nothing_are_refused(command: ReplayPayment) -> None:
    """As those that apps ask for are."""
    refused(seeded_world(), command)


def status_update(
    name: str, status: Status, at: datetime = PAST, number: CustomerNumber = ASHA
) -> ReplayPaymentStatusUpdate:
    """Give a replayed change of a payment's status."""
    return ReplayPaymentStatusUpdate(customer_number=number, provider_transaction_id=name, updated_at=at, status=status)


def test_a_payments_status_moves_it_between_pending_and_done() -> None:
    """Updates may come out of order; the latest counts."""
    world = seeded_world()
    loaded = load(world, payment(status=Status.QUEUED))
    assert state(world).payment_state.pending_transactions
    reply = load(world, status_update("mpesa-1", Status.SUCCESS, PAST + timedelta(hours=2)))
    assert reply.transaction_id == loaded.transaction_id
    load(world, status_update("mpesa-1", Status.FAILED, PAST + timedelta(hours=1)))
    load(world, status_update("mpesa-1", Status.SUCCESS, PAST + timedelta(hours=2)))
    shown = state(world).payment_state
    assert [each.status for each in shown.transaction_log] == [Status.SUCCESS]
    assert shown.pending_transactions == ()
    load(world, status_update("mpesa-1", Status.PENDING_VALIDATION, PAST + timedelta(hours=3)))
    shown = state(world).payment_state
    assert [each.status for each in shown.pending_transactions] == [Status.PENDING_VALIDATION]
    assert shown.transaction_log == ()


def test_a_status_of_the_second_in_which_a_payment_was_made_counts() -> None:
    """Other SDKs send whole seconds, in one of which a payment may be made and settled."""
    world = seeded_world()
    load(world, payment(status=Status.QUEUED))
    load(world, status_update("mpesa-1", Status.SUCCESS, PAST))
    assert [each.status for each in state(world).payment_state.transaction_log] == [Status.SUCCESS]


def test_a_payment_is_its_own_customers_also_after_an_adoption() -> None:
    """Whoever has the number now has the payment."""
    world = seeded_world()
    load(world, payment(status=Status.QUEUED))
    world.run(AdoptCustomerState(customer_id=customer_id(world, BEN), other_customer=ASHA))
    load(world, status_update("mpesa-1", Status.SUCCESS, PAST + timedelta(hours=1), BEN))


def test_changes_to_payments_that_are_not_the_customers_are_refused() -> None:
    """Unknown ids, unknown customers, other customers' payments, and payments that were made here."""
    world = seeded_world()
    refused(world, status_update("mpesa-1", Status.SUCCESS))
    assert not [each for each in world.records.values() if isinstance(each, CustomerRecord)]
    load(world, payment())
    world.run(CreateCustomer(customer_number=BEN))
    refused(world, status_update("mpesa-1", Status.SUCCESS, number=BEN))
    refused(world, status_update("mpesa-2", Status.SUCCESS))
    refused(world, status_update("mpesa-1", Status.UNKNOWN))
    received = ReceivePayment(
        transaction_id="mpesa-3",
        channel_number=PAYBILL,
        customer_number=ASHA.number,
        value=Cash("KES", 1),
        status=Status.PENDING_CONFIRMATION,
    )
    assert world.run(received).status
    refused(world, status_update("mpesa-3", Status.SUCCESS))
    asked = world.run(InitiatePayment(debit_party=AT_PAYBILL, credit_party=PURSE, value=Cash("KES", 1)))
    refused(world, status_update(asked.transaction_id, Status.SUCCESS))
