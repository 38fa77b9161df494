"""What Talon.One answers, made into values: lenient, so that a newer service breaks no older client.

The models stand above. A field that is missing, null or of a type that it should not have gets the blank value of its
type; what the service said is kept word for word beside it. Missing ``sessionId`` and ``ledgerEntries`` broke strict
clients in 2019 and 2024, and times of nine digits one in 2020 (the facts, section 12).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any, Self, cast, get_args, get_origin

from elarian_trio.models.checks import alternatives, field_types
from elarian_trio.talonone.values import UNSET, Unset, wire_name

NOTHING: Mapping[str, Any] = {}
"""What a value was made of that an app made: known by its identity. No proxy, since those cannot be copied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The base of what is answered.

    Attributes:
        raw: the JSON object as the service sent it, with what this version has no field for.
    """

    raw: Mapping[str, Any] = field(default_factory=lambda: NOTHING, repr=False, compare=False)

    @property
    def extra(self) -> dict[str, Any]:
        """What the service sent besides the fields of this class, by its names on the wire."""
        known = {wire_name(name) for name in field_types(type(self))}
        return {name: value for name, value in self.raw.items() if name not in known}

    @classmethod
    def from_wire(cls, value: Mapping[str, Any]) -> Self:
        """Make one of a JSON object. It never fails: what cannot be read is blank."""
        fields = {
            name: read(value[wire_name(name)]) if wire_name(name) in value else blank
            for name, (read, blank) in _fields(cast("type", cls)).items()
        }
        return cls(**{name: part for name, part in fields.items() if part is not UNSET}, raw=value)

    @classmethod
    def from_object(cls, value: object) -> Self | None:
        """Make one of what may be a JSON object, and nothing of anything else."""
        return cls.from_wire(cast("dict[str, Any]", value)) if isinstance(value, dict) else None


@cache
def _fields(cls: type) -> Mapping[str, tuple[Callable[[Any], Any], Any]]:
    """Give, for each field of *cls*, what reads it and what it is where it is missing."""
    hints = {name: hint for name, hint in field_types(cls).items() if name != "raw"}
    return {
        name: (_reader(hint), UNSET if Unset in alternatives(hint) else _blank(hint)) for name, hint in hints.items()
    }


def _blank(hint: Any) -> Any:  # noqa: ANN401 - any type form
    """Give the blank value of a field's type."""
    kinds = alternatives(hint)
    if type(None) in kinds:
        return None
    kind: Any = get_origin(kinds[-1]) or kinds[-1]  # of "SessionState | str" the latter
    if isinstance(kind, type) and issubclass(kind, Answer):
        return kind.from_wire({})
    return {} if kind is Mapping else kind()


@cache
def _reader(hint: Any) -> Callable[[Any], Any]:  # noqa: ANN401
    """Give what reads a field of type *hint*; what it cannot read is blank."""
    kinds = alternatives(hint)
    read_one, blank = _one_reader(kinds[0]), _blank(hint)

    def read(value: Any) -> Any:  # noqa: ANN401
        try:
            return read_one(value)
        except (TypeError, ValueError, OverflowError):
            return blank

    return read


def _one_reader(kind: Any) -> Callable[[Any], Any]:  # noqa: ANN401
    origin = get_origin(kind) or kind
    if origin is tuple:
        return _list_of(kind)
    if origin is Mapping:
        return _mapping_of(kind)
    if issubclass(origin, Answer):
        return lambda value: origin.from_wire(as_object(value))
    if issubclass(origin, Enum):
        return lambda value: _as_enum(origin, value)
    return SCALARS.get(origin) or origin.from_wire


def _list_of(kind: Any) -> Callable[[Any], Any]:  # noqa: ANN401
    """Read a list; an item that is no object where one should be is left out."""
    part = get_args(kind)[0]
    is_object = issubclass(part, Answer)
    read_part = _one_reader(part)

    def read(value: Any) -> Any:  # noqa: ANN401
        return tuple(read_part(each) for each in as_list(value) if isinstance(each, dict) or not is_object)

    return read


def _mapping_of(kind: Any) -> Callable[[Any], Any]:  # noqa: ANN401
    """Read an object whose names are data."""
    part = get_args(kind)[1]
    if part not in SCALARS and not (isinstance(part, type) and issubclass(part, Answer)):
        return as_object
    read_part = _reader(part)
    return lambda value: {name: read_part(each) for name, each in as_object(value).items()}


def _as_enum(kind: type[Enum], value: Any) -> Any:  # noqa: ANN401
    """Give the member, or the string that a newer service may send."""
    try:
        return kind(value)
    except ValueError:
        return as_text(value)


# --- single values ---


def as_object(value: Any) -> dict[str, Any]:  # noqa: ANN401
    """Read an object."""
    if not isinstance(value, dict):
        raise TypeError
    return cast("dict[str, Any]", value)


def as_list(value: Any) -> list[Any]:  # noqa: ANN401
    """Read a list."""
    if not isinstance(cast("object", value), list):  # a checker then narrows that, and not the Any
        raise TypeError
    found: list[Any] = value
    return found


def as_text(value: Any) -> str:  # noqa: ANN401
    """Read a string."""
    if not isinstance(value, str):
        raise TypeError
    return value


def as_bool(value: Any) -> bool:  # noqa: ANN401
    """Read a boolean."""
    if not isinstance(value, bool):
        raise TypeError
    return value


def as_number(value: Any) -> float:  # noqa: ANN401
    """Read a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def as_integer(value: Any) -> int:  # noqa: ANN401
    """Read an integer, which one of the vendor's clients once showed as a float."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise TypeError
    return int(value)


def as_time(value: Any) -> datetime:  # noqa: ANN401
    """Read a time with any offset and 0 to 9 digits of a second, of which six are kept."""
    read = datetime.fromisoformat(as_text(value).upper())
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


SCALARS: Mapping[Any, Callable[[Any], Any]] = {
    str: as_text,
    bool: as_bool,
    int: as_integer,
    float: as_number,
    datetime: as_time,
}
