"""What goes wrong on purpose with a stand-in's HTTP: which failure, for which requests, how often.

Users set rules by ``server.faults``; :mod:`.web` makes them come true. All of it is values and counting, and the dice
are seeded. It is to HTTP what :mod:`.faults` is to Elarian's own connection, and speaks as that does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from elarian_trio._arguments import is_sendable
from elarian_trio.sandbox.exchange import WebReply
from elarian_trio.sandbox.faults.chance import ChanceRule, ChanceRules
from elarian_trio.sandbox.faults.values import DESCRIPTION, FaultError, When, as_seconds, as_when

if TYPE_CHECKING:
    from elarian_trio.sandbox.exchange import WebRequest

__all__ = ["WebFault", "WebFaults", "WebRule"]

Kind: TypeAlias = Literal["answer", "delay", "drop"]


@dataclass(frozen=True, slots=True)
class WebFault:
    """Something that goes wrong on purpose. Its functions make one; :meth:`WebFaults.add` says when it bites.

    ``when`` says which side of the action it is on: "before", the request is not acted on (or only once the delay is
    over); "after", it was, and its answer is what suffers.

    Attributes:
        kind: what goes wrong.
        when: before or after the request is acted on.
        seconds: of a delay.
        reply: of an answer.
    """

    kind: Kind
    when: When
    seconds: float = 0.0
    reply: WebReply = field(default_factory=WebReply)

    @staticmethod
    def status(
        status: int, body: object = None, *, headers: Mapping[str, str] | None = None, when: When = "before"
    ) -> WebFault:
        """Answer with *status*.

        Args:
            status: the HTTP status code, from 200 to 599.
            body: bytes as they are, or what is sent as JSON; left out, an object that says that this was provoked.
            headers: more of them, as ``{"retry-after": "1"}``.
            when: "before", nothing is done; "after", it is.

        Raises:
            FaultError: that is no such status, no header has such a name or value, or *when* is neither; or the body
                holds a number that JSON has not, or itself.
            TypeError: the body is nothing that JSON can hold.
        """
        if not isinstance(cast("object", status), int) or isinstance(status, bool) or status not in range(200, 600):
            raise FaultError("status", "an HTTP status from 200 to 599", status)
        fields = _checked({} if headers is None else headers)
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        content = body if isinstance(body, bytes) else _json({"detail": DESCRIPTION} if body is None else body)
        reply = WebReply(status=status, headers={"content-type": kind, **fields}, body=content)
        return WebFault("answer", as_when(when), reply=reply)

    @staticmethod
    def not_json(body: bytes = b"<html>this is no JSON</html>", *, status: int = 200, when: When = "after") -> WebFault:
        """Answer with what is no JSON, as a proxy in between might.

        Raises:
            FaultError: as :meth:`status`.
        """
        return WebFault.status(status, body, headers={"content-type": "text/html"}, when=when)

    @staticmethod
    def delay(seconds: float, *, when: When = "before") -> WebFault:
        """Have the answer come *seconds* later, of the sandbox's time.

        Raises:
            FaultError: that is no span of time, or *when* is neither.
        """
        return WebFault("delay", as_when(when), seconds=as_seconds("seconds", seconds))

    @staticmethod
    def drop(*, when: When = "before") -> WebFault:
        """Close the connection without a word.

        Raises:
            FaultError: *when* is neither.
        """
        return WebFault("drop", as_when(when))


_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # of a header: a token, says RFC 9110


def _json(body: object) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (ValueError, RecursionError):
        wanted = "a value that JSON can hold, without nan and infinities, and not nested in itself"
        raise FaultError("body", wanted, type(body)) from None


def _checked(headers: object) -> dict[str, str]:
    """Give *headers*, all of which can be sent, by their names in lower case."""
    given: Any = headers
    if not isinstance(headers, Mapping) or not all(_is_field(name, value) for name, value in given.items()):
        raise FaultError("headers", "names and values of printable ASCII text, as {'retry-after': '1'}", given)
    return {name.lower(): value for name, value in given.items()}


def _is_field(name: object, value: object) -> bool:
    is_name = isinstance(name, str) and _NAME.fullmatch(name) is not None
    return is_name and isinstance(value, str) and is_sendable(value)


class WebRule(ChanceRule):
    """A fault, and when it bites. Made by :meth:`WebFaults.add`.

    Attributes:
        fault: what goes wrong.
        on: which requests, ``None`` for all.
    """

    def __init__(self, fault: WebFault, on: str | None, *, probability: float, times: int | None, skip: int) -> None:
        super().__init__(probability=probability, times=times, skip=skip)
        self.fault: WebFault = fault
        self.on: str | None = on

    def __repr__(self) -> str:
        """Say what it does and how often it did."""
        return f"<WebRule {self.fault.kind} on {self.on or 'all'}: seen {self.seen}, bites {self.bites}>"

    def bites_on(self, request: WebRequest) -> bool:
        """For the stand-in: look at *request*, throw the dice, and say whether the fault bites; that counts."""
        is_meant = self.on is None or fnmatchcase(f"{request.method} {request.path}", self.on)
        return not self.is_spent and is_meant and self.throw()


class WebFaults(ChanceRules[WebRule]):
    """The failures that a stand-in provokes: ``server.faults``. Without rules, none.

    ::

        planship.faults.add(WebFault.status(503, headers={"retry-after": "1"}), on="GET *", times=2)
        lost = planship.faults.add(WebFault.drop(when="after"), on="POST /api/v1/customers")

    Rules are asked in the order in which they were added, and the first one that bites is what happens.
    """

    def add(
        self,
        fault: WebFault,
        *,
        on: str | None = None,
        probability: float = 1.0,
        times: int | None = None,
        skip: int = 0,
    ) -> WebRule:
        """Have *fault* bite from now on.

        Args:
            fault: what goes wrong, as ``WebFault.status(503)``.
            on: which requests: a method and a path as it travels, with ``*`` for any characters, as
                "POST /api/v1/customers" or "GET *"; a handshake of a WebSocket is a GET. Left out: all.
            probability: how likely it is each time, above 0 and up to 1; the dice are the seed's.
            times: how often at most.
            skip: how many are let go before.

        Returns:
            The rule, which counts how often it bit.

        Raises:
            FaultError: an argument is wrong. It is a ValueError.
        """
        if not isinstance(fault, WebFault):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's value
            raise FaultError("fault", "a WebFault, as WebFault.drop()", fault)
        if on is not None and not (isinstance(cast("object", on), str) and " " in on):
            raise FaultError("on", "a method and a path, as 'GET /api/v1/products/*' or 'POST *'", on)
        return self._add(WebRule(fault, on, probability=probability, times=times, skip=skip))

    def on_request(self, request: WebRequest) -> WebFault | None:
        """For the stand-in: give what goes wrong with *request*; that counts."""
        return next((rule.fault for rule in self.rules if rule.bites_on(request)), None)
