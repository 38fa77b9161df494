"""Reads what is asked, and says what is wrong with it in the service's own way.

That way is FastAPI's with pydantic 1: ``{"detail": "…"}``, or for what fails validation a 422 with a list of
``{"loc", "msg", "type"}``, one for each mistake. What a body holds besides is ignored, as there.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, cast

from elarian_trio._arguments import is_encodable
from elarian_trio.sandbox.exchange import json_reply, read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from elarian_trio.sandbox.exchange import WebReply, WebRequest

__all__ = ["Field", "Refused", "read_body", "read_flag", "read_order", "read_uuid"]

MAX_ALTERNATIVE_ID = 256  # characters, says the vendor's documentation
MAX_WHOLE = 2**63 - 1  # of a number, as databases have it; sums of those that have no end cannot be answered


class Refused(Exception):
    """What is asked is answered with an error.

    Attributes:
        reply: the answer.
    """

    def __init__(self, status: int, detail: object, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.reply: WebReply = json_reply({"detail": detail}, status, headers)


class Wrong(Exception):
    """A value is not what it should be: pydantic's words and name for it."""

    def __init__(self, words: str, kind: str) -> None:
        super().__init__(words)
        self.kind = kind


class Field(NamedTuple):
    """One field of a body.

    Attributes:
        read: makes a value of what JSON holds, or raises :class:`Wrong`.
        required: whether it must be there.
    """

    read: Callable[[Any], Any]
    required: bool = False


def read_body(request: WebRequest, fields: Mapping[str, Field]) -> dict[str, Any]:
    """Read a body: what of *fields* is there and is not null.

    Raises:
        Refused: it is no JSON object (422), or not all of *fields* are as they should be.
    """
    value = _parse(request.body)
    found: dict[str, Any] = {}
    mistakes: list[dict[str, object]] = []
    for name, field in fields.items():
        try:
            if value.get(name) is not None:
                found[name] = field.read(value[name])
            elif field.required:
                _miss(is_null=name in value)
        except Wrong as wrong:
            mistakes.append(_mistake(wrong, "body", name))
    if mistakes:
        raise Refused(422, mistakes)
    return found


def _parse(body: bytes) -> dict[str, Any]:
    try:
        value = read_json(body)
    except ValueError as error:
        place = error.pos if isinstance(error, json.JSONDecodeError) else 0
        words = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        wrong = Wrong(words, "value_error.jsondecode") if body else Wrong("field required", "value_error.missing")
        raise Refused(422, [_mistake(wrong, "body", *([place] if body else []))]) from None
    if not isinstance(value, dict):
        raise Refused(422, [_mistake(Wrong("value is not a valid dict", "type_error.dict"), "body")])
    return cast("dict[str, Any]", value)


def _miss(*, is_null: bool) -> NoReturn:
    if is_null:
        msg = "none is not an allowed value"
        raise Wrong(msg, "type_error.none.not_allowed")
    msg = "field required"
    raise Wrong(msg, "value_error.missing")


def _mistake(wrong: Wrong, *place: str | int) -> dict[str, object]:
    return {"loc": list(place), "msg": str(wrong), "type": wrong.kind}


# --- values ---


def text(value: Any) -> str:  # noqa: ANN401 - what JSON holds, here and below
    """Read a string."""
    if not isinstance(value, str):
        msg = "str type expected"
        raise Wrong(msg, "type_error.str")
    _check_writable(value)
    return value


def _check_writable(text: str) -> None:
    """UTF-8 has no lone surrogates, so that an answer could not hold one."""
    if not is_encodable(text):
        msg = "a lone surrogate is no character"
        raise Wrong(msg, "value_error.str")


def alternative_id(value: Any) -> str:  # noqa: ANN401
    """Read a name of the user's own choice, which paths must be able to hold."""
    found = text(value)
    if len(found) > MAX_ALTERNATIVE_ID:
        msg = f"ensure this value has at most {MAX_ALTERNATIVE_ID} characters"
        raise Wrong(msg, "value_error.any_str.max_length")
    if not found:
        msg = "ensure this value has at least 1 characters"
        raise Wrong(msg, "value_error.any_str.min_length")
    return found


def whole(value: Any) -> int:  # noqa: ANN401
    """Read an integer; 2.0 is none, since clients decode what they count as integers."""
    if not isinstance(value, int) or isinstance(value, bool):
        msg = "value is not a valid integer"
        raise Wrong(msg, "type_error.integer")
    if abs(value) > MAX_WHOLE:
        msg = f"ensure this value is not beyond {MAX_WHOLE}"
        raise Wrong(msg, "value_error.number.not_le")
    return value


def seats(value: Any) -> int:  # noqa: ANN401
    """Read a number of seats."""
    found = whole(value)
    if found < 1 and found != -1:
        msg = "ensure this value is greater than 0, or -1 for no limit"
        raise Wrong(msg, "value_error.number.not_gt")
    return found


def flag(value: Any) -> bool:  # noqa: ANN401
    """Read a bool."""
    if not isinstance(value, bool):
        msg = "value could not be parsed to a boolean"
        raise Wrong(msg, "type_error.bool")
    return value


def mapping(value: Any) -> str:  # noqa: ANN401
    """Read an object, and give it as JSON."""
    if not isinstance(value, dict):
        msg = "value is not a valid dict"
        raise Wrong(msg, "type_error.dict")
    _check_writable(json.dumps(value, ensure_ascii=False))
    return json.dumps(value)


def moment(value: Any) -> datetime:  # noqa: ANN401
    """Read a date and time; one without an offset is UTC's."""
    try:
        found = datetime.fromisoformat(text(value))
        return found.replace(tzinfo=UTC) if found.utcoffset() is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        msg = "invalid datetime format"
        raise Wrong(msg, "value_error.datetime") from None


def uuid_text(value: Any) -> str:  # noqa: ANN401
    """Read a UUID, and give it in lower case."""
    try:
        return str(uuid.UUID(text(value)))
    except ValueError:
        msg = "value is not a valid uuid"
        raise Wrong(msg, "type_error.uuid") from None


# --- paths and queries ---


def read_uuid(request: WebRequest, name: str) -> str:
    """Read a UUID out of the path.

    Raises:
        Refused: it is none (422).
    """
    try:
        return uuid_text(request.params[name])
    except Wrong as wrong:
        raise Refused(422, [_mistake(wrong, "path", name)]) from None


_FLAGS: Mapping[str, bool] = {
    **dict.fromkeys(("1", "true", "on", "t", "yes", "y"), True),
    **dict.fromkeys(("0", "false", "off", "f", "no", "n"), False),
}


def read_flag(request: WebRequest, name: str) -> bool:
    """Read a bool out of the query; ``False`` where it is not there.

    Raises:
        Refused: it is none (422).
    """
    found = [value for key, value in request.query if key == name]
    if found and found[-1].lower() not in _FLAGS:
        wrong = Wrong("value could not be parsed to a boolean", "type_error.bool")
        raise Refused(422, [_mistake(wrong, "query", name)])
    return bool(found) and _FLAGS[found[-1].lower()]


def read_order(request: WebRequest, *names: str) -> list[tuple[str, bool]]:
    """Read by what a list shall be ordered: fields, and whether each from the greatest to the least.

    Clients send one or several, "-" before those that are the other way round; any of *names* is the parameter.

    Raises:
        Refused: there is no such field (422).
    """
    found = [(value.removeprefix("-"), value.startswith("-")) for key, value in request.query if key in names]
    if any(field not in ("order", "name", "slug") for field, _ in found):
        wrong = Wrong("what lists are ordered by is order, name or slug", "value_error")
        raise Refused(422, [_mistake(wrong, "query", names[0])])
    return found
