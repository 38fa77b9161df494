"""The agenda: jobs run in due order, however many there are, and only the next ones are in memory."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

import anyio
import pytest
from stored import NOBODY, FaultyDatabase, Told

from elarian_trio.errors import StoreError
from elarian_trio.sandbox import agenda as room
from elarian_trio.sandbox.agenda import Agenda
from elarian_trio.sandbox.clock import ManualClock
from elarian_trio.sandbox.database import Database
from elarian_trio.sandbox.pending import JobKey, JobRecord
from elarian_trio.sandbox.store import Store
from elarian_trio.sandbox.world.effects import TokenExpires

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.anyio

START = datetime(2026, 1, 1, tzinfo=UTC)


def unreadable(*_: object) -> NoReturn:
    """Stand in for the store of a damaged file."""
    msg = "the sandbox's file is damaged"
    raise StoreError(msg)


class Office:
    """An agenda with a store and a clock, and what it ran."""

    def __init__(self, database: Database | None = None, *, inline: bool = True) -> None:
        self.database = database or Database.open(None)
        self.store = Store(self.database, inline=inline)
        self.clock = ManualClock(START)
        self.agenda = Agenda(self.store, self.clock, self._run)
        self.ran: list[tuple[str, datetime]] = []

    def set(self, name: str, seconds: float) -> JobRecord:
        """Set a job, or set it anew."""
        due = START + timedelta(seconds=seconds)
        job = TokenExpires(org_id="org", digest=name)
        record = JobRecord(due=due, number=self.store.number(), job=job)
        self.store.commit({record.key: record}, NOBODY)
        self.agenda.note(record.key, record)
        return record

    def cancel(self, record: JobRecord) -> None:
        """Have a job not run."""
        self.store.commit({record.key: None}, NOBODY)
        self.agenda.forget(record.key)

    def _run(self, key: JobKey, record: JobRecord) -> None:
        self.store.commit({key: None}, NOBODY)
        assert isinstance(record.job, TokenExpires)
        self.ran.append((record.job.digest, self.clock.now()))

    async def pass_time(self, seconds: float) -> list[str]:
        """Let time pass, and give the names of what ran."""
        before = len(self.ran)
        await self.clock.advance(timedelta(seconds=seconds))
        return [name for name, _ in self.ran[before:]]


@pytest.fixture
def office() -> Iterator[Office]:
    """Open one."""
    opened = Office()
    opened.agenda.open()
    yield opened
    opened.database.close()


async def test_jobs_run_in_due_order_each_at_its_time(office: Office) -> None:
    """Issue: reminders fire in due order; equal ones in the order in which they were set."""
    for name, seconds in (("third", 20), ("first", 10), ("second", 10), ("past", -5)):
        office.set(name, seconds)
    assert await office.pass_time(15) == ["past", "first", "second"]
    assert await office.pass_time(15) == ["third"]
    assert [at for _, at in office.ran] == [START + timedelta(seconds=each) for each in (0, 10, 10, 20)]


async def test_a_job_that_is_set_anew_runs_once_at_its_new_time(office: Office) -> None:
    """This SDK: scheduling the same name again replaces it."""
    office.set("it", 10)
    office.set("it", 20)
    assert await office.pass_time(15) == []
    assert await office.pass_time(15) == ["it"]
    office.set("it", 40)
    office.set("it", 35)
    assert await office.pass_time(6) == ["it"]
    assert await office.pass_time(60) == []


async def test_a_job_that_is_put_off_holds_up_no_other(office: Office) -> None:
    """This SDK: its earlier time is nobody's any more."""
    office.set("it", 10)
    office.set("other", 15)
    office.set("it", 30)
    assert await office.pass_time(20) == ["other"]
    assert office.ran == [("other", START + timedelta(seconds=15))]
    assert await office.pass_time(20) == ["it"]


async def test_a_job_that_could_not_be_kept_is_run_a_second_later_and_before_later_ones(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue: disk full is recovered from, in due order."""
    office.set("first", 10)
    office.set("later", 3_600)
    with monkeypatch.context() as patch:
        patch.setattr(office.agenda, "_run", lambda *_: office.agenda.pause())
        assert await office.pass_time(10.5) == []
    assert await office.pass_time(1) == ["first"]
    assert await office.pass_time(3_600) == ["later"]


async def test_a_cancelled_job_does_not_run(office: Office) -> None:
    """This SDK: the next one is waited for then."""
    first = office.set("first", 10)
    office.set("second", 20)
    office.cancel(first)
    office.cancel(first)
    assert await office.pass_time(30) == ["second"]


async def test_only_the_next_jobs_are_in_memory_and_all_run_in_order(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue: a million pending reminders do not live in memory."""
    monkeypatch.setattr(room, "AT_HAND", 10)
    monkeypatch.setattr(room, "MOST_AT_HAND", 40)
    dice = random.Random(7)
    due = {f"job {number}": dice.randrange(1, 10_000) for number in range(1_000)}
    records = {}
    for name, seconds in due.items():
        records[name] = office.set(name, seconds)
        assert len(office.agenda._jobs) <= 40
    for name in dice.sample(sorted(due), 200):
        office.cancel(records[name])
        del due[name]
    for name in dice.sample(sorted(due), 200):
        due[name] = dice.randrange(1, 10_000)
        del records[name]
        office.set(name, due[name])
    ran = await office.pass_time(10_000)
    assert sorted(ran) == sorted(due)
    assert [due[name] for name in ran] == sorted(due.values())
    assert len(office.agenda._jobs) <= 40


async def test_a_job_that_is_set_anew_again_and_again_takes_no_more_room(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """House: no unbounded buffer; a session of a day is renewed by each message, while an earlier job waits."""
    monkeypatch.setattr(room, "MOST_AT_HAND", 40)
    office.set("first", 5)
    for seconds in range(1_000):
        office.set("it", 10 + seconds)
        office.cancel(office.set("cancelled", 2_000 + seconds))
        assert len(office.agenda._heap) <= 80
    assert await office.pass_time(3_000) == ["first", "it"]
    assert office.ran[-1] == ("it", START + timedelta(seconds=1_009))


async def test_an_agenda_begins_with_what_the_store_has(office: Office) -> None:
    """Issue: state that survives; what was missed meanwhile is due at once."""
    office.set("soon", 10)
    office.set("later", 100)
    office.agenda.close()
    assert await office.pass_time(50) == []
    again = Agenda(office.store, office.clock, office._run)
    again.open()
    assert await office.pass_time(0) == ["soon"]
    assert await office.pass_time(50) == ["later"]


async def test_jobs_that_could_not_be_kept_are_tried_again_after_a_second(office: Office) -> None:
    """Issue: disk full is recovered from, and not tried as fast as a processor can."""
    office.set("it", 10)
    tried = 0

    def fails(_key: JobKey, _record: JobRecord) -> None:
        nonlocal tried
        tried += 1
        office.agenda.pause()
        office.agenda.pause()

    monkey = Agenda(office.store, office.clock, fails)
    office.agenda.close()
    office.agenda = monkey
    monkey.open()
    await office.pass_time(13.5)
    assert tried == 4
    monkey._run = office._run
    assert await office.pass_time(1) == ["it"]


async def test_nothing_is_run_while_the_store_is_behind(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """House: no unbounded buffer."""
    office.set("it", 10)
    monkeypatch.setattr(Store, "is_behind", property(lambda _: True))
    office.set("another", 11)
    assert await office.pass_time(20) == []
    monkeypatch.undo()
    office.agenda.go_on()
    office.agenda.go_on()
    assert await office.pass_time(0) == ["it", "another"]


async def test_jobs_that_cannot_be_read_wait_until_they_can_be_and_harm_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A past bug: the error came out of the sandbox's block, since the clock called."""
    monkeypatch.setattr(room, "AT_HAND", 10)
    monkeypatch.setattr(room, "MOST_AT_HAND", 10)
    names = [f"job {number}" for number in range(30)]
    for seconds, name in enumerate(names):
        office.set(name, seconds)

    with monkeypatch.context() as patch:
        patch.setattr(office.store, "jobs", unreadable)
        ran = await office.pass_time(60)
        assert ran == names[: len(ran)]
        assert len(ran) < len(names)
        office.set("meanwhile", 70)
        assert await office.pass_time(60) == []
    assert await office.pass_time(2) == [*names[len(ran) :], "meanwhile"]


async def test_a_job_whose_cancelling_was_lost_is_run_although_it_was_looked_for_meanwhile(
    disk: FaultyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A past bug: what was fetched while a full disk was about to refuse was fetched without it, until a restart."""
    monkeypatch.setattr(room, "AT_HAND", 1)
    office = Office(disk, inline=False)
    first, second = office.set("first", 10), office.set("second", 20)
    office.store.flush()
    office.agenda.close()
    again = Agenda(office.store, office.clock, office._run)
    again.open()
    office.store.commit({first.key: None}, NOBODY)
    office.store.flush()
    told = Told()
    office.store.commit({second.key: None}, told.unit("second"))
    again.forget(first.key)
    async with anyio.create_task_group() as tasks:
        disk.full_at = "begin"
        tasks.start_soon(office.store.run, again.go_on)
        await told.until(1)
        disk.full_at = None
        assert told.lost == ["second"]
        assert await office.pass_time(30) == ["second"]
        tasks.cancel_scope.cancel()


async def test_an_agenda_that_cannot_be_read_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue: a damaged file is refused with a clear message."""
    office = Office()

    monkeypatch.setattr(office.store, "jobs", unreadable)
    with pytest.raises(StoreError):
        office.agenda.open()
    office.database.close()
