"""What every model has in common: strings become enums, times UTC, and values plain JSON and back.

The families beside this file stand on it; it imports nothing of the package. What a field accepts is read off its
type hint, once per class.
"""

from __future__ import annotations

import base64
import dataclasses
import math
import types
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeAlias, Union, cast, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from elarian_trio.options import JsonValue

Convert: TypeAlias = Callable[[str, Any], Any]
ToPlain: TypeAlias = "Callable[[Any, Callable[[Any], dict[str, JsonValue]]], JsonValue]"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_FIELD_TYPES: dict[type, Mapping[str, Any]] = {}
_READERS: dict[type, Mapping[str, Callable[[Any], Any]]] = {}
_EMPTY: dict[type, tuple[tuple[str, Any], ...]] = {}
_WRITERS: dict[type, ToPlain] = {}
_CHECKED: dict[type, tuple[tuple[str, frozenset[type], Convert], ...]] = {}


class WireEnum(StrEnum):
    """An enum whose values are Elarian's wire names in lower case, without their prefix.

    ``UNKNOWN`` stands for number 0 and for numbers that a newer server may send; sending it is a ValueError.
    """

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        known = ", ".join(repr(member.value) for member in cls if member.value != "unknown")
        msg = f"{value!r} is no {cls.__name__}; known are {known}"
        raise ValueError(msg)


class Model:
    """The base of all models: frozen values that check what they are given.

    A string for an enum becomes its member, any iterable for a tuple a tuple, an aware datetime UTC. What cannot be
    sent unchanged (naive times, NaN, amounts that a double would change, lone surrogates) is a ValueError, a value of
    the wrong type a TypeError, both from the constructor.
    """

    __slots__ = ()

    def __post_init__(self) -> None:
        """Convert and check every field by the class's table."""
        for name, passing, convert in _checks(type(self)):
            value = getattr(self, name)
            kind = value.__class__
            if kind in passing and (kind is not str or value.isascii()):
                continue
            converted = convert(name, value)
            if converted is not value:
                object.__setattr__(self, name, converted)

    def to_json(self) -> dict[str, JsonValue]:
        """Give the model as plain JSON values: its fields by name, times as ISO 8601, durations in seconds.

        Money is a decimal string, bytes are ``{"base64": "…"}``, and a value that may be of several classes carries
        its class's name as ``"class"``. ``from_json`` reads it back.
        """
        return {name: plain(getattr(self, name)) for name in field_types(type(self))}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Make a model of what ``to_json`` gave.

        Raises:
            ValueError: a field is unknown, missing or holds what it cannot hold.
        """
        readers = _readers(cls)
        try:
            return cls(**{name: readers[name](part) for name, part in value.items() if name != "class"})
        except KeyError as error:
            unknown = [name for name in value if name not in readers and name != "class"]
            if not unknown:
                raise
            msg = f"{cls.__name__} has no field {unknown[0]!r}; known are {', '.join(readers)}"
            raise ValueError(msg) from error
        except (TypeError, ArithmeticError) as error:
            msg = f"{cls.__name__} cannot be made of this: {error}"
            raise ValueError(msg) from error


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


def _checks(cls: type) -> tuple[tuple[str, frozenset[type], Convert], ...]:
    """Give, for each field of *cls*, classes whose values pass as they are, and what converts and checks the others.

    A ``str`` passes if it is ASCII.
    """
    found = _CHECKED.get(cls)
    if found is None:
        hints = field_types(cls).items()
        found = _CHECKED[cls] = tuple((name, _passing(hint), _converter(hint)) for name, hint in hints)
    return found


def _passing(hint: Any) -> frozenset[type]:  # noqa: ANN401 - any type form
    enum = enum_of(hint)
    kinds = {_kind(each) for each in alternatives(hint)}
    if enum is not None:
        return frozenset({enum, *(kinds & {types.NoneType})})
    return frozenset(kind for kind in kinds if kind in _PASSING or issubclass(kind, Model))


def _converter(hint: Any) -> Convert:  # noqa: ANN401 - any type form
    enum = enum_of(hint)
    if enum is not None:
        return _to_enum(enum, optional=type(None) in alternatives(hint))
    parts = [each for each in alternatives(hint) if each is not type(None)]
    kinds = [_kind(each) for each in parts]
    check = _to_one_of(kinds) if len(kinds) > 1 else _CHECKS.get(kinds[0]) or _to_one_of(kinds)
    return _optional(check) if type(None) in alternatives(hint) else check


def _kind(part: Any) -> type:  # noqa: ANN401
    """Give the class of an alternative's values."""
    kind: type = get_origin(part) or part
    return kind


def _to_one_of(kinds: list[type]) -> Convert:
    """Several classes, or one that has no check of its own; strings and tuples among them are checked as such."""
    allowed = tuple(kinds)
    wanted = f"{'one of ' if len(kinds) > 1 else 'a '}{', '.join(kind.__name__ for kind in kinds)}"

    def convert(name: str, value: Any) -> Any:  # noqa: ANN401
        if not isinstance(cast("object", value), allowed):
            if tuple in allowed and isinstance(cast("object", value), list):
                return tuple(value)
            _wrong_type(name, wanted, value)
        return _check_str(name, value) if isinstance(cast("object", value), str) else value

    return convert


def _optional(check: Convert) -> Convert:
    return lambda name, value: None if value is None else check(name, value)


def _to_enum(enum: type[WireEnum], *, optional: bool) -> Convert:
    def convert(name: str, value: Any) -> Any:  # noqa: ANN401
        if type(value) is enum or (value is None and optional):
            return value
        if not isinstance(value, str):
            _wrong_type(name, f"a {enum.__name__} or its name", value)
        return enum(value)

    return convert


def _check_str(name: str, value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        _wrong_type(name, "a str", value)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            msg = f"{name} holds a lone surrogate at index {error.start}, which UTF-8 cannot carry"
            raise ValueError(msg) from None  # the text may be a credential: neither quoted nor chained
    return value


def _check_datetime(name: str, value: Any) -> datetime:  # noqa: ANN401
    if not isinstance(value, datetime):
        _wrong_type(name, "an aware datetime", value)
    if value.utcoffset() is None:
        msg = f"{name} must be an aware datetime (for UTC: datetime.now(UTC)), got the naive {value!r}"
        raise ValueError(msg)
    try:
        return value if value.tzinfo is UTC else value.astimezone(UTC)
    except OverflowError:
        msg = f"{name} must be within the years 1 to 9999 of UTC, got {value!r}"
        raise ValueError(msg) from None


def _check_timedelta(name: str, value: Any) -> timedelta:  # noqa: ANN401
    if not isinstance(value, timedelta):
        _wrong_type(name, "a timedelta", value)
    return value


def _check_float(name: str, value: Any) -> float:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int | float):
        _wrong_type(name, "a number", value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        msg = f"{name} must be finite, got {value!r}"
        raise ValueError(msg)
    return number


def _check_decimal(name: str, value: Any) -> Decimal:  # noqa: ANN401
    """Money travels as a double: what a double would change is refused here."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        _wrong_type(name, "a Decimal, int or str", value)
    try:
        amount = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except ArithmeticError:
        msg = f"{name} must be a decimal number, got {value!r}"
        raise ValueError(msg) from None
    if not amount.is_finite() or not math.isfinite(float(amount)) or Decimal(repr(float(amount))) != amount:
        msg = f"{name} must be a finite amount that a double holds exactly (about 15 digits), got {value!r}"
        raise ValueError(msg)
    return amount


def _check_tuple(name: str, value: Any) -> tuple[Any, ...]:  # noqa: ANN401
    given = cast("object", value)  # a checker then narrows that, and not the Any
    if not isinstance(given, Iterable) or isinstance(given, str | bytes | Mapping):
        _wrong_type(name, "a sequence", value)
    return tuple(value)  # a tuple comes back as itself


def _check_mapping(name: str, value: Any) -> dict[Any, Any]:  # noqa: ANN401
    if not isinstance(cast("object", value), Mapping):
        _wrong_type(name, "a mapping", value)
    return dict(value)


_PASSING = frozenset({str, bytes, bool, int, tuple, timedelta, types.NoneType})

_CHECKS: Mapping[Any, Convert] = {
    str: _check_str,
    datetime: _check_datetime,
    timedelta: _check_timedelta,
    float: _check_float,
    Decimal: _check_decimal,
    tuple: _check_tuple,
    Mapping: _check_mapping,
}


def _wrong_type(name: str, wanted: str, value: Any) -> NoReturn:  # noqa: ANN401
    msg = f"{name} must be {wanted}, got {type(value).__name__}"
    raise TypeError(msg)


# --- plain JSON values ---


def plain(value: Any) -> JsonValue:  # noqa: ANN401
    """Turn a field's value into plain JSON values."""
    return _plain(value, Model.to_json)


def sparse(model: Model) -> dict[str, JsonValue]:
    """Give *model* as ``to_json`` does, but for the fields, its own and those within, that are empty by default.

    ``from_json`` reads this as well, for as long as these defaults are what they are.
    """
    found: dict[str, JsonValue] = {}
    for name, empty in _empty_by_default(type(model)):
        value = getattr(model, name)
        if value or value != empty:
            found[name] = _plain(value, sparse)
    return found


def _empty_by_default(cls: type) -> tuple[tuple[str, Any], ...]:
    """Give the fields of *cls*, each with its default where that is empty, else with what no field holds."""
    found = _EMPTY.get(cls)
    if found is None:
        defaults = {
            field.name: field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
            for field in dataclasses.fields(cls)
        }
        found = tuple((name, value if value in (None, "", (), {}) else ...) for name, value in defaults.items())
        _EMPTY[cls] = found
    return found


def _plain(value: Any, fields_of: Callable[[Any], dict[str, JsonValue]]) -> JsonValue:  # noqa: ANN401
    """Turn a value into plain JSON values, models in it as *fields_of* says."""
    kind = value.__class__
    if kind in _AS_THEY_ARE:
        return cast("JsonValue", value)
    write = _WRITERS.get(kind)
    if write is None:
        write = _WRITERS[kind] = _writer(kind)
    return write(value, fields_of)


def _writer(kind: type) -> ToPlain:
    for kinds, write in _TO_PLAIN:
        if issubclass(kind, kinds):
            return write
    msg = f"JSON cannot hold a {kind.__name__}"
    raise ValueError(msg)


def _plain_mapping(value: Mapping[str, Any], fields_of: Callable[[Any], dict[str, JsonValue]]) -> JsonValue:
    """A mapping that would read as bytes, or as such a wrapper itself, is wrapped."""
    items = {key: _plain(part, fields_of) for key, part in value.items()}
    return {"mapping": items} if list(items) in (["base64"], ["mapping"]) else items


_AS_THEY_ARE = frozenset({str, bool, int, float, types.NoneType})

_TO_PLAIN: tuple[tuple[Any, ToPlain], ...] = (
    (Model, lambda value, fields_of: {"class": type(value).__name__, **fields_of(value)}),
    (StrEnum, lambda value, _: value.value),
    (datetime, lambda value, _: value.isoformat()),
    (timedelta, lambda value, _: value.total_seconds()),
    (Decimal, lambda value, _: str(value)),
    (bytes, lambda value, _: {"base64": base64.b64encode(value).decode()}),
    (Mapping, _plain_mapping),
    ((tuple, list), lambda value, fields_of: [_plain(part, fields_of) for part in value]),
    ((str, int, float), lambda value, _: value),  # of the user's own classes, which JSON knows by what they are
)


def _readers(cls: type) -> Mapping[str, Callable[[Any], Any]]:
    """Give, for each field of *cls*, the function that reads its plain value; worked out once per class."""
    found = _READERS.get(cls)
    if found is None:
        found = _READERS[cls] = {name: _reader(hint) for name, hint in field_types(cls).items()}
    return found


def _read_anything(value: Any) -> Any:  # noqa: ANN401
    return _reader(Any)(value)


@cache
def _reader(hint: Any) -> Callable[[Any], Any]:  # noqa: ANN401
    """Give what turns plain JSON values back into what a field of type *hint* holds; worked out once for each."""
    options = [each for each in alternatives(hint) if each is not type(None)]
    read_scalar = next((_FROM_PLAIN[each] for each in options if each in _FROM_PLAIN), None)
    if len(options) == 1 and read_scalar is not None:
        return lambda value: None if value is None else read_scalar(value)
    if all(each in _AS_THEY_ARE or enum_of(each) is not None for each in options):
        return _as_it_is  # the model checks it
    read_mapping, read_list = _mapping_reader(options), _list_reader(options)
    if [get_origin(each) for each in options] == [tuple]:
        return lambda value: read_list(cast("list[object]", value)) if isinstance(value, list) else value

    def read(value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, dict):
            return read_mapping(cast("dict[str, Any]", value))
        if isinstance(value, list):
            return read_list(cast("list[object]", value))
        if isinstance(value, Mapping):
            return read_mapping(dict(cast("Mapping[str, Any]", value)))
        return value if value is None or read_scalar is None else read_scalar(value)

    return read


def _as_it_is(value: Any) -> Any:  # noqa: ANN401
    return value


def _mapping_reader(options: list[Any]) -> Callable[[dict[str, Any]], Any]:
    models = {each.__name__: each for each in options if isinstance(each, type) and issubclass(each, Model)}
    first = next(iter(models), "")
    parts = next((get_args(each)[1] for each in options if get_origin(each) is Mapping), Any)
    read_part = _read_anything if parts is Any else _reader(parts)

    def read(value: dict[str, Any]) -> Any:  # noqa: ANN401
        model = models.get(value.get("class", first))
        if model is not None:
            return model.from_json(value)
        if list(value) == ["base64"]:
            return base64.b64decode(value["base64"], validate=True)
        inner = value.get("mapping")
        if list(value) == ["mapping"] and isinstance(inner, Mapping):
            value = dict(cast("Mapping[str, Any]", inner))
        return {key: read_part(part) for key, part in value.items()}

    return read


def _list_reader(options: list[Any]) -> Callable[[list[object]], Any]:
    parts = next((get_args(each)[0] for each in options if get_origin(each) is tuple), None)
    if parts is None:
        return lambda value: list(map(_read_anything, value))
    read_part = _reader(parts)
    return lambda value: tuple(map(read_part, value))


_FROM_PLAIN: Mapping[Any, Callable[[Any], Any]] = {
    datetime: datetime.fromisoformat,
    timedelta: lambda value: timedelta(seconds=value),
    Decimal: Decimal,
}
