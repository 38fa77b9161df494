"""What a rule wants done beyond remembering: plain values that the server carries out.

The rules make these through :class:`~.work.Work`; the server's delivery and clock act on them. A :class:`Job` is what
is to happen later: a record of its own, which a store can keep, and a rule of its own in :mod:`.rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeAlias

from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.identity import CustomerNumber, Tag
from elarian_trio.models.messaging import ConsentAction, Message, MessageDeliveryStatus
from elarian_trio.models.model import Model
from elarian_trio.models.notifications import Notification
from elarian_trio.models.payments import PaymentStatus
from elarian_trio.models.simulator import SimulatorNotification
from elarian_trio.sandbox.world.entities import AppKey, record_class

# --- what happens later ---

JobKey: TypeAlias = tuple[str, ...]
"""Names a job; the first part says of which kind."""


@record_class
class Job(Model):
    """Something to be done when it falls due.

    Attributes:
        org_id: the organisation.
        app_id: the app on whose behalf; empty for none.
    """

    org_id: str
    app_id: str = ""

    @property
    def job_key(self) -> JobKey:
        """Name the job: scheduling the same name again replaces it."""
        raise NotImplementedError


@record_class
class ReminderDue(Job):
    """A customer's reminder fires."""

    customer_id: str
    reminder_key: str

    @property
    def job_key(self) -> JobKey:
        """Name the job."""
        return reminder_job_key(self.org_id, self.app_id, self.customer_id, self.reminder_key)


def reminder_job_key(org_id: str, app_id: str, customer_id: str, reminder_key: str) -> JobKey:
    """Name the job of a reminder."""
    return ("reminder", org_id, app_id, customer_id, reminder_key)


@record_class
class TagMessageDue(Job):
    """One customer's share of a message that was sent by tag."""

    customer_id: str
    work_id: str
    tag: Tag
    channel_number: MessagingChannel
    message: Message

    @property
    def job_key(self) -> JobKey:
        """Name the job."""
        return ("tag_message", self.org_id, self.work_id, self.customer_id)


@record_class
class MessageProgresses(Job):
    """A sent message gets on, or fails."""

    customer_id: str
    message_id: str
    status: MessageDeliveryStatus
    description: str = ""

    @property
    def job_key(self) -> JobKey:
        """Name the job."""
        return ("message", self.org_id, self.message_id)


@record_class
class ConsentCompletes(Job):
    """A change of consent that was queued is completed.

    Attributes:
        customer_id: the customer.
        customer_number: its number, normalised.
        channel_number: the channel, as it was written by whoever asked.
        update: what was asked for.
        registered_number: the channel's number as the organisation has it, in whatever way it was written.
    """

    customer_id: str
    customer_number: CustomerNumber
    channel_number: MessagingChannel
    update: ConsentAction
    registered_number: str = ""

    @property
    def job_key(self) -> JobKey:
        """Name the job."""
        channel, number = str(self.channel_number.channel), self.customer_number
        whose = (str(number.provider), number.number, number.partition or "")
        return ("consent", self.org_id, channel, self.registered_number, *whose)


@record_class
class SessionExpires(Job):
    """A session ends by inactivity."""

    customer_id: str
    session_id: str

    @property
    def job_key(self) -> JobKey:
        """Name the job."""
        return ("session", self.org_id, self.session_id)


@record_class
class PaymentSettles(Job):
    """The gateway decides about a payment by itself."""

    transaction_id: str
    status: PaymentStatus = PaymentStatus.SUCCESS

    @property
    def job_key(self) -> JobKey:
        """Name the job: a payment settles or expires, so the two share a name."""
        return ("payment", self.org_id, self.transaction_id)


@record_class
class PaymentExpires(Job):
    """Nobody decided about a payment in time."""

    transaction_id: str

    @property
    def job_key(self) -> JobKey:
        """Name the job: a payment settles or expires, so the two share a name."""
        return ("payment", self.org_id, self.transaction_id)


@record_class
class TokenExpires(Job):
    """A token lets nobody in any more."""

    digest: str = field(repr=False)

    @property
    def job_key(self) -> JobKey:
        """Name the job."""
        return ("token", self.org_id, self.digest)


JOBS_BY_NAME: Mapping[str, type[Job]] = {
    each.__name__: each
    for each in (
        ConsentCompletes,
        MessageProgresses,
        PaymentExpires,
        PaymentSettles,
        ReminderDue,
        SessionExpires,
        TagMessageDue,
        TokenExpires,
    )
}
"""Every kind of job by name, for stores that write the name beside the JSON."""


# --- what a command waits for ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop(Model):
    """A customer at the phone, waiting for what the app answers: a USSD menu or what a call shall do.

    Attributes:
        org_id: the organisation.
        app_id: the app that is asked.
        customer_id: the customer.
        customer_number: whose phone.
        channel_number: which channel.
        session_id: the session; a hop that ends it carries the id all the same.
        message_id: the message that the app is asked about.
        is_last: whether the phone said that the session is over.
    """

    org_id: str
    app_id: str
    customer_id: str
    customer_number: CustomerNumber
    channel_number: MessagingChannel
    session_id: str
    message_id: str
    is_last: bool = False


class WaitForLease(NamedTuple):
    """The command is answered once the caller holds the lease: get it, then run the command again with it.

    Attributes:
        lease: on what.
    """

    lease: AppKey


class WaitForHop(NamedTuple):
    """The command is answered with what the app answers to the notification that carries the same hop.

    Attributes:
        hop: see :func:`.rules.answer_hop`.
    """

    hop: Hop


Waiting: TypeAlias = WaitForLease | WaitForHop


class Delivered(NamedTuple):
    """A notification as it is sent to an app, and what must be known when it is answered.

    Attributes:
        notification: what is told.
        lease: what the app-data lease is on; ``None`` where it is about a purse.
        app_data: the value that went with it.
    """

    notification: Notification
    lease: AppKey | None = None
    app_data: str | bytes | None = None


# --- what happens now ---


class NotifyApp(NamedTuple):
    """Tell an app, over one of its connections.

    Attributes:
        org_id: the organisation.
        app_id: the app.
        customer_id: whose turn it is: order is kept per app and customer; ``None`` where it is about a purse.
        notification: what to tell.
        hop: the customer at the phone, waiting for the answer.
    """

    org_id: str
    app_id: str
    customer_id: str | None
    notification: Notification
    hop: Hop | None = None


class NotifySimulators(NamedTuple):
    """Tell all simulators of the organisation.

    Attributes:
        org_id: the organisation.
        notification: what to tell.
    """

    org_id: str
    notification: SimulatorNotification


class Schedule(NamedTuple):
    """Run a job later.

    Attributes:
        at: when; what has passed is due at once.
        job: what; it replaces one of the same name.
    """

    at: datetime
    job: Job


class Unschedule(NamedTuple):
    """Do not run a job after all; nothing happens if there is none of that name.

    Attributes:
        org_id: the organisation.
        job_key: the job's name.
    """

    org_id: str
    job_key: JobKey


class ReleaseLease(NamedTuple):
    """The app's data was changed: end the lease on it, whoever holds it."""

    lease: AppKey


class ReleaseLeases(NamedTuple):
    """The customer is gone: end every app's lease, also of what was never stored.

    Attributes:
        org_id: the organisation.
        customer_id: the customer.
    """

    org_id: str
    customer_id: str


class Warn(NamedTuple):
    """Tell whoever runs the server of something that an app does wrong; no number and no message body is in it."""

    words: str


Effect: TypeAlias = NotifyApp | NotifySimulators | Schedule | Unschedule | ReleaseLease | ReleaseLeases | Warn
