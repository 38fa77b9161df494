"""Transactions: remembered, shown with the customers who take part, and told to the app that they belong to.

:mod:`.payments`, :mod:`.settlement` and :mod:`.replay_payments` stand on this; below are the addresses and entities. No
money moves here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from elarian_trio.models.notifications import PaymentStatusNotification
from elarian_trio.models.payments import CustomerPayment, PaymentStatus, Purse
from elarian_trio.sandbox.world.addresses import normal, payments_of, survivor
from elarian_trio.sandbox.world.entities import TransactionAliasKey, TransactionKey, latest
from elarian_trio.sandbox.world.work import Refusal

if TYPE_CHECKING:
    from datetime import datetime

    from elarian_trio.models.payments import PaymentParty
    from elarian_trio.sandbox.world.entities import TransactionRecord
    from elarian_trio.sandbox.world.work import Work

ON_ITS_WAY = frozenset(
    {
        PaymentStatus.QUEUED,
        PaymentStatus.PENDING_CONFIRMATION,
        PaymentStatus.PENDING_VALIDATION,
        PaymentStatus.VALIDATED,
    },
)
"""The statuses that another one follows; every other is where a payment ends, but that a success may be reversed."""


def known_status(status: PaymentStatus | str) -> PaymentStatus:
    """Give where a payment is said to stand.

    Raises:
        Refusal: that is not said.
    """
    known = PaymentStatus(status)
    if known is PaymentStatus.UNKNOWN:
        raise Refusal("the payment's status is missing; give one such as success")
    return known


def transaction_with_id(work: Work, transaction_id: str) -> TransactionRecord | None:
    """Give the transaction with that id, Elarian's own or the provider's."""
    found = work.get(TransactionKey(work.org_id, transaction_id))
    if found is not None:
        return found
    alias = work.get(TransactionAliasKey(work.org_id, transaction_id))
    return None if alias is None else work.get(TransactionKey(work.org_id, alias.transaction_id))


def put_transaction(work: Work, record: TransactionRecord) -> None:
    """Remember a transaction, and show it with each customer who takes part, as pending or as done."""
    work.put(record)
    transaction = record.transaction
    for customer_id, party in (
        (record.credit_customer_id, transaction.credit_party),
        (record.debit_customer_id, transaction.debit_party),
    ):
        customer = None if customer_id is None else survivor(work, customer_id)
        if customer is not None:
            _show(work, customer.customer_id, record, party)


def _show(work: Work, customer_id: str, record: TransactionRecord, party: PaymentParty | None) -> None:
    shown, transaction_id = payments_of(work, customer_id), record.transaction.transaction_id
    if isinstance(party, CustomerPayment):
        shown = replace(
            shown,
            customer_numbers=_with(shown.customer_numbers, normal(party.customer_number)),
            channel_numbers=_with(shown.channel_numbers, party.channel_number),
        )
    pending, log = _without(shown.pending, transaction_id), shown.log
    if record.transaction.status in ON_ITS_WAY:
        pending, log = (*pending, transaction_id), _without(log, transaction_id)  # not cut: its end is still to come
    else:
        log = _with(log, transaction_id)
    work.put(replace(shown, pending=pending, log=log))


def _with(values: tuple[Any, ...], value: object) -> tuple[Any, ...]:
    return values if value in values else latest(values, value)


def _without(values: tuple[str, ...], value: str) -> tuple[str, ...]:
    return tuple(each for each in values if each != value)


def with_status(
    record: TransactionRecord, status: PaymentStatus, at: datetime, description: str | None
) -> TransactionRecord:
    """Give *record* as it is after its status changed."""
    changed = replace(record.transaction, status=status, updated_at=at, description=description)
    return replace(record, transaction=changed)


def tell_status(work: Work, record: TransactionRecord) -> None:
    """Tell the transaction's app where it stands: as a customer's, the credited one's first, or else as a purse's."""
    transaction = record.transaction
    customer_id = record.credit_customer_id or record.debit_customer_id
    parties = (transaction.credit_party, transaction.debit_party)
    purses = (each.purse_id for each in parties if isinstance(each, Purse))
    told = PaymentStatusNotification(
        transaction_id=transaction.transaction_id,
        status=transaction.status,
        description=transaction.description,
        purse_id=next(purses, None) if customer_id is None else None,
    )
    work.notify(transaction.app_id or work.app_id, customer_id, told)
