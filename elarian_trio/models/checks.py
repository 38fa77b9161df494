"""What fields accept, read off their type hints once per class: strings become enums, times UTC, sequences tuples.

:mod:`.constructors` and :mod:`.model` stand above.
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NoReturn, TypeAlias, Union, cast, get_args, get_origin, get_type_hints

from elarian_trio._arguments import in_words, is_finite, shown, wrong_type

Convert: TypeAlias = Callable[[str, Any], Any]

_FIELD_TYPES: dict[type, Mapping[str, Any]] = {}


class WireEnum(StrEnum):
    """An enum whose values are Elarian's wire names in lower case, without their prefix.

    ``UNKNOWN`` stands for number 0 and for numbers that a newer server may send; sending it is a ValueError.
    """

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        known = ", ".join(repr(member.value) for member in cls if member.value != "unknown")
        msg = f"{value!r} is no {cls.__name__}; known are {known}"
        raise ValueError(msg)


def field_types(cls: type) -> Mapping[str, Any]:
    """Give the resolved type of each dataclass field of *cls*, in order; worked out once per class."""
    found = _FIELD_TYPES.get(cls)
    if found is None:
        hints = get_type_hints(cls)
        found = _FIELD_TYPES[cls] = {field.name: hints[field.name] for field in dataclasses.fields(cls)}
    return found


def alternatives(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any type form
    """Give the members of a union (nested ones flattened by typing itself), or the hint alone."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def enum_of(hint: Any) -> type[WireEnum] | None:  # noqa: ANN401 - any type form
    """Give the enum among a hint's alternatives, if there is one."""
    for each in alternatives(hint):
        if isinstance(each, type) and issubclass(each, WireEnum):
            return each
    return None


def checks(cls: type) -> tuple[tuple[str, frozenset[type], Convert], ...]:
    """Give, for each field of *cls*, classes whose values pass as they are, and what converts and checks the others.

    A ``str`` passes if it is ASCII, a tuple if everything in it passes.
    """
    return tuple((name, _passing(hint), _converter(hint)) for name, hint in field_types(cls).items())


def parts_of(hint: Any) -> tuple[frozenset[type], Any] | None:  # noqa: ANN401 - any type form
    """Give the classes whose values pass within a tuple as they are, and the parts' type, where a hint allows one."""
    parts = next((get_args(each)[0] for each in alternatives(hint) if _kind(each) is tuple), None)
    return None if parts is None else (_passing(parts), parts)


def _passing(hint: Any) -> frozenset[type]:  # noqa: ANN401 - any type form
    enum = enum_of(hint)
    kinds = {_kind(each) for each in alternatives(hint)}
    if enum is not None:
        return frozenset({enum, *(kinds & {types.NoneType})})
    return frozenset(kind for kind in kinds if kind in _PASSING or dataclasses.is_dataclass(kind))


def _converter(hint: Any) -> Convert:  # noqa: ANN401 - any type form
    enum = enum_of(hint)
    if enum is not None:
        return to_enum(enum, optional=type(None) in alternatives(hint))
    parts = [each for each in alternatives(hint) if each is not type(None)]
    kinds = [_kind(each) for each in parts]
    if len(kinds) == 1 and kinds[0] in _CONTAINERS:
        check = _CONTAINERS[kinds[0]](*get_args(parts[0]))
    else:
        check = _to_one_of(parts) if len(kinds) > 1 else _CHECKS.get(kinds[0]) or _to_one_of(parts)
    return _optional(check) if type(None) in alternatives(hint) else check


def _kind(part: Any) -> type:  # noqa: ANN401
    """Give the class of an alternative's values."""
    kind: type = get_origin(part) or part
    return kind


def _to_one_of(parts: list[Any]) -> Convert:
    """Several classes, or one that has no check of its own; strings and sequences among them are checked as such."""
    kinds = [_kind(each) for each in parts if _kind(each) is not tuple]
    allowed = tuple(kinds)
    within = next((get_args(each) for each in parts if _kind(each) is tuple), None)
    to_tuple = None if within is None else _to_tuple(*within)
    wanted = in_words(allowed if len(parts) > 1 else kinds[0])
    if within is not None:
        wanted += f", or a sequence of these: {', '.join(_kind(each).__name__ for each in alternatives(within[0]))}"

    def convert(name: str, value: Any) -> Any:  # noqa: ANN401
        given: object = value
        if to_tuple is not None and isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping):
            return to_tuple(name, value)
        if not isinstance(given, allowed):
            wrong_type(name, wanted, value)
        return check_str(name, value) if isinstance(given, str) else value

    return convert


def _optional(check: Convert) -> Convert:
    return lambda name, value: None if value is None else check(name, value)


def to_enum(enum: type[WireEnum], *, optional: bool) -> Convert:
    """Give what makes a member of *enum* of its name."""
    members = {member.value: member for member in enum}  # the enum's own lookup takes ten times as long

    def convert(name: str, value: Any) -> Any:  # noqa: ANN401
        if type(value) is enum or (value is None and optional):
            return value
        if not isinstance(value, str):
            wrong_type(name, f"a {enum.__name__} or its name", value)
        return members.get(value) or enum(value)

    return convert


def check_str(name: str, value: Any) -> str:  # noqa: ANN401
    """See that *value* is a text that UTF-8 can carry.

    Raises:
        TypeError: it is no text.
        ValueError: it holds a lone surrogate.
    """
    if not isinstance(value, str):
        wrong_type(name, "a str", value)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        msg = f"{name} holds a lone surrogate at index {error.start}, which UTF-8 cannot carry"
        raise ValueError(msg) from None  # the text may be a credential: neither quoted nor chained
    return value


def check_datetime(name: str, value: Any) -> datetime:  # noqa: ANN401
    """Give *value*, an aware datetime, in UTC.

    Raises:
        TypeError: it is no datetime.
        ValueError: it is naive, or out of range in UTC.
    """
    if not isinstance(value, datetime):
        wrong_type(name, "an aware datetime", value)
    if value.utcoffset() is None:
        msg = f"{name} must be an aware datetime (for UTC: datetime.now(UTC)), got the naive {value!r}"
        raise ValueError(msg)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        msg = f"{name} must be within the years 1 to 9999 of UTC, got {value!r}"
        raise ValueError(msg) from None


def _check_float(name: str, value: Any) -> float:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int | float):
        wrong_type(name, "a number", value)
    if not is_finite(value):
        msg = f"{name} must be finite, got {shown(value)}"
        raise ValueError(msg)
    return float(value)


def _check_decimal(name: str, value: Any) -> Decimal:  # noqa: ANN401
    """Money travels as a double: what a double would change is refused here."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        wrong_type(name, "a Decimal, int or str", value)
    try:
        amount = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except ArithmeticError:
        msg = f"{name} must be a decimal number, got {shown(value)}"
        raise ValueError(msg) from None
    if not amount.is_finite() or not math.isfinite(float(amount)) or Decimal(repr(float(amount))) != amount:
        msg = f"{name} must be a finite amount that a double holds exactly (about 15 digits), got {shown(value)}"
        raise ValueError(msg)
    return amount


def _to_tuple(hint: Any, *_: Any) -> Convert:  # noqa: ANN401 - any type form
    """Give what makes a tuple of any iterable, every part of it as *hint* says."""
    check = _converter(hint)

    def convert(name: str, value: Any) -> tuple[Any, ...]:  # noqa: ANN401
        given = cast("object", value)  # a checker then narrows that, and not the Any
        if not isinstance(given, Iterable) or isinstance(given, str | bytes | Mapping):
            wrong_type(name, "a sequence", value)
        return tuple([check(f"{name}[{place}]", part) for place, part in enumerate(value)])

    return convert


def _to_mapping(key_hint: Any, hint: Any) -> Convert:  # noqa: ANN401 - any type form
    """Give what copies any mapping, every key and value of it as the hints say; ``Any`` is not looked at."""
    check_key = _converter(key_hint)
    check = _as_it_is if hint is Any else _converter(hint)
    may_be_text = hint is Any or str in alternatives(hint)

    def convert(name: str, value: Any) -> dict[Any, Any]:  # noqa: ANN401
        given: object = value
        if not isinstance(given, (dict, Mapping)):
            wrong_type(name, "a mapping", value)
        copy: dict[Any, Any] = dict(value)
        for key, part in copy.items():
            if not (may_be_text and key.__class__ is part.__class__ is str and key.isascii() and part.isascii()):
                check_key(f"a key of {name}", key)
                copy[key] = check(f"{name}[{key!r}]", part)
        return copy

    return convert


def _as_it_is(_: str, value: Any) -> Any:  # noqa: ANN401
    return value


_PASSING = frozenset({str, bytes, bool, int, tuple, timedelta, types.NoneType})

_CHECKS: Mapping[Any, Convert] = {
    str: check_str,
    datetime: check_datetime,
    float: _check_float,
    Decimal: _check_decimal,
}

_CONTAINERS: Mapping[Any, Callable[..., Convert]] = {tuple: _to_tuple, Mapping: _to_mapping}
