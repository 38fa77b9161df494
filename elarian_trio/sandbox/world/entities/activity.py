"""What a customer did elsewhere."""

from __future__ import annotations

from elarian_trio.models.activity import ActivitySessionState
from elarian_trio.sandbox.world.entities.record import Key, Record, key_class, record_class

__all__ = ["ActivityKey", "ActivityRecord"]


@key_class
class ActivityKey(Key["ActivityRecord"]):
    """Names a customer's activity."""

    customer_id: str


@record_class
class ActivityRecord(Record):
    """What a customer did elsewhere.

    Attributes:
        org_id: the organisation.
        customer_id: the customer.
        sessions: the last visits, the one with the latest activity last.
    """

    org_id: str
    customer_id: str
    sessions: tuple[ActivitySessionState, ...] = ()

    @property
    def key(self) -> ActivityKey:
        """What it is found by."""
        return ActivityKey(self.org_id, self.customer_id)
