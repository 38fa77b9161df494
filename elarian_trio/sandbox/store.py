"""Where records live: changed in memory at once, and kept in a database together with what was changed meanwhile.

The engine stands above: it loads what a rule asks for by key, and commits what a unit of work changed, all of it or
nothing. What the unit said may leave the server once the unit is kept. In a file that is after the next
write: all units that wait share one, so that a busy server waits for the disk no more often than an idle one. In
memory it is at once, and only what is too much to have at hand is written to the database.

Newer layers hide older ones: what is staged, what is being written, what was read or written of late, the database.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import count, islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, cast

import anyio
import anyio.lowlevel
import anyio.to_thread

from elarian_trio.errors import StoreError
from elarian_trio.sandbox.database import script_of
from elarian_trio.sandbox.pending import JobKey, JobRecord, ParcelKey
from elarian_trio.sandbox.rows import read_record, shape_of
from elarian_trio.sandbox.world.entities import EntryKey, EntryRecord, IndexKey, Key, MessageKey, MessageRecord, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
    from datetime import datetime

    from elarian_trio.sandbox.database import Database
    from elarian_trio.sandbox.pending import ParcelRecord

__all__ = ["UNHEARD", "Store", "Unit"]

R = TypeVar("R", bound=Record)

Unread: TypeAlias = tuple[int, str]
"""A record as a row of the database has it: the version of its form, and its text."""

MAX_AT_HAND = 8 * 1024 * 1024  # characters of JSON of what is kept at hand; Python's objects take several times that
LEAST_WEIGHT = 400  # characters that a customer counts at least, since keys and places take room as well
MAX_STAGED = 32_768  # records, some 20 MB, that memory holds before they go as JSON to a database in memory, too
QUICK = 0.002  # seconds: what a thread that waits for the disk loses to a busy loop, before and after
SLOW_FOR = 1_000  # writes that a thread waits for before a disk that was slower than that has another chance
MAX_BEHIND = 10_000  # units that may wait for the disk before nothing is begun that nobody asked for
PUT_AWAY = 64  # of them at a time, those not changed the longest: so that nobody waits long for it
_NOTHING = (None, 0)
_ABSENT: Any = object()  # in a layer nothing is known of a key: ``None`` says that there is nothing under it


class Unit(NamedTuple):
    """What is to be done once a unit of work is kept, or could not be."""

    kept: Callable[[], None]
    lost: Callable[[StoreError], None]


def _unheard(_: StoreError | None = None) -> None:
    """Tell nobody."""


UNHEARD = Unit(_unheard, _unheard)
"""A unit of which nobody is told what became of it."""


class Layer:
    """What was changed by units that are kept or lost together.

    Args:
        nowhere_else: kinds of keys of which nothing is anywhere else: what is deleted of them leaves no trace here.
    """

    __slots__ = ("entries", "nowhere_else", "records", "units")

    def __init__(self, *nowhere_else: type[Key[Any]]) -> None:
        self.nowhere_else: set[type[Key[Any]]] = {*nowhere_else}
        self.records: dict[Key[Any], Record | None] = {}
        self.entries: dict[IndexKey, dict[EntryKey, EntryRecord | None]] = {}
        self.units: list[Unit] = []

    def add(self, changes: Mapping[Key[Any], Record | None]) -> None:
        """Put *changes* over what is here."""
        for key, record in changes.items():
            self.records.pop(key, None)  # what was changed last is taken last
            if record is None and key.__class__ in self.nowhere_else:
                continue
            self.records[key] = record
            if isinstance(key, EntryKey):
                self.entries.setdefault(key.index, {})[key] = cast("EntryRecord | None", record)

    def take(self, number: int) -> dict[Key[Any], Record | None]:
        """Take out what was not changed the longest."""
        taken = {key: self.records.pop(key) for key in list(islice(self.records, number))}
        self.nowhere_else -= {key.__class__ for key in taken}
        for key in taken:
            if isinstance(key, EntryKey):
                entries = self.entries[key.index]
                del entries[key]
                if not entries:
                    del self.entries[key.index]
        return taken


class Store:
    """Records by key, entries by index, jobs in due order.

    Args:
        database: where they are kept. It stays its opener's.
        inline: whether a unit is kept at once, as in memory; otherwise :meth:`run` keeps them.

    Attributes:
        commits: how often something was changed, or taken back: while it stays, so does all that was read.
    """

    def __init__(self, database: Database, *, inline: bool) -> None:
        self.commits: int = 0
        self._database = database
        self._inline = inline
        # Nearly all jobs and notifications of a server in memory are done before they would be put away.
        self._staged = Layer(JobKey, ParcelKey) if inline and not database.last_number() else Layer()
        self._is_all_staged = inline and database.is_empty  # memory's is, until there is too much to have at hand
        self._writing: Layer | None = None
        self._wanted = anyio.Event()
        self._settled = anyio.Event()  # set when nothing waits any more
        self._slow_for = 0  # writes, in which nobody waits for the disk but a thread
        self._at_hand = AtHand()
        self._numbers = count(database.last_number() + 1)

    def number(self) -> int:
        """Give a number that is greater than every earlier one in this database."""
        return next(self._numbers)

    @property
    def is_on_disk(self) -> bool:
        """Whether what is not at hand has to be read from a file."""
        return not self._inline

    @property
    def is_settled(self) -> bool:
        """Whether everything is kept that was committed."""
        return self._inline or (self._writing is None and not self._staged.units)

    @property
    def is_behind(self) -> bool:
        """Whether so much waits for the disk that nothing should be begun that nobody asked for."""
        return not self._inline and len(self._staged.units) >= MAX_BEHIND

    # Reading.

    def load(self, key: Key[R]) -> R | None:
        """Give the record under *key* as the latest unit left it, ``None`` where there is none.

        Raises:
            StoreError: the file cannot be read.
        """
        found = self._staged.records.get(key, _ABSENT)
        if found is _ABSENT and self._writing is not None:
            found = self._writing.records.get(key, _ABSENT)
        if found is _ABSENT:
            found = None if self._is_all_staged else self._at_hand.get(key, self._database.rows)
        return cast("R | None", found)

    def fetch(self, keys: Iterable[Key[Any]]) -> None:
        """Have at hand all that lies where *keys* lie, of records that are no entries: read together, it costs less.

        Raises:
            StoreError: the file cannot be read.
        """
        wanted = [key for key in keys if self._at_hand.lacks(key)]
        if len(wanted) > 1:
            for key, rows in zip(wanted, self._database.rows_of_many(wanted), strict=True):
                self._at_hand.learn(key, rows)

    def members(self, index: IndexKey) -> tuple[EntryRecord, ...]:
        """Give the entries of *index* as the latest unit left them, by their members' names.

        Raises:
            StoreError: the file cannot be read.
        """
        kept = () if self._is_all_staged else self._database.members(index)
        found = {entry.member: entry for entry in kept}
        for layer in reversed(self._layers()):
            for key, entry in layer.entries.get(index, {}).items():
                found.pop(key.member, None)
                if entry is not None:
                    found[key.member] = entry
        return tuple(found[member] for member in sorted(found))

    def jobs(
        self, after: tuple[datetime, int] | None, limit: int
    ) -> tuple[list[JobRecord], tuple[datetime, int] | None]:
        """Give jobs in due order, from behind a place in that order or from the beginning.

        Returns:
            The jobs, and up to which place these are all there are: ``None`` where none come after them.

        Raises:
            StoreError: the file cannot be read.
        """
        kept = self._database.jobs(after, limit)
        until = kept[-1].place if len(kept) == limit else None
        found: dict[Key[Any], JobRecord] = {job.key: job for job in kept}
        for layer in reversed(self._layers()):
            for key, record in layer.records.items():
                if isinstance(record, JobRecord):
                    found[key] = record
                else:
                    found.pop(key, None)
        within = [
            job
            for job in found.values()
            if (after is None or job.place > after) and (until is None or job.place <= until)
        ]
        return sorted(within, key=lambda job: job.place), until

    def parcels(self) -> Iterator[ParcelRecord]:
        """Give every notification that was not answered when the file was closed, in order.

        Raises:
            StoreError: the file cannot be read.
        """
        return self._database.parcels()

    def _layers(self) -> tuple[Layer, ...]:
        return (self._staged,) if self._writing is None else (self._staged, self._writing)

    # Changing.

    def commit(self, changes: Mapping[Key[Any], Record | None], unit: Unit) -> None:
        """Keep all of *changes* or, if that fails, none of them; ``None`` deletes.

        One of the unit's calls is made, once: at once where there is nothing to wait for. A unit that changes nothing
        has seen what others changed, and shares what becomes of them.
        """
        if changes:
            self.commits += 1
            self._staged.add(changes)
        if self._inline:
            if len(self._staged.records) > MAX_STAGED:
                self._is_all_staged = False
                put_away = self._staged.take(PUT_AWAY)
                self._learn(put_away, self._database.write(put_away))
            unit.kept()
        elif changes or not self.is_settled:
            self._staged.units.append(unit)
            self._wanted.set()
        else:
            unit.kept()

    async def run(self, after: Callable[[], None]) -> None:
        """Keep what is committed, until cancelled; call *after* behind the calls of all units that were kept or lost.

        What is staged when this is cancelled is for :meth:`flush`.
        """
        limiter = anyio.CapacityLimiter(1)
        while True:
            await self._wanted.wait()
            self._wanted = anyio.Event()
            while self._staged.units:
                await self._write(limiter)
                after()
                if self._database.is_log_long:
                    await self._in_thread(self._database.shorten_log, limiter)
            self._settled.set()
            self._settled = anyio.Event()

    async def _write(self, limiter: anyio.CapacityLimiter) -> None:
        """Keep what is staged, and tell its units."""
        await anyio.lowlevel.checkpoint()  # what else comes in this turn of the loop shares the write
        layer = self._writing = self._staged
        self._staged = Layer()
        script = script_of(layer.records)
        try:
            self._database.begin(script)
            if len(layer.units) > 1 and not self._slow_for:
                self._commit_here()
            else:
                self._slow_for = max(0, self._slow_for - 1)
                await self._in_thread(self._database.commit, limiter)
        except StoreError as error:
            self._lose(error)
            return
        self._writing = None
        self._learn(layer.records, script.lengths)
        for unit in layer.units:
            unit.kept()

    def _commit_here(self) -> None:
        """Have the whole loop wait for the disk.

        Where several units wait the loop is busy, and a thread waits for the interpreter before and after: 1.7 ms and
        1 ms with 256 commands under way, as measured. A disk that takes less holds nobody up as long.
        """
        if self._database.commit() > QUICK:
            self._slow_for = SLOW_FOR

    async def _in_thread(self, work: Callable[[], object], limiter: anyio.CapacityLimiter) -> None:
        """Let a thread do *work* with the connection that writes."""
        with self._database.writing():
            await anyio.to_thread.run_sync(work, limiter=limiter)

    async def wait_settled(self) -> None:
        """Wait until everything is kept that was committed; the disk says how long that takes."""
        await anyio.lowlevel.checkpoint()
        while not self.is_settled:
            await self._settled.wait()

    def flush(self) -> None:
        """Write what is left when nothing runs any more. Nobody is told: whoever waited for it is gone.

        Raises:
            StoreError: the disk refuses it.
        """
        self._is_all_staged = False
        for layer in reversed(self._layers()):
            self._learn(layer.records, self._database.write(layer.records))
        self._staged, self._writing = Layer(), None

    def _learn(self, written: Mapping[Key[Any], Record | None], lengths: Mapping[Key[Any], int]) -> None:
        """Have at hand what was written, but for what is not asked for by its key, and messages, which seldom are.

        They would push out those to whom they were sent. Those that are on their way are asked for once more.
        """
        for key, record in written.items():
            if isinstance(key, MessageKey) and not (isinstance(record, MessageRecord) and record.is_on_its_way):
                self._at_hand.forget(key)
            elif not isinstance(key, JobKey | ParcelKey):
                self._at_hand.put(key, record, lengths.get(key, 0))

    def _lose(self, error: StoreError) -> None:
        """Forget what could not be kept, and what was built on it."""
        self.commits += 1
        units = [unit for layer in reversed(self._layers()) for unit in layer.units]
        self._staged, self._writing = Layer(), None
        for unit in units:
            unit.lost(error)


class Family:
    """What is known to lie in one place, by the kinds of records; some of it in JSON until it is asked for."""

    __slots__ = ("is_whole", "records", "weight")

    def __init__(self) -> None:
        self.records: dict[str, tuple[Record | Unread | None, int]] = {}  # and how long each is in JSON
        self.is_whole: bool = False  # whether there is nothing of the kinds that are not among these
        self.weight: int = LEAST_WEIGHT


class AtHand:
    """What was read or written of late, up to a bound; that there is nothing under a key is known as well.

    Keys that hold the same name one place: who asks for a customer asks for all there is of it sooner or later.
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
