"""Replays of payments: what was paid outside, loaded into customers' states.

:mod:`.rules` stands above, the transactions below. As with :mod:`.replay`, nothing but state is touched.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from elarian_trio.models.commands import ReplayPayment, ReplayPaymentStatusUpdate
from elarian_trio.models.model import EPOCH
from elarian_trio.models.payments import CustomerPayment, PaymentTransaction, Wallet
from elarian_trio.models.replies import ReplayPaymentReply
from elarian_trio.sandbox.world.addresses import customer_with_id, customer_with_number, number_owner, survivor
from elarian_trio.sandbox.world.entities import TransactionAliasRecord, TransactionRecord
from elarian_trio.sandbox.world.ledgers import check_value
from elarian_trio.sandbox.world.transactions import known_status, put_transaction, transaction_with_id, with_status
from elarian_trio.sandbox.world.work import Refusal

if TYPE_CHECKING:
    from elarian_trio.models.payments import PaymentParty
    from elarian_trio.sandbox.world.families import JobRules, Rules
    from elarian_trio.sandbox.world.work import Work


def payment(work: Work, command: ReplayPayment) -> ReplayPaymentReply:
    """Load a payment; it moves no money here."""
    check_value(command.value)
    if not command.provider_transaction_id:
        raise Refusal("the provider's transaction id is empty; give the one that the provider knows it by")
    status = known_status(command.status)
    found = transaction_with_id(work, command.provider_transaction_id)
    if found is not None:
        return _again(work, found)
    record = TransactionRecord(
        org_id=work.org_id,
        transaction=PaymentTransaction(
            transaction_id=work.new_id("txn"),
            app_id=work.app_id,
            debit_party=command.debit_party,
            credit_party=command.credit_party,
            value=command.value,
            status=status,
            created_at=command.created_at,
            updated_at=command.created_at,
            provider_transaction_id=command.provider_transaction_id,
            narration=command.narration or None,
        ),
        debit_customer_id=_party_customer(work, command.debit_party),
        credit_customer_id=_party_customer(work, command.credit_party),
        is_replay=True,
    )
    alias = TransactionAliasRecord(
        org_id=work.org_id,
        provider_transaction_id=command.provider_transaction_id,
        transaction_id=record.transaction.transaction_id,
    )
    work.put(alias)
    put_transaction(work, record)
    return _payment_reply(record, "payment loaded")


def _again(work: Work, found: TransactionRecord) -> ReplayPaymentReply:
    """Load a payment that was loaded before: that changes nothing, but where its customer was deleted since.

    Then its number is a new customer's, as with any other replay, and the payment is shown with that one.
    """
    if not found.is_replay:
        return _payment_reply(found, "the payment was made here; nothing changed")
    transaction = found.transaction
    shown = replace(
        found,
        debit_customer_id=_present(work, found.debit_customer_id, transaction.debit_party),
        credit_customer_id=_present(work, found.credit_customer_id, transaction.credit_party),
    )
    if shown == found:
        return _payment_reply(found, "the payment was loaded before; nothing changed")
    put_transaction(work, shown)
    return _payment_reply(shown, "payment loaded")


def _present(work: Work, customer_id: str | None, party: PaymentParty | None) -> str | None:
    """Give the customer that a party is by now; a wallet went with its customer."""
    is_gone = customer_id is not None and survivor(work, customer_id) is None
    return _party_customer(work, party) if is_gone and isinstance(party, CustomerPayment) else customer_id


def _party_customer(work: Work, party: PaymentParty) -> str | None:
    """Give the customer that a party is, if it is one; numbers through which it paid need not be ours any more."""
    if isinstance(party, CustomerPayment):
        return customer_with_number(work, party.customer_number).customer_id
    return customer_with_id(work, party.customer_id).customer_id if isinstance(party, Wallet) else None


def payment_status(work: Work, command: ReplayPaymentStatusUpdate) -> ReplayPaymentReply:
    """Load a change of a loaded payment's status, unless a later one is known."""
    status = known_status(command.status)
    customer = number_owner(work, command.customer_number)
    found = transaction_with_id(work, command.provider_transaction_id)
    if customer is None or found is None or not _takes_part(work, found, customer.customer_id):
        msg = f"the customer has no payment {command.provider_transaction_id!r}; replay it first"
        raise Refusal(msg)
    if not found.is_replay:
        msg = f"the payment {command.provider_transaction_id!r} was made here; its gateway decides about it"
        raise Refusal(msg)
    since = found.transaction.updated_at or EPOCH
    is_same = command.updated_at == since and status is found.transaction.status
    if command.updated_at < since or is_same:
        return _payment_reply(found, "the status in force is no older; nothing changed")
    record = with_status(found, status, command.updated_at, None)
    put_transaction(work, record)
    return _payment_reply(record, "status loaded")


def _takes_part(work: Work, record: TransactionRecord, customer_id: str) -> bool:
    parties = (record.debit_customer_id, record.credit_customer_id)
    heirs = (None if each is None else survivor(work, each) for each in parties)
    return any(heir is not None and heir.customer_id == customer_id for heir in heirs)


def _payment_reply(record: TransactionRecord, description: str) -> ReplayPaymentReply:
    return ReplayPaymentReply(
        status=True,
        description=description,
        transaction_id=record.transaction.transaction_id,
        debit_customer_id=record.debit_customer_id,
        credit_customer_id=record.credit_customer_id,
    )


RULES: Rules = {ReplayPayment: payment, ReplayPaymentStatusUpdate: payment_status}
JOBS: JobRules = {}
