"""What becomes of payments that the gateway decides about, and of money that customers send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from seeded_world import AT_PAYBILL, PAYBILL, PURSE, SAVINGS, customer_id, purse_balance, seeded_world, state
from world_support import APP, ASHA, BEN, ORG, World

from elarian_trio.models.commands import (
    AdoptCustomerState,
    DeleteCustomer,
    InitiatePayment,
    ReceivePayment,
    ReplayPayment,
    UpdatePaymentStatus,
)
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.notifications import PaymentStatusNotification, ReceivedPaymentNotification
from elarian_trio.models.payments import (
    Cash,
    CustomerPayment,
    PaymentChannel,
    PaymentChannelNumber,
    PaymentParty,
    PaymentStatus,
    Wallet,
)
from elarian_trio.sandbox.world.effects import PaymentExpires, PaymentSettles
from elarian_trio.sandbox.world.entities import PaymentChannelRecord

if TYPE_CHECKING:
    from decimal import Decimal

Status = PaymentStatus


def pay(world: World, debit: PaymentParty, credit: PaymentParty, amount: str = "10", app_id: str = APP) -> str:
    """Ask for a payment that is taken on, and give its id."""
    command = InitiatePayment(debit_party=debit, credit_party=credit, value=Cash("KES", amount))
    reply = world.run(command, app_id=app_id)
    assert reply.status in (Status.SUCCESS, Status.PENDING_CONFIRMATION), reply.description
    transaction_id: str = reply.transaction_id
    return transaction_id


def decide(world: World, transaction_id: str, status: Status) -> bool:
    """Have the gateway decide, and say whether it may."""
    reply = world.run(UpdatePaymentStatus(transaction_id=transaction_id, status=status))
    assert reply.description
    taken: bool = reply.status
    return taken


def take(world: World, transaction_id: str, status: Status = Status.SUCCESS, **changes: Any) -> Any:  # noqa: ANN401 - the command's fields, the reply
    """Have a customer pay unasked."""
    given = {"channel_number": PAYBILL, "customer_number": ASHA.number, "value": Cash("KES", 50), **changes}
    reply = world.run(ReceivePayment(transaction_id=transaction_id, status=status, **given))
    assert reply.description
    return reply


def amounts(world: World) -> tuple[Decimal | int, ...]:
    """Give what is available and what is there in the purse."""
    balance = purse_balance(world)
    assert balance.available is not None
    assert balance.actual is not None
    return balance.available.amount, balance.actual.amount


# --- deciding ---


def test_the_server_settles_by_itself_after_a_while() -> None:
    """The live test gateway did, with nobody acting."""
    world = seeded_world()
    payment = pay(world, PURSE, AT_PAYBILL)
    world.advance(0.4)
    assert (world.told(), amounts(world)) == ([], (990, 1000))
    world.advance(0.1)
    (told,) = world.told()
    assert isinstance(told, PaymentStatusNotification)
    assert (told.transaction_id, told.status) == (payment, Status.SUCCESS)
    assert amounts(world) == (990, 990)


def test_a_simulator_that_is_earlier_wins() -> None:
    """And what it said stays."""
    world = seeded_world()
    payment = pay(world, PURSE, AT_PAYBILL, app_id="shop")
    assert decide(world, payment, Status.FAILED)
    assert amounts(world) == (1000, 1000)
    world.advance(600)
    (told,) = world.told()
    assert (told.status, told.app_id) == (Status.FAILED, "shop")


def test_a_payment_that_nobody_decides_about_expires() -> None:
    """Where deciding is left to a simulator; the money comes back."""
    world = seeded_world(settle="manual")
    pay(world, PURSE, AT_PAYBILL)
    world.advance(119)
    assert (world.told(), amounts(world)) == ([], (990, 1000))
    world.advance(1)
    assert [each.status for each in world.told()] == [Status.EXPIRED]
    assert amounts(world) == (1000, 1000)


def test_a_simulator_may_say_that_it_is_not_finished() -> None:
    """Whoever says so much will say the rest: the server does not decide by itself any more."""
    world = seeded_world()
    payment = pay(world, PURSE, AT_PAYBILL)
    assert decide(world, payment, Status.PENDING_VALIDATION)
    world.advance(60)
    assert [each.status for each in world.told()] == [Status.PENDING_VALIDATION]
    assert state(world).payment_state.pending_transactions[0].status is Status.PENDING_VALIDATION
    assert decide(world, payment, Status.SUCCESS)
    assert amounts(world) == (990, 990)
    world.advance(600)
    assert [each.status for each in world.told()] == [Status.SUCCESS]


def test_a_simulator_that_never_finishes_lets_the_payment_expire() -> None:
    """There is a bound to every wait."""
    world = seeded_world()
    decide(world, pay(world, PURSE, AT_PAYBILL), Status.VALIDATED)
    world.told()
    world.advance(120)
    assert [each.status for each in world.told()] == [Status.EXPIRED]


FINAL = [
    each
    for each in Status
    if each
    not in (
        Status.UNKNOWN,
        Status.QUEUED,
        Status.PENDING_CONFIRMATION,
        Status.PENDING_VALIDATION,
        Status.VALIDATED,
        Status.REVERSED,
    )
]


@pytest.mark.parametrize("first", FINAL)
def test_a_final_status_is_final_and_saying_it_again_changes_nothing(first: Status) -> None:
    """Only a success can still be reversed."""
    world = seeded_world()
    payment = pay(world, PURSE, AT_PAYBILL)
    assert decide(world, payment, first)
    world.told()
    before = purse_balance(world)
    assert decide(world, payment, first)
    for other in Status:
        if other is not first and (first, other) != (Status.SUCCESS, Status.REVERSED):
            assert not decide(world, payment, other)
    assert (world.told(), purse_balance(world)) == ([], before)


def test_a_payment_cannot_be_reversed_before_it_succeeded() -> None:
    """It can be failed instead."""
    world = seeded_world()
    assert not decide(world, pay(world, PURSE, AT_PAYBILL), Status.REVERSED)


def test_nobody_can_decide_about_a_payment_that_is_not_there() -> None:
    """Nor about one that was loaded from the past, which moved no money."""
    world = seeded_world()
    assert not decide(world, "el_txn_none", Status.SUCCESS)
    command = ReplayPayment(
        provider_transaction_id="old",
        debit_party=AT_PAYBILL,
        credit_party=PURSE,
        status=Status.PENDING_CONFIRMATION,
        value=Cash("KES", 5),
        created_at=world.now,
    )
    loaded = world.run(command)
    for name in ("old", loaded.transaction_id):
        assert not decide(world, name, Status.SUCCESS)
    assert amounts(world) == (1000, 1000)


# --- reversal ---


def test_a_reversed_payout_comes_back() -> None:
    """A refund; the log shows the payment once, with its last status."""
    world = seeded_world()
    payment = pay(world, PURSE, AT_PAYBILL)
    decide(world, payment, Status.SUCCESS)
    assert decide(world, payment, Status.REVERSED)
    assert amounts(world) == (1000, 1000)
    assert [each.status for each in world.told()] == [Status.SUCCESS, Status.REVERSED]
    (done,) = state(world).payment_state.transaction_log
    assert done.status is Status.REVERSED
    assert not decide(world, payment, Status.SUCCESS)


def test_a_reversed_checkout_goes_back_to_the_customer() -> None:
    """If the purse still has it."""
    world = seeded_world()
    payment = pay(world, AT_PAYBILL, PURSE)
    decide(world, payment, Status.SUCCESS)
    assert decide(world, payment, Status.REVERSED)
    assert amounts(world) == (1000, 1000)


def test_a_transfer_can_be_reversed_too() -> None:
    """Both ledgers move back."""
    world = seeded_world()
    payment = pay(world, PURSE, SAVINGS)
    assert decide(world, payment, Status.REVERSED)
    assert amounts(world) == (1000, 1000)
    assert purse_balance(world, SAVINGS).actual == Cash("KES", 0)


def test_money_that_was_spent_cannot_be_reversed() -> None:
    """No ledger goes below zero."""
    world = seeded_world()
    mine = Wallet(customer_id(world), "w")
    payment = pay(world, PURSE, mine)
    pay(world, mine, SAVINGS)
    assert not decide(world, payment, Status.REVERSED)
    assert amounts(world) == (990, 990)


# --- customers who change while money is on its way ---


def test_a_checkout_into_a_deleted_customers_wallet_fails() -> None:
    """There is no wallet to credit, so nothing may be taken."""
    world = seeded_world()
    pay(world, AT_PAYBILL, Wallet(customer_id(world, BEN), "w"))
    world.run(DeleteCustomer(customer=BEN))
    world.advance(1)
    (told,) = world.told()
    assert told.status is Status.FAILED
    assert told.description


@pytest.mark.parametrize("status", [Status.SUCCESS, Status.FAILED])
def test_what_a_deleted_customers_wallet_held_is_gone_with_it(status: Status) -> None:
    """Nothing breaks; the payee is told."""
    world = seeded_world()
    mine = Wallet(customer_id(world), "w")
    pay(world, PURSE, mine)
    payment = pay(world, mine, CustomerPayment(BEN, PAYBILL))
    world.run(DeleteCustomer(customer=ASHA))
    world.told()
    assert decide(world, payment, status)
    assert [each.status for each in world.told()] == [status]
    assert amounts(world) == (990, 990)


def test_money_on_its_way_follows_an_adoption() -> None:
    """What the other's wallet held is held by the survivor's, and leaves from there."""
    world = seeded_world()
    mine = Wallet(customer_id(world), "w")
    pay(world, PURSE, mine, "100")
    pay(world, mine, CustomerPayment(ASHA, PAYBILL), "30")
    ben = customer_id(world, BEN)
    world.run(AdoptCustomerState(customer_id=ben, other_customer=ASHA))
    world.told()
    world.advance(1)
    (told,) = world.told()
    assert (told.status, told.customer_id) == (Status.SUCCESS, ben)
    shown = state(world, BEN).payment_state
    assert shown.wallets["w"].actual == shown.wallets["w"].available == Cash("KES", 70)
    assert shown.pending_transactions == ()


def test_a_checkout_into_a_wallet_that_took_another_currency_fails() -> None:
    """A wallet's currency is its first credit's, and that came while the customer still thought."""
    world = seeded_world(settle="manual")
    mine = Wallet(customer_id(world), "w")
    shillings = pay(world, AT_PAYBILL, mine)
    command = InitiatePayment(debit_party=AT_PAYBILL, credit_party=mine, value=Cash("USD", 1))
    assert decide(world, world.run(command).transaction_id, Status.SUCCESS)
    world.told()
    assert decide(world, shillings, Status.SUCCESS)
    assert [each.status for each in world.told()] == [Status.FAILED]


def test_a_decision_that_comes_too_late_is_forgotten() -> None:
    """A job may outlive what it is about."""
    world = seeded_world()
    payment = pay(world, PURSE, AT_PAYBILL)
    decide(world, payment, Status.SUCCESS)
    world.told()
    world.run_job(PaymentExpires(org_id=ORG, app_id=APP, transaction_id=payment))
    world.run_job(PaymentSettles(org_id=ORG, app_id=APP, transaction_id="el_txn_none"))
    assert world.told() == []


# --- unasked ---


def test_an_unasked_payment_fills_the_paybills_purse() -> None:
    """The paybill maps to a purse and an app."""
    world = seeded_world()
    assert take(world, "mpesa-1").status
    (told,) = world.told()
    assert isinstance(told, ReceivedPaymentNotification)
    assert (told.purse_id, told.customer_number, told.channel_number, told.value, told.status, told.app_id) == (
        PURSE.purse_id,
        ASHA,
        PAYBILL,
        Cash("KES", 50),
        Status.SUCCESS,
        APP,
    )
    assert told.customer_id == customer_id(world)
    assert amounts(world) == (1050, 1050)
    (done,) = state(world).payment_state.transaction_log
    assert (done.transaction_id, done.provider_transaction_id) == (told.transaction_id, "mpesa-1")


@pytest.mark.parametrize("by_own_id", [False, True], ids=["phone's id", "Elarian's id"])
def test_an_unasked_payment_may_be_confirmed_later(by_own_id: bool) -> None:
    """The purse has it at success only; later news comes as paymentStatus to the same app."""
    world = seeded_world()
    assert take(world, "mpesa-1", Status.PENDING_CONFIRMATION).status
    (told,) = world.told()
    assert (told.status, amounts(world)) == (Status.PENDING_CONFIRMATION, (1000, 1000))
    assert decide(world, told.transaction_id if by_own_id else "mpesa-1", Status.SUCCESS)
    (later,) = world.told()
    assert isinstance(later, PaymentStatusNotification)
    assert (later.transaction_id, later.app_id, later.customer_id) == (told.transaction_id, APP, told.customer_id)
    assert amounts(world) == (1050, 1050)


def test_an_unasked_payment_that_nobody_confirms_expires() -> None:
    """A phone that reports it pending drives it; the server does not settle it by itself."""
    world = seeded_world()
    take(world, "mpesa-1", Status.PENDING_CONFIRMATION)
    world.told()
    world.advance(120)
    assert [each.status for each in world.told()] == [Status.EXPIRED]


def test_an_unasked_payment_that_failed_is_told_and_credits_nothing() -> None:
    """The app is told what the phone reported."""
    world = seeded_world()
    assert take(world, "mpesa-1", Status.FAILED).status
    assert world.told()[0].status is Status.FAILED
    assert (amounts(world), world.jobs) == ((1000, 1000), {})


def test_an_unasked_payment_is_never_taken_twice() -> None:
    """Neither under its own id nor under one of ours."""
    world = seeded_world()
    assert take(world, "mpesa-1").status
    (told,) = world.told()
    assert not take(world, "mpesa-1").status
    assert not take(world, told.transaction_id).status
    assert (world.told(), amounts(world)) == ([], (1050, 1050))


@pytest.mark.parametrize(
    "changes",
    [
        {"channel_number": PaymentChannelNumber("1")},
        {"channel_number": PaymentChannelNumber("2")},
        {"transaction_id": ""},
        {"customer_number": ""},
        {"value": Cash("KES", 0)},
        {"value": Cash("KES", "1e25")},
        {"status": Status.UNKNOWN},
        {"status": Status.REVERSED},
    ],
)
def test_an_unasked_payment_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    """And nothing moves."""
    world = seeded_world()
    world.put(
        PaymentChannelRecord(
            org_id=ORG, channel=PaymentChannel.CELLULAR, number="2", app_id=APP, purse_id="el_prs_none"
        )
    )
    before = dict(world.records)
    given = {"transaction_id": "mpesa-1", **changes}
    reply = take(world, **given)
    assert not reply.status
    assert (world.records, world.told()) == (before, [])


def test_an_unasked_payment_makes_its_payer_known() -> None:
    """Everybody who engages is a customer."""
    world = seeded_world()
    take(world, "mpesa-1", customer_number="00254 700 000 009")
    shown = state(world, CustomerNumber("+254700000009")).payment_state
    assert shown.customer_numbers == (CustomerNumber("+254700000009"),)
