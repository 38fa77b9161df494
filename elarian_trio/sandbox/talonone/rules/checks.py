"""What a body must look like: the schema of each, as tables, and the user's catalogue of attributes. Without I/O.

The schema is the vendor's of May 2019; the words are its later ones where they are published (the facts, section 10).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from elarian_trio._arguments import is_finite
from elarian_trio.sandbox.exchange import read_json
from elarian_trio.sandbox.talonone.rules.work import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elarian_trio.sandbox.talonone.rules.deployment import AttributeKind, Catalogue

Check: TypeAlias = Callable[[Any, str], "Iterator[Problem]"]

INVALID_TYPE = "Invalid type"
RESERVED = "talon_"


class Field(NamedTuple):
    """A field of an object.

    Attributes:
        check: gives what is wrong with its value.
        is_required: whether it must be there; null counts as absent where it need not.
    """

    check: Check
    is_required: bool = False


def parse(body: bytes) -> dict[str, Any]:
    """Read a body; an empty one counts as an empty object.

    Raises:
        Refused: it is no JSON object.
    """
    if not body:
        return {}
    try:
        value = read_json(body)
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate could not be answered
    except ValueError as error:
        raise Refused(400, f"the body cannot be read as JSON: {error}") from None
    if not isinstance(value, dict):
        raise Refused.invalid(Problem("", INVALID_TYPE, "an object is expected"))
    return cast("dict[str, Any]", value)


# --- kinds of values ---


def _kind(words: str, test: Callable[[Any], bool]) -> Check:
    def check(value: Any, pointer: str) -> Iterator[Problem]:  # noqa: ANN401 - whatever was sent
        if not test(value):
            yield Problem(pointer, INVALID_TYPE, f"{words} is expected")

    return check


def is_number(value: Any) -> bool:  # noqa: ANN401
    """Whether it is a number that a double can hold."""
    return isinstance(value, int | float) and not isinstance(value, bool) and is_finite(value)


def _is_integer(value: Any) -> bool:  # noqa: ANN401
    return is_number(value) and value == int(value)


def as_time(value: object) -> datetime | None:
    """Read a time of any offset, with up to nine digits of a second; ``None`` where it is none."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value.upper())
        return None if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


string: Check = _kind("a string", lambda value: isinstance(value, str))
number: Check = _kind("a number", is_number)
integer: Check = _kind("an integer", _is_integer)
time: Check = _kind("a time as RFC 3339 has it", lambda value: as_time(value) is not None)
anything: Check = _kind("an object", lambda value: isinstance(value, dict))


def filled(value: Any, pointer: str) -> Iterator[Problem]:  # noqa: ANN401
    """A string that is not empty."""
    yield from string(value, pointer)
    if value == "":
        yield Problem(pointer, "minLength", "at least one character is expected")


def positive(value: Any, pointer: str) -> Iterator[Problem]:  # noqa: ANN401
    """An integer of at least 1."""
    yield from integer(value, pointer)
    if is_number(value) and value < 1:
        yield Problem(pointer, "minimum", "at least 1 is expected")


def not_negative(value: Any, pointer: str) -> Iterator[Problem]:  # noqa: ANN401
    """A number of at least 0."""
    yield from number(value, pointer)
    if is_number(value) and value < 0:
        yield Problem(pointer, "minimum", "at least 0 is expected")


def one_of(*known: str) -> Check:
    """One of some strings."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:  # noqa: ANN401
        if value not in known:
            yield Problem(pointer, "enum", f"one of {', '.join(known)} is expected")

    return check


def items(check_one: Check) -> Check:
    """A list."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:  # noqa: ANN401
        if not isinstance(cast("object", value), list):  # a checker then narrows that, and not the Any
            yield Problem(pointer, INVALID_TYPE, "a list is expected")
            return
        for index, each in enumerate(value):
            yield from check_one(each, f"{pointer}/{index}")

    return check


def fields(table: Mapping[str, Field], *, strict: bool = False) -> Check:
    """An object with such fields; others are let pass, unless they are not."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:  # noqa: ANN401
        if not isinstance(value, dict):
            yield Problem(pointer, INVALID_TYPE, "an object is expected")
            return
        given = cast("dict[str, Any]", value)
        for name, field in table.items():
            if given.get(name) is not None:
                yield from field.check(given[name], f"{pointer}/{name}")
            elif field.is_required:
                yield Problem(f"{pointer}/{name}", "required")
        for name in given.keys() - table.keys() if strict else ():
            yield Problem(f"{pointer}/{escaped(name)}", "Unknown", "there is no such field")

    return check


def escaped(name: str) -> str:
    """Write a name as part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


# --- attributes ---


_KINDS: Mapping[AttributeKind, Check] = {
    "string": string,
    "number": number,
    "boolean": _kind("a boolean", lambda value: isinstance(value, bool)),
    "time": time,
    "strings": items(string),
    "numbers": items(number),
    "times": items(time),
    "location": anything,
}


def attributes(known: Mapping[str, AttributeKind] | None) -> Check:
    """Attributes, all of which must be known where anything is."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:  # noqa: ANN401
        yield from anything(value, pointer)
        if known is None or not isinstance(value, dict):
            return
        for name, part in cast("dict[str, Any]", value).items():
            here = f"{pointer}/{escaped(name)}"
            if name not in known:
                yield Problem(here, "Unknown", "no such attribute is defined")
            elif part is not None:
                yield from _KINDS[known[name]](part, here)

    return check


# --- bodies ---


def refuse_unless(check: Check, body: dict[str, Any]) -> None:
    """Go on if there is nothing wrong with *body*.

    Raises:
        Refused: there is, and all of it is told.
    """
    problems = tuple(check(body, ""))
    if problems:
        raise Refused.invalid(*problems)


REFERRAL = fields(
    {
        "campaignId": Field(integer, is_required=True),
        "advocateProfileIntegrationId": Field(filled, is_required=True),
        "friendProfileIntegrationId": Field(string),
        "startDate": Field(time),
        "expiryDate": Field(time),
    }
)


def profile(catalogue: Catalogue | None) -> Check:
    """A profile's body."""
    return fields({"attributes": Field(attributes(None if catalogue is None else catalogue.profile))})


def event(catalogue: Catalogue | None, type_: object, *, strict: bool) -> Check:
    """An event's body, which says itself of which type it is."""
    known = None if catalogue is None else catalogue.events.get(type_ if isinstance(type_, str) else "", {})

    def check_type(value: Any, pointer: str) -> Iterator[Problem]:  # noqa: ANN401
        yield from filled(value, pointer)
        if isinstance(value, str) and value.startswith(RESERVED):
            yield Problem(pointer, "Reserved", f"types that begin with {RESERVED} are the service's own")
        elif catalogue is not None and isinstance(value, str) and value and value not in catalogue.events:
            yield Problem(pointer, "Unknown", "no such type is defined")

    table = {
        "sessionId": Field(filled, is_required=True),
        "type": Field(check_type, is_required=True),
        "attributes": Field(attributes(known), is_required=True),
        "profileId": Field(string),
    }
    return fields(table, strict=strict)


def session(catalogue: Catalogue | None, *, strict: bool) -> Check:
    """A session's body."""
    adjustment = {
        "payFromLoyaltyProgram": Field(integer, is_required=True),
        "pointPayment": Field(positive, is_required=True),
        "remainingPrice": Field(not_negative),
    }
    item = {
        "name": Field(filled, is_required=True),
        "sku": Field(filled, is_required=True),
        "quantity": Field(positive, is_required=True),
        "price": Field(number, is_required=True),
        "category": Field(string),
        **dict.fromkeys(("weight", "height", "width", "length", "position"), Field(number)),
        "attributes": Field(attributes(None if catalogue is None else catalogue.cart_item)),
        "adjustment": Field(fields(adjustment)),
    }
    table = {
        **dict.fromkeys(("profileId", "coupon", "referral"), Field(string)),
        "state": Field(one_of("open", "closed", "cancelled")),
        "cartItems": Field(items(fields(item))),
        "total": Field(number),
        "attributes": Field(attributes(None if catalogue is None else catalogue.session)),
    }
    return fields(table, strict=strict)
