"""Records as the rows of a database, and back: each under its key, in JSON, with the version of that form.

The database stands above. Below are the records, whose ``to_json`` and ``from_json`` do the work.
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from elarian_trio.errors import StoreError
from elarian_trio.models.model import EPOCH, plain
from elarian_trio.models.notifications import APP_NOTIFICATIONS
from elarian_trio.sandbox.pending import JobRecord, ParcelRecord
from elarian_trio.sandbox.world.effects import JOBS_BY_NAME
from elarian_trio.sandbox.world.entities import RECORDS

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
    "read_job",
    "read_parcel",
    "read_record",
    "record_text",
]

M = TypeVar("M", bound="Model")
R = TypeVar("R", bound="Record")
T = TypeVar("T")

VERSION = 1
"""Of the JSON that is written; each row says its own, so that a later version can read what an earlier one wrote."""

_MICROSECOND = timedelta(microseconds=1)
_NOTIFICATIONS = {each.__name__: each for each in APP_NOTIFICATIONS}
_VALUES: dict[type, Callable[[Any], Any]] = {}
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
        return cast("R", decoded(read_record, kind_of(key), self.version, self.value))


def kind_of(key: Key[Any]) -> str:
    """Name the kind of records that are under such keys."""
    return f"{type(key).__name__.removesuffix('Key')}Record"


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


def record_text(record: Record) -> str:
    """Write *record* down in the form of :data:`VERSION`."""
    if isinstance(record, JobRecord):
        return _dump(plain(record.job))
    if isinstance(record, ParcelRecord):
        return _dump(plain(record.notification))
    return _dump(record.to_json())


def read_record(kind: str, version: int, text: str) -> Record:
    """Read a record of the class named *kind*.

    Raises:
        ValueError: it is no such record, or in a form that this version does not know.
    """
    return _read(_KINDS, kind, version, text)


def read_job(due: int, number: int, version: int, text: str) -> JobRecord:
    """Read a job.

    Raises:
        ValueError: as :func:`read_record`.
    """
    return JobRecord(due=moment(due), number=number, job=_read(JOBS_BY_NAME, None, version, text))


def read_parcel(number: int, version: int, text: str) -> ParcelRecord:
    """Read a notification on its way.

    Raises:
        ValueError: as :func:`read_record`.
    """
    return ParcelRecord(number=number, notification=_read(_NOTIFICATIONS, None, version, text))


def _read(kinds: Mapping[str, type[M]], kind: str | None, version: int, text: str) -> M:
    """Read a model of *kind*, or of the class that the text names."""
    if version != VERSION:
        msg = f"it is written in form {version}, and this version of elarian_trio reads form {VERSION}"
        raise ValueError(msg)
    value = json.loads(text)
    name = value["class"] if kind is None else kind
    if name not in kinds:
        msg = f"nothing is called {name!r} here"
        raise ValueError(msg)
    return kinds[name].from_json(value)


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


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
