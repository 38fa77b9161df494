"""The database as the store has it: what is kept is read, and what a script says is kept, all of it or nothing.

Below are how a file comes to be open (:mod:`.files`), what statements keep changes (:mod:`.script`), what is said where
one is refused (:mod:`.refusals`), and the rows.
"""

# pyright: reportUnknownMemberType=false
# apsw's stubs name numpy's types among what may be bound, which nobody here has.

from __future__ import annotations

from contextlib import contextmanager, suppress
from os.path import realpath
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

try:
    import apsw  # here, since this file is the first of the room's that is loaded
except ImportError as _error:
    _msg = "the sandbox needs the apsw package: pip install 'elarian-trio[sandbox]'"
    raise ModuleNotFoundError(_msg, name="apsw") from _error

from elarian_trio.sandbox.database import files
from elarian_trio.sandbox.database.refusals import refusal, translated
from elarian_trio.sandbox.database.script import Script, rows_among, script_of
from elarian_trio.sandbox.rows import (
    decoded,
    key_text,
    list_text,
    micros,
    read_entry,
    read_job,
    read_parcel,
    read_record,
    shape_of,
)
from elarian_trio.sandbox.world.entities import EntryKey

if TYPE_CHECKING:
    import os
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from datetime import datetime

    from elarian_trio.sandbox.pending import JobRecord, ParcelRecord
    from elarian_trio.sandbox.world.entities import EntryRecord, IndexKey, Key, Record

__all__ = ["Database"]


class Database:
    """Where records are, by their keys. Made by :meth:`open`; closed by whoever opened it.

    Whatever it cannot do is a :class:`StoreError`: nothing of the statement has happened then.
    """

    def __init__(self, reader: apsw.Connection, writer: apsw.Connection, lock: apsw.Connection | None = None) -> None:
        self._reader = reader
        self._writer = writer
        self._by_reader = reader.cursor()
        self._by_writer = writer.cursor()
        self._free = self._by_writer
        self._lock = lock
        self._pages_in_place = 0  # of those written since the file was opened

    @classmethod
    def open(cls, path: str | os.PathLike[str] | None) -> Database:
        """Open the file at *path*, or make it; ``None`` for memory. Synchronous: it reads and writes the disk.

        Of a symbolic link it is the file to which that leads, so that no two servers have one file by two names.

        Raises:
            StoreError: it cannot be opened, is a folder or a device, has further names (hard links), belongs to another
                server or program, is damaged, or was written by a later version.
        """
        if path is None:
            connection = apsw.Connection(":memory:")
            files.grow(connection)
            return cls(connection, connection)
        file = Path(realpath(path))
        with translated(file):
            files.check_kind(file)
            lock = files.take_lock(file)
            try:
                return cls(*files.open_pair(file), lock)
            except BaseException:
                lock.close()
                raise

    def close(self) -> None:
        """Close it; of a file everything is in its place then, and nothing beside it. Does nothing the second time."""
        for connection in (self._reader, self._writer, self._lock):
            if connection is not None:
                connection.close()

    # Reading.

    def rows(self, key: Key[Any]) -> list[tuple[str, int, str]]:
        """Give what is kept under *key* and under keys of other kinds that read alike: kinds, versions and values.

        What there is of a customer lies together, so that it takes one step to all of it.
        """
        if isinstance(key, EntryKey):
            place = (list_text(key.index), key.member)
            return self._read("SELECT 'EntryRecord', version, value FROM entry WHERE list = ? AND member = ?", place)
        return self._read("SELECT kind, version, value FROM record WHERE key = ?", (key_text(key),))

    def rows_of_many(self, keys: Sequence[Key[Any]]) -> list[list[tuple[str, int, str]]]:
        """Give for each of *keys*, none of them an entry's, what :meth:`rows` gives."""
        places = [key_text(key) for key in keys]
        found: dict[str, list[tuple[str, int, str]]] = {place: [] for place in places}
        width = 1 << (len(places) - 1).bit_length()  # so that few statements are ever prepared
        for place, *row in self._read(rows_among(width), (*places, *places[:1] * (width - len(places)))):
            found[place].append((*row,))
        return [found[place] for place in places]

    def load(self, key: Key[Any]) -> Record | None:
        """Give the record under *key* (of those that the rules know), ``None`` for none."""
        found = {kind: (version, value) for kind, version, value in self.rows(key)}.get(shape_of(key).kind)
        return None if found is None else read_record(key, *found)

    def members(self, index: IndexKey) -> list[EntryRecord]:
        """Give the entries of *index*, by their members' names."""
        rows = self._read("SELECT version, value FROM entry WHERE list = ? ORDER BY member", (list_text(index),))
        return [decoded(read_entry, *row) for row in rows]

    def jobs(self, after: tuple[datetime, int], limit: int) -> list[JobRecord]:
        """Give the first *limit* jobs behind a place in their order."""
        query = "SELECT due, number, version, value FROM job WHERE (due, number) > (?, ?) ORDER BY due, number LIMIT ?"
        return [decoded(read_job, *row) for row in self._read(query, (micros(after[0]), after[1], limit))]

    def parcels(self) -> Iterator[ParcelRecord]:
        """Give every notification on its way, in order."""
        for row in self._read("SELECT number, version, value FROM parcel ORDER BY number"):
            yield decoded(read_parcel, *row)

    @property
    def is_empty(self) -> bool:
        """Whether there is no record and no entry."""
        return not self._read("SELECT 1 FROM record UNION ALL SELECT 1 FROM entry LIMIT 1")

    def last_number(self) -> int:
        """Give the greatest number of a job or notification, 0 for none."""
        ((found,),) = self._read(
            "SELECT max(ifnull((SELECT max(number) FROM job), 0), ifnull(max(number), 0)) FROM parcel"
        )
        return int(found)

    def fact(self, name: str) -> str | None:
        """Give what was said by :meth:`state`."""
        return next((value for (value,) in self._read("SELECT value FROM fact WHERE name = ?", (name,))), None)

    def _read(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """Give all rows that *query* finds.

        What is read while nobody writes is read in one transaction: so nothing is asked of the system for each row.
        """
        try:
            if self._free is self._by_writer and not self._writer.in_transaction:
                self._free.execute("BEGIN")
            return cast("list[Any]", self._free.execute(query, values).fetchall())
        except (apsw.Error, OSError) as error:
            raise refusal("the sandbox's file", error) from error

    # Writing.

    def state(self, name: str, value: str) -> None:
        """Keep a fact about the whole."""
        self.begin(Script([("INSERT OR REPLACE INTO fact VALUES (?, ?)", [name, value])], {}))
        self.commit()

    def write(self, changes: Mapping[Key[Any], Record | None]) -> dict[Key[Any], int]:
        """Keep all of *changes*, durably, or, if it raises, none; ``None`` deletes.

        Returns:
            How long the text of each record is.
        """
        script = script_of(changes)
        self.begin(script)
        self.commit()
        return script.lengths

    def begin(self, script: Script) -> None:
        """Write what *script* says, for :meth:`commit` to keep; if it raises, nothing of it is written."""
        with self._whole_or_not():
            if self._writer.in_transaction:
                self._by_writer.execute("ROLLBACK")
            self._by_writer.execute("BEGIN IMMEDIATE")
            for statement, values in script.statements:
                self._by_writer.execute(statement, values)

    def commit(self) -> float:
        """Keep what was begun, durably, or, if it raises, nothing of it. It may be called in any thread.

        It is one call of SQLite's, since a thread that competes with a busy loop for the interpreter waits for its
        turn each time that it comes back from one.

        Returns:
            The seconds that it took, with those that a thread waited for the interpreter.
        """
        began = perf_counter()
        with self._whole_or_not():
            self._by_writer.execute("COMMIT")
        return perf_counter() - began

    @property
    def is_log_long(self) -> bool:
        """Whether so much was written that it should go from the log to its place."""
        return self._pages_written() - self._pages_in_place >= files.CHECKPOINT_AFTER

    def shorten_log(self) -> None:
        """Put what the log holds in its place. It may be called in any thread, and takes longer than a commit.

        Where the disk refuses, everything stays in the log, from which it is read as well, until the next time.
        """
        with suppress(apsw.Error):
            if self._writer.in_transaction:
                self._by_writer.execute("ROLLBACK")
            self._writer.wal_checkpoint()
        self._pages_in_place = self._pages_written()

    def _pages_written(self) -> int:
        return self._writer.status(apsw.SQLITE_DBSTATUS_CACHE_WRITE)[0]

    @contextmanager
    def writing(self) -> Generator[None]:
        """Read by the other connection meanwhile: a thread has the one that writes.

        Otherwise reads go by that one as well, since it alone knows that its pages are still what they were.
        """
        self._free = self._by_reader
        try:
            yield
        finally:
            self._free = self._by_writer

    @contextmanager
    def _whole_or_not(self) -> Generator[None]:
        """Take back, where something is refused, what the transaction has written."""
        with translated():
            try:
                yield
            except BaseException:
                if self._writer.in_transaction:
                    self._by_writer.execute("ROLLBACK")
                raise
