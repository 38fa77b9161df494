"""Settlement: what becomes of payments that are not the server's own to decide, and of money that customers send.

:mod:`.payments` and :mod:`.rules` stand above; below are the ledgers and transactions. A simulator plays the gateway;
where nobody plays it, the server decides by itself, after a while.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from elarian_trio.models.commands import ReceivePayment, UpdatePaymentStatus
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.notifications import ReceivedPaymentNotification
from elarian_trio.models.payments import CustomerPayment, PaymentStatus, PaymentTransaction, Purse, Wallet
from elarian_trio.models.replies import SimulatorReply
from elarian_trio.sandbox.world.addresses import customer_with_number, normal, payment_channel_key
from elarian_trio.sandbox.world.effects import PaymentExpires, PaymentSettles
from elarian_trio.sandbox.world.entities import TransactionAliasRecord, TransactionKey, TransactionRecord
from elarian_trio.sandbox.world.ledgers import Declined, check_value, pay_in, pay_out, purse, release, spend
from elarian_trio.sandbox.world.transactions import (
    ON_ITS_WAY,
    known_status,
    put_transaction,
    tell_status,
    transaction_with_id,
    with_status,
)
from elarian_trio.sandbox.world.work import Refusal

if TYPE_CHECKING:
    from elarian_trio.models.payments import Cash
    from elarian_trio.sandbox.world.entities import PaymentChannelRecord
    from elarian_trio.sandbox.world.families import JobRules, Rules
    from elarian_trio.sandbox.world.work import Work

Status = PaymentStatus

# --- waiting for the gateway ---


def await_gateway(work: Work, record: TransactionRecord) -> None:
    """Have a payment decided by itself after a while, or expire if that is left to a simulator."""
    if work.settings.settle == "manual":
        _await_simulator(work, record)
        return
    transaction_id = record.transaction.transaction_id
    job = PaymentSettles(org_id=work.org_id, app_id=work.app_id, transaction_id=transaction_id)
    work.schedule(work.now + work.settings.settlement_delay, job)


def _await_simulator(work: Work, record: TransactionRecord) -> None:
    work.schedule(work.now + work.settings.payment_timeout, _expiry(record))


def _expiry(record: TransactionRecord) -> PaymentExpires:
    transaction = record.transaction
    return PaymentExpires(
        org_id=record.org_id, app_id=transaction.app_id or "", transaction_id=transaction.transaction_id
    )


def settle(work: Work, job: PaymentSettles) -> None:
    """Decide about a payment, unless a simulator was earlier."""
    _decide_job(work, job.transaction_id, job.status, "the gateway confirmed the payment")


def expire(work: Work, job: PaymentExpires) -> None:
    """Give a payment up that nobody decided about."""
    _decide_job(work, job.transaction_id, Status.EXPIRED, "nobody confirmed the payment in time")


def _decide_job(work: Work, transaction_id: str, status: Status, description: str) -> None:
    record = work.get(TransactionKey(work.org_id, transaction_id))
    if record is not None and record.transaction.status in ON_ITS_WAY:
        _decide(work, record, status, description)


# --- deciding ---


def update_status(work: Work, command: UpdatePaymentStatus) -> SimulatorReply:
    """Let the gateway decide; saying again what is so already changes nothing."""
    record = transaction_with_id(work, command.transaction_id)
    if record is None or record.is_replay:
        msg = f"no payment has the id {command.transaction_id!r}; use the one that its notification or reply carried"
        raise Refusal(msg)
    status = known_status(command.status)
    if status is not record.transaction.status:
        _decide(work, record, status, None)
    return SimulatorReply(status=True, description=f"the payment's status is {status}")


def _decide(work: Work, record: TransactionRecord, status: Status, description: str | None) -> None:
    """Move a payment on to *status*, with the money that goes with it, and tell its app.

    Raises:
        Refusal: that does not follow from where the payment stands.
    """
    present = record.transaction.status
    if present is Status.SUCCESS and status is Status.REVERSED:
        _reverse(work, record)
    elif present not in ON_ITS_WAY or status is Status.REVERSED:
        msg = f"the payment is {present} and cannot become {status}; only a success can still be reversed"
        raise Refusal(msg)
    elif status in ON_ITS_WAY:
        _await_simulator(work, record)  # whoever says so much will say the rest
    else:
        status, description = _conclude(work, record, status, description)
        work.unschedule(_expiry(record).job_key)
    changed = with_status(record, status, work.now, description)
    put_transaction(work, changed)
    tell_status(work, changed)


def _conclude(
    work: Work, record: TransactionRecord, status: Status, description: str | None
) -> tuple[Status, str | None]:
    """Let held money leave or come back, and what comes in be credited; give how the payment ended."""
    payment, value = record.transaction, _value(record)
    if status is Status.SUCCESS and isinstance(payment.credit_party, Purse | Wallet):
        try:
            pay_in(work, payment.credit_party, value)
        except Declined as no:
            return Status.FAILED, no.description  # it comes from outside, so nothing is held
    if isinstance(payment.debit_party, Purse | Wallet):
        finish = spend if status is Status.SUCCESS else release
        finish(work, payment.debit_party, payment.transaction_id, value)
    return status, description


def _reverse(work: Work, record: TransactionRecord) -> None:
    """Let the money go back to where it came from."""
    payment, value = record.transaction, _value(record)
    try:
        if isinstance(payment.credit_party, Purse | Wallet):
            pay_out(work, payment.credit_party, value)
        if isinstance(payment.debit_party, Purse | Wallet):
            pay_in(work, payment.debit_party, value)
    except Declined as no:
        msg = f"the payment cannot be reversed: {no.description}"
        raise Refusal(msg) from no


def _value(record: TransactionRecord) -> Cash:
    return cast("Cash", record.transaction.value)  # the rules give every payment one


# --- what customers send unasked ---


def receive(work: Work, command: ReceivePayment) -> SimulatorReply:
    """Take a customer's payment through a paybill: once it succeeds, the paybill's purse has the money."""
    check_value(command.value)
    status = known_status(command.status)
    if status is Status.REVERSED:
        raise Refusal("a payment cannot begin reversed; report success first")
    if not command.transaction_id:
        raise Refusal("the transaction id is empty; give any that was not used before")
    if transaction_with_id(work, command.transaction_id) is not None:
        msg = f"the transaction id {command.transaction_id!r} was used before; the payment was not taken again"
        raise Refusal(msg)
    paybill = _paybill(work, command)
    number = normal(CustomerNumber(command.customer_number))
    customer = customer_with_number(work, number)
    if status is Status.SUCCESS:
        pay_in(work, Purse(paybill.purse_id), command.value)
    payment = _received(work, command, CustomerPayment(number, command.channel_number), paybill)
    record = TransactionRecord(
        org_id=work.org_id,
        transaction=payment,
        debit_customer_id=customer.customer_id,
        purse_id=paybill.purse_id,
    )
    put_transaction(work, record)
    if status in ON_ITS_WAY:
        _await_simulator(work, record)
    told = ReceivedPaymentNotification(
        purse_id=paybill.purse_id,
        transaction_id=payment.transaction_id,
        customer_number=number,
        channel_number=command.channel_number,
        value=command.value,
        status=status,
    )
    work.notify(paybill.app_id, customer.customer_id, told)
    return SimulatorReply(status=True, description=f"the payment's status is {status}; the app is told")


def _paybill(work: Work, command: ReceivePayment) -> PaymentChannelRecord:
    number = command.channel_number
    found = work.get(payment_channel_key(work.org_id, number))
    if found is None:
        msg = f"{number.channel} {number.number!r} is no payment channel number of this organisation; use one that is"
        raise Refusal(msg)
    purse(work, Purse(found.purse_id))
    return found


def _received(
    work: Work, command: ReceivePayment, payer: CustomerPayment, paybill: PaymentChannelRecord
) -> PaymentTransaction:
    """Note the payment under an id of our own; the caller's goes on naming it, too."""
    transaction_id = work.new_id("txn")
    alias = TransactionAliasRecord(
        org_id=work.org_id,
        provider_transaction_id=command.transaction_id,
        transaction_id=transaction_id,
    )
    work.put(alias)
    return PaymentTransaction(
        transaction_id=transaction_id,
        app_id=paybill.app_id,
        debit_party=payer,
        credit_party=Purse(paybill.purse_id),
        value=command.value,
        status=Status(command.status),
        created_at=work.now,
        updated_at=work.now,
        provider_transaction_id=command.transaction_id,
    )


RULES: Rules = {ReceivePayment: receive, UpdatePaymentStatus: update_status}
JOBS: JobRules = {PaymentSettles: settle, PaymentExpires: expire}
