"""What units of work have changed together and the database does not have yet.

The store stands above: of its layers the newer one hides the older one, and both hide the database. Below are the
records.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from elarian_trio.sandbox.pending import JobRecord
from elarian_trio.sandbox.world.entities import EntryKey, EntryRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from elarian_trio.errors import StoreError
    from elarian_trio.sandbox.world.entities import IndexKey, Key, Record

__all__ = ["UNHEARD", "Layer", "Unit"]


class Unit(NamedTuple):
    """What is to be done once a unit of work is kept, or could not be."""

    kept: Callable[[], None]
    lost: Callable[[StoreError], None]


def _unheard(_: StoreError | None = None) -> None:
    """Tell nobody."""


UNHEARD = Unit(_unheard, _unheard)
"""A unit of which nobody is told what became of it."""


class Layer:
    """What was changed by units that are kept or lost together. Made by the store.

    Args:
        is_alone: whether nothing is anywhere else: what is deleted leaves no trace here then, unless something of its
            kind was taken out before.
    """

    __slots__ = ("_elsewhere", "_is_alone", "entries", "records", "units")

    def __init__(self, *, is_alone: bool = False) -> None:
        self._is_alone = is_alone
        self._elsewhere: set[type[Key[Any]]] = set()  # kinds of keys of which something was taken out
        self.records: dict[Key[Any], Record | None] = {}
        self.entries: dict[IndexKey, dict[EntryKey, EntryRecord | None]] = {}
        self.units: list[Unit] = []

    def add(self, changes: Mapping[Key[Any], Record | None]) -> None:
        """Put *changes* over what is here."""
        for key, record in changes.items():
            self.records.pop(key, None)  # what was changed last is taken last
            if record is None and self._is_alone and key.__class__ not in self._elsewhere:
                if isinstance(key, EntryKey):
                    self._drop_entry(key)
                continue
            self.records[key] = record
            if isinstance(key, EntryKey):
                self.entries.setdefault(key.index, {})[key] = cast("EntryRecord | None", record)

    def cover_members(self, index: IndexKey, found: dict[str, EntryRecord]) -> None:
        """Put what is here of *index* over what was *found* below, by the members' names."""
        for key, entry in self.entries.get(index, {}).items():
            found.pop(key.member, None)
            if entry is not None:
                found[key.member] = entry

    def cover_jobs(self, found: dict[Key[Any], JobRecord]) -> None:
        """Put the jobs that are here over those that were *found* below."""
        for key, record in self.records.items():
            if isinstance(record, JobRecord):
                found[key] = record
            else:
                found.pop(key, None)

    def take(self, number: int) -> dict[Key[Any], Record | None]:
        """Take out so many records, those that were not changed the longest."""
        taken = {key: self.records.pop(key) for key in list(islice(self.records, number))}
        self._elsewhere |= {key.__class__ for key in taken}
        for key in taken:
            if isinstance(key, EntryKey):
                self._drop_entry(key)
        return taken

    def _drop_entry(self, key: EntryKey) -> None:
        """Know nothing of an entry, if anything is known of it."""
        entries = self.entries.get(key.index, {})
        entries.pop(key, None)
        if not entries:
            self.entries.pop(key.index, None)
