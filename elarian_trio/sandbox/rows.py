"""Records as the rows of a database, and back: each under its key, in JSON, with the version of that form.

The database stands above. Below are the records, whose fields say how they are written: without those that are
empty by default or told by the key, so that a row is as long as what is known.
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from elarian_trio.errors import StoreError
from elarian_trio.models.checks import field_types
from elarian_trio.models.model import EPOCH
from elarian_trio.models.notifications import APP_NOTIFICATIONS
from elarian_trio.models.restoring import restored, restoring
from elarian_trio.models.texts import sparse_text
from elarian_trio.sandbox.pending import JobRecord, ParcelRecord
from elarian_trio.sandbox.world.effects import JOBS_BY_NAME
from elarian_trio.sandbox.world.entities import RECORDS, EntryKey, EntryRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping
    from datetime import datetime

    from elarian_trio.models.model import Model
    from elarian_trio.models.source import Written
    from elarian_trio.sandbox.world.entities import IndexKey, Key, Record

__all__ = [
    "VERSION",
    "decoded",
    "key_text",
    "know",
    "list_text",
    "micros",
    "moment",
    "read_entry",
    "read_job",
    "read_parcel",
    "read_record",
    "record_text",
    "shape_of",
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
_dump: Callable[[object], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_quoted: Callable[[str], str] = json.encoder.encode_basestring
_load: Callable[[str], tuple[Any, int]] = json.JSONDecoder().raw_decode
_KINDS: dict[str, type[Record]] = {**RECORDS}
_SHAPES: dict[type, Shape] = {}


def know(*kinds: type[Record]) -> None:
    """Have records of these *kinds* read from now on: those of a stand-in, which is loaded only where it is asked for.

    A record's class is called as its key's class is, with Record in place of Key; no two kinds have the same name.
    """
    _KINDS.update({kind.__name__: kind for kind in kinds})


class Shape(NamedTuple):
    """What there is to know of the keys of a class: made by :func:`shape_of`.

    Attributes:
        kind: the name of the records under such keys.
        values: gives what is in a key. Records whose keys, of whatever class, hold the same lie together.
        told: the fields that the keys have in common with their records; an entry is read without its key.
        restore: makes the records again of what is written and of the key; ``None`` of what is no record.
    """

    kind: str
    values: Callable[[Any], Hashable]
    told: tuple[str, ...]
    restore: Written | None


def shape_of(key: Key[Any]) -> Shape:
    """Give the shape of the keys that are like *key*; worked out once for each class."""
    kind = type(key)
    return _SHAPES.get(kind) or _shape(kind)


def _shape(kind: type) -> Shape:
    names = tuple(each.name for each in fields(kind))
    record: Any = _KINDS.get(name := f"{kind.__name__.removesuffix('Key')}Record")
    known = () if record is None or kind is EntryKey else field_types(record)
    told = tuple(name for name in names if name in known)
    restore = None if record is None else restoring(record, told)
    shape = _SHAPES[kind] = Shape(name, attrgetter(*names), told, restore)
    return shape


def key_text(key: Key[Any]) -> str:
    """Write *key* down: among keys of its kind, the same text for the same key only."""
    values: object = shape_of(key).values(key)
    if not isinstance(values, tuple):
        return _dump(values)
    parts = cast("tuple[object, ...]", values)
    return f"[{','.join([_quoted(each) if isinstance(each, str) else _part(each) for each in parts])}]"


def _part(value: object) -> str:
    """Write what is no text: nothing, or several, or what only the encoder knows."""
    if value is None:
        return "null"
    return _texts(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else _dump(value)


def _texts(values: Iterable[str]) -> str:
    return f"[{','.join(map(_quoted, values))}]"


def list_text(index: IndexKey) -> str:
    """Write down which index it is."""
    return _texts((index.org_id, index.kind, *index.parts))


def record_text(key: Key[Any], record: Record) -> str:
    """Write *record* down in the form of :data:`VERSION`, without what *key* says."""
    if isinstance(record, JobRecord):
        return sparse_text(record.job, named=True)
    if isinstance(record, ParcelRecord):
        return sparse_text(record.notification, named=True)
    return sparse_text(record, without=shape_of(key).told)


def read_record(key: Key[R], version: int, text: str) -> R:
    """Read the record under *key*.

    Raises:
        StoreError: it cannot be read.
    """
    shape = shape_of(key)
    try:
        if shape.restore is None:
            raise _unknown(shape.kind)
        return cast("R", shape.restore.call(_value_of(version, text), key))
    except _UNREADABLE as error:
        raise _refusal(error) from error


def read_entry(version: int, text: str) -> EntryRecord:
    """Read an entry.

    Raises:
        ValueError: it is none, or in a form that this version does not know.
    """
    return restored(EntryRecord, _value_of(version, text))


def read_job(due: int, number: int, version: int, text: str) -> JobRecord:
    """Read a job.

    Raises:
        ValueError: as :func:`read_entry`.
    """
    return JobRecord(due=moment(due), number=number, job=_read(JOBS_BY_NAME, version, text))


def read_parcel(number: int, version: int, text: str) -> ParcelRecord:
    """Read a notification on its way.

    Raises:
        ValueError: as :func:`read_entry`.
    """
    return ParcelRecord(number=number, notification=_read(_NOTIFICATIONS, version, text))


def _read(kinds: Mapping[str, type[M]], version: int, text: str) -> M:
    """Read a model of the class that the text names."""
    value = _value_of(version, text)
    return restored(_class_of(kinds, value["class"]), value)


def _class_of(kinds: Mapping[str, type[M]], name: str) -> type[M]:
    if name not in kinds:
        raise _unknown(name)
    return kinds[name]


def _unknown(name: str) -> ValueError:
    return ValueError(f"nothing is called {name!r} here")


def _value_of(version: int, text: str) -> dict[str, Any]:
    """Read the JSON of a row."""
    if version != VERSION:
        msg = f"it is written in form {version}, and this version of elarian_trio reads form {VERSION}"
        raise ValueError(msg)
    value, end = _load(text)
    if end != len(text):
        msg = f"its JSON ends after {end} characters, and there are {len(text)}"
        raise ValueError(msg)
    return cast("dict[str, Any]", value)


def decoded(read: Callable[..., T], *row: Any) -> T:  # noqa: ANN401 - the columns of a table
    """Give what *read* makes of *row*.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        return read(*row)
    except _UNREADABLE as error:
        raise _refusal(error) from error


_UNREADABLE = (ValueError, KeyError, TypeError)


def _refusal(error: Exception) -> StoreError:
    return StoreError(f"the sandbox's file holds what cannot be read: {error}")


def micros(time: datetime) -> int:
    """Give the microseconds from 1970 until *time*."""
    return (time - EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """Give the time so many microseconds after 1970."""
    return EPOCH + microseconds * _MICROSECOND
