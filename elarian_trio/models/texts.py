"""Models as JSON text without the fields, theirs and those within, that are empty by default: what is kept in files.

:func:`.model.restored` makes the same of it, and so does ``from_json``, for as long as these defaults are what they
are. No plain values are made in between, since every write to the sandbox waits for this.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeAlias

from .model import Model, is_ambiguous, writer_in

if TYPE_CHECKING:
    from collections.abc import Iterable

Write: TypeAlias = "Callable[[Any], str]"

_WRITERS: dict[type, Write] = {}
_quoted: Write = json.encoder.encode_basestring
_number: Write = json.JSONEncoder(allow_nan=False).encode


def sparse_text(model: Model, *, without: tuple[str, ...] = (), named: bool = False) -> str:
    """Write *model* down.

    Args:
        model: what is written; it is not checked again.
        without: fields that are left out: who reads it knows them.
        named: whether the name of its class comes first, as it does for every model within.
    """
    cls: Any = type(model)
    parts = [f'"class":"{cls.__name__}"'] if named else []
    for label, name, empty in _plan(cls, without):
        value = getattr(model, name)
        if value or value != empty:
            parts.append(label + _text(value))
    return f"{{{','.join(parts)}}}"


@cache
def _plan(cls: Any, without: tuple[str, ...]) -> tuple[tuple[str, str, Any], ...]:  # noqa: ANN401 - a model's class
    """Give the fields of *cls*, each with what is written before it, and its default if that is empty."""
    fields = (field for field in dataclasses.fields(cls) if field.name not in without)
    return tuple((f'"{field.name}":', field.name, _empty_default(field)) for field in fields)


def _empty_default(field: dataclasses.Field[Any]) -> object:
    """Give the default of *field* where it is empty, else what no field holds."""
    default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    return default if default in (None, "", (), {}) else ...


def _text(value: Any) -> str:  # noqa: ANN401 - whatever a field holds
    kind = value.__class__
    write = _WRITERS.get(kind)
    if write is None:
        write = _WRITERS[kind] = writer_in(_TEXTS, kind)
    return write(value)


def _mapping_text(value: Mapping[str, Any]) -> str:
    text = f"{{{','.join([f'{_quoted(key)}:{_text(part)}' for key, part in value.items()])}}}"
    return f'{{"mapping":{text}}}' if is_ambiguous(value) else text


def _list_text(value: Iterable[Any]) -> str:
    return f"[{','.join([_text(part) for part in value])}]"


_TEXTS: tuple[tuple[Any, Write], ...] = (
    (Model, lambda value: sparse_text(value, named=True)),
    (StrEnum, lambda value: _quoted(value.value)),
    (str, _quoted),
    (datetime, lambda value: f'"{value.isoformat()}"'),
    (timedelta, lambda value: _number(value.total_seconds())),
    (Decimal, lambda value: f'"{value}"'),
    (bytes, lambda value: f'{{"base64":"{base64.b64encode(value).decode()}"}}'),
    (Mapping, _mapping_text),
    ((tuple, list), _list_text),
    ((int, float, NoneType), _number),  # and truth values
)
