"""Records as the rows of a database, and back: each under its key, in JSON, with the version of that form.

The database stands above. Below are the records, whose fields say how they are written: without those that are
empty by default or told by the key, so that a row is as long as what is known.
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import timedelta
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from elarian_trio.errors import StoreError
from elarian_trio.models.checks import field_types
from elarian_trio.models.model import EPOCH, restored, sparse
from elarian_trio.models.notifications import APP_NOTIFICATIONS
from elarian_trio.sandbox.pending import JobRecord, ParcelRecord
from elarian_trio.sandbox.world.effects import JOBS_BY_NAME
from elarian_trio.sandbox.world.entities import RECORDS, EntryKey, EntryRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from elarian_trio.models.model import Model
    from elarian_trio.sandbox.world.entities import IndexKey, Key, Record

__all__ = [
    "VERSION",
    "Row",
    "decoded",
    "key_text",
    "kind_of",
    "know",
    "list_text",
    "micros",
    "moment",
    "read_entry",
    "read_job",
    "read_parcel",
    "record_text",
]

M = TypeVar("M", bound="Model")
R = TypeVar("R", bound="Record")
T = TypeVar("T")

VERSION = 1
"""Of the JSON that is written; each row says its own, so that a later version can read what an earlier one wrote.

A field that a key tells no more, and a default that is empty and becomes another, ask for a new form, too: such fields
are not written.
"""

_MICROSECOND = timedelta(microseconds=1)
_NOTIFICATIONS = {each.__name__: each for each in APP_NOTIFICATIONS}
_TOLD: dict[type, tuple[str, ...]] = {}
_NOTHING: Mapping[str, Any] = {}
_VALUES: dict[type, Callable[[Any], Any]] = {}
_dump: Callable[[object], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_load: Callable[[str], Any] = json.JSONDecoder().decode
_KINDS: dict[str, type[Record]] = {**RECORDS}


def know(*kinds: type[Record]) -> None:
    """Have records of these *kinds* read from now on: those of a stand-in, which is loaded only where it is asked for.

    A record's class is called as its key's class is, with Record in place of Key; no two kinds have the same name.
    """
    _KINDS.update({kind.__name__: kind for kind in kinds})


class Row(NamedTuple):
    """A record as it is kept."""

    version: int
    value: str

    def read(self, key: Key[R]) -> R:
        """Read the record, which is under *key*.

        Raises:
            StoreError: it cannot be read.
        """
        return cast("R", decoded(_read_record, key, self.version, self.value))


def kind_of(key: Key[Any]) -> str:
    """Name the kind of records that are under such keys."""
    return _kind(type(key).__name__)


@cache
def _kind(name: str) -> str:
    return f"{name.removesuffix('Key')}Record"


def key_text(key: Key[Any]) -> str:
    """Write *key* down: among keys of its kind, the same text for the same key only."""
    kind = type(key)
    values = _VALUES.get(kind)
    if values is None:
        values = _VALUES[kind] = attrgetter(*(each.name for each in fields(kind)))
    return _dump(values(key))


def list_text(index: IndexKey) -> str:
    """Write down which index it is."""
    return _dump((index.org_id, index.kind, *index.parts))


def record_text(key: Key[Any], record: Record) -> str:
    """Write *record* down in the form of :data:`VERSION`, without what *key* says."""
    if isinstance(record, JobRecord):
        return _dump({"class": type(record.job).__name__, **sparse(record.job)})
    if isinstance(record, ParcelRecord):
        return _dump({"class": type(record.notification).__name__, **sparse(record.notification)})
    value = sparse(record)
    for name in _told_by(type(key)):
        value.pop(name, None)
    return _dump(value)


def _read_record(key: Key[R], version: int, text: str) -> R:
    kind = kind_of(key)
    told = {name: getattr(key, name) for name in _told_by(type(key))}
    return cast("R", _read(_KINDS, kind, version, text, told))


def read_entry(version: int, text: str) -> EntryRecord:
    """Read an entry.

    Raises:
        ValueError: it is none, or in a form that this version does not know.
    """
    return cast("EntryRecord", _read(_KINDS, EntryRecord.__name__, version, text, {}))


def read_job(due: int, number: int, version: int, text: str) -> JobRecord:
    """Read a job.

    Raises:
        ValueError: as :func:`read_entry`.
    """
    return JobRecord(due=moment(due), number=number, job=_read(JOBS_BY_NAME, None, version, text))


def read_parcel(number: int, version: int, text: str) -> ParcelRecord:
    """Read a notification on its way.

    Raises:
        ValueError: as :func:`read_entry`.
    """
    return ParcelRecord(number=number, notification=_read(_NOTIFICATIONS, None, version, text))


def _read(
    kinds: Mapping[str, type[M]], kind: str | None, version: int, text: str, told: Mapping[str, Any] = _NOTHING
) -> M:
    """Read a model of *kind*, or of the class that the text names; *told* are fields that are not in the text."""
    if version != VERSION:
        msg = f"it is written in form {version}, and this version of elarian_trio reads form {VERSION}"
        raise ValueError(msg)
    value = _load(text)
    name = value["class"] if kind is None else kind
    if name not in kinds:
        msg = f"nothing is called {name!r} here"
        raise ValueError(msg)
    return restored(kinds[name], {**told, **value})


def _told_by(kind: type) -> tuple[str, ...]:
    """Name the fields that such keys have in common with their records; an entry is read without its key."""
    found = _TOLD.get(kind)
    if found is None:
        names = () if kind is EntryKey else tuple(each.name for each in fields(kind))
        record = _KINDS.get(f"{kind.__name__.removesuffix('Key')}Record")
        known = () if record is None else field_types(record)
        found = _TOLD[kind] = tuple(name for name in names if name in known)
    return found


def decoded(read: Callable[..., T], *row: Any) -> T:  # noqa: ANN401 - the columns of a table
    """Give what *read* makes of *row*.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        return read(*row)
    except (ValueError, KeyError, TypeError) as error:
        msg = f"the sandbox's file holds what cannot be read: {error}"
        raise StoreError(msg) from error


def micros(time: datetime) -> int:
    """Give the microseconds from 1970 until *time*."""
    return (time - EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """Give the time so many microseconds after 1970."""
    return EPOCH + microseconds * _MICROSECOND
