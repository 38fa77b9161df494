"""Many members under one name: what a store can list without loading anything else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from elarian_trio.sandbox.world.entities.record import Key, Record, key_class, record_class

__all__ = ["EntryKey", "EntryRecord", "IndexKey"]


@dataclass(frozen=True, slots=True)
class IndexKey:
    """Names a set of members that a store can list without loading anything else.

    Attributes:
        org_id: the organisation.
        kind: what is indexed: "tag" or "tagged_reminder".
        parts: what is looked for.
    """

    org_id: str
    kind: str
    parts: tuple[str, ...]


@key_class
class EntryKey(Key["EntryRecord"]):
    """Names one member of an index."""

    kind: str
    parts: tuple[str, ...]
    member: str

    @property
    def index(self) -> IndexKey:
        """The index it is a member of."""
        return IndexKey(self.org_id, self.kind, self.parts)


@record_class
class EntryRecord(Record):
    """One member of an index.

    Attributes:
        org_id: the organisation.
        kind: the index's kind.
        parts: the index's parts.
        member: a customer's id.
        expires_at: from then on it is no member.
    """

    org_id: str
    kind: str
    parts: tuple[str, ...]
    member: str
    expires_at: datetime | None = None

    @property
    def key(self) -> EntryKey:
        """What it is found by."""
        return EntryKey(self.org_id, self.kind, self.parts, self.member)
