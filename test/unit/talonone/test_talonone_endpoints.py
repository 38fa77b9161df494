"""The five operations as requests, and what is made of each kind of response. Without I/O."""

from __future__ import annotations

import json
from typing import Any

import pytest

from elarian_trio import errors
from elarian_trio._http import Request, Response
from elarian_trio.talonone import NewCustomerProfile, NewCustomerSession, NewEvent, NewReferral, endpoints

JSON = {"content-type": "application/json"}

REQUESTS: list[tuple[Request, str, str, bytes | None]] = [
    (
        endpoints.create_referral(NewReferral(campaign_id=3, advocate_profile_integration_id="u1")),
        "POST",
        "/v1/referrals",
        b'{"campaignId":3,"advocateProfileIntegrationId":"u1"}',
    ),
    (
        endpoints.track_event(NewEvent(session_id="s", type="seen"), dry=False),
        "POST",
        "/v1/events",
        b'{"sessionId":"s","type":"seen","attributes":{}}',
    ),
    (
        endpoints.track_event(NewEvent(session_id="s", type="seen"), dry=True),
        "POST",
        "/v1/events?dry=true",
        b'{"sessionId":"s","type":"seen","attributes":{}}',
    ),
    (
        endpoints.update_customer_profile("u1", NewCustomerProfile(), dry=False),
        "PUT",
        "/v1/customer_profiles/u1",
        b"{}",
    ),
    (
        endpoints.update_customer_profile("u1", NewCustomerProfile(attributes={"a": None}), dry=True),
        "PUT",
        "/v1/customer_profiles/u1?dry=true",
        b'{"attributes":{"a":null}}',
    ),
    (
        endpoints.update_customer_session("s", NewCustomerSession(state="closed"), dry=False),
        "PUT",
        "/v1/customer_sessions/s",
        b'{"state":"closed"}',
    ),
    (
        endpoints.update_customer_session("s", NewCustomerSession(), dry=True),
        "PUT",
        "/v1/customer_sessions/s?dry=true",
        b"{}",
    ),
    (endpoints.delete_customer_data("u1", signed=False), "DELETE", "/v1/customer_data/u1", None),
    (endpoints.delete_customer_data("u1", signed=True), "DELETE", "/v1/customer_data/u1", b"{}"),
]


@pytest.mark.parametrize(("request_", "method", "target", "content"), REQUESTS)
def test_operation_asks_for_this(request_: Request, method: str, target: str, content: bytes | None) -> None:
    """The facts, the table of operations: method, path and body."""
    assert (request_.method, request_.target, request_.content) == (method, target, content)
    assert request_.headers == ({} if content is None else JSON)


ODD = "a/b c+é@x.y%"


@pytest.mark.parametrize(
    "made",
    [
        endpoints.delete_customer_data(ODD, signed=False),
        endpoints.update_customer_profile(ODD, NewCustomerProfile(), dry=False),
        endpoints.update_customer_session(ODD, NewCustomerSession(), dry=False),
    ],
)
def test_id_is_one_segment_of_the_path(made: Request) -> None:
    """The facts, section 1: UTF-8, percent-encoded; the generated clients send the same."""
    assert made.path.endswith("/a%2Fb%20c%2B%C3%A9%40x.y%25")
    assert made.path.count("/") == 3


@pytest.mark.parametrize("body", [None, {"total": 1}])
def test_body_of_the_wrong_type_is_refused_with_words(body: Any) -> None:  # noqa: ANN401 - bad on purpose
    """errors.py: a TypeError that says which class would be right."""
    for make, wanted in [
        (lambda: endpoints.create_referral(body), "a NewReferral"),
        (lambda: endpoints.track_event(body, dry=False), "a NewEvent"),
        (lambda: endpoints.update_customer_profile("c", body, dry=False), "a NewCustomerProfile"),
        (lambda: endpoints.update_customer_session("c", body, dry=False), "a NewCustomerSession"),
    ]:
        with pytest.raises(TypeError, match=f"body must be {wanted}, got {type(body).__name__}"):
            make()


@pytest.mark.parametrize("bad", ["", ".", ".."])
def test_id_that_is_no_segment_is_refused(bad: str) -> None:
    """The facts, section 1: an empty id is a 404, and dots are steps to whatever stands in between."""
    with pytest.raises(ValueError, match="must not be"):
        endpoints.delete_customer_data(bad, signed=False)


def answer(status: int, value: object) -> Response:
    """Give a JSON response."""
    return Response(status=status, body=json.dumps(value).encode())


@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_success_is_one(status: int) -> None:
    """The facts, the table of operations: a client accepts any 2xx."""
    assert endpoints.read_state(answer(status, {"event": {"id": 1}})).event.id == 1
    assert endpoints.read_referral(answer(status, {"code": "ABCD"})).code == "ABCD"
    endpoints.read_nothing(Response(status=status, body=b"<html>"))


def test_answer_without_content_is_done() -> None:
    """The facts, section 9: 204, with neither body nor type."""
    endpoints.read_nothing(Response(status=204))


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b'"x"', b"{}", b'{"event":null}', b"\xff", b"[" * 99_999]
)
def test_success_that_says_nothing_of_use_is_an_error(body: bytes) -> None:
    """This SDK: a proxy's page, or another service's JSON, is not taken for "no effects"."""
    for read in (endpoints.read_state, endpoints.read_referral):
        with pytest.raises(errors.TalonOneError, match="200: the answer is not") as caught:
            read(Response(status=200, body=body))
        assert (caught.value.status, caught.value.body) == (200, body)


STATUSES = {
    400: errors.TalonOneInvalid,
    401: errors.TalonOneUnauthorized,
    404: errors.TalonOneNotFound,
    409: errors.TalonOneConflict,
    405: errors.TalonOneError,
    429: errors.TalonOneError,
    500: errors.TalonOneError,
    302: errors.TalonOneError,
}


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
def test_status_has_its_error(status: int, kind: type[errors.TalonOneError]) -> None:
    """The facts, section 10: subclasses for 400, 401, 404 and 409."""
    for read in (endpoints.read_state, endpoints.read_referral, endpoints.read_nothing):
        with pytest.raises(errors.TalonOneError, match=f"{status}: no") as caught:
            read(answer(status, {"message": "no", "StatusCode": status}))
        assert type(caught.value) is kind
        assert caught.value.message == "no"


def test_validation_error_says_what_is_wrong_where() -> None:
    """The facts, sections 10 and 12: title, details and the pointer, in the exception's text, too."""
    body = {
        "message": "The submitted data was invalid",
        "errors": [
            {"title": "Unknown", "details": "no such attribute", "source": {"pointer": "/attributes/X"}},
            {"title": "bad", "source": {"parameter": "dry"}},
            {"title": "bad", "source": {"line": 3}},
        ],
    }
    error = endpoints.error_of(answer(400, body))
    assert error.errors == (
        errors.TalonOneProblem(title="Unknown", details="no such attribute", pointer="/attributes/X"),
        errors.TalonOneProblem(title="bad", parameter="dry"),
        errors.TalonOneProblem(title="bad", line="3"),
    )
    assert "/attributes/X: Unknown: no such attribute" in str(error)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (502, b"<html>502</html>", "Bad Gateway"),
        (502, b"\xff\xfe", "Bad Gateway"),
        (404, b"", "Not Found"),
        (400, b"[1]", "Bad Request"),
        (400, b'{"message":""}', "Bad Request"),
        (400, b'{"message":7}', "Bad Request"),
        (599, b"", "the service answered with an error"),
    ],
)
def test_error_without_a_message_keeps_its_raw_body(status: int, body: bytes, message: str) -> None:
    """The facts, section 10: server trouble may not be JSON, and the client copes."""
    error = endpoints.error_of(Response(status=status, body=body))
    assert (error.status, error.message, error.body, error.errors) == (status, message, body, ())


@pytest.mark.parametrize("odd", [None, 7, "x", {"a": 1}])
def test_errors_that_are_no_list_are_none(odd: Any) -> None:  # noqa: ANN401 - bad on purpose
    """This SDK: an error about an error helps nobody."""
    assert endpoints.error_of(answer(400, {"message": "no", "errors": odd})).errors == ()


@pytest.mark.parametrize("odd", [None, 7, [], {}, {"title": []}, {"source": 7}, {"source": {"pointer": {}}}])
def test_malformed_problem_is_a_blank_one(odd: Any) -> None:  # noqa: ANN401 - bad on purpose
    """This SDK: the same."""
    error = endpoints.error_of(answer(400, {"message": "no", "errors": [odd, {"title": "t"}]}))
    assert error.errors == (errors.TalonOneProblem(), errors.TalonOneProblem(title="t"))
    assert str(error) == "400: no (t)"
