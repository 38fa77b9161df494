"""Single values: what a str, an enum, an amount or a time is on the wire, and back.

:mod:`.shapes` writes these into the functions for whole messages. A :class:`Piece` says how: of a value that one field
holds, or of one that is a message of its own. What is ours to send is written strictly: then what only a server may
say, such as ``UNKNOWN``, is a ValueError. Protobuf's own rules (ranges, UTF-8) are protobuf's to enforce.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, TypeVar

from google.protobuf.descriptor import FieldDescriptor

from elarian_trio.models.checks import WireEnum
from elarian_trio.models.messaging import Url
from elarian_trio.models.model import EPOCH
from elarian_trio.models.source import named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.descriptor import EnumDescriptor

Message: TypeAlias = Any
"""A compiled message: its fields are reached by names that are found at run time, which no checker can follow."""

E = TypeVar("E", bound=WireEnum)

MAX_DURATION_SECONDS = 315_576_000_000  # 10,000 years, protobuf's own bound
SECOND_OF_NANOSECONDS = 1_000_000_000
NO_TIME = timedelta(0)
MAX_DURATION = timedelta(seconds=MAX_DURATION_SECONDS)
SECOND = timedelta(seconds=1)
MICROSECOND = timedelta(microseconds=1)


def must_be(wanted: tuple[Any, ...], value: object) -> NoReturn:
    """Refuse a value that is of none of the classes that are wanted."""
    names = ", ".join(each.__name__ for each in wanted)
    msg = f"must be {'one of ' if len(wanted) > 1 else 'a '}{names}, got {type(value).__name__}"
    raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Piece:
    """How a single value is written and read, in the source of a function.

    Attributes:
        take: an expression that gives the value; ``{0}`` stands for the field.
        put: of a value that one field holds an expression for what is set, ``{0}`` standing for the value; of one that
            is a message a statement that fills it and makes it be there, ``{0}`` standing for the message and ``{1}``
            for the value.
        left_out: of one that is a message: an expression for the value of one that was left out, where that takes less
            than to read it.
        may_be_none: whether *take* gives ``None`` for what means nothing.
    """

    take: str
    put: str
    left_out: str | None = None
    may_be_none: bool = False


# --- scalars ---


def finite(number: float) -> float:
    """Give a double that came in; what is no number counts as left out, which is 0."""
    return number if math.isfinite(number) else 0.0


def amount(number: float) -> Decimal:
    """Give the shortest Decimal that is this double, a whole one without a fraction."""
    return Decimal(repr(finite(number)).removesuffix(".0"))


PLAIN = Piece("{0}", "{0}")
"""What both sides hold as it is; an empty one is the same as one that was not set."""

OR_NONE = Piece("{0} or None", '{0} or ""')
"""A text that is ``None`` where there is none."""

URL = Piece(f"{named('Url', Url)}(url={{0}})", "{0}.url")
"""A link, which is a text of its own kind."""

_FINITE, _AMOUNT = named("finite", finite), named("amount", amount)

SCALARS: Mapping[tuple[Any, int], Piece] = {
    (str, FieldDescriptor.CPPTYPE_STRING): PLAIN,
    (bytes, FieldDescriptor.CPPTYPE_STRING): PLAIN,  # one C++ type for both
    (bool, FieldDescriptor.CPPTYPE_BOOL): PLAIN,
    (int, FieldDescriptor.CPPTYPE_INT32): PLAIN,
    (int, FieldDescriptor.CPPTYPE_INT64): PLAIN,
    (float, FieldDescriptor.CPPTYPE_DOUBLE): Piece(f"{_FINITE}({{0}})", "{0}"),  # -0.0 is not the same as not set
    (Decimal, FieldDescriptor.CPPTYPE_DOUBLE): Piece(f"{_AMOUNT}({{0}})", f"{named('float', float)}({{0}})"),
}
"""By the model's type and the field's."""


class _Members(dict[int, E]):
    """An enum's members by their numbers; a number that nobody knows is UNKNOWN."""

    __slots__ = ("unknown",)

    def __init__(self, members: Mapping[int, E], unknown: E) -> None:
        super().__init__(members)
        self.unknown = unknown

    def __missing__(self, number: int) -> E:
        return self.unknown


class _Numbers(dict[WireEnum, int]):
    """An enum's numbers by their members; the others are ValueErrors."""

    __slots__ = ("enum",)

    def __init__(self, numbers: Mapping[WireEnum, int], enum: type[WireEnum]) -> None:
        super().__init__(numbers)
        self.enum = enum

    def __missing__(self, value: object) -> int:
        unknown = value.__class__ is self.enum  # members are all there, but for one
        msg = "is UNKNOWN, which cannot be sent" if unknown else f"must be a {self.enum.__name__}, got {value!r}"
        raise ValueError(msg)


@cache
def enum_members(enum: type[E], wire: EnumDescriptor) -> Mapping[int, E]:
    """Give an enum's members by their numbers, but for UNKNOWN, which is what any other number gives.

    Args:
        enum: the model's enum.
        wire: the wire's; its names carry a prefix, which is what stands before its number 0's ``UNSPECIFIED``.
    """
    prefix = wire.values_by_number[0].name.removesuffix("UNSPECIFIED")
    members = {value.number: enum(value.name.removeprefix(prefix).lower()) for value in wire.values if value.number}
    return _Members(members, enum("unknown"))


@cache
def enum_piece(enum: type[WireEnum], wire: EnumDescriptor, *, may_be_unknown: bool) -> Piece:
    """Make the piece for an enum.

    Args:
        enum: the model's enum.
        wire: the wire's.
        may_be_unknown: UNKNOWN is what the field is when nobody says otherwise, so it may be sent.
    """
    name, members = enum.__name__, enum_members(enum, wire)
    numbers = {member: number for number, member in members.items()}
    take = f"{named(f'{name}_members', members)}[{{0}}]"
    known = f"{named(f'{name}_numbers', _Numbers({**numbers, enum('unknown'): 0}, enum))}"
    if may_be_unknown:
        return Piece(take, f"{known}[{{0}}]")
    sent = named(f"{name}_numbers_to_send", _Numbers(numbers, enum))
    return Piece(take, f"({sent} if strict else {known})[{{0}}]")


# --- protobuf's well-known messages ---


def fill_seconds(message: Message, value: timedelta) -> None:
    """Fill a number with a duration's seconds."""
    seconds, rest = divmod(value, SECOND)
    if rest:
        msg = f"must be whole seconds, got {value!r}"
        raise ValueError(msg)
    message.value = seconds


def take_seconds(message: Message) -> timedelta:
    """Give the duration of a number of seconds."""
    return timedelta(0, message.value)


def fill_timestamp(message: Message, value: datetime) -> None:
    """Fill a time."""
    since = value - EPOCH
    message.seconds = since.days * 86400 + since.seconds
    message.nanos = since.microseconds * 1000


def take_timestamp(message: Message) -> datetime | None:
    """Give the time, its nanoseconds cut to microseconds; ``None`` for one that no calendar has."""
    nanos: int = message.nanos
    if not 0 <= nanos < SECOND_OF_NANOSECONDS:
        return None
    since: int = message.seconds * 1_000_000 + nanos // 1000
    try:
        return EPOCH + since * MICROSECOND  # in half the time that a timedelta of seconds and microseconds takes
    except OverflowError:  # not within the years 1 to 9999, which are protobuf's own bounds, too
        return None


def fill_duration(message: Message, value: timedelta) -> None:
    """Fill a duration; protobuf wants both numbers to carry its sign."""
    length = abs(value)
    if length > MAX_DURATION:
        msg = f"must be shorter than 10,000 years either way, got {value!r}"
        raise ValueError(msg)
    sign = -1 if value < NO_TIME else 1
    message.seconds = sign * (length.days * 86400 + length.seconds)
    message.nanos = sign * length.microseconds * 1000


def take_duration(message: Message) -> timedelta | None:
    """Give the duration, its nanoseconds cut to microseconds; ``None`` for one that protobuf does not allow."""
    seconds, nanos = message.seconds, message.nanos
    if abs(seconds) > MAX_DURATION_SECONDS or abs(nanos) >= SECOND_OF_NANOSECONDS:
        return None
    return timedelta(0, seconds, nanos // 1000)


_NO_TIME, _EPOCH = named("NO_TIME", NO_TIME), named("EPOCH", EPOCH)


def _time(take: Any, put: Any, left_out: str, *, may_be_none: bool = True) -> Piece:  # noqa: ANN401 - functions
    taken, filled = named(take.__name__, take), named(put.__name__, put)
    return Piece(f"{taken}({{0}})", f"{filled}({{0}}, {{1}})", left_out, may_be_none)


WELL_KNOWN: Mapping[tuple[Any, str], Piece] = {
    (str, "google.protobuf.StringValue"): Piece("{0}.value", "{0}.value = {1}", '""'),
    (int, "google.protobuf.Int32Value"): Piece("{0}.value", "{0}.value = {1}", "0"),
    (timedelta, "google.protobuf.Int32Value"): _time(take_seconds, fill_seconds, _NO_TIME, may_be_none=False),
    (timedelta, "google.protobuf.Duration"): _time(take_duration, fill_duration, _NO_TIME),
    (datetime, "google.protobuf.Timestamp"): _time(take_timestamp, fill_timestamp, _EPOCH),
}
"""By the model's type and the message's full name."""


# --- expiries ---


def fill_expiry(message: Message, value: datetime | None) -> None:
    """Fill the end of something; no end is the epoch, since the JavaScript SDK reads the field unguarded."""
    if value is None:
        message.seconds = 0
    elif value == EPOCH:
        msg = "at the epoch means no expiry on the wire; leave it out"
        raise ValueError(msg)
    else:
        fill_timestamp(message, value)


def take_expiry(message: Message) -> datetime | None:
    """Give the end of something: ``None`` for never, and for one that no calendar has."""
    if not message.seconds and message.nanos < 1000:  # less than a microsecond is cut off
        return None
    return take_timestamp(message)


EXPIRY = _time(take_expiry, fill_expiry, "None")
"""An ``expires_at``."""
