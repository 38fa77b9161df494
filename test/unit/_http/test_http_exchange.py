"""Requests, responses and addresses as values: what is sent to the letter, and what is refused before it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elarian_trio._http import Request, Response, base_of, path_of
from elarian_trio._http.exchange import bare

NOW = datetime(2024, 1, 1, tzinfo=UTC)


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), min_size=1), min_size=1))
def test_segments_come_back_whatever_is_in_them(segments: list[str]) -> None:
    """RFC 3986: a server splits at slashes, then decodes each part."""
    if {".", ".."} & set(segments):
        return
    assert [unquote(part) for part in path_of(*segments)[1:].split("/")] == segments


def test_segment_keeps_no_character_that_a_server_might_read() -> None:
    """The facts about Planship: ids may be addresses of mail, and worse."""
    assert path_of("a/b", "é+%", "asha@example.com", "a b?#") == "/a%2Fb/%C3%A9%2B%25/asha%40example.com/a%20b%3F%23"


@pytest.mark.parametrize("segment", ["", ".", "..", "\ud800"])
def test_segment_that_would_be_another_path_is_refused(segment: str) -> None:
    """This SDK: proxies and servers take them as steps; UTF-8 cannot carry the last one."""
    with pytest.raises(ValueError, match=r"must not be|surrogates"):
        path_of("customers", segment)


def test_segment_that_is_no_text_is_refused() -> None:
    """This SDK: an id that is None is a mistake, and not the customer "None"."""
    missing: Any = None
    with pytest.raises(TypeError, match="got NoneType"):
        path_of("customers", missing)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://api.planship.io", "https://api.planship.io"),
        ("http://h:8080//", "http://h:8080"),
        ("https://h/path/", "https://h/path"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("http://h:", "http://h:"),
        ("http://h.:1", "http://h.:1"),
        (f"http://{'h' * 63}.my_host", f"http://{'h' * 63}.my_host"),
    ],
)
def test_base_has_no_slash_at_its_end(url: str, base: str) -> None:
    """Planship's own clients paste strings, and ask for //api then."""
    assert base_of(url) == base


@pytest.mark.parametrize(
    "url",
    [
        "",
        "h",
        "ftp://h",
        "ws://h",
        "http://",
        "http://h:99999",
        "http://h:0",
        "http://h:x",
        "http://a b",
        "http://h\n/",
        "http://a..b",
        f"http://{'h' * 64}.com",
    ],
)
def test_what_is_no_base_is_refused_with_what_would_be(url: str) -> None:
    """This SDK: bad arguments are ValueError, before anything is sent."""
    with pytest.raises(ValueError, match="looks like https://host"):
        base_of(url)


@pytest.mark.parametrize(
    "url", ["http://user:hunter2@h", "ftp://user:hunter2@h", "http://h?a=hunter2", "http://h#hunter2"]
)
def test_base_with_credentials_is_refused_without_repeating_them(url: str) -> None:
    """This SDK: credentials appear in no error."""
    with pytest.raises(ValueError, match="no credentials") as caught:
        base_of(url)
    assert "hunter2" not in str(caught.value)


def test_base_may_be_of_other_schemes() -> None:
    """Planship: updates come from a ws or wss address."""
    assert base_of("wss://h/", schemes=("ws", "wss")) == "wss://h"
    with pytest.raises(ValueError, match="looks like wss://host or ws://"):
        base_of("https://h", schemes=("ws", "wss"))
    number: Any = 7
    with pytest.raises(TypeError, match="got int"):
        base_of(number)


def test_query_is_encoded_as_a_path_is() -> None:
    """The facts: a space is %20 in both, and a name may come again."""
    request = Request(method="GET", path="/p", query=(("token", "a/b+c é"), ("o", "x"), ("o", "-y")))
    assert request.target == "/p?token=a%2Fb%2Bc%20%C3%A9&o=x&o=-y"
    assert Request(method="GET", path="/p").target == "/p"


def test_request_shows_nothing_that_may_be_secret() -> None:
    """This SDK: credentials appear in no repr, and neither do customers."""
    request = Request(
        method="GET", path="/c/asha", query=(("token", "t"),), headers={"authorization": "b"}, content=b"s"
    )
    assert repr(request) == "Request(method='GET')"
    assert repr(request.headers) == "<1 headers>"


@pytest.mark.parametrize("value", ["a\nb", "é", "a\0"])
def test_header_that_cannot_be_sent_is_refused_without_repeating_it(value: str) -> None:
    """This SDK: the libraries below repeat it, and it may be a token."""
    with pytest.raises(ValueError, match="the header authorization must be of printable ASCII") as caught:
        Request(method="GET", path="/", headers={"accept": "a", "authorization": value})
    assert value not in str(caught.value)


@pytest.mark.parametrize(("status", "is_success"), [(199, False), (200, True), (204, True), (299, True), (300, False)])
def test_success_is_two_hundred_and_something(status: int, *, is_success: bool) -> None:
    """RFC 9110 §15.3."""
    assert Response(status=status).is_success is is_success


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[" * 100_000])
def test_body_that_is_no_json_is_a_value_error(body: bytes) -> None:
    """This SDK: one kind of error for whatever is wrong with it."""
    with pytest.raises(ValueError, match=r"."):
        Response(status=200, body=body).json()


def test_body_is_read_as_json() -> None:
    """RFC 8259."""
    assert Response(status=200, body='{"a": "é"}'.encode()).json() == {"a": "é"}


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Mon, 01 Jan 2024 00:01:30 GMT", 90.0),
        ("Mon, 01 Jan 2024 00:01:30", 90.0),
        ("Sun, 31 Dec 2023 23:00:00 GMT", 0.0),
        ("-1", None),
        ("1.5", None),
        ("²", None),
        ("soon", None),
        ("", None),
        ("Wed, 01 Jan 99999 00:00:00 GMT", None),
        ("9" * 400, float("inf")),
    ],
)
def test_retry_after_is_seconds_or_a_date(said: str, seconds: float | None) -> None:
    """RFC 9110 §10.2.3; what is neither says nothing."""
    assert Response(status=503, headers={"retry-after": said}).retry_after(NOW) == seconds


def test_response_without_retry_after_says_nothing() -> None:
    """RFC 9110 §10.2.3: it need not be there."""
    assert Response(status=503).retry_after(NOW) is None


def test_bare_errors_have_no_tracebacks() -> None:
    """This SDK: frames of the libraries below hold headers, and a traceback may show variables."""
    with pytest.raises(OSError, match="outer") as caught:  # noqa: PT012 - the inner one is what it comes of
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise OSError("outer") from inner
    error = bare(caught.value)
    assert error is caught.value
    assert error.__traceback__ is None
    assert error.__cause__ is not None
    assert error.__cause__.__traceback__ is None


@pytest.mark.parametrize("body", [b'{"access_token": "s3cret"', b'{"access_token": "s3cret\xff"}', b"[" * 100_000])
def test_error_of_a_body_that_is_no_json_holds_nothing_of_it(body: bytes) -> None:
    """Promise 4 of the design: Python's own keep the whole text, and the one that cannot be read may be a token's."""
    with pytest.raises(ValueError, match=r"delimiter|codec|nested too deeply") as caught:
        Response(status=200, body=body).json()
    assert (type(caught.value), vars(caught.value), caught.value.__context__) == (ValueError, {}, None)
