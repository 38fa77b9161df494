"""What a stand-in's rule is handed: the records it may read, and what it changes.

The rules of :mod:`.planship` and :mod:`.talonone` stand on this, without I/O; :mod:`.web` makes one for each request
and keeps what was changed, all of it or nothing. A rule that raises has changed nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from elarian_trio.sandbox.world.entities import EntryKey, EntryRecord, IndexKey, Key, Record

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Books", "Shelves"]

R = TypeVar("R", bound=Record)


class Shelves(Protocol):
    """Where records are: the sandbox's store."""

    def load(self, key: Key[R]) -> R | None:
        """Give the record under *key*, ``None`` where there is none."""
        ...

    def members(self, index: IndexKey) -> tuple[EntryRecord, ...]:
        """Give the entries of *index*, by their members' names."""
        ...


class Books:
    """One unit of work on a stand-in's records.

    Args:
        shelves: where they are.

    Attributes:
        changes: what the rule changed; ``None`` deletes.
        effects: what shall be done once the changes are kept; what there is to do is between a stand-in and its rules.
    """

    def __init__(self, shelves: Shelves) -> None:
        self.changes: dict[Key[Any], Record | None] = {}
        self.effects: list[Any] = []
        self._shelves = shelves

    def find(self, key: Key[R]) -> R | None:
        """Give the record under *key* as this unit has it, ``None`` where there is none."""
        if key in self.changes:
            return cast("R | None", self.changes[key])
        return self._shelves.load(key)

    def put(self, record: R) -> R:
        """Have *record* kept under its key, and give it back."""
        self.changes[record.key] = record
        return record

    def remove(self, key: Key[Any]) -> None:
        """Have nothing under *key*."""
        self.changes[key] = None

    def discard(self) -> None:
        """Have nothing changed and nothing to do, after all."""
        self.changes.clear()
        self.effects.clear()

    # Lists: sets of names that can be read without loading what they name.

    def members(self, index: IndexKey) -> tuple[str, ...]:
        """Give the names in *index*, in their order."""
        found = {entry.member for entry in self._shelves.members(index)}
        for key, record in self.changes.items():
            if isinstance(key, EntryKey) and key.index == index:
                (found.discard if record is None else found.add)(key.member)
        return tuple(sorted(found))

    def enlist(self, index: IndexKey, member: str, *, expires_at: datetime | None = None) -> None:
        """Have *member* in *index*."""
        entry = EntryRecord(
            org_id=index.org_id, kind=index.kind, parts=index.parts, member=member, expires_at=expires_at
        )
        self.put(entry)

    def strike(self, index: IndexKey, member: str) -> None:
        """Have *member* in *index* no longer."""
        self.remove(EntryKey(index.org_id, index.kind, index.parts, member))
