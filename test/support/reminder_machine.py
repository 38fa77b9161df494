"""Reminders under any sequence of commands: each fires once for each time at which it is due, and nothing else does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule
from machines import NUMBERS, WorldMachine, numbers, picked, picks
from world_support import APP

from elarian_trio.models.commands import (
    AddCustomerReminder,
    AddCustomerReminderTag,
    CancelCustomerReminder,
    CancelCustomerReminderTag,
    UpdateCustomerTag,
)
from elarian_trio.models.identity import Reminder, Tag
from elarian_trio.models.notifications import ReminderNotification
from elarian_trio.sandbox.world.effects import ReminderDue
from elarian_trio.sandbox.world.entities import AppRecord, EntryRecord

if TYPE_CHECKING:
    from elarian_trio.models.identity import CustomerNumber

OTHER_APP = "el_app_others"
APPS = st.sampled_from((APP, OTHER_APP))
KEYS = st.sampled_from(("loan", "survey"))
TAGS = st.sampled_from((Tag("level", "gold"), Tag("LEVEL", "gold"), Tag("level", "iron")))
DELAYS = st.sampled_from((-100_000, -1, 0, 1, 59, 60, 4_000))
INTERVALS = st.none() | st.sampled_from((0, 1, 60, 60, 3_600))
TOO_OFTEN = timedelta(seconds=1)
TIMES = st.sampled_from((0, 1, 59, 60, 3_600, 7_300))

Place = tuple[str, str, str]  # customer, app, key


@dataclass
class Set:
    """A reminder that is set, by this machine's own books."""

    due_at: datetime
    interval: timedelta | None
    tag: Tag | None = None
    work_id: str | None = None


class ReminderMachine(WorldMachine):
    """Two apps set reminders on a few customers, one by one and by tag."""

    def __init__(self) -> None:
        super().__init__()
        self.expected: dict[Place, Set] = {}
        self.tags: dict[str, dict[str, tuple[str, datetime | None]]] = {}

    @initialize()
    def begin(self) -> None:
        """Two are there from the beginning."""
        for number in NUMBERS[:2]:
            self.meet(number)

    # The moves.

    @rule(number=numbers, app_id=APPS, key=KEYS, delay=DELAYS, interval=INTERVALS)
    def add(self, number: CustomerNumber, app_id: str, key: str, delay: float, interval: float | None) -> None:
        """A reminder is set, in the place of one of its name."""
        self.add_for(self.meet(number), app_id, self.reminder(key, delay, interval))

    @rule(pick=picks, app_id=APPS, key=KEYS, delay=DELAYS)
    def add_by_id(self, pick: int, app_id: str, key: str, delay: float) -> None:
        """A reminder is set on a customer who may be no more."""
        self.add_for(picked(self.ids, pick), app_id, self.reminder(key, delay, 60))

    def add_for(self, customer_id: str, app_id: str, reminder: Reminder) -> None:
        """Set a reminder."""
        reply = self.world.run(AddCustomerReminder(customer=customer_id, reminder=reminder), app_id=app_id)
        assert reply.status is (self.is_live(customer_id) and reminder.interval != TOO_OFTEN)
        if reply.status:
            self.expect((customer_id, app_id, reminder.key), reminder)

    @rule(tag=TAGS, app_id=APPS, key=KEYS, delay=DELAYS, interval=INTERVALS)
    def add_by_tag(self, tag: Tag, app_id: str, key: str, delay: float, interval: float | None) -> None:
        """A reminder is set on all who hold a tag at this moment."""
        reminder = self.reminder(key, delay, interval)
        reply = self.world.run(AddCustomerReminderTag(tag=tag, reminder=reminder), app_id=app_id)
        assert reply.status is (reminder.interval != TOO_OFTEN)
        assert bool(reply.work_id) is reply.status
        if reply.status:
            for customer_id in self.holders(tag):
                self.expect((customer_id, app_id, key), reminder, tag, reply.work_id)

    def reminder(self, key: str, delay: float, interval: float | None) -> Reminder:
        """Give a reminder."""
        every = None if interval is None else timedelta(seconds=interval)
        return Reminder(key, self.world.now + timedelta(seconds=delay), every, "payload")

    def expect(self, place: Place, reminder: Reminder, tag: Tag | None = None, work_id: str | None = None) -> None:
        """Note that a reminder is set."""
        assert reminder.remind_at is not None
        self.expected[place] = Set(reminder.remind_at, reminder.interval or None, tag, work_id)

    @rule(pick=picks, app_id=APPS, key=KEYS)
    def cancel(self, pick: int, app_id: str, key: str) -> None:
        """A reminder is cancelled, or there is none."""
        customer_id = picked(self.ids, pick)
        reply = self.world.run(CancelCustomerReminder(customer=customer_id, key=key), app_id=app_id)
        assert reply.status is self.is_live(customer_id)
        if reply.status:
            self.expected.pop((customer_id, app_id, key), None)

    @rule(tag=TAGS, app_id=APPS, key=KEYS)
    def cancel_by_tag(self, tag: Tag, app_id: str, key: str) -> None:
        """A reminder is cancelled on those on whom it was set by the tag, and those who hold it now."""
        assert self.world.run(CancelCustomerReminderTag(tag=tag, key=key), app_id=app_id).status
        holders = self.holders(tag)
        for place, state in list(self.expected.items()):
            was_set = state.tag is not None and same(state.tag, tag)
            if place[1:] == (app_id, key) and (was_set or place[0] in holders):
                del self.expected[place]

    @rule(number=numbers, tag=TAGS, lifetime=st.none() | st.sampled_from((-1, 60, 100_000)))
    def tag(self, number: CustomerNumber, tag: Tag, lifetime: float | None) -> None:
        """Somebody gets a tag, for a while."""
        customer_id = self.meet(number)
        until = None if lifetime is None else self.world.now + timedelta(seconds=lifetime)
        command = UpdateCustomerTag(customer=customer_id, updates=(Tag(tag.key, tag.value, until),))
        assert self.world.run(command).status
        self.tags.setdefault(customer_id, {})[tag.key.casefold()] = (tag.value, until)

    def holders(self, tag: Tag) -> list[str]:
        """Give who holds a tag at this moment."""
        return [each for each in self.live if self.has(each, tag)]

    def has(self, customer_id: str, tag: Tag) -> bool:
        """Whether a customer holds a tag at this moment."""
        value, until = self.tags.get(customer_id, {}).get(tag.key.casefold(), (None, None))
        return value == tag.value and self.is_in_force(until)

    def is_in_force(self, until: datetime | None) -> bool:
        """Whether something has not expired."""
        return until is None or until > self.world.now

    @rule(one=numbers, other=numbers, joins=st.booleans())
    def change_who_is_who(self, one: CustomerNumber, other: CustomerNumber, joins: bool) -> None:
        """Two are one: reminders of both, the survivor's of a name; or somebody is deleted, with every reminder."""
        heir, gone = self.meet(one), self.meet(other)
        if not joins:
            assert self.delete(gone)
            self.expected = {place: each for place, each in self.expected.items() if place[0] != gone}
            self.tags.pop(gone, None)
        elif self.adopt(heir, gone):
            for place in [each for each in self.expected if each[0] == gone]:
                self.expected.setdefault((heir, *place[1:]), self.expected.pop(place))
            ours = {key: each for key, each in self.tags.pop(heir, {}).items() if self.is_in_force(each[1])}
            self.tags[heir] = {**self.tags.pop(gone, {}), **ours}

    @rule(seconds=TIMES)
    def pass_time(self, seconds: float) -> None:
        """Time passes evenly: every time at which a reminder is due is told."""
        self.fall_due(self.world.now + timedelta(seconds=seconds), is_asleep=False)

    @rule(seconds=TIMES)
    def sleep(self, seconds: float) -> None:
        """The server is down for a while: what was missed meanwhile is told once."""
        self.world.now += timedelta(seconds=seconds)
        self.fall_due(self.world.now, is_asleep=True)

    def fall_due(self, end: datetime, *, is_asleep: bool) -> None:
        """Have the world get to *end*, and see that it told what it should, each thing once."""
        due: list[tuple[Place, datetime, str | None]] = []
        began = self.world.now
        for place, state in list(self.expected.items()):
            times = self.times(place, state, began, end)
            due += [(place, each, state.work_id) for each in (times[-1:] if is_asleep else times)]
        self.world.advance(end - self.world.now)
        told = [
            ((effect.customer_id, effect.app_id, effect.notification.reminder.key), effect.notification)
            for effect in self.world.notified
            if isinstance(effect.notification, ReminderNotification)
        ]
        self.world.notified.clear()
        found = [(place, each.reminder.remind_at, each.work_id) for place, each in told]
        assert sorted(map(repr, found)) == sorted(map(repr, due))
        assert all((each.tag is None) is (each.work_id is None) for _, each in told)

    def times(self, place: Place, state: Set, began: datetime, end: datetime) -> list[datetime]:
        """Give the times until *end* that a reminder is told of; those before *began* are one."""
        if state.due_at > end:
            return []
        if state.interval is None:
            del self.expected[place]
            return [state.due_at]
        past = max((began - state.due_at) // state.interval, 0)
        count = (end - state.due_at) // state.interval
        times = [state.due_at + number * state.interval for number in range(past, count + 1)]
        state.due_at = times[-1] + state.interval
        return times

    # What must hold.

    @invariant()
    def one_job_waits_for_each_reminder(self) -> None:
        """And none for what was cancelled, replaced, or went with its customer."""
        waiting = {
            (job.customer_id, job.app_id, job.reminder_key): at
            for at, _, job in self.world.jobs.values()
            if isinstance(job, ReminderDue)
        }
        assert waiting == {place: each.due_at for place, each in self.expected.items()}

    @invariant()
    def what_is_kept_is_what_is_set(self) -> None:
        """In the records of the apps, and in the index of what was set by tag."""
        records = [each for each in self.world.records.values() if isinstance(each, AppRecord)]
        kept = {
            (each.customer_id, each.app_id, key): (state.due_at, state.work_id)
            for each in records
            for key, state in each.reminders.items()
        }
        assert kept == {place: (each.due_at, each.work_id) for place, each in self.expected.items()}
        index = [
            (each.member, each.parts[0], each.parts[3])
            for each in self.world.records.values()
            if isinstance(each, EntryRecord) and each.kind == "tagged_reminder"
        ]
        assert sorted(index) == sorted(place for place, each in self.expected.items() if each.tag is not None)


def same(one: Tag, other: Tag) -> bool:
    """Whether two tags are one: the case of keys does not count."""
    return one.key.casefold() == other.key.casefold() and one.value == other.value
