"""JSON becomes models: what a field takes is read off its type hint, once per class.

The endpoints stand above, :mod:`.models` below. A field that may be left out may be ``null`` as well, and then has its
default; what is neither known nor read is kept in ``extra``.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, NoReturn, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from elarian_trio.planship.models import PlanshipModel

__all__ = ["read", "reader"]

T = TypeVar("T")

Read: TypeAlias = Callable[[Any, str], Any]  # a JSON value, and where it stands


def read(hint: type[T], value: Any, name: str) -> T:  # noqa: ANN401 - whatever the service says
    """Make what *hint* says of a JSON value called *name*.

    Raises:
        ValueError: it is not that; the words say where and why, and repeat no value.
    """
    made: T = reader(cast("Any", hint))(value, name)
    return made


@cache
def reader(hint: Any) -> Read:  # noqa: ANN401 - any type form
    """Give what reads a value of type *hint*; worked out once for each."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _of_several([each for each in arguments if each is not type(None)])
    if origin is tuple:
        return _of_items(reader(arguments[0]))
    if origin in (Mapping, dict):
        return _of_entries(reader(arguments[1]))
    if isinstance(hint, type) and issubclass(hint, PlanshipModel):
        return _of_fields(hint)
    return _SCALARS[hint]


def _of_several(kinds: list[Any]) -> Read:
    """One kind that may be missing; or an enum and a str, for members not known here."""
    enum = next((each for each in kinds if isinstance(each, type) and issubclass(each, StrEnum)), None)
    if enum is None:
        (kind,) = kinds
        return reader(kind)
    members = {member.value: member for member in enum}

    def read_member(value: Any, name: str) -> str:  # noqa: ANN401
        text = _read_str(value, name)
        return members.get(text, text)

    return read_member


def _of_items(item: Read) -> Read:
    def read_items(value: Any, name: str) -> tuple[Any, ...]:  # noqa: ANN401
        if not isinstance(value, list):
            _refuse(value, name, "an array")
        return tuple(item(each, f"{name}[{number}]") for number, each in enumerate(cast("Any", value)))

    return read_items


def _of_entries(entry: Read) -> Read:
    def read_entries(value: Any, name: str) -> dict[str, Any]:  # noqa: ANN401
        return {key: entry(each, f"{name}.{key}") for key, each in _read_object(value, name).items()}

    return read_entries


def _of_fields(model: type[PlanshipModel]) -> Read:
    hints = get_type_hints(model)
    fields = [each for each in dataclasses.fields(model) if each.name != "extra"]
    table = [(each.name, each.metadata.get("wire", each.name), reader(hints[each.name])) for each in fields]
    required = {each.name for each in fields if _is_required(each)}
    known = {wire for _, wire, _ in table}

    def read_fields(value: Any, name: str) -> PlanshipModel:  # noqa: ANN401
        given = _read_object(value, name)
        made: dict[str, Any] = {"extra": {key: given[key] for key in given if key not in known}}
        for field, wire, read_field in table:
            if given.get(wire) is not None:
                made[field] = read_field(given[wire], f"{name}.{wire}")
            elif field in required:
                _refuse(given.get(wire), f"{name}.{wire}", "there")
        return model(**made)

    return read_fields


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _refuse(value: Any, name: str, wanted: str) -> NoReturn:  # noqa: ANN401
    got = "nothing" if value is None else type(value).__name__
    msg = f"{name} should be {wanted}, got {got}"
    raise ValueError(msg)


def _read_object(value: Any, name: str) -> dict[str, Any]:  # noqa: ANN401
    if not isinstance(value, dict):
        _refuse(value, name, "an object")
    return cast("dict[str, Any]", value)


def _read_str(value: Any, name: str) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        _refuse(value, name, "a string")
    return value


def _read_bool(value: Any, name: str) -> bool:  # noqa: ANN401
    if not isinstance(value, bool):
        _refuse(value, name, "true or false")
    return value


def _read_int(value: Any, name: str) -> int:  # noqa: ANN401
    """JSON knows one kind of number, so 3.0 is an integer as well."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        _refuse(value, name, "an integer")
    return value


def _read_datetime(value: Any, name: str) -> datetime:  # noqa: ANN401
    """A time without an offset is UTC; one that UTC cannot tell, at either end of the calendar, keeps its offset."""
    text = _read_str(value, name)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"{name} should be a date and time in ISO 8601"
        raise ValueError(msg) from error
    try:
        return moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment.astimezone(UTC)
    except OverflowError:
        return moment


def _read_anything(value: Any, _name: str) -> Any:  # noqa: ANN401
    return value


_SCALARS: Mapping[Any, Read] = {
    str: _read_str,
    bool: _read_bool,
    int: _read_int,
    datetime: _read_datetime,
    Any: _read_anything,
}
