"""The unit of work that every rule is handed: what it may read, what it changes, and what it wants done.

The server makes one per command, job or answer; :mod:`.rules` hands it to the rule. Below are the records, wherever
they are kept. What a rule changed counts only once it has returned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, cast

from elarian_trio._arguments import require, wrong_type
from elarian_trio.models.messaging import MessageDeliveryStatus, MessageDeliveryStatusName
from elarian_trio.models.model import altered
from elarian_trio.sandbox.world.effects import (
    Effect,
    Hop,
    Job,
    JobKey,
    NotifyApp,
    NotifySimulators,
    ReleaseLease,
    ReleaseLeases,
    Schedule,
    Unschedule,
    Warn,
)
from elarian_trio.sandbox.world.entities import AppKey, EntryKey, EntryRecord, IndexKey, Key, R, Record

if TYPE_CHECKING:
    from elarian_trio.models.notifications import Notification
    from elarian_trio.models.simulator import SimulatorNotification

Reason: TypeAlias = Literal["invalid", "unknown_customer", "decommissioned"]


class Dice(Protocol):
    """Where ids and secrets come from."""

    def hex(self, digits: int) -> str:
        """Give *digits* random hexadecimal digits; the same ones again for the same seed."""
        ...

    def ascending(self) -> str:
        """Give 32 hexadecimal digits that sort behind all that were given before; for the same seed the same again."""
        ...

    def secret(self, digits: int) -> str:
        """Give *digits* hexadecimal digits that nobody can guess, seed or no seed."""
        ...


class Records(Protocol):
    """Where records are: a store, as the last unit left it."""

    def load(self, key: Key[R]) -> R | None:
        """Give the record under *key*, ``None`` where there is none."""
        ...

    def members(self, index: IndexKey) -> tuple[EntryRecord, ...]:
        """Give the entries of *index*, expired ones perhaps among them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this server behaves where it may choose. Durations that nothing public says are this project's own.

    Attributes:
        strict: refuse what a real gateway would refuse; otherwise be lenient and let things register themselves.
        chat_needs_session: refuse chat messages to customers who have not written within the last day.
        whatsapp_asks: a customer is asked before writing on WhatsApp is allowed.
        settle: whether payments are decided by the server itself, or by a simulator.
        delivery_delay: how long an SMS or chat message is on its way; ``None`` leaves it at "sent".
        outcomes: what becomes of messages to a number, by the number as it is remembered; to others: delivered.
        settlement_delay: how long an external payment is on its way when the server decides.
        payment_timeout: after how long an undecided payment expires.
        consent_delay: how long a queued change of consent takes.
        ussd_session: how long a USSD session lasts without input.
        chat_session: how long a chat session lasts after the customer's last message.
        token_lifetime: how long a token lets its bearer in.
        min_interval: the shortest interval of a repeating reminder.

    Raises:
        ValueError: a duration is negative or over a century, or a name is none of those that are known.
        TypeError: a value is of the wrong type.
    """

    strict: bool = True
    chat_needs_session: bool = False
    whatsapp_asks: bool = False
    settle: Literal["auto", "manual"] = "auto"
    delivery_delay: timedelta | None = timedelta(milliseconds=200)
    outcomes: Mapping[str, MessageDeliveryStatus | MessageDeliveryStatusName] = field(
        default_factory=dict[str, "MessageDeliveryStatus | MessageDeliveryStatusName"]
    )
    settlement_delay: timedelta = timedelta(milliseconds=500)
    payment_timeout: timedelta = timedelta(seconds=120)
    consent_delay: timedelta = timedelta(milliseconds=200)
    ussd_session: timedelta = timedelta(seconds=180)
    chat_session: timedelta = timedelta(hours=24)
    token_lifetime: timedelta = timedelta(hours=1)
    min_interval: timedelta = timedelta(seconds=60)

    def __post_init__(self) -> None:
        """Refuse what the rules could not go by."""
        for name in _SWITCHES:
            require(name, bool, getattr(self, name))
        for name in _DURATIONS:
            _require_duration(name, getattr(self, name))
        if self.delivery_delay is not None:
            _require_duration("delivery_delay", self.delivery_delay)
        if self.settle not in ("auto", "manual"):
            msg = f"settle must be 'auto' or 'manual', got {self.settle!r}"
            raise ValueError(msg)
        require("outcomes", Mapping, self.outcomes)
        for number in self.outcomes:
            require("a number in outcomes", str, number)
        outcomes = {number: MessageDeliveryStatus(status) for number, status in self.outcomes.items()}
        object.__setattr__(self, "outcomes", outcomes)


_LONGEST = timedelta(days=36_525)  # a century: as good as never, and far from the calendar's end
_SWITCHES = ("strict", "chat_needs_session", "whatsapp_asks")
_DURATIONS = (
    "settlement_delay",
    "payment_timeout",
    "consent_delay",
    "ussd_session",
    "chat_session",
    "token_lifetime",
    "min_interval",
)


def _require_duration(name: str, value: object) -> None:
    if not isinstance(value, timedelta):
        wrong_type(name, "a timedelta", value)
    if value < timedelta(0):
        msg = f"{name} must not be negative, got {value!r}"
        raise ValueError(msg)
    if value > _LONGEST:
        msg = f"{name} must be no longer than a century ({_LONGEST.days:,} days), got {value!r}"
        raise ValueError(msg)


class Refusal(Exception):
    """A rule refuses a command; everything that it changed is forgotten. :mod:`.rules` makes the reply.

    Attributes:
        description: what was wrong, and what would be right.
        reason: what kind of wrong, for replies that have a status for it.
        customer_id: the customer, where it is known.
    """

    def __init__(self, description: str, reason: Reason = "invalid", customer_id: str | None = None) -> None:
        super().__init__(description)
        self.description = description
        self.reason: Reason = reason
        self.customer_id = customer_id


class Work:
    """What one rule reads, changes and wants done.

    Attributes:
        now: the present.
        dice: where ids come from.
        org_id: the organisation in which all of this happens; nothing outside it can be reached.
        app_id: the app on whose behalf it happens; for a phone the one it connected as, which means nothing.
        settings: how the server behaves.
        records: what is there already.
        lease: the lease that the caller was given for this command; see :class:`~.effects.WaitForLease`.
        changes: what the rule put (a record) or deleted (``None``), by key, in order.
        effects: what it wants done, in order.
        drawn: the ids that it made.
    """

    __slots__ = ("app_id", "changes", "dice", "drawn", "effects", "lease", "now", "org_id", "records", "settings")

    def __init__(
        self,
        *,
        now: datetime,
        dice: Dice,
        org_id: str,
        app_id: str,
        settings: Settings,
        records: Records,
        lease: AppKey | None = None,
    ) -> None:
        self.now: datetime = now
        self.dice: Dice = dice
        self.org_id: str = org_id
        self.app_id: str = app_id
        self.settings: Settings = settings
        self.records: Records = records
        self.lease: AppKey | None = lease
        self.changes: dict[Key[Any], Record | None] = {}
        self.effects: list[Effect] = []
        self.drawn: set[str] = set()

    # Reading.

    def get(self, key: Key[R]) -> R | None:
        """Give the record under *key*, as this unit has left it, or ``None``."""
        changes = self.changes  # most rules change nothing before they have read everything
        return cast("R | None", changes[key]) if changes and key in changes else self.records.load(key)

    def members(self, index: IndexKey) -> tuple[str, ...]:
        """Give the members of *index* that have not expired, as this unit has left them, in order of their ids."""
        found = {entry.member: entry for entry in self.records.members(index)}
        for key, record in self.changes.items():
            if isinstance(key, EntryKey) and key.index == index:
                found.pop(key.member, None)
                if record is not None:
                    found[key.member] = cast("EntryRecord", record)
        return tuple(sorted(member for member, entry in found.items() if not self.is_past(entry.expires_at)))

    def is_past(self, expires_at: datetime | None) -> bool:
        """Whether something with that expiry counts no more; ``None`` never expires."""
        return expires_at is not None and expires_at <= self.now

    # Changing.

    def put(self, record: Record) -> None:
        """Remember *record* under its key, in the place of what is there."""
        self.changes[record.key] = record

    def delete(self, key: Key[Any]) -> None:
        """Forget what is under *key*, if anything is."""
        self.changes[key] = None

    def discard(self) -> None:
        """Forget all changes and effects, as after a refusal."""
        self.changes.clear()
        self.effects.clear()

    def new_id(self, kind: str) -> str:
        """Draw an id: *kind* is "cst", "msg", "txn", "ses" or "wrk".

        Ids ascend: what came together lies together on the disk, so that a write of hundreds of new messages changes a
        few pages of a file and not one for each.
        """
        made = f"el_{kind}_{self.dice.ascending()}"
        self.drawn.add(made)
        return made

    # Having things done.

    def notify(
        self,
        app_id: str,
        customer_id: str | None,
        notification: Notification,
        *,
        hop: Hop | None = None,
    ) -> None:
        """Tell an app; the organisation, app, customer and present are written into the notification here."""
        stamped = altered(
            notification,
            org_id=self.org_id,
            app_id=app_id,
            customer_id=customer_id,
            created_at=self.now,
        )
        self.effects.append(NotifyApp(self.org_id, app_id, customer_id, stamped, hop))

    def notify_simulators(self, notification: SimulatorNotification) -> None:
        """Tell all simulators of the organisation; the caller fills the notification in."""
        self.effects.append(NotifySimulators(self.org_id, notification))

    def schedule(self, at: datetime, job: Job) -> None:
        """Have *job* run at *at*, in the place of one of the same name."""
        self.effects.append(Schedule(at, job))

    def unschedule(self, job_key: JobKey) -> None:
        """Have the job of that name not run."""
        self.effects.append(Unschedule(self.org_id, job_key))

    def warn(self, words: str) -> None:
        """Have whoever runs the server told; for the log, so without numbers and bodies."""
        self.effects.append(Warn(words))

    def release(self, lease: AppKey) -> None:
        """End the lease on an app's data, whoever holds it."""
        self.effects.append(ReleaseLease(lease))

    def release_all(self, customer_id: str) -> None:
        """End every app's lease on a customer, who is gone; whoever waits finds that out."""
        self.effects.append(ReleaseLeases(self.org_id, customer_id))
