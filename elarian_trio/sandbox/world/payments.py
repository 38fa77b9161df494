"""Payments that apps ask for: which party may pay which, who must exist, and what happens before the reply.

:mod:`.rules` stands above; below are the ledgers, the transactions, and :mod:`.settlement`, which goes on with what the
gateway has to decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from elarian_trio.models.commands import InitiatePayment
from elarian_trio.models.payments import (
    ChannelPayment,
    CustomerPayment,
    PaymentChannel,
    PaymentChannelNumber,
    PaymentStatus,
    PaymentTransaction,
    Purse,
    Wallet,
)
from elarian_trio.models.replies import InitiatePaymentReply
from elarian_trio.models.simulator import (
    CheckoutPaymentSimulatorNotification,
    SendChannelPaymentSimulatorNotification,
    SendCustomerPaymentSimulatorNotification,
)
from elarian_trio.sandbox.world.addresses import customer_with_id, customer_with_number, normal, payment_channel_key
from elarian_trio.sandbox.world.entities import TransactionRecord
from elarian_trio.sandbox.world.ledgers import Declined, check_currency, check_value, hold, pay_in, pay_out, purse
from elarian_trio.sandbox.world.settlement import await_gateway
from elarian_trio.sandbox.world.transactions import put_transaction, tell_status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from elarian_trio.models.payments import Cash, PaymentParty
    from elarian_trio.sandbox.world.families import JobRules, Rules
    from elarian_trio.sandbox.world.work import Work

Status = PaymentStatus


def initiate(work: Work, command: InitiatePayment) -> InitiatePaymentReply:
    """Move money, or have the gateway move it; what cannot be is refused, and leaves no trace."""
    try:
        return _initiate(work, command)
    except Declined as no:
        work.discard()
        return InitiatePaymentReply(status=no.status, description=no.description)


def _initiate(work: Work, command: InitiatePayment) -> InitiatePaymentReply:
    debit, credit = command.debit_party, command.credit_party
    way = _WAYS.get((type(debit), type(credit)))
    if way is None:
        msg = f"a {_name(debit)} cannot pay a {_name(credit)}; purses and wallets pay all, customers only these two"
        raise Declined(Status.NOT_SUPPORTED, msg)
    check_value(command.value)
    if debit == credit:
        msg = f"both parties are the same {_name(debit)}; name two"
        raise Declined(Status.INVALID_REQUEST, msg)
    order = _Order(
        transaction_id=work.new_id("txn"),
        debit=debit,
        credit=credit,
        value=command.value,
        debit_customer_id=check_party(work, debit),
        credit_customer_id=check_party(work, credit),
    )
    for party in (debit, credit):  # a request that can never succeed is refused before the money is looked at
        if isinstance(party, Wallet):
            check_currency(work, party, command.value.currency_code)
    status, description = way(work, order)
    transaction = PaymentTransaction(
        transaction_id=order.transaction_id,
        app_id=work.app_id,
        debit_party=debit,
        credit_party=credit,
        value=command.value,
        status=status,
        created_at=work.now,
        updated_at=work.now,
        narration=command.narration or None,
        description=description,
    )
    record = TransactionRecord(
        org_id=work.org_id,
        transaction=transaction,
        debit_customer_id=order.debit_customer_id,
        credit_customer_id=order.credit_customer_id,
    )
    put_transaction(work, record)
    if status is Status.SUCCESS:
        tell_status(work, record)
    else:
        await_gateway(work, record)
    return InitiatePaymentReply(
        status=status,
        description=description,
        transaction_id=order.transaction_id,
        debit_customer_id=order.debit_customer_id,
        credit_customer_id=order.credit_customer_id,
    )


# --- parties ---


def check_party(work: Work, party: PaymentParty) -> str | None:
    """See that a party is there, and give the customer that it is, if it is one.

    Raises:
        Declined: it is not there, or not one of the organisation's numbers.
        Refusal: the customer is unknown or was adopted.
    """
    return _PARTIES[type(party)](work, party)


def _check_purse(work: Work, party: Purse) -> None:
    purse(work, party)


def _check_wallet(work: Work, party: Wallet) -> str:
    if not party.wallet_id:
        raise Declined(Status.INVALID_REQUEST, "the wallet has no name; give it any")
    return customer_with_id(work, party.customer_id).customer_id


def _check_customer(work: Work, party: CustomerPayment) -> str:
    _check_number(work, party.channel_number)
    return customer_with_number(work, party.customer_number).customer_id


def _check_channel(work: Work, party: ChannelPayment) -> None:
    if not party.destination:
        raise Declined(Status.INVALID_COUNTER_PARTY, "the destination is empty; name whom to pay")
    _check_number(work, PaymentChannelNumber(party.source, party.channel))


def _check_number(work: Work, number: PaymentChannelNumber) -> None:
    """Airtime is bought through the number that mobile money goes through."""
    if number.channel == PaymentChannel.UNKNOWN or not number.number:
        msg = "the payment channel number has no channel or is empty; give one such as cellular 83044"
        raise Declined(Status.INVALID_CHANNEL_NUMBER, msg)
    keys = [payment_channel_key(work.org_id, each) for each in (number, PaymentChannelNumber(number.number))]
    if work.settings.strict and not any(work.get(each) for each in keys):
        msg = f"{number.channel} {number.number!r} is no payment channel number of this organisation; use one that is"
        raise Declined(Status.INVALID_CHANNEL_NUMBER, msg)


_PARTIES: Mapping[type[Any], Callable[[Work, Any], str | None]] = {
    Purse: _check_purse,
    Wallet: _check_wallet,
    CustomerPayment: _check_customer,
    ChannelPayment: _check_channel,
}


def _name(party: PaymentParty) -> str:
    return _NAMES[type(party)]


_NAMES: Mapping[type[Any], str] = {
    Purse: "purse",
    Wallet: "wallet",
    CustomerPayment: "customer",
    ChannelPayment: "channel",
}


# --- the ways money goes ---


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """A payment that may be carried out."""

    transaction_id: str
    debit: Any
    credit: Any
    value: Cash
    debit_customer_id: str | None
    credit_customer_id: str | None


Way: TypeAlias = "Callable[[Work, _Order], tuple[Status, str]]"


def _transfer(work: Work, order: _Order) -> tuple[Status, str]:
    pay_out(work, order.debit, order.value)
    pay_in(work, order.credit, order.value)
    return Status.SUCCESS, "the money was transferred"


def _pay_customer(work: Work, order: _Order) -> tuple[Status, str]:
    hold(work, order.debit, order.transaction_id, order.value)
    told = SendCustomerPaymentSimulatorNotification(
        org_id=work.org_id,
        app_id=work.app_id,
        customer_id=order.credit_customer_id or "",
        transaction_id=order.transaction_id,
        customer_number=normal(order.credit.customer_number),
        channel_number=order.credit.channel_number,
        value=order.value,
        **_ledger(order.debit),
    )
    work.notify_simulators(told)
    return Status.PENDING_CONFIRMATION, "the gateway is asked to pay the customer"


def _pay_channel(work: Work, order: _Order) -> tuple[Status, str]:
    hold(work, order.debit, order.transaction_id, order.value)
    channel: ChannelPayment = order.credit
    told = SendChannelPaymentSimulatorNotification(
        org_id=work.org_id,
        app_id=work.app_id,
        transaction_id=order.transaction_id,
        channel=PaymentChannel(channel.channel),
        source=channel.source,
        destination=channel.destination,
        account=channel.account,
        value=order.value,
        **_ledger(order.debit),
    )
    work.notify_simulators(told)
    return Status.PENDING_CONFIRMATION, "the gateway is asked to pay the channel"


def _check_out(work: Work, order: _Order) -> tuple[Status, str]:
    if order.debit.channel_number.channel == PaymentChannel.AIRTIME:
        raise Declined(Status.NOT_SUPPORTED, "airtime cannot be taken from a customer; use mobile money")
    told = CheckoutPaymentSimulatorNotification(
        org_id=work.org_id,
        app_id=work.app_id,
        customer_id=order.debit_customer_id or "",
        transaction_id=order.transaction_id,
        customer_number=normal(order.debit.customer_number),
        channel_number=order.debit.channel_number,
        value=order.value,
        **_ledger(order.credit),
    )
    work.notify_simulators(told)
    return Status.PENDING_CONFIRMATION, "the customer is asked to pay"


def _ledger(party: Purse | Wallet) -> dict[str, Any]:
    return {_name(party): party}


_WAYS: Mapping[tuple[type[Any], type[Any]], Way] = {
    (Purse, Purse): _transfer,
    (Purse, Wallet): _transfer,
    (Purse, CustomerPayment): _pay_customer,
    (Purse, ChannelPayment): _pay_channel,
    (Wallet, Purse): _transfer,
    (Wallet, Wallet): _transfer,
    (Wallet, CustomerPayment): _pay_customer,
    (Wallet, ChannelPayment): _pay_channel,
    (CustomerPayment, Purse): _check_out,
    (CustomerPayment, Wallet): _check_out,
}
"""Which party may pay which, and how; the other cells cannot be told to a gateway, so they are not supported."""

RULES: Rules = {InitiatePayment: initiate}
JOBS: JobRules = {}
