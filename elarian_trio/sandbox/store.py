"""Where records live: changed in memory at once, and kept in a database together with what was changed meanwhile.

The engine's units and the stand-ins' stand above: they load what a rule asks for by key, and commit what a unit of work
changed, all of it or nothing. What the unit said may leave the server once the unit is kept. In a file that is after
the next write: all units that wait share one, so that a busy server waits for the disk no more often than an idle one.
In memory it is at once, and only what is too much to have at hand is written to the database.

Newer layers hide older ones: what is staged, what is being written, what was read or written of late, the database.
Each of them is a noun of its own, below: :mod:`.layer`, :mod:`.at_hand`, :mod:`.database`; how long the disk holds up
whom is :mod:`.disk`'s.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.lowlevel

from elarian_trio.errors import StoreError
from elarian_trio.sandbox.at_hand import AtHand
from elarian_trio.sandbox.database import script_of
from elarian_trio.sandbox.disk import Disk
from elarian_trio.sandbox.layer import UNHEARD, Layer, Unit
from elarian_trio.sandbox.world.entities import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from elarian_trio.sandbox.database import Database
    from elarian_trio.sandbox.pending import JobRecord, ParcelRecord
    from elarian_trio.sandbox.world.entities import EntryRecord, IndexKey, Key

__all__ = ["UNHEARD", "Store", "Unit"]

R = TypeVar("R", bound=Record)

MAX_STAGED = 131_072  # records in memory, up to 120 MB, before they go to a database there: as JSON, in half the room
PUT_AWAY = 64  # of them at a time, those not changed the longest: so that nobody waits long for it
MAX_BEHIND = 10_000  # units that may wait for the disk before nothing is begun that nobody asked for
_ABSENT: Any = object()  # in a layer nothing is known of a key: ``None`` says that there is nothing under it


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
        self._is_all_staged = inline and database.is_empty  # memory's is, until there is too much to have at hand
        # Most of what memory deletes was never put away: jobs and notifications that are done, old messages.
        self._staged = Layer(is_alone=self._is_all_staged and not database.last_number())
        self._writing: Layer | None = None
        self._wanted = anyio.Event()
        self._settled = anyio.Event()  # set when nothing waits any more
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
        found: Any = self._staged.records.get(key, _ABSENT)
        if found is _ABSENT and self._writing is not None:
            found = self._writing.records.get(key, _ABSENT)
        if found is _ABSENT:
            found = None if self._is_all_staged else self._at_hand.get(key, self._database.rows)
        kept: R | None = found  # no cast(), which is a call as any other: a message loads a dozen records
        return kept

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
            layer.cover_members(index, found)
        return tuple(found[member] for member in sorted(found))

    def jobs(self, after: tuple[datetime, int], limit: int) -> tuple[list[JobRecord], tuple[datetime, int] | None]:
        """Give jobs in due order, from behind a place in that order.

        Returns:
            The jobs, and up to which place these are all there are: ``None`` where none come after them.

        Raises:
            StoreError: the file cannot be read.
        """
        kept = self._database.jobs(after, limit)
        until = kept[-1].place if len(kept) == limit else None
        found: dict[Key[Any], JobRecord] = {job.key: job for job in kept}
        for layer in reversed(self._layers()):
            layer.cover_jobs(found)
        within = [job for job in found.values() if job.place > after and (until is None or job.place <= until)]
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
                self._at_hand.put_written(put_away, self._database.write(put_away))
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
        disk = Disk(self._database)
        while True:
            await self._wanted.wait()
            self._wanted = anyio.Event()
            while self._staged.units:
                await self._write(disk)
                after()
                if self._database.is_log_long:
                    await disk.shorten_log()
            self._settled.set()
            self._settled = anyio.Event()

    async def _write(self, disk: Disk) -> None:
        """Keep what is staged, and tell its units."""
        await anyio.lowlevel.checkpoint()  # what else comes in this turn of the loop shares the write
        layer = self._writing = self._staged
        self._staged = Layer()
        script = script_of(layer.records)
        try:
            self._database.begin(script)
            if len(layer.units) > 1 and disk.is_quick:
                disk.commit_here()
            else:
                await disk.commit_in_thread()
        except StoreError as error:
            self._lose(error)
            return
        self._writing = None
        self._at_hand.put_written(layer.records, script.lengths)
        for unit in layer.units:
            unit.kept()

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
            self._at_hand.put_written(layer.records, self._database.write(layer.records))
        self._staged, self._writing = Layer(), None

    def _lose(self, error: StoreError) -> None:
        """Forget what could not be kept, and what was built on it."""
        self.commits += 1
        units = [unit for layer in reversed(self._layers()) for unit in layer.units]
        self._staged, self._writing = Layer(), None
        for unit in units:
            unit.lost(error)
