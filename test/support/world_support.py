"""A world to test the rules in: a store that keeps organisations apart, a calendar, and a clock moved by hand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.notifications import NotificationReply
from elarian_trio.sandbox.world import app_data, rules
from elarian_trio.sandbox.world.effects import (
    NotifyApp,
    NotifySimulators,
    ReleaseLease,
    ReleaseLeases,
    Schedule,
    Unschedule,
    Warn,
)
from elarian_trio.sandbox.world.entities import EntryRecord, IndexKey, Record
from elarian_trio.sandbox.world.work import Settings, Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio.models.commands import Command
    from elarian_trio.models.messaging import Message
    from elarian_trio.models.notifications import Notification
    from elarian_trio.models.replies import SimulatorReply
    from elarian_trio.sandbox.world.effects import Delivered, Effect, Hop, Job, JobKey
    from elarian_trio.sandbox.world.entities import AppKey, Key

R = TypeVar("R", bound=Record)

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORG = "el_org_eu_1SJ2jx"
APP = "el_app_WZFQdt"
ASHA = CustomerNumber("+254709759881")
BEN = CustomerNumber("+254709759882")


class CountingDice:
    """Dice that count, so that no two ids are the same and every run gives the same ones."""

    def __init__(self) -> None:
        self._drawn = 0

    def hex(self, digits: int) -> str:
        self._drawn += 1
        return f"{self._drawn:0{digits}x}"

    def ascending(self) -> str:
        return self.hex(32)

    def secret(self, digits: int) -> str:
        return self.hex(digits)[::-1]


@dataclass
class World:
    """A server without connections: it runs rules, keeps what they change, and lists what they want done."""

    settings: Settings = field(default_factory=Settings)
    now: datetime = START
    dice: CountingDice = field(default_factory=CountingDice)
    records: dict[Key[Any], Record] = field(default_factory=dict)
    jobs: dict[JobKey, tuple[datetime, int, Job]] = field(default_factory=dict)
    notified: list[NotifyApp] = field(default_factory=list)
    simulated: list[NotifySimulators] = field(default_factory=list)
    released: list[AppKey] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    reads: int = 0
    _scheduled: int = 0

    # What a server does.

    def run(self, command: Command[Any], *, app_id: str = APP, org_id: str = ORG, lease: AppKey | None = None) -> Any:  # noqa: ANN401 - each command's own
        """Run *command*, and give its reply or what it waits for."""
        return self.apply(lambda work: rules.run_command(work, command), app_id, org_id, lease)

    def apply(
        self, rule: Callable[[Work], Any], app_id: str = APP, org_id: str = ORG, lease: AppKey | None = None
    ) -> Any:  # noqa: ANN401 - each command's own
        """Run a rule, then keep what it changed and note its effects."""
        work = Work(
            now=self.now,
            dice=self.dice,
            org_id=org_id,
            app_id=app_id,
            settings=self.settings,
            records=Shelf(self, org_id),
            lease=lease,
        )
        result = rule(work)
        self._keep(work)
        return result

    def entries(self, index: IndexKey) -> tuple[EntryRecord, ...]:
        """List an index's members, expired ones as well."""
        found = (each for each in self.records.values() if isinstance(each, EntryRecord) and each.key.index == index)
        return tuple(found)

    def _keep(self, work: Work) -> None:
        for key, record in work.changes.items():
            assert key.org_id == work.org_id, "a rule writes into another organisation"
            if record is None:
                self.records.pop(key, None)
            else:
                assert record.key == key
                assert type(record).from_json(record.to_json()) == record, "what is kept must fit into JSON"
                self.records[key] = record
        for effect in work.effects:
            self._carry_out(effect)

    def _carry_out(self, effect: Effect) -> None:
        if isinstance(effect, NotifyApp):
            self.notified.append(effect)
        elif isinstance(effect, NotifySimulators):
            self.simulated.append(effect)
        elif isinstance(effect, Schedule):
            assert type(effect.job).from_json(effect.job.to_json()) == effect.job, "what is kept must fit into JSON"
            self._scheduled += 1
            self.jobs[effect.job.job_key] = (effect.at, self._scheduled, effect.job)
        elif isinstance(effect, Unschedule):
            self.jobs.pop(effect.job_key, None)
        elif isinstance(effect, Warn):
            self.warned.append(effect.words)
        elif isinstance(effect, ReleaseLease):
            self.released.append(effect.lease)
        else:
            assert isinstance(effect, ReleaseLeases)
            self.gone.append(effect.customer_id)

    def advance(self, by: timedelta | float) -> None:
        """Let time pass, and do what falls due, each at its own time."""
        end = self.now + (by if isinstance(by, timedelta) else timedelta(seconds=by))
        while due := [entry for entry in self.jobs.values() if entry[0] <= end]:
            at, _, job = min(due, key=lambda entry: entry[:2])
            self.now = max(self.now, at)
            self.run_job(job)
        self.now = end

    def run_job(self, job: Job) -> None:
        """Run *job* now, and have it not run again."""
        self.jobs.pop(job.job_key, None)
        self.apply(lambda work: rules.run_job(work, job), job.app_id, job.org_id)

    def deliver(self, told: NotifyApp) -> Delivered:
        """Give a notification as it would be sent now."""
        rule = partial(app_data.deliver, app_id=told.app_id, notification=told.notification)
        delivered: Delivered = self.apply(rule, told.app_id, told.org_id)
        return delivered

    def answer(self, delivered: Delivered, reply: NotificationReply | None = None, *, app_id: str = APP) -> None:
        """Have an app answer a notification."""
        answer = NotificationReply() if reply is None else reply
        self.apply(lambda work: rules.answer_notification(work, delivered, answer), app_id)

    def answer_hop(self, hop: Hop, message: Message | None, *, is_heard: bool = True) -> SimulatorReply:
        """Have an app answer a customer at the phone, or not be there."""
        rule = partial(rules.answer_hop, hop=hop, message=message, is_heard=is_heard)
        reply: SimulatorReply = self.apply(rule, hop.app_id, hop.org_id)
        return reply

    # What tests ask.

    def put(self, *records: Record) -> None:
        """Keep records that no command makes, such as channels."""
        self.records.update({record.key: record for record in records})

    def told(self, kind: type[Notification] | None = None) -> list[Any]:
        """Give the notifications so far, of one class if given, and forget all of them."""
        found = [each.notification for each in self.notified]
        self.notified.clear()
        return [each for each in found if kind is None or isinstance(each, kind)]

    def phones(self) -> list[Any]:
        """Give what simulators were told so far, and forget it."""
        found = [each.notification for each in self.simulated]
        self.simulated.clear()
        return found

    def change_settings(self, **changes: object) -> None:
        """Have the server behave differently from now on."""
        self.settings = replace(self.settings, **changes)  # type: ignore[arg-type]


class Shelf:
    """What a world keeps, as one unit of work in one organisation reads it."""

    def __init__(self, world: World, org_id: str) -> None:
        self._world = world
        self._org_id = org_id

    def load(self, key: Key[R]) -> R | None:
        """Give the record under *key*."""
        self._count(key)
        return cast("R | None", self._world.records.get(key))

    def members(self, index: IndexKey) -> tuple[EntryRecord, ...]:
        """Give the entries of *index*."""
        self._count(index)
        return self._world.entries(index)

    def _count(self, key: Key[Any] | IndexKey) -> None:
        assert key.org_id == self._org_id, "a rule reaches into another organisation"
        self._world.reads += 1
