"""What the server itself has yet to do: jobs that fall due, and notifications that nobody has answered.

The engine makes these out of what the rules want done, and keeps them in the same transaction as what the rules
changed; the agenda and the routes give them back. Below are the records that a store keeps, of which these are two.
"""

from __future__ import annotations

from datetime import UTC, datetime

from elarian_trio.models.notifications import Notification
from elarian_trio.sandbox.world.effects import Job
from elarian_trio.sandbox.world.entities import Key, Record, key_class, record_class

__all__ = ["BEGINNING", "JobKey", "JobRecord", "ParcelKey", "ParcelRecord"]

BEGINNING = (datetime.min.replace(tzinfo=UTC), 0)
"""The place before every job's; see :attr:`JobRecord.place`."""


@key_class
class JobKey(Key["JobRecord"]):
    """Names a job; *parts* is what the rules call it by, see :data:`.effects.JobKey`."""

    parts: tuple[str, ...]


@record_class
class JobRecord(Record):
    """A job that is to be done.

    Attributes:
        due: when.
        number: its place among those that are due at the same time.
        job: what.
    """

    due: datetime
    number: int
    job: Job

    @property
    def key(self) -> JobKey:
        """What it is found by."""
        return JobKey(self.job.org_id, self.job.job_key)

    @property
    def place(self) -> tuple[datetime, int]:
        """Where it stands among all jobs."""
        return self.due, self.number


@key_class
class ParcelKey(Key["ParcelRecord"]):
    """Names a notification on its way to an app."""

    number: int


@record_class
class ParcelRecord(Record):
    """A notification that an app has not answered yet; its organisation, app and customer are in it.

    Attributes:
        number: its place among all; the order in which they came.
        notification: what to tell.
    """

    number: int
    notification: Notification

    @property
    def key(self) -> ParcelKey:
        """What it is found by."""
        return ParcelKey(self.notification.org_id, self.number)
