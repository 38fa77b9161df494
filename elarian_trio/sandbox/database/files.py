"""How a file comes to be open: locked, made if there is none, known to be ours and whole, and its schema as it is now.

The database stands above. A file is ours by its application id, and its schema grows by :data:`STEPS`, each once. It is
made beside its place and moved there whole, so that there never is half a file; one that is damaged, somebody else's
or a later version's is refused and left as it is.

A file has two connections: one writes, and may let a thread wait for the disk; one reads meanwhile, and in write-ahead
mode neither waits for the other. A third one holds a lock file, which keeps a second server away and which the system
ends with the process.
"""

# pyright: reportUnknownMemberType=false
# apsw's stubs name numpy's types among what may be bound, which nobody here has.

from __future__ import annotations

import errno
import os
import struct
from typing import TYPE_CHECKING

import apsw

from elarian_trio._arguments import is_encodable
from elarian_trio.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION_ID = 0x656C7472  # "eltr" in the header of the file, which says whose it is
CACHE_KIB = 81_920  # of pages: the upper levels of a tree of a million customers, and what is read often
READER_CACHE_KIB = 4_096  # of the connection that forgets its pages at every write of the other
CHECKPOINT_AFTER = 4_000  # pages of the log: a fourth as many waits for the disk as by default, and a log of 16 MB
CHECKPOINT_ANYHOW = 2  # times as many, after which a commit does it: servers that were killed leave their logs as well
BUSY_TIMEOUT = 5_000  # milliseconds that one connection waits for the other, which never takes as long
CHECKED_BELOW = 32 * 1024 * 1024  # bytes; smaller files are read whole when opened, which takes part of a second
MAX_PATH = 512  # bytes that SQLite has for a path, outside Windows
LONGEST_BESIDE = ".lock-journal"  # for which it wants room, though the lock has no journal
LEFT_BESIDE = ("-wal", "-shm", "-journal")  # what SQLite adds to a file's name for what it keeps beside it
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


def check_kind(file: Path) -> None:
    """Refuse what can be no file of ours, such as a folder, before anything is put in its place or beside it."""
    if not is_encodable(str(file)):  # so Python reads names that are not in UTF-8
        msg = f"{str(file)!a} is no name in UTF-8, which SQLite's files have: name another one"
        raise StoreError(msg)
    if _is_too_long(file):
        msg = f"{file} is too long a name for the file system or SQLite, files beside it included: take a shorter one"
        raise StoreError(msg)
    if os.path.lexists(file) and not file.is_file():
        msg = f"{file} is no regular file, which a database has to be: name another one; it was left as it is"
        raise StoreError(msg)
    if file.is_file() and file.stat().st_nlink > 1:  # by each name SQLite finds another log, and there is another lock
        msg = (
            f"{file} is one file under several names (hard links), and what is kept under one is lost under another: "
            "remove the others, or name a copy; it was left as it is"
        )
        raise StoreError(msg)
    if not file.parent.is_dir():
        msg = f"{file} cannot be made, since {file.parent} is no folder: make that first, or name another file"
        raise StoreError(msg)
    # Nobody here has it open where no lock lies: to close it takes away whatever locks this process has on it.
    if _has_content(file) and not os.path.lexists(f"{file}.lock"):
        _check_header(file)


def _is_too_long(file: Path) -> bool:
    beside = f"{file}{LONGEST_BESIDE}"
    try:
        os.lstat(beside)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return True
    return os.name == "posix" and len(os.fsencode(beside)) > MAX_PATH


def take_lock(file: Path) -> apsw.Connection:
    """Keep other servers away from *file*, until the connection that is given is closed or the process ends."""
    lock = apsw.Connection(f"{file}.lock")
    try:
        _run(lock, "PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE")
    except apsw.BusyError:
        lock.close()
        msg = f"{file} is in use by another sandbox; end that one, or name another file"
        raise StoreError(msg) from None
    if lock.readonly("main"):  # SQLite has opened it all the same, and locks nothing
        lock.close()
        msg = f"{file}.lock cannot be written: let this user write it, or name another file"
        raise StoreError(msg)
    return lock


def open_pair(file: Path) -> tuple[apsw.Connection, apsw.Connection]:
    """Open *file*, made if there is none: a connection that reads and one that writes."""
    if not _has_content(file):
        _make(file)
    _check_header(file)
    writer = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        _check_content(writer, file)
        _run(writer, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        _run(writer, f"PRAGMA wal_autocheckpoint = {CHECKPOINT_ANYHOW * CHECKPOINT_AFTER}")
        grow(writer)
        reader = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READWRITE)
        for connection, size in ((writer, CACHE_KIB), (reader, READER_CACHE_KIB)):
            connection.set_busy_timeout(BUSY_TIMEOUT)
            _run(connection, f"PRAGMA cache_size = -{size}")
        _run(reader, "PRAGMA query_only = TRUE")
        _run(writer, "BEGIN IMMEDIATE; ROLLBACK")  # or that nothing can be written is found out later
    except BaseException:
        writer.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # what is damaged stays as it was found
        writer.close()
        raise
    return reader, writer


def _has_content(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


def _make(file: Path) -> None:
    """Make an empty database beside *file* and move it there: a process that is killed meanwhile leaves nothing.

    What a killed server left beside a file that is gone goes first: SQLite would take it for the new file's log.
    """
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # it may hold a key
    connection = apsw.Connection(str(fresh))
    _run(connection, f"PRAGMA application_id = {APPLICATION_ID}")
    grow(connection)
    connection.close()
    for ending in LEFT_BESIDE:
        file.with_name(file.name + ending).unlink(missing_ok=True)
    fresh.replace(file)


def _check_header(file: Path) -> None:
    """Refuse what is not ours by its first bytes, before anything that could write to it."""
    with file.open("r+b") as opened:  # to be written: SQLite opens what it may only read, and lays a log beside it
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


def grow(connection: apsw.Connection) -> None:
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
