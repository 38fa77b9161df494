"""What goes wrong on purpose with a stand-in's HTTP: values and counting."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from elarian_trio.sandbox.exchange import WebRequest
from elarian_trio.sandbox.faults import FaultError
from elarian_trio.sandbox.web_faults import WebFault, WebFaults

POST = WebRequest(method="POST", path="/a/b%2Fc")
GET = WebRequest(method="GET", path="/a")


def test_the_first_rule_that_bites_is_what_happens_and_counts() -> None:
    """As the sandbox's own faults: those behind it have not seen what it has bitten."""
    faults = WebFaults()
    first = faults.add(WebFault.drop(), on="POST /a/*", times=1, skip=1)
    second = faults.add(WebFault.delay(1.5), on="POST *")
    assert faults.on_request(GET) is None
    assert [faults.on_request(POST) for _ in range(3)] == [second.fault, first.fault, second.fault]
    assert (first.seen, first.bites, second.seen, second.bites) == (2, 1, 2, 2)
    assert repr(first) == "<WebRule drop on POST /a/*: seen 2, bites 1>"
    assert faults.rules == (first, second)
    faults.remove(second)
    faults.remove(second)
    assert faults.on_request(POST) is None
    faults.clear()
    assert faults.rules == ()


def test_the_same_seed_bites_the_same() -> None:
    """The house: seeds; and without one, the dice are nobody's."""

    def bitten(seed: int | None) -> list[bool]:
        faults = WebFaults(seed)
        faults.add(WebFault.drop(), probability=0.5)
        return [faults.on_request(GET) is not None for _ in range(64)]

    assert bitten(1) == bitten(1) != bitten(2)
    assert bitten(None) != bitten(None)


def test_an_answer_says_that_it_was_provoked_or_what_it_is_given() -> None:
    """JSON, or bytes as they are; with headers."""
    assert json.loads(WebFault.status(503).reply.body) == {"detail": "provoked by a fault rule of the sandbox"}
    given = WebFault.status(429, {"detail": []}, headers={"retry-after": "2"}, when="after")
    assert json.loads(given.reply.body) == {"detail": []}
    assert given.reply.headers == {"content-type": "application/json", "retry-after": "2"}
    assert (given.kind, given.when) == ("answer", "after")
    garbled = WebFault.not_json(b"<", status=502).reply
    assert (garbled.status, garbled.body, garbled.headers) == (502, b"<", {"content-type": "text/html"})


def test_headers_go_by_their_names_in_lower_case() -> None:
    """A past bug: a ``Content-Type`` as most people write it stood beside the one that it should have replaced."""
    given = WebFault.status(503, b"<", headers={"Content-Type": "text/html", "Retry-After": "2"})
    assert given.reply.headers == {"content-type": "text/html", "retry-after": "2"}


SECONDS: Any = {"retry-after": 1}  # which was a 500 of the server's own, and a traceback in its log
NO_TEXT: Any = 503
FRACTION: Any = 503.0  # which went out as "503.0"
ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)
NO_MAPPING: Any = [("a", "b")]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: WebFault.status(199), "status must be an HTTP status from 200 to 599"),
        (lambda: WebFault.status(True), "status must be"),
        (lambda: WebFault.status(FRACTION), "status must be"),
        (lambda: WebFault.status(503, [math.nan]), "body must be a value that JSON can hold"),
        (lambda: WebFault.status(503, ENDLESS), "body must be a value that JSON can hold"),
        (lambda: WebFault.status(503, headers=SECONDS), "headers must be names and values of printable ASCII text"),
        (lambda: WebFault.status(503, headers={"a": "b\nc"}), "headers must be"),
        (lambda: WebFault.status(503, headers={"a": "é"}), "headers must be"),
        (lambda: WebFault.status(503, headers={"a b": "c"}), "headers must be"),
        (lambda: WebFault.status(503, headers=NO_MAPPING), "headers must be"),
        (lambda: WebFault.delay(0), "seconds must be"),
        (lambda: WebFault.drop(when="during"), "when must be"),
        (lambda: WebFaults().add("drop"), "fault must be a WebFault"),
        (lambda: WebFaults().add(WebFault.drop(), on="POST"), "on must be a method and a path"),
        (lambda: WebFaults().add(WebFault.drop(), on=NO_MAPPING), "on must be a method and a path"),
        (lambda: WebFaults().add(WebFault.drop(), on=NO_TEXT), "on must be a method and a path"),
        (lambda: WebFaults().add(WebFault.drop(), probability=0), "probability must be"),
        (lambda: WebFaults().add(WebFault.drop(), times=0), "times must be"),
        (lambda: WebFaults().add(WebFault.drop(), skip=-1), "skip must be"),
    ],
)
def test_what_cannot_be_says_why(make: Any, words: str) -> None:  # noqa: ANN401 - a function
    """As the sandbox's own faults."""
    with pytest.raises(FaultError, match=words):
        make()


@pytest.mark.parametrize("body", [{}, [], "", 0, False])
def test_a_body_that_is_empty_is_sent_as_it_is(body: object) -> None:
    """A past bug: an object without anything in it could not be answered."""
    assert json.loads(WebFault.status(200, body).reply.body) == body
