"""Payments that apps ask for, in every direction."""

from __future__ import annotations

from typing import Any

import pytest
from seeded_world import AT_PAYBILL, PAYBILL, PURSE, SAVINGS, customer_id, purse_balance, seeded_world, state
from world_support import APP, ASHA, BEN, ORG, World

from elarian_trio.models.commands import AdoptCustomerState, DeleteCustomer, InitiatePayment
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.notifications import PaymentStatusNotification
from elarian_trio.models.payments import (
    Cash,
    ChannelPayment,
    CustomerPayment,
    PaymentChannel,
    PaymentChannelNumber,
    PaymentParty,
    PaymentStatus,
    Purse,
    Wallet,
)
from elarian_trio.models.simulator import (
    CheckoutPaymentSimulatorNotification,
    SendChannelPaymentSimulatorNotification,
    SendCustomerPaymentSimulatorNotification,
)

Status = PaymentStatus
BANK = ChannelPayment("cellular", 99999, "83044", "12345", "ACC-1")
AIRTIME = PaymentChannelNumber("83044", "airtime")


def pay(world: World, debit: PaymentParty, credit: PaymentParty, amount: str = "10", currency: str = "KES") -> Any:  # noqa: ANN401 - the reply
    """Ask for a payment, and give the reply."""
    command = InitiatePayment(
        debit_party=debit, credit_party=credit, value=Cash(currency, amount), narration="for the test"
    )
    reply = world.run(command)
    assert reply.description
    return reply


def wallet(world: World, name: str = "w", number: CustomerNumber = ASHA) -> Wallet:
    """Give a wallet of a customer."""
    return Wallet(customer_id(world, number), name)


def filled(world: World, amount: str = "100") -> Wallet:
    """Give a wallet with something in it, and forget how it came there."""
    made = wallet(world)
    assert pay(world, PURSE, made, amount).status is Status.SUCCESS
    world.told()
    return made


def wallet_amounts(world: World, name: str = "w", number: CustomerNumber = ASHA) -> tuple[str, str]:
    """Give what is available and what is there."""
    balance = state(world, number).payment_state.wallets[name]
    assert balance.available is not None
    assert balance.actual is not None
    return str(balance.available.amount), str(balance.actual.amount)


# --- within the organisation ---


def test_a_purse_fills_a_wallet_before_the_reply() -> None:
    """Apps spend from a wallet right after they filled it; the live server's tests did."""
    world = seeded_world()
    mine = wallet(world)
    reply = pay(world, PURSE, mine)
    assert (reply.status, reply.debit_customer_id, reply.credit_customer_id) == (
        Status.SUCCESS,
        None,
        mine.customer_id,
    )
    assert wallet_amounts(world) == ("10", "10")
    assert str(purse_balance(world).actual) == str(Cash("KES", 990))
    (told,) = world.told()
    assert isinstance(told, PaymentStatusNotification)
    assert (told.transaction_id, told.status, told.customer_id, told.purse_id, told.app_id) == (
        reply.transaction_id,
        Status.SUCCESS,
        mine.customer_id,
        None,
        APP,
    )
    assert world.phones() == []
    (done,) = state(world).payment_state.transaction_log
    assert (done.transaction_id, done.status, done.narration, done.app_id) == (
        reply.transaction_id,
        Status.SUCCESS,
        "for the test",
        APP,
    )


def test_wallets_pay_wallets_and_purses() -> None:
    """Both customers' logs show it; the credited customer is told of."""
    world = seeded_world()
    mine, yours = filled(world), wallet(world, "v", BEN)
    reply = pay(world, mine, yours)
    assert (reply.status, reply.debit_customer_id) == (Status.SUCCESS, mine.customer_id)
    assert world.told()[0].customer_id == yours.customer_id
    assert state(world, BEN).payment_state.transaction_log[-1].transaction_id == reply.transaction_id
    assert state(world).payment_state.transaction_log[-1].transaction_id == reply.transaction_id
    assert pay(world, mine, SAVINGS).status is Status.SUCCESS
    assert world.told()[0].customer_id == mine.customer_id
    assert wallet_amounts(world) == ("80", "80")
    assert wallet_amounts(world, "v", BEN) == ("10", "10")


def test_between_purses_the_purse_form_is_told() -> None:
    """No customer is concerned: the only other form that the wire has."""
    world = seeded_world()
    assert pay(world, PURSE, SAVINGS).status is Status.SUCCESS
    (told,) = world.told()
    assert (told.customer_id, told.purse_id) == (None, SAVINGS.purse_id)
    assert purse_balance(world, SAVINGS).sequence_nr == 1


def test_a_payment_within_one_customer_is_shown_once() -> None:
    """Both sides are the same customer's."""
    world = seeded_world()
    mine = filled(world)
    assert pay(world, mine, wallet(world, "v")).status is Status.SUCCESS
    assert len(state(world).payment_state.transaction_log) == 2


# --- to the outside ---


@pytest.mark.parametrize("from_wallet", [False, True], ids=["purse", "wallet"])
def test_paying_a_customer_holds_the_money_and_tells_the_phones(from_wallet: bool) -> None:
    """Two phases: what is on its way cannot be spent again, but is still there."""
    world = seeded_world()
    payer = filled(world) if from_wallet else PURSE
    reply = pay(world, payer, AT_PAYBILL)
    assert (reply.status, reply.credit_customer_id) == (Status.PENDING_CONFIRMATION, customer_id(world))
    (rang,) = world.phones()
    assert rang == SendCustomerPaymentSimulatorNotification(
        org_id=ORG,
        app_id=APP,
        customer_id=reply.credit_customer_id,
        transaction_id=reply.transaction_id,
        customer_number=ASHA,
        channel_number=PAYBILL,
        value=Cash("KES", 10),
        wallet=payer if isinstance(payer, Wallet) else None,
        purse=payer if isinstance(payer, Purse) else None,
    )
    assert world.told() == []
    shown = state(world).payment_state
    assert [each.transaction_id for each in shown.pending_transactions] == [reply.transaction_id]
    assert shown.customer_numbers == (ASHA,)
    assert shown.channel_numbers == (PAYBILL,)
    balance = shown.wallets["w"] if from_wallet else purse_balance(world)
    assert balance.available is not None
    assert balance.actual is not None
    assert balance.actual.amount - balance.available.amount == 10
    assert list(balance.pending) == [reply.transaction_id]
    world.advance(1)
    assert [each.status for each in world.told()] == [Status.SUCCESS]
    assert state(world).payment_state.pending_transactions == ()


@pytest.mark.parametrize("from_wallet", [False, True], ids=["purse", "wallet"])
def test_paying_another_paybill_tells_the_phones(from_wallet: bool) -> None:
    """Without a customer the purse form tells how it ended."""
    world = seeded_world()
    payer = filled(world) if from_wallet else PURSE
    reply = pay(world, payer, BANK)
    assert reply.status is Status.PENDING_CONFIRMATION
    (rang,) = world.phones()
    assert rang == SendChannelPaymentSimulatorNotification(
        org_id=ORG,
        app_id=APP,
        transaction_id=reply.transaction_id,
        channel=PaymentChannel.CELLULAR,
        source="83044",
        destination="12345",
        account="ACC-1",
        value=Cash("KES", 10),
        wallet=payer if isinstance(payer, Wallet) else None,
        purse=payer if isinstance(payer, Purse) else None,
    )
    world.advance(1)
    (told,) = world.told()
    assert (told.customer_id is None, told.purse_id is None) == (not from_wallet, from_wallet)


@pytest.mark.parametrize("to_wallet", [False, True], ids=["purse", "wallet"])
def test_a_checkout_asks_the_customer_and_credits_on_success(to_wallet: bool) -> None:
    """Nothing is held: the money is still the customer's."""
    world = seeded_world()
    payee = wallet(world) if to_wallet else PURSE
    reply = pay(world, AT_PAYBILL, payee)
    assert (reply.status, reply.debit_customer_id) == (Status.PENDING_CONFIRMATION, customer_id(world))
    (rang,) = world.phones()
    assert rang == CheckoutPaymentSimulatorNotification(
        org_id=ORG,
        app_id=APP,
        customer_id=reply.debit_customer_id,
        transaction_id=reply.transaction_id,
        customer_number=ASHA,
        channel_number=PAYBILL,
        value=Cash("KES", 10),
        wallet=payee if isinstance(payee, Wallet) else None,
        purse=payee if isinstance(payee, Purse) else None,
    )
    assert state(world).payment_state.wallets == {}
    world.advance(1)
    assert world.told()[0].customer_id == customer_id(world)
    balance = state(world).payment_state.wallets["w"] if to_wallet else purse_balance(world)
    assert balance.actual == Cash("KES", 10 if to_wallet else 1010)


def test_airtime_is_bought_through_the_paybill() -> None:
    """A customer party with the airtime channel; it needs no number of its own."""
    world = seeded_world()
    assert pay(world, PURSE, CustomerPayment(ASHA, AIRTIME)).status is Status.PENDING_CONFIRMATION
    assert world.phones()[0].channel_number == AIRTIME


def test_an_open_server_takes_any_payment_channel_number() -> None:
    """It lets things register themselves."""
    world = seeded_world(strict=False)
    assert pay(world, PURSE, CustomerPayment(ASHA, PaymentChannelNumber("1"))).status is Status.PENDING_CONFIRMATION


# --- refusals ---

NOT_SUPPORTED = [
    (AT_PAYBILL, AT_PAYBILL),
    (AT_PAYBILL, BANK),
    (BANK, PURSE),
    (BANK, AT_PAYBILL),
    (BANK, BANK),
    (CustomerPayment(ASHA, AIRTIME), PURSE),
]


@pytest.mark.parametrize(("debit", "credit"), NOT_SUPPORTED)
def test_directions_that_no_gateway_could_be_told_are_not_supported(debit: PaymentParty, credit: PaymentParty) -> None:
    """The cells of the matrix that the wire's simulator notifications cannot express."""
    world = seeded_world()
    assert pay(world, debit, credit).status is Status.NOT_SUPPORTED


@pytest.mark.parametrize(
    ("debit", "credit", "amount", "currency", "status"),
    [
        (Purse("el_prs_none"), SAVINGS, "10", "KES", Status.INVALID_PURSE),
        (PURSE, Purse("el_prs_none"), "10", "KES", Status.INVALID_PURSE),
        (PURSE, SAVINGS, "1000.01", "KES", Status.INSUFFICIENT_FUNDS),
        (PURSE, SAVINGS, "1", "USD", Status.INSUFFICIENT_FUNDS),
        (PURSE, AT_PAYBILL, "1000.01", "KES", Status.INSUFFICIENT_FUNDS),
        (PURSE, SAVINGS, "0", "KES", Status.INVALID_REQUEST),
        (PURSE, SAVINGS, "-1", "KES", Status.INVALID_REQUEST),
        (PURSE, SAVINGS, "0.00001", "KES", Status.INVALID_REQUEST),
        (PURSE, SAVINGS, "1", "", Status.INVALID_REQUEST),
        (PURSE, PURSE, "1", "KES", Status.INVALID_REQUEST),
        (PURSE, Wallet("el_cst_none", "w"), "1", "KES", Status.INVALID_COUNTER_PARTY),
        (PURSE, Wallet("el_cst_none", ""), "1", "KES", Status.INVALID_REQUEST),
        (Wallet("el_cst_none", "w"), PURSE, "1", "KES", Status.INVALID_COUNTER_PARTY),
        (PURSE, CustomerPayment(ASHA, PaymentChannelNumber("1")), "1", "KES", Status.INVALID_CHANNEL_NUMBER),
        (PURSE, CustomerPayment(ASHA, PaymentChannelNumber("")), "1", "KES", Status.INVALID_CHANNEL_NUMBER),
        (
            PURSE,
            CustomerPayment(ASHA, PaymentChannelNumber("83044", PaymentChannel.UNKNOWN)),
            "1",
            "KES",
            Status.INVALID_CHANNEL_NUMBER,
        ),
        (CustomerPayment(CustomerNumber(""), PAYBILL), PURSE, "1", "KES", Status.INVALID_REQUEST),
        (PURSE, ChannelPayment("cellular", 99999, "1", "12345"), "1", "KES", Status.INVALID_CHANNEL_NUMBER),
        (PURSE, ChannelPayment("cellular", 99999, "83044", ""), "1", "KES", Status.INVALID_COUNTER_PARTY),
    ],
)
def test_what_cannot_be_paid_is_refused_and_moves_nothing(
    debit: PaymentParty, credit: PaymentParty, amount: str, currency: str, status: Status
) -> None:
    """Each refusal has the status that the wire has for it."""
    world = seeded_world()
    before = dict(world.records)
    reply = pay(world, debit, credit, amount, currency)
    assert (reply.status, reply.transaction_id) == (status, None)
    assert (world.told(), world.phones(), world.jobs) == ([], [], {})
    assert world.records == before


def test_a_wallet_pays_what_it_has_in_its_own_currency() -> None:
    """A wallet's currency is its first credit's; a wallet that nobody filled holds nothing."""
    world = seeded_world()
    mine = wallet(world)
    assert pay(world, mine, SAVINGS).status is Status.INSUFFICIENT_FUNDS
    filled(world)
    assert pay(world, mine, SAVINGS, "100.01").status is Status.INSUFFICIENT_FUNDS
    assert pay(world, mine, SAVINGS, "1", "USD").status is Status.INVALID_REQUEST
    assert wallet_amounts(world) == ("100", "100")


def test_an_adopted_customers_wallet_has_a_status_of_its_own() -> None:
    """The wire's decommissioned_customer_id; what was in it is the survivor's."""
    world = seeded_world()
    mine = filled(world)
    world.run(AdoptCustomerState(customer_id=customer_id(world, BEN), other_customer=ASHA))
    assert pay(world, PURSE, mine).status is Status.DECOMMISSIONED_CUSTOMER_ID
    assert pay(world, wallet(world, "w", BEN), SAVINGS).status is Status.SUCCESS


def test_a_deleted_customers_wallet_is_nobodys() -> None:
    """A later customer with the number has another id."""
    world = seeded_world()
    mine = filled(world)
    world.run(DeleteCustomer(customer=ASHA))
    assert pay(world, mine, SAVINGS).status is Status.INVALID_COUNTER_PARTY
    assert state(world).payment_state.wallets == {}
