"""Adoption: two customers turn out to be one.

Everything that is known of the other customer becomes the survivor's: each part has a rule of its own below. Where
both have something under one name, the survivor's stays; money is added up, never lost. The other's id stays behind,
as a pointer to the survivor.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from elarian_trio.models.commands import AdoptCustomerState
from elarian_trio.models.model import EPOCH
from elarian_trio.models.payments import Cash, Wallet
from elarian_trio.models.replies import CustomerStateUpdateReply
from elarian_trio.sandbox.world.addresses import (
    activity_of,
    app_record_of,
    customer_at,
    customer_with_id,
    messaging_of,
    payments_of,
    put_app_record,
    put_number,
    survivor,
)
from elarian_trio.sandbox.world.conversations import with_messages_of
from elarian_trio.sandbox.world.entities import KEPT, ActivityKey, AppKey, TransactionKey
from elarian_trio.sandbox.world.identity import in_force, set_secondary_ids, set_tags
from elarian_trio.sandbox.world.reminders import drop_app_record, with_reminder
from elarian_trio.sandbox.world.work import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from elarian_trio.models.identity import CustomerAddress
    from elarian_trio.models.payments import PaymentBalance, PaymentParty
    from elarian_trio.sandbox.world.entities import AppRecord, CustomerRecord
    from elarian_trio.sandbox.world.families import JobRules, Rules
    from elarian_trio.sandbox.world.work import Work

T = TypeVar("T")


def adopt(work: Work, command: AdoptCustomerState) -> CustomerStateUpdateReply:
    """Merge the other customer into this one; doing it again changes nothing."""
    customer = customer_with_id(work, command.customer_id)
    other = _other(work, command.other_customer, customer)
    if other is None:
        description = "both are the same customer already"
    else:
        _merge(work, customer, other)
        description = f"customer {other.customer_id} adopted"
    return CustomerStateUpdateReply(status=True, description=description, customer_id=customer.customer_id)


def _other(work: Work, address: CustomerAddress, customer: CustomerRecord) -> CustomerRecord | None:
    """Give the customer to adopt, or ``None`` if it is this one already."""
    if isinstance(address, str):
        heir = survivor(work, address)
        if heir is not None and heir.customer_id == customer.customer_id:
            return None
    found = customer_at(work, address)
    return None if found.customer_id == customer.customer_id else found


def _merge(work: Work, customer: CustomerRecord, other: CustomerRecord) -> None:
    for merge in (_merge_messaging, _merge_payments, _merge_activity):
        merge(work, customer.customer_id, other.customer_id)
    dropped = [drop_app_record(work, AppKey(work.org_id, each, other.customer_id)) for each in other.app_ids]
    work.release_all(other.customer_id)
    _merge_identity(work, customer, other)
    for record in dropped:
        _merge_app(work, customer.customer_id, record)


def _merge_identity(work: Work, customer: CustomerRecord, other: CustomerRecord) -> None:
    """Numbers of both; tags, secondary ids and metadata of both, the survivor's where their keys are the same."""
    set_tags(work, other, ())
    set_secondary_ids(work, other, ())
    for number in other.numbers:
        put_number(work, customer.customer_id, number)
    work.put(
        replace(
            other,
            numbers=(),
            tags=(),
            secondary_ids=(),
            metadata={},
            app_ids=(),
            decommissioned_to=customer.customer_id,
        ),
    )
    customer = replace(
        customer,
        numbers=(*customer.numbers, *other.numbers),
        metadata={**other.metadata, **customer.metadata},
    )
    customer = set_tags(work, customer, (*in_force(work, other.tags), *in_force(work, customer.tags)))
    ids = (*in_force(work, other.secondary_ids), *in_force(work, customer.secondary_ids))
    set_secondary_ids(work, customer, ids)


def _merge_app(work: Work, customer_id: str, other: AppRecord) -> None:
    """App data is the survivor's if it has any; reminders of both, the survivor's where their keys are the same."""
    record = app_record_of(work, other.app_id, customer_id)
    if record.data is None:
        record = replace(record, data=other.data)
    for key, state in other.reminders.items():
        if key not in record.reminders:
            record = with_reminder(work, record, state)
    put_app_record(work, record)


def _merge_messaging(work: Work, customer_id: str, other_id: str) -> None:
    """Channels of both: no number is both customers'. Messages and sessions by time, the last of them."""
    record, other = messaging_of(work, customer_id), messaging_of(work, other_id)
    merged = replace(
        with_messages_of(work, record, other),
        channels=(*record.channels, *other.channels),
        sessions=_by_time((*record.sessions, *other.sessions), lambda session: session.started_at),
    )
    if merged != record:
        work.put(merged)
    work.delete(other.key)


def _merge_activity(work: Work, customer_id: str, other_id: str) -> None:
    """Visits of both by time, the last of them: no number is both customers', so no visit is."""
    record, other = activity_of(work, customer_id), activity_of(work, other_id)
    sessions = _by_time((*record.sessions, *other.sessions), lambda session: session.updated_at)
    if sessions != record.sessions:
        work.put(replace(record, sessions=sessions))
    work.delete(ActivityKey(work.org_id, other_id))


def _by_time(items: Iterable[T], time: Callable[[T], datetime | None]) -> tuple[T, ...]:
    """Give the last *items* in order of their times; what has none is the oldest."""
    return tuple(sorted(items, key=lambda item: time(item) or EPOCH))[-KEPT:]


# --- payments ---


def _merge_payments(work: Work, customer_id: str, other_id: str) -> None:
    """Transactions of both by time; wallets of one name and currency are added up."""
    record, other = payments_of(work, customer_id), payments_of(work, other_id)
    wallets = dict(record.wallets)
    names: dict[str, str] = {}
    for name, wallet in other.wallets.items():
        new = names[name] = _free_name(wallets, name, wallet)
        wallets[new] = _sum(wallets[new], wallet) if new in wallets else wallet
    for transaction_id in (*other.log, *other.pending):
        _move_transaction(work, transaction_id, other_id, customer_id, names)
    merged = replace(
        record,
        customer_numbers=_union(record.customer_numbers, other.customer_numbers),
        channel_numbers=_union(record.channel_numbers, other.channel_numbers),
        log=_by_time(_union(record.log, other.log), lambda each: _transaction_time(work, each)),
        pending=_union(record.pending, other.pending),
        wallets=wallets,
    )
    if merged != record:
        work.put(merged)
    work.delete(other.key)


def _free_name(wallets: Mapping[str, PaymentBalance], name: str, wallet: PaymentBalance) -> str:
    """Give the name under which *wallet* goes on: with its currency added where the survivor's is of another."""
    while name in wallets and wallets[name].currency_code != wallet.currency_code:
        name = f"{name}:{wallet.currency_code}"
    return name


def _sum(one: PaymentBalance, other: PaymentBalance) -> PaymentBalance:
    return replace(
        one,
        available=_sum_cash(one.available, other.available),
        actual=_sum_cash(one.actual, other.actual),
        pending={**one.pending, **other.pending},
        sequence_nr=max(one.sequence_nr, other.sequence_nr) + 1,
    )


def _sum_cash(one: Cash | None, other: Cash | None) -> Cash | None:
    if one is None or other is None:
        return one or other
    try:
        return Cash(one.currency_code, one.amount + other.amount)
    except ValueError:
        msg = f"two wallets cannot be added up: {one.amount} and {other.amount} are more digits than the wire carries"
        raise Refusal(msg) from None


def _union(one: tuple[T, ...], other: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _transaction_time(work: Work, transaction_id: str) -> datetime | None:
    record = work.get(TransactionKey(work.org_id, transaction_id))
    return None if record is None else record.transaction.created_at


def _move_transaction(
    work: Work,
    transaction_id: str,
    other_id: str,
    customer_id: str,
    names: Mapping[str, str],
) -> None:
    """Have a transaction name the survivor wherever it names the other: one on its way must find the wallet."""
    record = work.get(TransactionKey(work.org_id, transaction_id))
    if record is None:
        return

    def moved(party: PaymentParty | None) -> PaymentParty | None:
        if isinstance(party, Wallet) and party.customer_id == other_id:
            return Wallet(customer_id, names.get(party.wallet_id, party.wallet_id))
        return party

    transaction = record.transaction
    work.put(
        replace(
            record,
            debit_customer_id=customer_id if record.debit_customer_id == other_id else record.debit_customer_id,
            credit_customer_id=customer_id if record.credit_customer_id == other_id else record.credit_customer_id,
            transaction=replace(
                transaction,
                debit_party=moved(transaction.debit_party),
                credit_party=moved(transaction.credit_party),
            ),
        ),
    )


RULES: Rules = {AdoptCustomerState: adopt}
JOBS: JobRules = {}
