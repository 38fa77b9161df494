"""Every operation of Planship's customer API to the byte, as the facts have it from its own clients' wire; no I/O."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest

from elarian_trio._http import Response
from elarian_trio.client.secret import Secret
from elarian_trio.errors import PlanshipError
from elarian_trio.planship import (
    CreateCustomerParameters,
    CreateSubscriptionOptions,
    ModifySubscriptionParameters,
    PlanshipModel,
    Product,
)
from elarian_trio.planship.endpoints import Endpoints, Operation, access_token, error_of, redacted, web_socket_base

E = Endpoints("p é", "c/+%")
P = "/api/v1/products/p%20%C3%A9"
C = "/api/v1/customers/c%2F%2B%25"
U = f"{C}/products/p%20%C3%A9"
WHEN = datetime(2024, 1, 1, 12, 30, tzinfo=timezone(timedelta(hours=3)))

EVERYONE = CreateCustomerParameters(
    alternative_id="a/1", name="Ashé", email="a@b", metadata=MappingProxyType({"k": [1, None, {"x": True}]})
)
EVERY_OPTION = CreateSubscriptionOptions(
    is_subscriber=False, max_subscribers=3, renew_at=WHEN, auto_renew=True, metadata={}
)
EVERY_CHANGE = ModifySubscriptionParameters(
    plan_slug="m", renew_plan_slug="l", max_subscribers=-1, is_active=False, auto_renew=False, renew_at=WHEN
)

REQUESTS: list[tuple[Operation[Any], str, str | None]] = [
    (E.get_product(), f"GET {P}", None),
    (E.list_plans(), f"GET {P}/plans", None),
    (E.list_plans(public_only=True), f"GET {P}/plans?public_only=true", None),
    (E.list_plans(public_only=False, order_by="-name"), f"GET {P}/plans?public_only=false&order_by=-name", None),
    (E.list_plans(order_by=("order", "a&b é")), f"GET {P}/plans?order_by=order&order_by=a%26b%20%C3%A9", None),
    (E.get_plan("s/m"), f"GET {P}/plans/s%2Fm", None),
    (
        E.get_plan("s", levers_order_by=["order", "-name"]),
        f"GET {P}/plans/s?levers_order_by=order&levers_order_by=-name",
        None,
    ),
    (E.list_levers(), f"GET {P}/levers", None),
    (E.list_levers(order_by="slug"), f"GET {P}/levers?order_by=slug", None),
    (E.create_customer(None), "POST /api/v1/customers", "{}"),
    (E.create_customer(CreateCustomerParameters()), "POST /api/v1/customers", "{}"),
    (
        E.create_customer(EVERYONE),
        "POST /api/v1/customers",
        '{"alternative_id":"a/1","name":"Ashé","email":"a@b","metadata":{"k":[1,null,{"x":true}]}}',
    ),
    (E.get_customer("a@b"), "GET /api/v1/customers/a%40b", None),
    (E.delete_customer("é"), "DELETE /api/v1/customers/%C3%A9", None),
    (E.create_subscription("s", None), f"POST {P}/plans/s/subscriptions", '{"customer_id":"c/+%"}'),
    (
        E.create_subscription("s", EVERY_OPTION),
        f"POST {P}/plans/s/subscriptions",
        '{"customer_id":"c/+%","is_subscriber":false,"max_subscribers":3,"renew_at":"2024-01-01T09:30:00+00:00",'
        '"auto_renew":true,"metadata":{}}',
    ),
    (E.list_subscriptions(), f"GET {C}/subscriptions", None),
    (E.list_subscriptions(product_slug="p/1"), f"GET {C}/subscriptions?product_slug=p%2F1", None),
    (E.get_subscription("u"), f"GET {C}/subscriptions/u", None),
    (E.modify_subscription("u", ModifySubscriptionParameters()), f"PATCH {C}/subscriptions/u", "{}"),
    (
        E.modify_subscription("u", EVERY_CHANGE),
        f"PATCH {C}/subscriptions/u",
        '{"plan_slug":"m","renew_plan_slug":"l","max_subscribers":-1,"is_active":false,"auto_renew":false,'
        '"renew_at":"2024-01-01T09:30:00+00:00"}',
    ),
    (E.change_subscription("u", {"is_active": True}), f"PATCH {C}/subscriptions/u", '{"is_active":true}'),
    (E.list_subscription_customers("u"), f"GET {C}/subscriptions/u/customers", None),
    (
        E.add_subscription_customer("u", "d/1", is_administrator=False, is_subscriber=True, metadata=None),
        f"POST {C}/subscriptions/u/customers",
        '{"customer_id":"d/1","is_administrator":false,"is_subscriber":true}',
    ),
    (
        E.add_subscription_customer("u", "d", is_administrator=True, is_subscriber=False, metadata={"a": "b"}),
        f"POST {C}/subscriptions/u/customers",
        '{"customer_id":"d","is_administrator":true,"is_subscriber":false,"metadata":{"a":"b"}}',
    ),
    (E.remove_subscription_customer("u", "d/1"), f"DELETE {C}/subscriptions/u/customers/d%2F1", None),
    (E.get_entitlements(), f"GET {U}/entitlements", None),
    (E.get_lever_usage("l"), f"GET {U}/levers/l/usage", None),
    (E.get_metering_id_usage("m+"), f"GET {U}/usage/m%2B", None),
    (E.report_usage("m", 3, None), f"POST {U}/usage/m", '{"usage":3}'),
    (E.report_usage("m", 0, ""), f"POST {U}/usage/m", '{"usage":0,"bucket":""}'),
]


@pytest.mark.parametrize(("operation", "line", "body"), REQUESTS, ids=[line for _, line, _ in REQUESTS])
def test_request_is_what_the_facts_say(operation: Operation[Any], line: str, body: str | None) -> None:
    """The facts, section 5: verb, path, and JSON in snake case without what was not given, compact as JavaScript's."""
    request = operation.request
    assert f"{request.method} {request.target}" == line
    assert request.content == (None if body is None else body.encode())
    assert request.headers == ({} if body is None else {"content-type": "application/json"})


def test_token_goes_as_bearer_beside_what_was_there() -> None:
    """The facts, section 4: the scheme's name is spelled so, whatever ``token_type`` says."""
    request = E.report_usage("m", 1, None).with_token(Secret("t.1"))
    assert request.headers == {"content-type": "application/json", "authorization": "Bearer t.1"}
    with pytest.raises(ValueError, match="the header authorization must be of printable ASCII"):
        E.get_product().with_token(Secret("t\n1"))


def test_token_is_asked_for_by_basic_and_nothing_else() -> None:
    """The facts, section 4: no body at all, no content type."""
    request = access_token(Secret("ID"), Secret("sécret")).request
    assert (request.method, request.target, request.content) == ("POST", "/api/v1/auth/token", None)
    assert request.headers == {"authorization": "Basic SUQ6c8OpY3JldA=="}


def test_updates_are_asked_for_by_a_token_in_the_query() -> None:
    """The facts, section 9: encoded, unlike the official client's; D21."""
    request = E.entitlement_updates(Secret("t/1+2"), {"upgrade": "websocket"})
    path = "/api/v1/ws/customers/c%2F%2B%25/products/p%20%C3%A9/entitlements"
    assert f"{request.method} {request.target}" == f"GET {path}?token=t%2F1%2B2"
    assert request.headers == {"upgrade": "websocket"}


@pytest.mark.parametrize(
    ("base", "derived"),
    [
        ("https://api.planship.io", "wss://websockets-api.planship.io"),
        ("https://h:8443/path", "wss://websockets-h:8443"),
        ("http://h:8080", "ws://websockets-h:8080"),
    ],
)
def test_updates_come_from_the_host_of_the_api_with_a_word_before_it(base: str, derived: str) -> None:
    """D1 of the facts: the seed's rule, and ws where the API has no TLS."""
    assert web_socket_base(base) == derived


@pytest.mark.parametrize("base", ["https://[::1]", "http://[::1]:8080", f"https://{'h' * 53}.io"])
def test_host_that_has_no_neighbour_of_that_name_gives_none(base: str) -> None:
    """This SDK: what cannot be looked up is said at once, not tried again and again."""
    with pytest.raises(ValueError, match=r"no address of updates follows from .*: give web_socket_url"):
        web_socket_base(base)


# --- what is refused before it is sent ---


def of_the_wrong_type() -> list[tuple[str, Any]]:
    """Give calls with arguments that a type checker would have refused."""
    e: Any = E
    flags = {"is_administrator": False, "is_subscriber": True, "metadata": None}
    return [
        ("params", lambda: e.create_customer({"name": "x"})),
        ("options", lambda: e.create_subscription("s", {"auto_renew": True})),
        ("params", lambda: e.modify_subscription("u", {"plan_slug": "m"})),
        ("params", lambda: e.modify_subscription("u", None)),
        ("an id or slug", lambda: e.get_plan(None)),
        ("public_only", lambda: e.list_plans(public_only=1)),
        ("order_by", lambda: e.list_plans(order_by=None)),
        ("order_by", lambda: e.list_levers(order_by=["name", 1])),
        ("levers_order_by", lambda: e.get_plan("s", levers_order_by={"name"})),
        ("product_slug", lambda: e.list_subscriptions(product_slug=5)),
        ("plan_slug", lambda: e.change_subscription("u", {"plan_slug": None})),
        ("plan_slug", lambda: e.change_subscription("u", {"plan_slug": 1})),
        ("max_subscribers", lambda: e.change_subscription("u", {"max_subscribers": True})),
        ("max_subscribers", lambda: e.change_subscription("u", {"max_subscribers": 1.5})),
        ("auto_renew", lambda: e.change_subscription("u", {"auto_renew": 1})),
        ("renew_at", lambda: ModifySubscriptionParameters(renew_at=e)),
        ("alternative_id", lambda: CreateCustomerParameters(alternative_id=e)),
        ("metadata", lambda: CreateSubscriptionOptions(metadata=e)),
        ("customer_id_to_add", lambda: e.add_subscription_customer("u", None, **flags)),
        ("is_administrator", lambda: e.add_subscription_customer("u", "d", **{**flags, "is_administrator": 1})),
        ("is_subscriber", lambda: e.add_subscription_customer("u", "d", **{**flags, "is_subscriber": None})),
        ("metadata", lambda: e.add_subscription_customer("u", "d", **{**flags, "metadata": [1]})),
        ("usage", lambda: e.report_usage("m", 1.5, None)),
        ("usage", lambda: e.report_usage("m", True, None)),
        ("usage", lambda: e.report_usage("m", None, None)),
        ("bucket", lambda: e.report_usage("m", 1, 7)),
        ("an id or slug", lambda: Endpoints("p", e)),
    ]


@pytest.mark.parametrize(("name", "call"), of_the_wrong_type())
def test_argument_of_the_wrong_type_is_refused(name: str, call: Any) -> None:  # noqa: ANN401 - any call
    """This SDK: a TypeError that says what it should have been; D14 for usage."""
    with pytest.raises(TypeError, match=f"^{name} (must be|is) "):
        call()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: E.get_customer(""), "must not be ''"),
        (lambda: E.get_plan(".."), "must not be '..'"),
        (lambda: Endpoints("", "c"), "must not be ''"),
        (lambda: E.create_customer(CreateCustomerParameters(metadata={"a": float("nan")})), "JSON cannot hold"),
        (lambda: E.create_customer(CreateCustomerParameters(name="\ud800")), "JSON cannot hold"),
        (lambda: CreateSubscriptionOptions(renew_at=datetime(2024, 1, 1)), "aware datetime"),  # noqa: DTZ001, RUF100
        (
            lambda: CreateSubscriptionOptions(renew_at=datetime.min.replace(tzinfo=timezone(timedelta(hours=3)))),
            "years 1 to 9999",
        ),
    ],
)
def test_value_that_cannot_be_sent_is_refused(call: Any, words: str) -> None:  # noqa: ANN401 - any call
    """This SDK: ValueError before anything is sent."""
    with pytest.raises(ValueError, match=words):
        call()


# --- what is answered ---


def test_success_is_read_whichever_it_is() -> None:
    """The facts: every success is 200; another one with a body is one all the same."""
    body = json.dumps({"id": "u", "slug": "p", "name": "P", "organization_id": "o"}).encode()
    for status in (200, 201):
        assert E.get_product().read(Response(status=status, body=body)) == Product(
            id="u", slug="p", name="P", organization_id="o"
        )


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (204, b"", "status 204.*but answered nothing"),
        (200, b"<html>", "answered what is not as it should be"),
        (200, b"[]", "the product should be an object, got list"),
        (200, b'{"id": "u"}', "the product.slug should be there, got nothing"),
        (200, b'{"id": 7}', "the product.id should be a string, got int"),
    ],
)
def test_answer_that_cannot_be_read_is_an_error_that_says_that_it_was_done(
    status: int, body: bytes, words: str
) -> None:
    """This SDK: the service has acted, so the error has its answer."""
    with pytest.raises(PlanshipError, match=f"did what was asked.*{words}") as caught:
        E.get_product().read(Response(status=status, body=body))
    assert (caught.value.status, caught.value.body, caught.value.detail) == (status, body, None)


def test_answer_that_is_secret_is_not_in_the_error() -> None:
    """This SDK: a token that came with too little beside it shows nowhere."""
    with pytest.raises(PlanshipError, match=r"the token\.token_type") as caught:
        access_token(Secret("a"), Secret("b")).read(
            Response(status=200, body=b'{"access_token": "t0ken"}'), shows_body=False
        )
    assert caught.value.body == b""


VALIDATION = [
    {"loc": ["body", "usage"], "msg": "field required", "type": "value_error.missing"},
    {"loc": ["path", 0], "msg": "not a UUID", "type": "type_error.uuid"},
    {"msg": "odd"},
    {"loc": "x", "msg": "more"},
]


@pytest.mark.parametrize(
    ("status", "body", "words", "detail"),
    [
        (
            401,
            {"detail": "Could not validate"},
            "Planship answered 401 Unauthorized: Could not validate",
            "Could not validate",
        ),
        (404, {"detail": "Not Found"}, "Planship answered 404 Not Found: Not Found", "Not Found"),
        (
            422,
            {"detail": VALIDATION[:2]},
            "Planship answered 422 Unprocessable Entity: body.usage: field required; path.0: not a UUID",
            VALIDATION[:2],
        ),
        (
            422,
            {"detail": VALIDATION},
            "Planship answered 422 Unprocessable Entity: body.usage: field required; path.0: not a UUID; None: odd; …",
            VALIDATION,
        ),
        (422, {"detail": [*VALIDATION[3:], 7]}, "Planship answered 422 Unprocessable Entity: x: more", VALIDATION[3:]),
        (400, {"detail": {"a": 1}}, "Planship answered 400 Bad Request", None),
        (409, {}, "Planship answered 409 Conflict", None),
        (500, [1], "Planship answered 500 Internal Server Error", None),
        (599, None, "Planship answered 599", None),
    ],
)
def test_error_says_what_the_service_says(status: int, body: object, words: str, detail: object) -> None:
    """The facts, section 7: FastAPI's shapes."""
    content = json.dumps(body).encode()
    error = error_of(Response(status=status, body=content))
    assert (str(error).replace("Content", "Entity"), error.status, error.body) == (words, status, content)
    assert error.detail == detail


def test_error_that_is_no_json_is_an_error_all_the_same() -> None:
    """The facts, section 7: 5xx may be anything."""
    with pytest.raises(PlanshipError, match=r"^Planship answered 502 Bad Gateway$") as caught:
        E.get_product().read(Response(status=502, body=b"<html>\xff"))
    assert (caught.value.detail, caught.value.body) == (None, b"<html>\xff")


def test_credentials_that_a_service_repeats_are_taken_out_of_errors() -> None:
    """This SDK: they appear in no error; what is as short as a word may be one, and what is no error is left alone."""
    told = '{"detail": "no tokén-123, no s2"}'.encode()
    secrets = Secret("tokén-123"), Secret("s2")
    assert error_of(redacted(Response(status=401, body=told), *secrets)).detail == "no <secret>, no s2"
    for status in (200, 401):
        with pytest.raises(PlanshipError) as caught:
            E.get_product().read(Response(status=status, body=told), *secrets)
        assert caught.value.body == b'{"detail": "no <secret>, no s2"}'
    assert E.get_entitlements().read(Response(status=200, body=told), *secrets) == json.loads(told)


def test_models_are_frozen_and_made_by_keyword() -> None:
    """This SDK: what was answered does not change."""
    product: Any = Product(id="u", slug="p", name="P", organization_id="o")
    with pytest.raises(AttributeError):
        product.id = "v"
    positional: Any = Product
    with pytest.raises(TypeError):
        positional("u", "p", "P", "o")
    assert isinstance(product, PlanshipModel)
    assert CreateSubscriptionOptions(renew_at=WHEN).renew_at == WHEN.astimezone(UTC)
