"""Models as JSON text without the fields, theirs and those within, that are empty by default: what is kept in files.

:func:`.restoring.restored` makes the same of it, and so does ``from_json``, for as long as these defaults are what they
are. No plain values are made in between, since every write to the sandbox waits for this.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeAlias

from .checks import alternatives, enum_of, field_types
from .model import Model, is_ambiguous, writer_in
from .source import Written, named

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
    cls: Any = model.__class__
    text: str = _writer(cls, without, named).call(model)
    return text


@cache
def _writer(cls: Any, without: tuple[str, ...], is_named: bool) -> Written:  # noqa: ANN401 - a model's class
    """Give what writes models of *cls* down; written once for each."""
    fields = [field for field in dataclasses.fields(cls) if field.name not in without]

    def write(name: str) -> list[str]:
        first = f"""'"class":"{cls.__name__}"'""" if is_named else ""
        parts = (line for field in fields for line in _lines(field, field_types(cls)[field.name]))
        return [
            f"def {name}(model):",
            f"    parts = [{first}]",
            *parts,
            '    return "{" + ",".join(parts) + "}"',
        ]

    return Written(f"text_{cls.__name__}", write)


def _lines(field: dataclasses.Field[Any], hint: Any) -> list[str]:  # noqa: ANN401 - any type form
    """Give the lines that add a field to the parts, unless it is empty by default and empty."""
    default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    empty = "is not None" if default is None else f"!= {default!r}"
    condition = f"if value {empty}: " if default in (None, "", (), {}) else ""
    kinds = {*alternatives(hint)} - ({NoneType} if default is None else set())
    if kinds == {str} or (NoneType not in kinds and enum_of(hint) is not None):
        text = f"{_QUOTED}(value)"
    elif kinds == {tuple[str, ...]}:
        text = f"'[' + ','.join(map({_QUOTED}, value)) + ']'"
    else:
        text = f"{_TEXT}(value)"
    return [f"    value = model.{field.name}", f"""    {condition}parts.append('"{field.name}":' + {text})"""]


def _text(value: Any) -> str:  # noqa: ANN401 - whatever a field holds
    kind = value.__class__
    write = _WRITERS.get(kind)
    if write is None:
        write = _WRITERS[kind] = writer_in(_TEXTS, kind)
    return write(value)


_TEXT, _QUOTED = named("text", _text), named("quoted", _quoted)


def _model_text(model: Any) -> str:  # noqa: ANN401 - any of them
    """Write a model within another: it says what it is. The next one of its class finds what is written for that."""
    written = _writer(model.__class__, (), True)
    text: str = written.call(model)
    _WRITERS[model.__class__] = written.call
    return text


def _mapping_text(value: Mapping[str, Any]) -> str:
    text = f"{{{','.join([f'{_quoted(key)}:{_text(part)}' for key, part in value.items()])}}}"
    return f'{{"mapping":{text}}}' if is_ambiguous(value) else text


def _list_text(value: Iterable[Any]) -> str:
    return f"[{','.join([_text(part) for part in value])}]"


_TEXTS: tuple[tuple[Any, Write], ...] = (
    (Model, _model_text),
    (str, _quoted),  # and enums
    (datetime, lambda value: f'"{value.isoformat()}"'),
    (timedelta, lambda value: _number(value.total_seconds())),
    (Decimal, lambda value: f'"{value}"'),
    (bytes, lambda value: f'{{"base64":"{base64.b64encode(value).decode()}"}}'),
    (Mapping, _mapping_text),
    ((tuple, list), _list_text),
    ((int, float, NoneType), _number),  # and truth values
)
