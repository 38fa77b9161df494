"""What the stand-in refuses: bodies that are not what the schema or the catalogue says, all of it told at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from talon_one_desk import Desk

from elarian_trio.sandbox.talonone.rules.deployment import Catalogue

SESSION = "/v1/customer_sessions/s"
PROFILE = "/v1/customer_profiles/u1"
EVENTS = "/v1/events"
REFERRALS = "/v1/referrals"
ITEM = {"name": "Tea", "sku": "t-1", "quantity": 1, "price": 1}

WRONG: list[tuple[str, str, Any, list[tuple[str, str]]]] = [
    ("PUT", SESSION, [1], [("", "Invalid type")]),
    ("PUT", SESSION, "x", [("", "Invalid type")]),
    ("PUT", SESSION, {"state": "shut"}, [("/state", "enum")]),
    ("PUT", SESSION, {"state": 7}, [("/state", "enum")]),
    ("PUT", SESSION, {"total": "9"}, [("/total", "Invalid type")]),
    ("PUT", SESSION, {"total": True}, [("/total", "Invalid type")]),
    ("PUT", SESSION, {"total": 10**400}, [("/total", "Invalid type")]),
    ("PUT", SESSION, {"profileId": 7, "coupon": [], "referral": {}}, [
        ("/profileId", "Invalid type"), ("/coupon", "Invalid type"), ("/referral", "Invalid type"),
    ]),
    ("PUT", SESSION, {"attributes": []}, [("/attributes", "Invalid type")]),
    ("PUT", SESSION, {"cartItems": {}}, [("/cartItems", "Invalid type")]),
    ("PUT", SESSION, {"cartItems": [7]}, [("/cartItems/0", "Invalid type")]),
    ("PUT", SESSION, {"cartItems": [ITEM, {}]}, [
        (f"/cartItems/1/{name}", "required") for name in ("name", "sku", "quantity", "price")
    ]),
    ("PUT", SESSION, {"cartItems": [{**ITEM, "name": "", "quantity": 0}]}, [
        ("/cartItems/0/name", "minLength"), ("/cartItems/0/quantity", "minimum"),
    ]),
    ("PUT", SESSION, {"cartItems": [{**ITEM, "quantity": 1.5}]}, [("/cartItems/0/quantity", "Invalid type")]),
    ("PUT", SESSION, {"cartItems": [{**ITEM, "quantity": "1"}]}, [("/cartItems/0/quantity", "Invalid type")]),
    ("PUT", SESSION, {"cartItems": [{**ITEM, "weight": "1", "category": 1, "attributes": 1}]}, [
        ("/cartItems/0/category", "Invalid type"), ("/cartItems/0/weight", "Invalid type"),
        ("/cartItems/0/attributes", "Invalid type"),
    ]),
    ("PUT", SESSION, {"cartItems": [{**ITEM, "adjustment": {"pointPayment": 0}}]}, [
        ("/cartItems/0/adjustment/payFromLoyaltyProgram", "required"),
        ("/cartItems/0/adjustment/pointPayment", "minimum"),
    ]),
    ("PUT", SESSION, {"cartItems": [
        {**ITEM, "adjustment": {"payFromLoyaltyProgram": 1, "pointPayment": 1, "remainingPrice": price}}
        for price in (-0.5, "1", 0)
    ]}, [
        ("/cartItems/0/adjustment/remainingPrice", "minimum"),
        ("/cartItems/1/adjustment/remainingPrice", "Invalid type"),
    ]),
    ("PUT", PROFILE, {"attributes": 7}, [("/attributes", "Invalid type")]),
    ("POST", EVENTS, b"", [("/sessionId", "required"), ("/type", "required"), ("/attributes", "required")]),
    ("POST", EVENTS, {"sessionId": "", "type": "", "attributes": {}}, [
        ("/sessionId", "minLength"), ("/type", "minLength"),
    ]),
    ("POST", EVENTS, {"sessionId": 1, "type": 2, "attributes": 3, "profileId": 4}, [
        ("/sessionId", "Invalid type"), ("/type", "Invalid type"), ("/attributes", "Invalid type"),
        ("/profileId", "Invalid type"),
    ]),
    ("POST", EVENTS, {"sessionId": "s", "type": "talon_x", "attributes": {}}, [("/type", "Reserved")]),
    ("POST", REFERRALS, {}, [("/campaignId", "required"), ("/advocateProfileIntegrationId", "required")]),
    ("POST", REFERRALS, {"campaignId": "1", "advocateProfileIntegrationId": ""}, [
        ("/campaignId", "Invalid type"), ("/advocateProfileIntegrationId", "minLength"),
    ]),
    ("POST", REFERRALS, {"campaignId": 1, "advocateProfileIntegrationId": "u1", "startDate": 0, "expiryDate": "soon"}, [
        ("/startDate", "Invalid type"), ("/expiryDate", "Invalid type"),
    ]),
    ("POST", REFERRALS, {"campaignId": 1, "advocateProfileIntegrationId": "u1", "startDate": "2019-05-20T12:00:00"}, [
        ("/startDate", "Invalid type"),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "wrong"), WRONG)
def test_body_that_is_not_right_is_refused_with_all_that_is_wrong(
    method: str,
    path: str,
    body: Any,  # noqa: ANN401 - bad on purpose
    wrong: list[tuple[str, str]],
) -> None:
    """The facts, section 10 and D13: titles and pointers."""
    desk = Desk()
    assert desk.refused(method, path, body) == wrong
    assert desk.shelf.texts == {}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "Expecting property name"),
        (b"\xff", "invalid start byte"),
        (b'"\\ud800"', "surrogates not allowed"),
        (b'{"\\udc00":1}', "surrogates not allowed"),
        (b'{"total":NaN}', "NaN is no number of JSON's"),
        (b'{"a":Infinity}', "Infinity is no number of JSON's"),
        (b'{"attributes":{"a":1e999}}', "a number is too large"),
        (b'{"a":' + b"9" * 5_000 + b"}", "Exceeds the limit (4300 digits)"),
        (b"[" * 99_999, "nested deeper than 100 levels"),
        (b'{"attributes":' + b'{"a":' * 100 + b"1" + b"}" * 101, "nested deeper than 100 levels"),
    ],
)
def test_body_that_is_no_json_is_refused(body: bytes, words: str) -> None:
    """The facts, D13; a lone surrogate could not be answered, since UTF-8 has none. It says what was wrong."""
    reply = Desk().ask("PUT", SESSION, body)
    answer = json.loads(reply.body)
    assert (reply.status, list(answer)) == (400, ["message"])
    assert answer["message"].startswith("the body cannot be read as JSON: ")
    assert words in answer["message"]


def test_problem_says_more_where_there_is_more_to_say() -> None:
    """The facts, section 10: details may be there, and exactly one source."""
    reply = Desk().ask("PUT", SESSION, {"total": "9"})
    problem = {"title": "Invalid type", "details": "a number is expected", "source": {"pointer": "/total"}}
    assert json.loads(reply.body)["errors"] == [problem]
    reply = Desk().ask("POST", REFERRALS, {"campaignId": 1})
    assert json.loads(reply.body)["errors"] == [
        {"title": "required", "source": {"pointer": "/advocateProfileIntegrationId"}}
    ]


def test_times_of_nine_digits_and_any_offset_are_taken() -> None:
    """The facts, section 1."""
    desk = Desk()
    desk.profile("u1")
    given = {"startDate": "2019-05-20T14:00:00.123456789+02:00", "expiryDate": "2019-05-20t12:00:00z"}
    referral = desk.referral("u1", **given)
    assert (referral["startDate"], referral["expiryDate"]) == ("2019-05-20T12:00:00.123456Z", "2019-05-20T12:00:00Z")


def test_time_beyond_the_calendar_is_refused() -> None:
    """This SDK: what cannot be kept is not taken."""
    desk = Desk()
    body = {"campaignId": 1, "advocateProfileIntegrationId": "u1", "startDate": "9999-12-31T23:59:59-14:00"}
    assert desk.refused("POST", REFERRALS, body) == [("/startDate", "Invalid type")]


def test_fields_that_later_clients_send_are_let_pass_unless_strict() -> None:
    """The facts, D13: a client of 2021 sends ``identifiers``; profiles and items were always open."""
    body = {"identifiers": ["x"], "a/b~c": 1}
    event = {"sessionId": "s", "type": "seen", "attributes": {}, "silent": "yes"}
    lenient, strict = Desk(), Desk(strict=True)
    assert lenient.ask("PUT", SESSION, body).status == 200
    assert lenient.ask("POST", EVENTS, event).status == 201
    assert sorted(strict.refused("PUT", SESSION, body)) == [("/a~1b~0c", "Unknown"), ("/identifiers", "Unknown")]
    assert strict.refused("POST", EVENTS, event) == [("/silent", "Unknown")]
    assert strict.ask("PUT", PROFILE, {"advocateId": "u2"}).status == 200
    assert strict.ask("PUT", SESSION, {"cartItems": [{**ITEM, "currency": "KES"}]}).status == 200


CATALOGUE = Catalogue(
    profile={
        "String": "string",
        "Number": "number",
        "Boolean": "boolean",
        "Time": "time",
        "Strings": "strings",
        "Numbers": "numbers",
        "Times": "times",
        "Place": "location",
    },
    session={"Shop": "string"},
    cart_item={"Cold": "boolean"},
    events={"seen": {"Page": "number"}},
)
RIGHT = {
    "String": "x",
    "Number": 1.5,
    "Boolean": False,
    "Time": "2019-05-20T12:00:00Z",
    "Strings": ["x"],
    "Numbers": [1],
    "Times": ["2019-05-20T12:00:00Z"],
    "Place": {"lat": 1, "lon": 2},
}


def test_attributes_that_are_defined_are_taken() -> None:
    """The facts, section 3: their kinds; a null removes one, whatever its kind."""
    desk = Desk(catalogue=CATALOGUE)
    assert desk.profile("u1", **RIGHT)["profile"]["attributes"] == RIGHT
    assert desk.profile("u1", **dict.fromkeys(RIGHT))["profile"]["attributes"] == {}
    assert desk.session("s", attributes={"Shop": "x"}, cartItems=[{**ITEM, "attributes": {"Cold": True}}])
    assert desk.event("s", "seen", attributes={"Page": 1})


@pytest.mark.parametrize("name", RIGHT)
def test_attribute_of_another_kind_is_refused(name: str) -> None:
    """The facts, section 10: ``Invalid type`` with the attribute's pointer."""
    for wrong in ([{}], "not a time" if name != "String" else 7):
        ((pointer, title),) = Desk(catalogue=CATALOGUE).refused("PUT", PROFILE, {"attributes": {name: wrong}})
        assert pointer.startswith(f"/attributes/{name}")
        assert title == "Invalid type"


def test_attribute_or_type_that_is_not_defined_is_refused() -> None:
    """The facts, section 6, rule 11, and D12: ``Unknown``, as the live service says."""
    desk = Desk(catalogue=CATALOGUE)
    assert desk.refused("PUT", PROFILE, {"attributes": {"a/b": 1}}) == [("/attributes/a~1b", "Unknown")]
    assert desk.refused("PUT", SESSION, {"attributes": {"Cold": True}}) == [("/attributes/Cold", "Unknown")]
    items = [{**ITEM, "attributes": {"Shop": "x"}}]
    assert desk.refused("PUT", SESSION, {"cartItems": items}) == [("/cartItems/0/attributes/Shop", "Unknown")]
    event = {"sessionId": "s", "type": "seen", "attributes": {"Shop": 1}}
    assert desk.refused("POST", EVENTS, event) == [("/attributes/Shop", "Unknown")]
    assert desk.refused("POST", EVENTS, {**event, "type": "heard", "attributes": {}}) == [("/type", "Unknown")]
    assert desk.refused("POST", EVENTS, {**event, "type": 7, "attributes": {}}) == [("/type", "Invalid type")]
    assert desk.refused("POST", EVENTS, {**event, "type": "", "attributes": {}}) == [("/type", "minLength")]
