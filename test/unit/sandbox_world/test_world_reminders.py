"""Reminders: once, repeating, and by tag."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world_support import APP, ASHA, BEN, ORG, START, World

from elarian_trio.models.commands import (
    AddCustomerReminder,
    AddCustomerReminderTag,
    CancelCustomerReminder,
    CancelCustomerReminderTag,
    DeleteCustomer,
    DeleteCustomerTag,
    UpdateCustomerTag,
)
from elarian_trio.models.identity import CustomerNumber, Reminder, Tag
from elarian_trio.models.notifications import ReminderNotification
from elarian_trio.sandbox.world.effects import ReminderDue
from elarian_trio.sandbox.world.entities import EntryRecord

if TYPE_CHECKING:
    from elarian_trio.models.commands import Command

MINUTE = timedelta(minutes=1)
TAG = Tag("level", "starter")


def done(world: World, command: Command[Any], app_id: str = APP) -> Any:  # noqa: ANN401 - each command's own reply
    """Run a command that works, and give its reply."""
    reply = world.run(command, app_id=app_id)
    assert reply.status, reply.description
    assert reply.description
    return reply


def add(world: World, reminder: Reminder, app_id: str = APP) -> str:
    """Set a reminder on Asha."""
    return str(done(world, AddCustomerReminder(customer=ASHA, reminder=reminder), app_id).customer_id)


def fired(world: World) -> list[tuple[str, datetime | None]]:
    """Give the keys and times of the reminders that fired since last asked."""
    return [(told.reminder.key, told.reminder.remind_at) for told in world.told(ReminderNotification)]


def tagged(world: World, *numbers: CustomerNumber) -> list[str]:
    """Tag customers, and give their ids."""
    return [done(world, UpdateCustomerTag(customer=number, updates=(TAG,))).customer_id for number in numbers]


def test_a_reminder_fires_once_when_it_is_due() -> None:
    """Elarian: only the app that set it is told, with the payload as it was."""
    world = World()
    reminder = Reminder("moni", START + MINUTE, payload="strike 1")
    customer_id = add(world, reminder, "el_app_other")
    world.advance(59)
    assert not world.notified
    world.advance(1)
    (told,) = world.notified
    assert (told.app_id, told.customer_id) == ("el_app_other", customer_id)
    assert told.notification == ReminderNotification(
        org_id=told.org_id,
        app_id="el_app_other",
        customer_id=customer_id,
        created_at=START + MINUTE,
        reminder=reminder,
    )
    world.told()
    world.advance(timedelta(days=365))
    assert not world.notified
    assert not world.jobs


def test_setting_the_same_key_again_replaces_the_reminder() -> None:
    """The loan example sets its reminder again from inside the handler."""
    world = World()
    add(world, Reminder("moni", START + MINUTE))
    add(world, Reminder("moni", START + 2 * MINUTE))
    world.advance(timedelta(hours=1))
    assert fired(world) == [("moni", START + 2 * MINUTE)]


def test_a_job_of_a_reminder_that_was_put_off_does_nothing() -> None:
    """This SDK: a server that had handed the job out already may still run it."""
    world = World()
    customer_id = add(world, Reminder("moni", START + MINUTE))
    world.run_job(ReminderDue(org_id=ORG, app_id=APP, customer_id=customer_id, reminder_key="moni"))
    assert not world.notified


def test_two_apps_reminders_of_one_key_are_two_reminders() -> None:
    """Elarian: reminders are the app's own."""
    world = World()
    add(world, Reminder("moni", START + MINUTE))
    add(world, Reminder("moni", START + MINUTE), "el_app_other")
    done(world, CancelCustomerReminder(customer=ASHA, key="moni"))
    world.advance(MINUTE)
    assert [told.app_id for told in world.notified] == ["el_app_other"]


def test_a_reminder_in_the_past_fires_immediately() -> None:
    """This SDK: it reports the time that was asked for."""
    world = World()
    add(world, Reminder("late", START - MINUTE))
    world.advance(0)
    assert fired(world) == [("late", START - MINUTE)]


def test_a_repeating_reminder_reports_each_firings_own_time() -> None:
    """This SDK: an app tells by it for which turn it is."""
    world = World()
    add(world, Reminder("loyal", START + MINUTE, MINUTE, "p"))
    world.advance(3 * MINUTE)
    told = world.told(ReminderNotification)
    assert [each.reminder.remind_at for each in told] == [START + n * MINUTE for n in (1, 2, 3)]
    assert {each.reminder.interval for each in told} == {MINUTE}
    assert {each.reminder.payload for each in told} == {"p"}
    done(world, CancelCustomerReminder(customer=ASHA, key="loyal"))
    world.advance(timedelta(days=1))
    assert not world.notified


def test_missed_repeats_are_collapsed_into_one() -> None:
    """This SDK: a server that was down does not flood the app; the rhythm stays."""
    world = World()
    add(world, Reminder("loyal", START + MINUTE, MINUTE))
    (entry,) = world.jobs.values()
    world.now = START + 5 * MINUTE + timedelta(seconds=30)
    world.run_job(entry[2])
    assert fired(world) == [("loyal", START + 5 * MINUTE)]
    world.advance(30)
    assert fired(world) == [("loyal", START + 6 * MINUTE)]


def test_a_reminder_that_would_repeat_beyond_the_calendar_ends() -> None:
    """This SDK: times end with the year 9999."""
    world = World(now=datetime(9999, 12, 31, 23, tzinfo=UTC))
    add(world, Reminder("last", world.now, timedelta(days=1)))
    world.advance(0)
    assert len(fired(world)) == 1
    assert not world.jobs


@pytest.mark.parametrize(
    ("reminder", "word"),
    [
        (Reminder("", START), "key"),
        (Reminder("moni", None), "remind_at"),
        (Reminder("moni", START, timedelta(seconds=59)), "60 s"),
        (Reminder("moni", START, timedelta(seconds=-60)), "60 s"),
    ],
)
def test_a_reminder_that_cannot_be_kept_is_refused(reminder: Reminder, word: str) -> None:
    """This SDK: the words say what would be right."""
    world = World()
    for command in (
        AddCustomerReminder(customer=ASHA, reminder=reminder),
        AddCustomerReminderTag(tag=TAG, reminder=reminder),
    ):
        reply = world.run(command)
        assert not reply.status
        assert word in reply.description
    assert not world.records
    assert not world.jobs


def test_an_interval_of_nothing_is_no_interval() -> None:
    """Other SDKs may send the field with 0 where it was not given."""
    world = World()
    add(world, Reminder("once", START, timedelta(0)))
    world.advance(MINUTE)
    (told,) = world.told(ReminderNotification)
    assert told.reminder.interval is None


def test_short_intervals_are_allowed_where_the_setting_says_so() -> None:
    """This SDK: tests may want them."""
    world = World()
    world.change_settings(min_interval=timedelta(seconds=1))
    add(world, Reminder("fast", START + timedelta(seconds=1), timedelta(seconds=1)))
    world.advance(5)
    assert len(fired(world)) == 5


def test_cancelling_what_is_not_set_is_fine() -> None:
    """This SDK: a reminder that has fired is cancelled by many who cannot know."""
    assert "nothing" in done(World(), CancelCustomerReminder(customer=ASHA, key="none")).description


def test_a_deleted_customers_reminder_does_not_fire() -> None:
    """This SDK: also where the server had handed the job out already."""
    world = World()
    add(world, Reminder("moni", START + MINUTE))
    ((_, _, job),) = world.jobs.values()
    world.run(DeleteCustomer(customer=ASHA))
    world.now += MINUTE
    world.run_job(job)
    assert not world.notified


# --- by tag ---


def test_a_reminder_by_tag_is_set_on_those_who_hold_the_tag_now() -> None:
    """Elarian: its notification names the tag and the work; the snapshot is this SDK's choice."""
    world = World()
    ids = tagged(world, ASHA, BEN)
    work_id = done(
        world, AddCustomerReminderTag(tag=Tag("LEVEL", "starter"), reminder=Reminder("r", START + MINUTE))
    ).work_id
    assert work_id.startswith("el_wrk_")
    done(world, DeleteCustomerTag(customer=BEN, deletions=("level",)))
    world.advance(MINUTE)
    told = world.told(ReminderNotification)
    assert sorted(each.customer_id for each in told) == sorted(ids)
    assert {(each.tag, each.work_id) for each in told} == {(TAG, work_id)}


def test_the_notification_carries_the_tag_with_its_expiry() -> None:
    """The wire: the tag is an index with its expiry."""
    world = World()
    tag = Tag("Level", "starter", START + timedelta(days=1))
    done(world, UpdateCustomerTag(customer=ASHA, updates=(Tag("a", "b"), tag)))
    done(world, AddCustomerReminderTag(tag=TAG, reminder=Reminder("r", START)))
    world.advance(0)
    (told,) = world.told(ReminderNotification)
    assert told.tag == tag


def test_customers_tagged_later_have_no_reminder() -> None:
    """This SDK: a snapshot at the command's time."""
    world = World()
    assert done(world, AddCustomerReminderTag(tag=TAG, reminder=Reminder("r", START + MINUTE))).work_id
    tagged(world, ASHA)
    world.advance(MINUTE)
    assert not world.notified


def test_cancelling_by_tag_reaches_former_and_present_holders() -> None:
    """This SDK: the snapshot, and whoever holds the tag now with a reminder of that key."""
    world = World()
    tagged(world, ASHA)
    done(world, AddCustomerReminderTag(tag=TAG, reminder=Reminder("r", START + MINUTE)))
    done(world, DeleteCustomerTag(customer=ASHA, deletions=("level",)))
    done(world, AddCustomerReminder(customer=BEN, reminder=Reminder("r", START + MINUTE)))
    tagged(world, BEN)
    reply = done(world, CancelCustomerReminderTag(tag=Tag("Level", "starter"), key="r"))
    assert reply.work_id.startswith("el_wrk_")
    assert "2" in reply.description
    world.advance(MINUTE)
    assert not world.notified
    assert not world.jobs


def test_cancelling_by_tag_leaves_other_apps_and_keys_alone() -> None:
    """Elarian: reminders are the app's own."""
    world = World()
    tagged(world, ASHA)
    for app_id, key in ((APP, "r"), (APP, "s"), ("el_app_other", "r")):
        done(world, AddCustomerReminderTag(tag=TAG, reminder=Reminder(key, START + MINUTE)), app_id)
    done(world, CancelCustomerReminderTag(tag=TAG, key="r"))
    world.advance(MINUTE)
    assert sorted((told.app_id, told.notification.reminder.key) for told in world.notified) == sorted(  # type: ignore[attr-defined]
        [(APP, "s"), ("el_app_other", "r")]
    )


def test_what_has_fired_or_was_replaced_leaves_the_index_of_the_work() -> None:
    """This SDK: the index holds who may yet be cancelled, and no more."""
    world = World()
    tagged(world, ASHA, BEN)
    done(world, AddCustomerReminderTag(tag=TAG, reminder=Reminder("r", START + MINUTE)))
    assert len(work_entries(world)) == 2
    add(world, Reminder("r", START + timedelta(days=1)))
    assert len(work_entries(world)) == 1
    world.advance(MINUTE)
    assert work_entries(world) == []


def work_entries(world: World) -> list[EntryRecord]:
    """Give the index of reminders that were set by tag."""
    return [each for each in world.records.values() if isinstance(each, EntryRecord) and each.kind == "tagged_reminder"]


def test_a_work_over_many_customers_asks_the_store_for_each_a_few_times() -> None:
    """This SDK: the cost of a command by tag grows with its holders, not with their square."""
    world = World()
    tagged(world, *(CustomerNumber(f"+2547{number:08}") for number in range(200)))
    world.reads = 0
    done(world, AddCustomerReminderTag(tag=TAG, reminder=Reminder("r", START + MINUTE)))
    done(world, CancelCustomerReminderTag(tag=TAG, key="r"))
    assert world.reads <= 8 * 200
