"""The SQLite database in which a store keeps its records: one file, or memory, by the same statements.

The store stands above. A file is ours by its application id, and its schema grows by :data:`STEPS`, each once. It is
made beside its place and moved there whole, so that there never is half a file; one that is damaged, somebody else's
or a later version's is refused and left as it is. Below are apsw and the rows.

A file has two connections: one writes, and may let a thread wait for the disk; one reads meanwhile, and in write-ahead
mode neither waits for the other. A third one holds a lock file, which keeps a second server away and which the system
ends with the process.
"""

# pyright: reportUnknownMemberType=false
# apsw's stubs name numpy's types among what may be bound, which nobody here has.

from __future__ import annotations

import os
import struct
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, cast

try:
    import apsw
except ImportError as _error:
    _msg = "the sandbox needs the apsw package: pip install 'elarian-trio[sandbox]'"
    raise ModuleNotFoundError(_msg, name="apsw") from _error

from elarian_trio.errors import StoreError
from elarian_trio.sandbox.pending import JobKey, JobRecord, ParcelKey, ParcelRecord
from elarian_trio.sandbox.rows import (
    VERSION,
    decoded,
    key_text,
    list_text,
    micros,
    read_entry,
    read_job,
    read_parcel,
    read_record,
    record_text,
    shape_of,
)
from elarian_trio.sandbox.world.entities import EntryKey, EntryRecord

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from datetime import datetime

    from elarian_trio.sandbox.world.entities import IndexKey, Key, Record

__all__ = ["Database", "Script", "script_of"]

APPLICATION_ID = 0x656C7472  # "eltr" in the header of the file, which says whose it is
CACHE_KIB = 81_920  # of pages: the upper levels of a tree of a million customers, and what is read often
READER_CACHE_KIB = 4_096  # of the connection that forgets its pages at every write of the other
CHECKPOINT_AFTER = 4_000  # pages of the log: a fourth as many waits for the disk as by default, and a log of 16 MB
CHECKPOINT_ANYHOW = 2  # times as many, after which a commit does it: servers that were killed leave their logs as well
BUSY_TIMEOUT = 5_000  # milliseconds that one connection waits for the other, which never takes as long
CHECKED_BELOW = 32 * 1024 * 1024  # bytes; smaller files are read whole when opened, which takes part of a second
_HEADER = struct.Struct(">60xi4xi28x")  # of a SQLite file: user version and application id
_MAGIC = b"SQLite format 3\0"

STEPS: tuple[str, ...] = (
    """
    CREATE TABLE record (key TEXT NOT NULL, kind TEXT NOT NULL, version INTEGER NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (key, kind)) WITHOUT ROWID;
    CREATE TABLE entry (list TEXT NOT NULL, member TEXT NOT NULL, version INTEGER NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (list, member)) WITHOUT ROWID;
    CREATE TABLE job (key TEXT PRIMARY KEY NOT NULL, due INTEGER NOT NULL, number INTEGER NOT NULL,
        version INTEGER NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX job_in_order ON job (due, number);
    CREATE TABLE parcel (number INTEGER PRIMARY KEY NOT NULL, version INTEGER NOT NULL, value TEXT NOT NULL);
    """,
    "CREATE TABLE fact (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;",
)
"""What made the schema, in order: a file of version *n* has had the first *n*. Steps are added, never changed."""

_PLACES: Mapping[str, tuple[str, ...]] = {
    "record": ("key", "kind"),
    "entry": ("list", "member"),
    "job": ("key",),
    "parcel": ("number",),
}
"""What a row of each table is found by: its first columns."""

_COLUMNS: Mapping[str, int] = {"record": 4, "entry": 4, "job": 5, "parcel": 3}
_ROWS_AT_ONCE = 64  # of one statement; more gain nothing that could be measured
_TO_REPLACE = {"record": "ON CONFLICT (key, kind) DO UPDATE SET version = excluded.version, value = excluded.value"}


class Script(NamedTuple):
    """Statements that keep changes, and how long the text of each record is. Made by :func:`script_of`."""

    statements: list[tuple[str, list[Any]]]
    lengths: dict[Key[Any], int]


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

        Raises:
            StoreError: it cannot be opened, belongs to another server or program, is damaged, or was written by a
                later version.
        """
        if path is None:
            connection = apsw.Connection(":memory:")
            _grow(connection)
            return cls(connection, connection)
        file = Path(path).absolute()
        with _translated(file):
            lock = _lock(file)
            try:
                return cls(*_open_pair(file), lock)
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
        for place, *row in self._read(_rows_among(width), (*places, *places[:1] * (width - len(places)))):
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

    def jobs(self, after: tuple[datetime, int] | None, limit: int) -> list[JobRecord]:
        """Give the first *limit* jobs behind a place in their order, or from the beginning."""
        start = (-(1 << 63), 0) if after is None else (micros(after[0]), after[1])
        query = "SELECT due, number, version, value FROM job WHERE (due, number) > (?, ?) ORDER BY due, number LIMIT ?"
        return [decoded(read_job, *row) for row in self._read(query, (*start, limit))]

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
            raise _refusal("the sandbox's file", error) from error

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
        return self._pages_written() - self._pages_in_place >= CHECKPOINT_AFTER

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
        with _translated():
            try:
                yield
            except BaseException:
                if self._writer.in_transaction:
                    self._by_writer.execute("ROLLBACK")
                raise


def script_of(changes: Mapping[Key[Any], Record | None]) -> Script:
    """Write down what keeps *changes*."""
    script = Script([], {})
    put: dict[str, list[tuple[Any, ...]]] = {}
    deleted: dict[str, list[tuple[Any, ...]]] = {}
    for key, record in changes.items():
        table, place = _place(key)
        if record is None:
            deleted.setdefault(table, []).append(place)
        else:
            text = record_text(key, record)
            script.lengths[key] = len(text)
            order = (micros(record.due), record.number) if isinstance(record, JobRecord) else ()
            put.setdefault(table, []).append((*place, *order, VERSION, text))
    for statement_of, rows_by_table in ((_delete, deleted), (_put, put)):
        for table, rows in rows_by_table.items():
            script.statements.extend((statement_of(table, len(some)), _flat(some)) for some in _portions(rows))
    return script


def _portions(rows: list[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    """Cut *rows* into as few parts as there can be of few lengths, so that few statements are ever prepared."""
    begin = 0
    while begin < len(rows):
        length = min(_ROWS_AT_ONCE, 1 << (len(rows) - begin).bit_length() - 1)
        yield rows[begin : begin + length]
        begin += length


def _flat(rows: list[tuple[Any, ...]]) -> list[Any]:
    return [value for row in rows for value in row]


@cache
def _rows_among(places: int) -> str:
    """Write the query for all that lies in so many places."""
    return f"SELECT key, kind, version, value FROM record WHERE key IN ({', '.join('?' * places)})"


@cache
def _put(table: str, rows: int) -> str:
    """Write the statement that puts so many rows in their places."""
    insert = "INSERT" if table in _TO_REPLACE else "INSERT OR REPLACE"
    return f"{insert} INTO {table} VALUES {_marks(_COLUMNS[table], rows)} {_TO_REPLACE.get(table, '')}"


@cache
def _delete(table: str, rows: int) -> str:
    """Write the statement that deletes so many rows."""
    place = _PLACES[table]
    return f"DELETE FROM {table} WHERE ({', '.join(place)}) IN (VALUES {_marks(len(place), rows)})"


def _marks(columns: int, rows: int) -> str:
    return ", ".join([f"({', '.join('?' * columns)})"] * rows)


def _place(key: Key[Any]) -> tuple[str, tuple[Any, ...]]:
    """Say in which table what is under *key* is kept, and by what."""
    if isinstance(key, EntryKey):
        return "entry", (list_text(key.index), key.member)
    if isinstance(key, JobKey):
        return "job", (key_text(key),)
    if isinstance(key, ParcelKey):
        return "parcel", (key.number,)
    return "record", (key_text(key), shape_of(key).kind)


# --- opening a file ---


def _lock(file: Path) -> apsw.Connection:
    """Keep other servers away from *file*, until the connection that is given is closed or the process ends."""
    lock = apsw.Connection(f"{file}.lock")
    try:
        _run(lock, "PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE")
    except apsw.BusyError:
        lock.close()
        msg = f"{file} is in use by another sandbox; end that one, or name another file"
        raise StoreError(msg) from None
    return lock


def _open_pair(file: Path) -> tuple[apsw.Connection, apsw.Connection]:
    """Open *file*, made if there is none: a connection that reads and one that writes."""
    if not file.exists() or not file.stat().st_size:
        _make(file)
    _check_header(file)
    writer = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        _check_content(writer, file)
        _run(writer, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        _run(writer, f"PRAGMA wal_autocheckpoint = {CHECKPOINT_ANYHOW * CHECKPOINT_AFTER}")
        _grow(writer)
        reader = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READWRITE)
        for connection, size in ((writer, CACHE_KIB), (reader, READER_CACHE_KIB)):
            connection.set_busy_timeout(BUSY_TIMEOUT)
            _run(connection, f"PRAGMA cache_size = -{size}")
        _run(reader, "PRAGMA query_only = TRUE")
    except BaseException:
        writer.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # what is damaged stays as it was found
        writer.close()
        raise
    return reader, writer


def _make(file: Path) -> None:
    """Make an empty database beside *file* and move it there: a process that is killed meanwhile leaves nothing."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # it may hold a key
    connection = apsw.Connection(str(fresh))
    _run(connection, f"PRAGMA application_id = {APPLICATION_ID}")
    _grow(connection)
    connection.close()
    fresh.replace(file)


def _check_header(file: Path) -> None:
    """Refuse what is not ours by its first bytes, before anything that could write to it."""
    with file.open("rb") as opened:
        header = opened.read(100)
    if len(header) < 100 or not header.startswith(_MAGIC):
        msg = f"{file} is no SQLite database, so it is none of the sandbox's: name another file; it was left as it is"
        raise StoreError(msg)
    version, application_id = _HEADER.unpack(header)
    if application_id != APPLICATION_ID:
        msg = f"{file} is the database of another program: name another file; it was left as it is"
        raise StoreError(msg)
    if version > len(STEPS):
        msg = (
            f"{file} was written by a later version of elarian_trio (its schema is {version}, this one knows "
            f"{len(STEPS)}): use that version, or name another file; it was left as it is"
        )
        raise StoreError(msg)


def _check_content(connection: apsw.Connection, file: Path) -> None:
    """Read a small file whole, and of a large one the schema: damage found later is refused as it is read."""
    check = "quick_check(1)" if file.stat().st_size < CHECKED_BELOW else "schema_version"
    found = connection.execute(f"PRAGMA {check}").get
    if isinstance(found, str) and found != "ok":
        msg = f"{file} is damaged ({found}): restore it from a copy, or name another file; it was left as it is"
        raise StoreError(msg)


def _grow(connection: apsw.Connection) -> None:
    """Take the steps that the schema has not had yet, each whole or not at all."""
    had = int(connection.execute("PRAGMA user_version").get)
    for number, step in enumerate(STEPS[had:], start=had + 1):
        try:
            _run(connection, f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT")
        except apsw.Error:
            if connection.in_transaction:
                _run(connection, "ROLLBACK")
            raise


def _run(connection: apsw.Connection, statements: str) -> None:
    """Run all of *statements*; a cursor that is not asked for rows stops at the first one that has any."""
    for _ in connection.execute(statements):
        pass


# --- what can go wrong ---


@contextmanager
def _translated(file: Path | None = None) -> Generator[None]:
    """Say in our own words what SQLite or the disk refused."""
    try:
        yield
    except (apsw.Error, OSError) as error:
        raise _refusal("the sandbox's file" if file is None else str(file), error) from error


def _refusal(where: str, error: Exception) -> StoreError:
    """Give the error that says what is the matter with the file."""
    words = next((words for kinds, words in _REFUSALS if isinstance(error, kinds)), f"{{}} cannot be used: {error}")
    return StoreError(words.replace("{}", where, 1))


_REFUSALS = (
    (
        (apsw.CorruptError, apsw.NotADBError),
        "{} is damaged: restore it from a copy, or name another file; it was left as it is",
    ),
    (apsw.FullError, "the disk of {} is full: make room, and ask again"),
)
