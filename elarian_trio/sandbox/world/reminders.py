"""Reminders: once, repeating, and by tag.

A reminder is an app's own: it is kept with what the app keeps on the customer, and only that app hears of it. Set by
tag it goes to those who hold the tag at that moment; an index remembers who they were, for cancelling by tag.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from elarian_trio.models.commands import (
    AddCustomerReminder,
    AddCustomerReminderTag,
    CancelCustomerReminder,
    CancelCustomerReminderTag,
)
from elarian_trio.models.notifications import ReminderNotification
from elarian_trio.models.replies import CustomerStateUpdateReply, TagUpdateReply
from elarian_trio.sandbox.world.addresses import app_record_of, customer_at, put_app_record
from elarian_trio.sandbox.world.effects import ReminderDue, reminder_job_key
from elarian_trio.sandbox.world.entities import AppKey, CustomerKey, EntryKey, EntryRecord, IndexKey, ReminderState
from elarian_trio.sandbox.world.identity import holders
from elarian_trio.sandbox.world.work import Refusal

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from elarian_trio.models.identity import Reminder, Tag
    from elarian_trio.sandbox.world.entities import AppRecord, CustomerRecord
    from elarian_trio.sandbox.world.families import JobRules, Rules
    from elarian_trio.sandbox.world.work import Work


def add(work: Work, command: AddCustomerReminder) -> CustomerStateUpdateReply:
    """Set a reminder, in the place of one with the same key; in the past it is due at once."""
    state = _checked(work, command.reminder)
    customer = customer_at(work, command.customer)
    record = app_record_of(work, work.app_id, customer.customer_id)
    put_app_record(work, with_reminder(work, record, state))
    return CustomerStateUpdateReply(status=True, description="reminder set", customer_id=customer.customer_id)


def cancel(work: Work, command: CancelCustomerReminder) -> CustomerStateUpdateReply:
    """Cancel a reminder; one that has fired or never was is fine."""
    customer = customer_at(work, command.customer)
    was_set = _cancel_for(work, customer.customer_id, command.key)
    return CustomerStateUpdateReply(
        status=True,
        description="reminder cancelled" if was_set else f"no reminder has the key {command.key!r}; nothing to cancel",
        customer_id=customer.customer_id,
    )


def _cancel_for(work: Work, customer_id: str, reminder_key: str) -> bool:
    record = app_record_of(work, work.app_id, customer_id)
    if reminder_key not in record.reminders:
        return False
    work.unschedule(reminder_job_key(record.org_id, record.app_id, customer_id, reminder_key))
    work.put(without_reminder(work, record, reminder_key))
    return True


def _checked(work: Work, reminder: Reminder) -> ReminderState:
    """Give *reminder* as it is kept: an interval of nothing is none.

    Raises:
        Refusal: it has no key or time, or would repeat too often.
    """
    if not reminder.key:
        msg = "the reminder has no key; give it one, by which it can be replaced and cancelled"
        raise Refusal(msg)
    if reminder.remind_at is None:
        msg = f"the reminder {reminder.key!r} has no remind_at; say when it is due"
        raise Refusal(msg)
    if not reminder.interval:
        return ReminderState(reminder=replace(reminder, interval=None), due_at=reminder.remind_at)
    if reminder.interval < work.settings.min_interval:
        least = work.settings.min_interval.total_seconds()
        msg = (
            f"the reminder {reminder.key!r} repeats every {reminder.interval.total_seconds():g} s; "
            f"the interval must be {least:g} s or more, or left out"
        )
        raise Refusal(msg)
    return ReminderState(reminder=reminder, due_at=reminder.remind_at)


# --- by tag ---


def _work_index(org_id: str, app_id: str, tag: Tag, reminder_key: str) -> IndexKey:
    """Give the index of those on whom an app has set a reminder by tag."""
    return IndexKey(org_id, "tagged_reminder", (app_id, tag.key.casefold(), tag.value, reminder_key))


def add_by_tag(work: Work, command: AddCustomerReminderTag) -> TagUpdateReply:
    """Set a reminder on all who hold a tag now; nobody at all is fine, and who gets the tag later has none."""
    checked = _checked(work, command.reminder)
    customer_ids = holders(work, command.tag)
    work_id = work.new_id("wrk")
    for customer in _customers(work, customer_ids):
        own = next((tag for tag in customer.tags if _same(tag, command.tag)), command.tag)
        record = app_record_of(work, work.app_id, customer.customer_id)
        state = replace(checked, tag=own, work_id=work_id)
        put_app_record(work, with_reminder(work, record, state))
    return TagUpdateReply(status=True, description=f"reminder set on {len(customer_ids)} customers", work_id=work_id)


def cancel_by_tag(work: Work, command: CancelCustomerReminderTag) -> TagUpdateReply:
    """Cancel a reminder of all on whom it was set by tag, and of all who hold the tag now."""
    index = _work_index(work.org_id, work.app_id, command.tag, command.key)
    customer_ids = sorted({*holders(work, command.tag), *work.members(index)})
    count = sum(_cancel_for(work, each, command.key) for each in customer_ids)
    return TagUpdateReply(
        status=True,
        description=f"reminder cancelled on {count} customers",
        work_id=work.new_id("wrk"),
    )


def _customers(work: Work, customer_ids: tuple[str, ...]) -> list[CustomerRecord]:
    found = (work.get(CustomerKey(work.org_id, each)) for each in customer_ids)
    return [customer for customer in found if customer is not None]


def _same(one: Tag, other: Tag) -> bool:
    return one.key.casefold() == other.key.casefold() and one.value == other.value


# --- what an app keeps ---


def with_reminder(work: Work, record: AppRecord, state: ReminderState) -> AppRecord:
    """Give *record* with a reminder set, in the place of one with the same key; its job and index entry follow."""
    reminder = state.reminder
    record = without_reminder(work, record, reminder.key)
    if state.tag is not None:
        index = _work_index(record.org_id, record.app_id, state.tag, reminder.key)
        work.put(
            EntryRecord(org_id=index.org_id, kind=index.kind, parts=index.parts, member=record.customer_id),
        )
    work.schedule(
        state.due_at,
        ReminderDue(
            org_id=record.org_id,
            app_id=record.app_id,
            customer_id=record.customer_id,
            reminder_key=reminder.key,
        ),
    )
    return replace(record, reminders={**record.reminders, reminder.key: state})


def without_reminder(work: Work, record: AppRecord, reminder_key: str) -> AppRecord:
    """Give *record* without a reminder, if it has it; its index entry follows, its job does not."""
    state = record.reminders.get(reminder_key)
    if state is None:
        return record
    if state.tag is not None:
        index = _work_index(record.org_id, record.app_id, state.tag, reminder_key)
        work.delete(EntryKey(index.org_id, index.kind, index.parts, record.customer_id))
    return replace(record, reminders={key: each for key, each in record.reminders.items() if key != reminder_key})


def drop_app_record(work: Work, key: AppKey) -> AppRecord:
    """Forget what an app keeps on a customer who is gone, with its reminders' jobs; give what it was."""
    record = app_record_of(work, key.app_id, key.customer_id)
    for reminder_key in record.reminders:
        without_reminder(work, record, reminder_key)
        work.unschedule(reminder_job_key(key.org_id, key.app_id, key.customer_id, reminder_key))
    work.delete(key)
    return record


# --- due ---


def fire(work: Work, job: ReminderDue) -> None:
    """Tell the app of a reminder; a repeating one is set again for its next time that lies ahead.

    Where several times were missed, as by a server that was down, one notification stands for all of them, and
    reports the last.
    """
    record = app_record_of(work, job.app_id, job.customer_id)
    state = record.reminders.get(job.reminder_key)
    if state is None or state.due_at > work.now:
        return
    due, following = _times(state.due_at, state.reminder.interval, work.now)
    if following is None:
        record = without_reminder(work, record, job.reminder_key)
    else:
        record = with_reminder(work, record, replace(state, due_at=following))
    work.put(record)
    told = replace(state.reminder, remind_at=due)
    work.notify(job.app_id, job.customer_id, ReminderNotification(reminder=told, tag=state.tag, work_id=state.work_id))


def _times(due_at: datetime, interval: timedelta | None, now: datetime) -> tuple[datetime, datetime | None]:
    """Give the last time by *now* at which a reminder was due, and the next one, if it repeats."""
    if interval is None:
        return due_at, None
    due = due_at + (now - due_at) // interval * interval
    try:
        return due, due + interval
    except OverflowError:  # beyond the last day of the calendar
        return due, None


RULES: Rules = {
    AddCustomerReminder: add,
    CancelCustomerReminder: cancel,
    AddCustomerReminderTag: add_by_tag,
    CancelCustomerReminderTag: cancel_by_tag,
}
JOBS: JobRules = {ReminderDue: fire}
