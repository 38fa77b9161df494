"""App data: one value per customer and app, its lease, and what answers to notifications do to it.

The lease itself is kept in :mod:`.leases`, by the server; the rules say what it is on and when it ends.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from elarian_trio.models.commands import DeleteCustomerAppData, LeaseCustomerAppData, UpdateCustomerAppData
from elarian_trio.models.replies import CustomerStateUpdateReply, LeaseAppDataReply
from elarian_trio.sandbox.world.addresses import app_record_of, customer_at, put_app_record, survivor
from elarian_trio.sandbox.world.effects import Delivered, WaitForLease
from elarian_trio.sandbox.world.entities import AppKey

if TYPE_CHECKING:
    from elarian_trio.models.identity import CustomerAddress
    from elarian_trio.models.notifications import AppDataUpdate, Notification
    from elarian_trio.sandbox.world.entities import AppRecord
    from elarian_trio.sandbox.world.families import JobRules, Rules
    from elarian_trio.sandbox.world.work import Work


def lease(work: Work, command: LeaseCustomerAppData) -> LeaseAppDataReply | WaitForLease:
    """Give the value, once the caller holds the lease on it."""
    record = _record_at(work, command.customer)
    if work.lease != record.key:
        return WaitForLease(record.key)
    held = "leased" if record.data is not None else "leased; nothing is stored"
    return LeaseAppDataReply(
        status=True,
        description=f"app data {held}",
        customer_id=record.customer_id,
        value=record.data,
    )


def update(work: Work, command: UpdateCustomerAppData) -> CustomerStateUpdateReply:
    """Replace the value; the lease ends, whoever holds it."""
    record = _record_at(work, command.customer)
    _store(work, record, command.update)
    return CustomerStateUpdateReply(status=True, description="app data updated", customer_id=record.customer_id)


def delete(work: Work, command: DeleteCustomerAppData) -> CustomerStateUpdateReply:
    """Remove the value; the lease ends, whoever holds it."""
    record = _record_at(work, command.customer)
    _store(work, record, None)
    return CustomerStateUpdateReply(status=True, description="app data deleted", customer_id=record.customer_id)


def _record_at(work: Work, address: CustomerAddress) -> AppRecord:
    return app_record_of(work, work.app_id, customer_at(work, address).customer_id)


def _store(work: Work, record: AppRecord, data: str | bytes | None) -> None:
    put_app_record(work, replace(record, data=data))
    work.release(record.key)


# --- notifications ---


def deliver(work: Work, app_id: str, notification: Notification) -> Delivered:
    """Give *notification* as it is sent now: with the app data of this moment, and the customer's id of this moment.

    A customer may have been adopted while its notification waited: what is told and leased is the survivor's.
    """
    told = notification.customer_id
    customer = None if told is None else survivor(work, told)
    if customer is None:
        return Delivered(notification)
    key = AppKey(work.org_id, app_id, customer.customer_id)
    record = work.get(key) if app_id in customer.app_ids else None  # most apps keep nothing on most customers
    if customer.customer_id != told:
        notification = replace(notification, customer_id=customer.customer_id)
    return Delivered(notification, key, None if record is None else record.data)


def answer_data(work: Work, delivered: Delivered, change: AppDataUpdate | None) -> None:
    """Store the app data of an app's answer: a value sets, an update without one deletes, no update leaves it.

    What every client answers unless told otherwise is the value that it was sent. That stores nothing; above all it
    does not bring back what the app itself changed or deleted meanwhile by a command.
    """
    if change is None or delivered.lease is None or change.data == delivered.app_data:
        return
    customer = survivor(work, delivered.lease.customer_id)
    if customer is not None:
        _store(work, app_record_of(work, delivered.lease.app_id, customer.customer_id), change.data)


RULES: Rules = {
    LeaseCustomerAppData: lease,
    UpdateCustomerAppData: update,
    DeleteCustomerAppData: delete,
}
JOBS: JobRules = {}
