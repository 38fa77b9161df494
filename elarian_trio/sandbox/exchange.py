"""What is asked over HTTP and answered, as the rules of the stand-ins see it: values, without I/O.

:mod:`.web` makes requests and sends replies; the rules are in between.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeAlias, cast

if TYPE_CHECKING:
    from datetime import datetime

    from elarian_trio.sandbox.books import Books
    from elarian_trio.sandbox.world.work import Dice

__all__ = [
    "NO_REQUEST",
    "Call",
    "Exchange",
    "Log",
    "Operation",
    "Rule",
    "WebReply",
    "WebRequest",
    "json_reply",
    "read_json",
]

MAX_LOGGED = 1_000  # exchanges that the log holds, the latest
MAX_LOGGED_BYTES = 8 * 1024 * 1024  # of their bodies, together; but always the latest one
MAX_NESTING = 100  # of JSON in JSON: it is read and written by recursion, and answers put what was sent deeper


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRequest:
    """What was asked. Its repr shows neither headers nor body nor query, where credentials and people are named.

    Attributes:
        method: in upper case.
        path: as it came, percent-encoded.
        params: what stands in the path where the operation has a name in braces, percent-decoded.
        query: names and values, decoded, in order.
        headers: by their names in lower case; of several the last.
        body: the bytes.
    """

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    body: bytes = field(default=b"", repr=False)


NO_REQUEST = WebRequest(method="", path="")
"""Of a unit of work that nobody asked for over HTTP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebReply:
    """What is answered.

    Attributes:
        status: the HTTP status code.
        headers: by their names in lower case.
        body: the bytes.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = field(default=b"", repr=False)


def json_reply(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> WebReply:
    """Answer with *value* as JSON."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return WebReply(status=status, headers={"content-type": "application/json", **(headers or {})}, body=body)


def read_json(body: bytes) -> Any:  # noqa: ANN401 - whatever was sent
    """Read JSON of which an answer can be made: no NaN, no number beyond a double's, and nothing too deep.

    Raises:
        ValueError: it is none; as :func:`json.loads` says it, or in words.
    """
    try:
        value = json.loads(body, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError:
        value = None
    else:
        if not _nests_deeper(value, MAX_NESTING):
            return value
    msg = f"nested deeper than {MAX_NESTING} levels"
    raise ValueError(msg)


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is no number of JSON's"
    raise ValueError(msg)


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        msg = "a number is too large"
        raise ValueError(msg)
    return value


def _nests_deeper(value: object, levels: int) -> bool:
    """Say whether there are more *levels* of lists and objects in one another; itself without recursion."""
    level = [value]
    for _ in range(levels + 1):
        level = [part for each in level for part in _parts_of(each)]
        if not level:
            return False
    return True


def _parts_of(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).values()
    return cast("list[object]", value) if isinstance(value, list) else ()


class Exchange(NamedTuple):
    """A request and what became of it, as the log of a stand-in shows it.

    Attributes:
        at: when it came, by the sandbox's clock.
        request: what was asked.
        status: what it was answered with; ``None`` where no answer was sent (yet).
    """

    at: datetime
    request: WebRequest
    status: int | None


class Log:
    """The last exchanges, within a bound of their number and of the length of their bodies."""

    def __init__(self) -> None:
        self._exchanges: dict[int, Exchange] = {}
        self._numbers = count()
        self._bytes = 0

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """All of them, in order."""
        return tuple(self._exchanges.values())

    def begin(self, exchange: Exchange) -> int:
        """Take in a new one, and give what it is changed by."""
        number = next(self._numbers)
        self._put(number, exchange)
        return number

    def change(self, number: int, **values: Any) -> None:  # noqa: ANN401 - fields of several types
        """Say more of one, unless it is forgotten by now."""
        found = self._exchanges.get(number)
        if found is not None:
            self._bytes -= len(found.request.body)
            self._put(number, found._replace(**values))

    def _put(self, number: int, exchange: Exchange) -> None:
        self._exchanges[number] = exchange
        self._bytes += len(exchange.request.body)
        while len(self._exchanges) > 1 and (len(self._exchanges) > MAX_LOGGED or self._bytes > MAX_LOGGED_BYTES):
            oldest = self._exchanges.pop(next(iter(self._exchanges)))
            self._bytes -= len(oldest.request.body)

    def clear(self) -> None:
        """Forget all."""
        self._exchanges.clear()
        self._bytes = 0


class Call(NamedTuple):
    """What a rule is handed.

    Attributes:
        request: what is asked.
        books: what there is, and what the rule changes.
        now: the sandbox's present.
        dice: where ids and secrets come from.
    """

    request: WebRequest
    books: Books
    now: datetime
    dice: Dice


Rule: TypeAlias = Callable[[Call], WebReply]


class Operation(NamedTuple):
    """What a stand-in can be asked.

    Attributes:
        method: in upper case.
        path: with names in braces for segments that vary, as ``/api/v1/customers/{customer_id}``.
        rule: what answers it.
    """

    method: str
    path: str
    rule: Rule
