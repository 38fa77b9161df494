"""Acceptance, written from the design: payments in every direction, wallets, purses, money on its way, replays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from acceptance import ASHA, JUMA, PAYBILL, Place, a_place, answering

from elarian_trio import (
    Cash,
    ChannelPayment,
    CheckoutPaymentSimulatorNotification,
    CommandFailed,
    CustomerNumber,
    CustomerPayment,
    PaymentChannelNumber,
    PaymentStatusNotification,
    Purse,
    ReceivedPaymentNotification,
    SendChannelPaymentSimulatorNotification,
    SendCustomerPaymentSimulatorNotification,
    Wallet,
)

pytestmark = pytest.mark.anyio

SECOND = timedelta(seconds=1)
CUSTOMER = CustomerPayment(CustomerNumber(ASHA), PAYBILL)
OTHER_PAYBILL = ChannelPayment("cellular", 99999, "83044", "55555", "account-1")


def kes(amount: Any) -> Cash:  # noqa: ANN401
    """Give so many shillings."""
    return Cash("KES", amount)


async def wallet_of(place: Place, number: str, name: str = "savings", fill: int = 0) -> Wallet:
    """Give a customer's wallet, with something in it."""
    customer_id = (await place.app.customer(number).get_state()).customer_id
    wallet = Wallet(customer_id, name)
    if fill:
        reply = await place.app.initiate_payment(Purse(place.sandbox.purse_id), wallet, kes(fill))
        assert reply.status == "success"
    return wallet


async def balances(place: Place, number: str, name: str = "savings") -> tuple[Decimal, Decimal, int]:
    """Give what a wallet can spend, what is in it, and how many payments are on their way."""
    balance = (await place.app.customer(number).get_state()).payment_state.wallets[name]
    assert balance.available is not None
    assert balance.actual is not None
    return balance.available.amount, balance.actual.amount, len(balance.pending)


async def test_internal_transfers_settle_before_the_reply() -> None:
    """The live server's tests: wallets are spent from right after they were paid; made by their first credit."""
    async with a_place() as place, answering(place.app, PaymentStatusNotification) as told:
        purse = Purse(place.sandbox.purse_id)
        asha, juma = await wallet_of(place, ASHA), await wallet_of(place, JUMA)
        for debit, credit, amount in ((purse, asha, 100), (asha, juma, "40.5"), (juma, purse, 10)):
            reply = await place.app.initiate_payment(debit, credit, kes(amount), "thanks")
            assert reply.status == "success"
            assert reply.transaction_id is not None
            assert reply.transaction_id.startswith("el_txn_")
            assert (await told.next()).transaction_id == reply.transaction_id
        assert await balances(place, ASHA) == (Decimal("59.5"), Decimal("59.5"), 0)
        assert await balances(place, JUMA) == (Decimal("30.5"), Decimal("30.5"), 0)
        log = (await place.app.customer(ASHA).get_state()).payment_state.transaction_log
        assert [each.status for each in log] == ["success", "success"]
        assert log[0].narration == "thanks"


@pytest.mark.parametrize("outcome", ["success", "failed"])
async def test_wallet_to_customer_holds_the_money_until_it_is_decided(outcome: Any) -> None:  # noqa: ANN401
    """The wire contract's events: initiated holds the funds, success takes them, failure releases them."""
    async with (
        a_place(settle="manual") as place,
        answering(place.app, PaymentStatusNotification) as told,
        answering(place.phone, SendCustomerPaymentSimulatorNotification) as phone,
    ):
        wallet = await wallet_of(place, ASHA, fill=100)
        assert (await told.next()).status == "success"
        reply = await place.app.initiate_payment(wallet, CUSTOMER, kes(30))
        assert reply.status == "pending_confirmation"
        asked = await phone.next()
        assert (asked.transaction_id, asked.value, asked.wallet, asked.purse) == (
            reply.transaction_id,
            kes(30),
            wallet,
            None,
        )
        assert (asked.customer_number.number, asked.channel_number) == (ASHA, PAYBILL)
        assert await balances(place, ASHA) == (70, 100, 1)
        pending = (await place.app.customer(ASHA).get_state()).payment_state.pending_transactions
        assert [each.transaction_id for each in pending] == [reply.transaction_id]
        assert (await place.phone.update_payment_status(asked.transaction_id, outcome)).status
        final = await told.next()
        assert (final.transaction_id, final.status) == (reply.transaction_id, outcome)
        assert await balances(place, ASHA) == ((70, 70, 0) if outcome == "success" else (100, 100, 0))


@pytest.mark.parametrize("source", ["purse", "wallet"])
async def test_purse_or_wallet_to_another_paybill(source: str) -> None:
    """The matrix: a channel payment is told to the phone; without a customer the news is a purse's."""
    async with (
        a_place() as place,
        answering(place.app, PaymentStatusNotification) as told,
        answering(place.phone, SendChannelPaymentSimulatorNotification) as phone,
    ):
        debit: Any = Purse(place.sandbox.purse_id)
        if source == "wallet":
            debit = await wallet_of(place, ASHA, fill=100)
            await told.next()
        reply = await place.app.initiate_payment(debit, OTHER_PAYBILL, kes(12))
        assert reply.status == "pending_confirmation"
        asked = await phone.next()
        assert (asked.source, asked.destination, asked.account) == ("83044", "55555", "account-1")
        assert (asked.purse if source == "purse" else asked.wallet) == debit
        await place.sandbox.clock.advance(SECOND)
        final = await told.next()
        assert (final.transaction_id, final.status) == (reply.transaction_id, "success")
        delivery = told.deliveries[-1]
        if source == "purse":
            assert (final.purse_id, final.customer_id) == (place.sandbox.purse_id, None)
            with pytest.raises(LookupError):
                _ = delivery.customer
            assert delivery.app_data is None
        else:
            assert delivery.customer is not None


@pytest.mark.parametrize("target", ["purse", "wallet"])
@pytest.mark.parametrize("outcome", ["success", "rejected"])
async def test_checkout_asks_the_customer_to_pay(target: str, outcome: Any) -> None:  # noqa: ANN401
    """The matrix: a customer's debit is a checkout; the phone decides, the app hears of it."""
    async with (
        a_place(settle="manual") as place,
        answering(place.app, PaymentStatusNotification) as told,
        answering(place.phone, CheckoutPaymentSimulatorNotification) as phone,
    ):
        credit: Any = Purse(place.sandbox.purse_id) if target == "purse" else await wallet_of(place, ASHA)
        reply = await place.app.initiate_payment(CUSTOMER, credit, kes(25))
        assert reply.status == "pending_confirmation"
        assert reply.debit_customer_id is not None
        asked = await phone.next()
        assert (asked.transaction_id, asked.value) == (reply.transaction_id, kes(25))
        assert (asked.purse if target == "purse" else asked.wallet) == credit
        await place.phone.update_payment_status(asked.transaction_id, outcome)
        final = await told.next()
        assert (final.status, final.customer_id) == (outcome, reply.debit_customer_id)
        state = (await place.app.customer(ASHA).get_state()).payment_state
        assert [each.status for each in state.transaction_log] == [outcome]
        if target == "wallet" and outcome == "success":
            assert await balances(place, ASHA) == (25, 25, 0)
        with pytest.raises(CommandFailed):  # final states do not change
            await place.phone.update_payment_status(asked.transaction_id, "failed")


@pytest.mark.parametrize("channel", ["cellular", "airtime"])
async def test_purse_to_customer_succeeds_by_itself(channel: Any) -> None:  # noqa: ANN401
    """The live server: the test gateway settles without anybody acting; also as airtime."""
    async with (
        a_place() as place,
        answering(place.app, PaymentStatusNotification) as told,
        answering(place.phone, SendCustomerPaymentSimulatorNotification) as phone,
    ):
        credit = CustomerPayment(CustomerNumber(ASHA), PaymentChannelNumber(PAYBILL.number, channel))
        for _ in range(2):
            reply = await place.app.initiate_payment(Purse(place.sandbox.purse_id), credit, kes(5))
            assert (await phone.next()).channel_number == credit.channel_number
            assert reply.status == "pending_confirmation"
            await place.sandbox.clock.advance(SECOND)
            final = await told.next()
            assert (final.transaction_id, final.status) == (reply.transaction_id, "success")
            assert final.customer_id is not None


@pytest.mark.parametrize(
    ("debit", "credit", "cash", "status"),
    [
        (CUSTOMER, CUSTOMER, kes(1), "not_supported"),
        (CUSTOMER, OTHER_PAYBILL, kes(1), "not_supported"),
        (OTHER_PAYBILL, "purse", kes(1), "not_supported"),
        (OTHER_PAYBILL, "wallet", kes(1), "not_supported"),
        ("wallet", CUSTOMER, kes(101), "insufficient_funds"),
        ("wallet", "purse", kes(101), "insufficient_funds"),
        (Purse("el_prs_none"), "wallet", kes(1), "invalid_purse"),
        ("purse", "wallet", kes(0), "invalid_request"),
        ("purse", "wallet", kes(-5), "invalid_request"),
        ("purse", "wallet", Cash("", 5), "invalid_request"),
        ("purse", "wallet", Cash("USD", 5), "invalid_request"),
        (CUSTOMER, "wallet", Cash("USD", 5), "invalid_request"),
        ("purse", "wallet", kes("1.00001"), "invalid_request"),
        (
            "purse",
            CustomerPayment(CustomerNumber(ASHA), PaymentChannelNumber("00000")),
            kes(1),
            "invalid_channel_number",
        ),
        ("purse", Wallet("el_cst_none", "w"), kes(1), "invalid_counter_party"),
    ],
)
async def test_payment_that_cannot_be_is_answered_by_its_status(
    debit: Any,  # noqa: ANN401
    credit: Any,  # noqa: ANN401
    cash: Cash,
    status: str,
) -> None:
    """The sandbox's rules and this SDK's: the reply's status says why; nothing moved."""
    async with a_place() as place:
        parties = {"purse": Purse(place.sandbox.purse_id), "wallet": await wallet_of(place, ASHA, fill=100)}
        debit, credit = parties.get(debit, debit) if isinstance(debit, str) else debit, credit
        credit = parties.get(credit, credit) if isinstance(credit, str) else credit
        reply = await place.app.initiate_payment(debit, credit, cash)
        assert reply.status == status
        assert reply.description
        assert await balances(place, ASHA) == (100, 100, 0)


async def test_undecided_payment_expires() -> None:
    """The sandbox's rules: with settle="manual" nobody decides, and after 120 s it expires and releases the money."""
    async with (
        a_place(settle="manual") as place,
        answering(place.phone),
        answering(place.app, PaymentStatusNotification) as told,
    ):
        wallet = await wallet_of(place, ASHA, fill=50)
        await told.next()
        reply = await place.app.initiate_payment(wallet, CUSTOMER, kes(20))
        await place.sandbox.clock.advance(timedelta(seconds=119))
        assert await balances(place, ASHA) == (30, 50, 1)
        await place.sandbox.clock.advance(timedelta(seconds=2))
        final = await told.next()
        assert (final.transaction_id, final.status) == (reply.transaction_id, "expired")
        assert await balances(place, ASHA) == (50, 50, 0)


async def test_unasked_payment_is_told_at_once_and_its_changes_later() -> None:
    """The specification: receivedPayment for the purse behind the paybill, later changes as paymentStatus."""
    kinds = (ReceivedPaymentNotification, PaymentStatusNotification)
    async with a_place() as place, answering(place.app, *kinds) as told:
        assert (await place.phone.receive_payment(ASHA, PAYBILL, "mpesa-1", kes(80), "success")).status
        first = await told.next()
        assert (first.value, first.status, first.purse_id) == (kes(80), "success", place.sandbox.purse_id)
        assert (first.customer_number.number, first.channel_number) == (ASHA, PAYBILL)
        assert first.customer_id is not None
        with pytest.raises(CommandFailed):  # the same payment again
            await place.phone.receive_payment(ASHA, PAYBILL, "mpesa-1", kes(80), "success")
        await place.phone.receive_payment(ASHA, PAYBILL, "mpesa-2", kes(20), "pending_confirmation")
        second = await told.next()
        assert second.status == "pending_confirmation"
        assert (await place.phone.update_payment_status("mpesa-2", "success")).status
        third = await told.next()
        assert (third.transaction_id, third.status) == (second.transaction_id, "success")
        with pytest.raises(CommandFailed):
            await place.phone.update_payment_status("nobody-knows-it", "success")
        log = (await place.app.customer(ASHA).get_state()).payment_state.transaction_log
        assert [each.value for each in log] == [kes(80), kes(20)]


async def test_replayed_payment_is_history_and_moves_no_money() -> None:
    """The specification: the provider's id and the past's times; the reply gives Elarian's id."""
    past = datetime(2020, 5, 17, 12, 30, 15, tzinfo=UTC)
    async with a_place() as place, answering(place.app) as told, answering(place.phone) as phone:
        asha = place.app.customer(ASHA)
        wallet = await wallet_of(place, ASHA, fill=10)
        await told.next()
        reply = await place.app.replay_payment("p-1", CUSTOMER, wallet, "pending_confirmation", kes(7), "old", past)
        assert reply.status
        assert reply.transaction_id is not None
        assert reply.transaction_id.startswith("el_txn_")
        assert reply.debit_customer_id is not None
        changed = await place.app.replay_payment_status_update(asha, "p-1", "success", past + SECOND)
        assert changed.transaction_id == reply.transaction_id
        log = (await asha.get_state()).payment_state.transaction_log
        (replayed,) = (each for each in log if each.provider_transaction_id == "p-1")
        assert (replayed.status, replayed.value, replayed.created_at) == ("success", kes(7), past)
        assert replayed.narration == "old"
        with pytest.raises(CommandFailed):
            await place.app.replay_payment_status_update(asha, "p-none", "success", past)
        assert await balances(place, ASHA) == (10, 10, 0)
        await place.sandbox.clock.advance(timedelta(minutes=5))
        await place.app.ping()
        await place.phone.ping()
        assert (told.deliveries[1:], phone.deliveries) == ([], [])
