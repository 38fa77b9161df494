"""Who a customer is, under which numbers and secondary ids it is found, and what each app keeps on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from elarian_trio.models.identity import CustomerNumber, CustomerNumberProvider, Reminder, SecondaryId, Tag
from elarian_trio.models.model import Model
from elarian_trio.sandbox.world.entities.record import Key, Record, key_class, record_class

__all__ = [
    "AppKey",
    "AppRecord",
    "CustomerKey",
    "CustomerRecord",
    "NumberKey",
    "NumberRecord",
    "ReminderState",
    "SecondaryIdKey",
    "SecondaryIdRecord",
]


@key_class
class CustomerKey(Key["CustomerRecord"]):
    """Names a customer."""

    customer_id: str


@record_class
class CustomerRecord(Record):
    """A customer: who it is.

    Attributes:
        org_id: the organisation.
        customer_id: Elarian's id.
        created_at: since when it is known.
        numbers: every number under which it ever engaged, normalised, oldest first.
        tags: its tags, expired ones perhaps among them.
        secondary_ids: its secondary ids, likewise.
        metadata: values by key, shared by all apps.
        app_ids: the apps that have an :class:`AppRecord` on it.
        decommissioned_to: the customer that adopted it; then nothing else in here counts.
    """

    org_id: str
    customer_id: str
    created_at: datetime
    numbers: tuple[CustomerNumber, ...] = ()
    tags: tuple[Tag, ...] = ()
    secondary_ids: tuple[SecondaryId, ...] = ()
    metadata: Mapping[str, str | bytes] = field(default_factory=dict[str, str | bytes])
    app_ids: tuple[str, ...] = ()
    decommissioned_to: str | None = None

    @property
    def key(self) -> CustomerKey:
        """What it is found by."""
        return CustomerKey(self.org_id, self.customer_id)


@key_class
class NumberKey(Key["NumberRecord"]):
    """Names a customer number; make it with :func:`.world.addresses.number_key`, which normalises."""

    provider: str
    number: str
    partition: str | None


@record_class
class NumberRecord(Record):
    """Whose a customer number is.

    Attributes:
        org_id: the organisation.
        provider: whose number it is.
        number: the number, normalised.
        partition: a subdivision of the provider's numbers.
        customer_id: the customer.
    """

    org_id: str
    provider: CustomerNumberProvider
    number: str
    partition: str | None
    customer_id: str

    @property
    def key(self) -> NumberKey:
        """What it is found by."""
        return NumberKey(self.org_id, self.provider.value, self.number, self.partition)


@key_class
class SecondaryIdKey(Key["SecondaryIdRecord"]):
    """Names a secondary id; *id_key* is case-folded."""

    id_key: str
    value: str


@record_class
class SecondaryIdRecord(Record):
    """Whose a secondary id is.

    Attributes:
        org_id: the organisation.
        id_key: what kind of id it is, case-folded.
        value: the id.
        customer_id: the customer.
        expires_at: from then on it is nobody's.
    """

    org_id: str
    id_key: str
    value: str
    customer_id: str
    expires_at: datetime | None = None

    @property
    def key(self) -> SecondaryIdKey:
        """What it is found by."""
        return SecondaryIdKey(self.org_id, self.id_key, self.value)


@key_class
class AppKey(Key["AppRecord"]):
    """Names what an app keeps on a customer; the app-data lease is on the same key."""

    app_id: str
    customer_id: str


@record_class
class ReminderState(Model):
    """A reminder that is set.

    Attributes:
        reminder: the reminder, as it was set.
        due_at: when it is due next.
        tag: the tag by which it was set, if it was.
        work_id: the work that set it by tag.
    """

    reminder: Reminder
    due_at: datetime
    tag: Tag | None = None
    work_id: str | None = None


@record_class
class AppRecord(Record):
    """What one app keeps on one customer.

    Attributes:
        org_id: the organisation.
        app_id: the app.
        customer_id: the customer.
        data: the app data; ``None`` for none.
        reminders: what is set, by key.
    """

    org_id: str
    app_id: str
    customer_id: str
    data: str | bytes | None = None
    reminders: Mapping[str, ReminderState] = field(default_factory=dict[str, ReminderState])

    @property
    def key(self) -> AppKey:
        """What it is found by."""
        return AppKey(self.org_id, self.app_id, self.customer_id)
