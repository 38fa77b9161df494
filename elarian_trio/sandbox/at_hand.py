"""What is at hand of a database: what was read or written of late, place by place, and up to a bound.

The store stands above, asks here first, and tells what it has written. Below are the rows: those that came together
stay JSON until somebody asks for them.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from elarian_trio.sandbox.pending import JobKey, ParcelKey
from elarian_trio.sandbox.rows import read_record, shape_of
from elarian_trio.sandbox.world.entities import MessageKey, MessageRecord, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from elarian_trio.sandbox.world.entities import Key

__all__ = ["AtHand"]

R = TypeVar("R", bound=Record)

Unread: TypeAlias = tuple[int, str]
"""A record as a row of the database has it: the version of its form, and its text."""

MAX_AT_HAND = 8 * 1024 * 1024  # characters of JSON of what is kept at hand; Python's objects take several times that
LEAST_WEIGHT = 400  # characters that a customer counts at least, since keys and places take room as well
_NOTHING = (None, 0)


class Family:
    """What is known to lie in one place, by the kinds of records; some of it in JSON until it is asked for.

    Made by :class:`AtHand`.
    """

    __slots__ = ("is_whole", "records", "weight")

    def __init__(self) -> None:
        self.records: dict[str, tuple[Record | Unread | None, int]] = {}  # and how long each is in JSON
        self.is_whole: bool = False  # whether there is nothing of the kinds that are not among these
        self.weight: int = LEAST_WEIGHT


class AtHand:
    """What was read or written of late, up to a bound; that there is nothing under a key is known as well.

    Keys that hold the same name one place: who asks for a customer asks for all there is of it sooner or later. Made
    by the store.
    """

    def __init__(self) -> None:
        self._families: OrderedDict[Hashable, Family] = OrderedDict()
        self._weight = 0

    def __len__(self) -> int:
        """Count the places of which something is at hand."""
        return len(self._families)

    def forget(self, key: Key[Any]) -> None:
        """Know nothing of where *key* lies."""
        dropped = self._families.pop(shape_of(key).values(key), None)
        if dropped is not None:
            self._weight -= dropped.weight

    def lacks(self, key: Key[Any]) -> bool:
        """Whether nothing is known of what is under *key*."""
        shape = shape_of(key)
        family = self._families.get(shape.values(key))
        return family is None or not (family.is_whole or shape.kind in family.records)

    def learn(self, key: Key[Any], rows: Iterable[tuple[str, int, str]]) -> None:
        """Know that *rows* are all that lies where *key* lies, but for what is known of it already."""
        self._learn(self._family(shape_of(key).values(key)), rows)

    def get(self, key: Key[R], rows_of: Callable[[Key[Any]], Iterable[tuple[str, int, str]]]) -> R | None:
        """Give what is under *key*, ``None`` for nothing; *rows_of* is asked for all that lies there, if need be.

        Raises:
            StoreError: what is there cannot be read.
        """
        shape = shape_of(key)
        family = self._family(shape.values(key))
        known = family.records.get(shape.kind)
        if known is None and not family.is_whole:
            self._learn(family, rows_of(key))
            known = family.records.get(shape.kind)
        if known is None:
            return None
        found, length = known
        if isinstance(found, tuple):
            found = read_record(key, *found)
            family.records[shape.kind] = found, length
        return cast("R | None", found)

    def put(self, key: Key[Any], record: Record | None, length: int) -> None:
        """Know what is under *key*, and how long its JSON is."""
        shape = shape_of(key)
        family = self._family(shape.values(key))
        _, before = family.records.get(shape.kind, _NOTHING)
        family.records[shape.kind] = record, length
        self._weigh(family, length - before)

    def put_written(self, written: Mapping[Key[Any], Record | None], lengths: Mapping[Key[Any], int]) -> None:
        """Know what was written, but for what is not asked for by its key, and messages, which seldom are.

        They would push out those to whom they were sent. Those that are on their way are asked for once more.
        """
        for key, record in written.items():
            if isinstance(key, MessageKey) and not (isinstance(record, MessageRecord) and record.is_on_its_way):
                self.forget(key)
            elif not isinstance(key, JobKey | ParcelKey):
                self.put(key, record, lengths.get(key, 0))

    def _learn(self, family: Family, rows: Iterable[tuple[str, int, str]]) -> None:
        more = 0
        for kind, version, text in rows:
            if kind not in family.records:
                length = len(text)
                family.records[kind] = (version, text), length
                more += length
        family.is_whole = True
        self._weigh(family, more)

    def _family(self, place: Hashable) -> Family:
        """Give what is known of *place*, as what was asked for last."""
        family = self._families.get(place)
        if family is None:
            family = self._families[place] = Family()
            self._weight += family.weight
        else:
            self._families.move_to_end(place)
        return family

    def _weigh(self, family: Family, more: int) -> None:
        """Let *family*, which was asked for last, be so much longer, and forget what was not asked for the longest."""
        family.weight += more
        self._weight += more
        while self._weight > MAX_AT_HAND and len(self._families) > 1:
            _, dropped = self._families.popitem(last=False)
            self._weight -= dropped.weight
