"""The statements that keep changes, and the query for many places at once. All of it is text.

The database stands above; the rows are below. Of each statement there are few lengths, so that few are ever prepared.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from elarian_trio.sandbox.pending import JobKey, JobRecord, ParcelKey
from elarian_trio.sandbox.rows import VERSION, key_text, list_text, micros, record_text, shape_of
from elarian_trio.sandbox.world.entities import EntryKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from elarian_trio.sandbox.world.entities import Key, Record

__all__ = ["Script", "rows_among", "script_of"]

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
def rows_among(places: int) -> str:
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
