"""Single values: what a str, an enum, an amount or a time is on the wire, and back.

:mod:`.mapping` joins these into whole messages. Two kinds: a :class:`Scalar` is set on a field, a :class:`Part` is a
message of its own that is filled in. Both are told whether the value is ours to send (``strict``): then what only a
server may say, such as ``UNKNOWN``, is a ValueError. Protobuf's own rules (ranges, UTF-8) are protobuf's to enforce.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from google.protobuf.descriptor import FieldDescriptor

from elarian_trio.models.model import EPOCH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from google.protobuf.descriptor import EnumDescriptor

    from elarian_trio.models.checks import WireEnum

Message: TypeAlias = Any
"""A compiled message: its fields are reached by names that are found at run time, which no checker can follow."""

Value: TypeAlias = Any
"""What a model's field holds."""

TIMESTAMP_SECONDS = range(-62_135_596_800, 253_402_300_800)  # 0001-01-01 to 9999-12-31, protobuf's own bounds
NANOSECONDS = range(1_000_000_000)
MAX_DURATION_SECONDS = 315_576_000_000  # 10,000 years, protobuf's own bound
MICROSECOND = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value that one field holds.

    Attributes:
        put: ``put(value, strict)`` gives what is set on the field.
        get: gives the value of what the field holds.
    """

    put: Callable[[Value, bool], Any]
    get: Callable[[Any], Value]


@dataclass(frozen=True, slots=True)
class Part:
    """A value that is a message of its own.

    Attributes:
        fill: ``fill(message, value, strict)`` fills an empty message.
        take: gives the value of a message, also of one that was left out, whose fields then are all empty.
    """

    fill: Callable[[Message, Value, bool], None]
    take: Callable[[Message], Value]


# --- scalars ---


def _as_it_is(value: Value, strict: bool) -> Value:
    return value


def finite(number: float) -> float:
    """Give a double that came in; what is no number counts as left out, which is 0."""
    return number if math.isfinite(number) else 0.0


def amount(number: float) -> Decimal:
    """Give the shortest Decimal that is this double, a whole one without a fraction."""
    return Decimal(repr(finite(number)).removesuffix(".0"))


_PLAIN = Scalar(_as_it_is, lambda value: value)

SCALARS: Mapping[tuple[Any, int], Scalar] = {
    (str, FieldDescriptor.CPPTYPE_STRING): _PLAIN,
    (bytes, FieldDescriptor.CPPTYPE_STRING): _PLAIN,  # one C++ type for both
    (bool, FieldDescriptor.CPPTYPE_BOOL): _PLAIN,
    (int, FieldDescriptor.CPPTYPE_INT32): _PLAIN,
    (int, FieldDescriptor.CPPTYPE_INT64): _PLAIN,
    (float, FieldDescriptor.CPPTYPE_DOUBLE): Scalar(_as_it_is, finite),
    (Decimal, FieldDescriptor.CPPTYPE_DOUBLE): Scalar(lambda value, strict: float(value), amount),
}
"""By the model's type and the field's."""


def enum_scalar(enum: type[WireEnum], wire: EnumDescriptor, *, may_be_unknown: bool) -> Scalar:
    """Make the pair for an enum: members by name, number 0 and numbers that nobody knows are UNKNOWN.

    Args:
        enum: the model's enum.
        wire: the wire's; its names carry a prefix, which is what stands before its number 0's ``UNSPECIFIED``.
        may_be_unknown: UNKNOWN is what the field is when nobody says otherwise, so it may be sent.
    """
    unknown = enum("unknown")
    prefix = wire.values_by_number[0].name.removesuffix("UNSPECIFIED")
    members = {value.number: enum(value.name.removeprefix(prefix).lower()) for value in wire.values if value.number}
    numbers = {member: number for number, member in members.items()} | {unknown: 0}

    def put(value: Value, strict: bool) -> int:
        number = numbers.get(value)
        if number is None:
            msg = f"must be a {enum.__name__}, got {value!r}"
            raise ValueError(msg)
        if strict and not number and not may_be_unknown:
            msg = "is UNKNOWN, which cannot be sent"
            raise ValueError(msg)
        return number

    return Scalar(put, lambda number: members.get(number, unknown))


# --- protobuf's well-known messages ---


def _fill_value(message: Message, value: Value, strict: bool) -> None:
    message.value = value


def _fill_seconds(message: Message, value: timedelta, strict: bool) -> None:
    seconds, rest = divmod(value, SECOND)
    if rest:
        msg = f"must be whole seconds, got {value!r}"
        raise ValueError(msg)
    message.value = seconds


def _fill_timestamp(message: Message, value: datetime, strict: bool) -> None:
    since = value - EPOCH
    message.seconds = since // SECOND
    message.nanos = since.microseconds * 1000


def take_timestamp(message: Message) -> datetime | None:
    """Give the time, its nanoseconds cut to microseconds; ``None`` for one that no calendar has."""
    if message.seconds not in TIMESTAMP_SECONDS or message.nanos not in NANOSECONDS:
        return None
    return EPOCH + timedelta(seconds=message.seconds, microseconds=message.nanos // 1000)


def _fill_duration(message: Message, value: timedelta, strict: bool) -> None:
    if abs(value) > timedelta(seconds=MAX_DURATION_SECONDS):
        msg = f"must be shorter than 10,000 years either way, got {value!r}"
        raise ValueError(msg)
    seconds, micros = divmod(abs(value) // MICROSECOND, 1_000_000)
    sign = -1 if value < timedelta(0) else 1  # protobuf wants both numbers to carry it
    message.seconds = sign * seconds
    message.nanos = sign * micros * 1000


def take_duration(message: Message) -> timedelta | None:
    """Give the duration, its nanoseconds cut to microseconds; ``None`` for one that protobuf does not allow."""
    if abs(message.seconds) > MAX_DURATION_SECONDS or abs(message.nanos) not in NANOSECONDS:
        return None
    return timedelta(seconds=message.seconds, microseconds=message.nanos // 1000)


_VALUE = Part(_fill_value, lambda message: message.value)

WELL_KNOWN: Mapping[tuple[Any, str], Part] = {
    (str, "google.protobuf.StringValue"): _VALUE,
    (int, "google.protobuf.Int32Value"): _VALUE,
    (timedelta, "google.protobuf.Int32Value"): Part(_fill_seconds, lambda message: timedelta(seconds=message.value)),
    (timedelta, "google.protobuf.Duration"): Part(_fill_duration, take_duration),
    (datetime, "google.protobuf.Timestamp"): Part(_fill_timestamp, take_timestamp),
}
"""By the model's type and the message's full name."""


# --- expiries ---


def _fill_expiry(message: Message, value: datetime | None, strict: bool) -> None:
    if value == EPOCH:
        msg = "at the epoch means no expiry on the wire; leave it out"
        raise ValueError(msg)
    _fill_timestamp(message, EPOCH if value is None else value, strict)


def _take_expiry(message: Message) -> datetime | None:
    expiry = take_timestamp(message)
    return None if expiry == EPOCH else expiry


EXPIRY = Part(_fill_expiry, _take_expiry)
"""An ``expires_at``: 0 means never, and is sent for ``None``, since the JavaScript SDK reads it unguarded."""
