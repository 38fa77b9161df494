"""Single values on their way to Talon.One: what may be left out, and what JSON a value is sent as.

The bodies in :mod:`.models` stand above. A value that cannot be sent is refused here, before anything is sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, TypeAlias, cast

from elarian_trio._arguments import is_encodable, is_finite, wrong_type

if TYPE_CHECKING:
    from elarian_trio.options import JsonValue

Write: TypeAlias = Callable[[str, Any], Any]  # it gives a JsonValue; types of fields are read where that is no name


class Unset(Enum):
    """The class of :data:`UNSET`, for annotations."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        """Say the name by which it is imported."""
        return "UNSET"

    def __bool__(self) -> bool:
        """Be as false as ``None`` is."""
        return False


UNSET: Final = Unset.UNSET
"""The value of a field that is not sent, which leaves at the service what is there; ``None`` is sent as ``null``."""


class Body:
    """The base of what is sent: frozen values that refuse, when they are made, what cannot be sent.

    Subclasses are dataclasses with a table that says how each field is written.
    """

    __slots__ = ()
    _writers: ClassVar[Mapping[str, Write]] = {}

    def __post_init__(self) -> None:
        """Keep what the caller may change later, and refuse what cannot be sent."""
        for name in self._writers:
            value = getattr(self, name)
            for kind, copy in _COPIES:
                if isinstance(value, kind):
                    object.__setattr__(self, name, copy(value))
        self.to_wire()

    def to_wire(self) -> dict[str, JsonValue]:
        """Give the body as the JSON object that is sent; what is :data:`UNSET` is not in it.

        Raises:
            ValueError: a value cannot be sent.
            TypeError: a value is of the wrong type.
        """
        given = ((name, write, getattr(self, name)) for name, write in self._writers.items())
        try:
            return {wire_name(name): write(name, value) for name, write, value in given if value is not UNSET}
        except RecursionError:
            msg = f"a value in {type(self).__name__} is nested too deeply, or holds itself"
            raise ValueError(msg) from None


_COPIES: tuple[tuple[Any, Callable[[Any], object]], ...] = ((Mapping, dict), (list, tuple))


@cache
def wire_name(name: str) -> str:
    """Give the name on the wire of the field *name*: ``campaign_id`` is ``campaignId`` there."""
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)


def encode(value: JsonValue) -> bytes:
    """Write *value* as the bytes that are signed and sent."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


# --- how a field is written ---


def text(name: str, value: Any) -> str:  # noqa: ANN401 - whatever the user gave
    """Write a string."""
    if not isinstance(value, str):
        wrong_type(name, "a str", value)
    if not is_encodable(value):
        refuse(name, "must hold no lone surrogate, which UTF-8 cannot carry")
    return str(value)


def filled(name: str, value: Any) -> str:  # noqa: ANN401
    """Write a string that must not be empty."""
    return text(name, value) or refuse(name, "must not be empty")


def integer(name: str, value: Any) -> int:  # noqa: ANN401
    """Write an integer."""
    if isinstance(value, bool) or not isinstance(value, int):
        wrong_type(name, "an int", value)
    _require_finite(name, value)
    return int(value)


def positive(name: str, value: Any) -> int:  # noqa: ANN401
    """Write an integer of at least 1."""
    number_given = integer(name, value)
    return number_given if number_given >= 1 else refuse(name, f"must be at least 1, got {number_given}")


def number(name: str, value: Any) -> int | float:  # noqa: ANN401
    """Write a number; a whole one without a fraction, as the service's own clients do."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        wrong_type(name, "a number", value)
    _require_finite(name, value)
    sent = float(value)
    if isinstance(value, Decimal) and Decimal(repr(sent)) != value:
        refuse(name, f"must be an amount that a double holds exactly (about 15 digits), got {value!r}")
    return int(value) if value == int(value) else sent


def _require_finite(name: str, value: float | Decimal) -> None:
    if not is_finite(value):
        refuse(name, "must be finite, as far as a double goes")


def not_negative(name: str, value: Any) -> int | float:  # noqa: ANN401
    """Write a number of at least 0."""
    number_given = number(name, value)
    return number_given if number_given >= 0 else refuse(name, f"must be at least 0, got {number_given}")


def time(name: str, value: Any) -> str:  # noqa: ANN401
    """Write a time, in UTC as RFC 3339 has it."""
    if not isinstance(value, datetime):
        wrong_type(name, "an aware datetime", value)
    if value.utcoffset() is None:
        refuse(name, f"must be an aware datetime (for UTC: datetime.now(UTC)), got the naive {value!r}")
    try:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return refuse(name, f"must be within the years 1 to 9999 of UTC, got {value!r}")


def optional(write: Write) -> Write:
    """Write what *write* does, or ``null``."""
    return lambda name, value: None if value is None else write(name, value)


def one_of(kind: type[Enum]) -> Write:
    """Write one of the strings of an enum."""
    known = [str(member.value) for member in kind]

    def write(name: str, value: Any) -> str:  # noqa: ANN401
        given = text(name, value)
        return given if given in known else refuse(name, f"must be one of {', '.join(known)}; got {given!r}")

    return write


def body(kind: type[Body]) -> Write:
    """Write another body inside one."""

    def write(name: str, value: Any) -> JsonValue:  # noqa: ANN401
        if not isinstance(value, kind):
            wrong_type(name, f"a {kind.__name__}", value)
        return value.to_wire()

    return write


def bodies(kind: type[Body]) -> Write:
    """Write a list of bodies."""
    write_one = body(kind)

    def write(name: str, value: Any) -> JsonValue:  # noqa: ANN401
        if not isinstance(cast("object", value), list | tuple):
            wrong_type(name, f"a sequence of {kind.__name__}", value)
        return [write_one(f"{name}[{index}]", each) for index, each in enumerate(value)]

    return write


def attributes(name: str, value: Any) -> dict[str, JsonValue]:  # noqa: ANN401
    """Write attributes: JSON values by name, times among them; ``None`` is sent, and removes one at the service."""
    if not isinstance(cast("object", value), Mapping):
        wrong_type(name, "a mapping", value)
    return {text(f"a name in {name}", key): json_value(f"{name}[{key!r}]", part) for key, part in value.items()}


def json_value(name: str, value: Any) -> JsonValue:  # noqa: ANN401
    """Write any value that JSON can hold, and times."""
    for kinds, write in _JSON:
        if isinstance(value, kinds):
            written: JsonValue = write(name, value)
            return written
    return wrong_type(name, "a value that JSON can hold", value)


def _values(name: str, value: Any) -> list[JsonValue]:  # noqa: ANN401
    return [json_value(f"{name}[{index}]", each) for index, each in enumerate(value)]


_JSON: tuple[tuple[Any, Write], ...] = (
    (bool | None, lambda _name, value: value),
    (str, text),
    (int | float | Decimal, number),
    (datetime, time),
    ((list, tuple), _values),
    (Mapping, attributes),
)


def refuse(name: str, words: str) -> NoReturn:
    """Raise the error that says what is wrong with *name*."""
    msg = f"{name} {words}"
    raise ValueError(msg)
