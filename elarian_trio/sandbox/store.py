"""Where entities live: in memory here; another store needs the same three methods.

The engine stands above: it loads what a rule asks for by key and commits what the rule changed, all at once. Below are
the records of :mod:`.world.entities`, of which a store knows their keys and the index entries among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from elarian_trio.sandbox.world.entities import EntryKey, EntryRecord, IndexKey, Key, Record

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MemoryStore", "Store"]

R = TypeVar("R", bound=Record)


class Store(Protocol):
    """What the engine asks of a store."""

    def load(self, key: Key[R]) -> R | None:
        """Give the record under *key*, ``None`` where there is none."""
        ...

    def members(self, index: IndexKey) -> tuple[EntryRecord, ...]:
        """Give the entries of *index*, in the order in which they came."""
        ...

    def commit(self, changes: Mapping[Key[Any], Record | None]) -> None:
        """Keep all of *changes* or, if it raises, none of them; ``None`` deletes."""
        ...


class MemoryStore:
    """Keeps everything in this process, for as long as the object lives."""

    def __init__(self) -> None:
        self._records: dict[Key[Any], Record] = {}
        self._indexes: dict[IndexKey, dict[EntryKey, EntryRecord]] = {}

    def load(self, key: Key[R]) -> R | None:
        """Give the record under *key*, ``None`` where there is none."""
        return cast("R | None", self._records.get(key))

    def members(self, index: IndexKey) -> tuple[EntryRecord, ...]:
        """Give the entries of *index*, in the order in which they came."""
        return tuple(self._indexes.get(index, {}).values())

    def commit(self, changes: Mapping[Key[Any], Record | None]) -> None:
        """Keep all of *changes*; ``None`` deletes. Nothing in here can fail half-way."""
        for key, record in changes.items():
            if record is None:
                self._records.pop(key, None)
            else:
                self._records[key] = record
            if isinstance(key, EntryKey):
                self._index(key, record)

    def _index(self, key: EntryKey, record: Record | None) -> None:
        entries = self._indexes.setdefault(key.index, {})
        if isinstance(record, EntryRecord):
            entries[key] = record
        else:
            entries.pop(key, None)
            if not entries:
                del self._indexes[key.index]
