"""What is sent to Talon.One: byte by byte where the order is ours, and what is refused before it is sent."""

from __future__ import annotations

import copy
import json
import math
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from elarian_trio.talonone import (
    UNSET,
    Adjustment,
    CartItem,
    NewCustomerProfile,
    NewCustomerSession,
    NewEvent,
    NewReferral,
    SessionState,
)
from elarian_trio.talonone.values import Body, encode

NOON = datetime(2019, 5, 20, 12, 0, 0, 500_000, tzinfo=UTC)

SENT: list[tuple[Body, str]] = [
    (
        NewReferral(campaign_id=3, advocate_profile_integration_id="u1"),
        '{"campaignId":3,"advocateProfileIntegrationId":"u1"}',
    ),
    (
        NewReferral(
            campaign_id=3,
            advocate_profile_integration_id="u1",
            friend_profile_integration_id="u2",
            start_date=NOON,
            expiry_date=datetime(2019, 5, 21, 2, tzinfo=timezone(timedelta(hours=2))),
        ),
        '{"campaignId":3,"advocateProfileIntegrationId":"u1","friendProfileIntegrationId":"u2",'
        '"startDate":"2019-05-20T12:00:00.500000Z","expiryDate":"2019-05-21T00:00:00Z"}',
    ),
    (NewEvent(session_id="s", type="seen"), '{"sessionId":"s","type":"seen","attributes":{}}'),
    (
        NewEvent(session_id="s", type="seen", attributes={"Page": 3}, profile_id=None),
        '{"sessionId":"s","type":"seen","attributes":{"Page":3},"profileId":null}',
    ),
    (NewCustomerProfile(), "{}"),
    (NewCustomerProfile(attributes=None), '{"attributes":null}'),
    (NewCustomerProfile(attributes={"Name": "Val é"}), '{"attributes":{"Name":"Val é"}}'),
    (
        NewCustomerProfile(
            attributes={
                "gone": None,
                "is": True,
                "whole": 2.0,
                "half": 0.5,
                "exact": Decimal("4.50"),
                "since": NOON,
                "list": [NOON, (1, Decimal(2))],
                "place": {"lat": -1.25, "lon": 36},
            }
        ),
        '{"attributes":{"gone":null,"is":true,"whole":2,"half":0.5,"exact":4.5,"since":"2019-05-20T12:00:00.500000Z",'
        '"list":["2019-05-20T12:00:00.500000Z",[1,2]],"place":{"lat":-1.25,"lon":36}}}',
    ),
    (NewCustomerSession(), "{}"),
    (NewCustomerSession(state="closed"), '{"state":"closed"}'),
    (NewCustomerSession(state=SessionState.CANCELLED), '{"state":"cancelled"}'),
    (
        NewCustomerSession(
            profile_id="",
            coupon="",
            referral="R-1",
            state=None,
            cart_items=[
                CartItem(
                    name="Tea",
                    sku="t-1",
                    quantity=2,
                    price=Decimal("4.5"),
                    category="drinks",
                    weight=1,
                    height=2,
                    width=3,
                    length=4,
                    position=0,
                    attributes={"Cold": None},
                    adjustment=Adjustment(pay_from_loyalty_program=1, point_payment=5, remaining_price=0.25),
                )
            ],
            total=9.0,
            attributes={},
        ),
        '{"profileId":"","coupon":"","referral":"R-1","state":null,"cartItems":[{"name":"Tea","sku":"t-1",'
        '"quantity":2,"price":4.5,"category":"drinks","weight":1,"height":2,"width":3,"length":4,"position":0,'
        '"attributes":{"Cold":null},"adjustment":{"payFromLoyaltyProgram":1,"pointPayment":5,"remainingPrice":0.25}}],'
        '"total":9,"attributes":{}}',
    ),
]


@pytest.mark.parametrize(("body", "text"), SENT, ids=lambda each: type(each).__name__ if isinstance(each, Body) else "")
def test_body_goes_out_in_these_bytes(body: Body, text: str) -> None:
    """The facts, section 3: names and types of the fields; what is left out is not sent, ``None`` is null."""
    assert encode(body.to_wire()) == text.encode()
    assert json.loads(text) == body.to_wire()


@pytest.mark.parametrize("body", [body for body, _ in SENT], ids=lambda body: type(body).__name__)
def test_body_has_a_writer_for_each_field(body: Body) -> None:
    """This SDK: a field that is added is sent."""
    names = [each.name for each in fields(body) if each.name != "raw"]  # type: ignore[arg-type]
    assert names == list(body._writers)


def test_body_is_frozen_and_keeps_what_the_caller_changes_later() -> None:
    """This SDK: a value does not change under whoever holds it."""
    attributes: dict[str, Any] = {"Tier": "gold"}
    items = [CartItem(name="Tea", sku="t-1", quantity=1, price=1)]
    session = NewCustomerSession(attributes=attributes, cart_items=items)
    attributes["Tier"] = "tin"
    items.clear()
    assert session.attributes == {"Tier": "gold"}
    assert isinstance(session.cart_items, tuple)
    assert len(session.cart_items) == 1
    with pytest.raises(FrozenInstanceError):
        session.total = 1  # type: ignore[misc]


@pytest.mark.parametrize("body", [body for body, _ in SENT], ids=lambda body: type(body).__name__)
def test_body_can_be_copied_and_pickled(body: Body) -> None:
    """This SDK: a plain value, which may travel to another process."""
    assert copy.deepcopy(body) == pickle.loads(pickle.dumps(body)) == body
    assert pickle.loads(pickle.dumps(body)).to_wire() == body.to_wire()


def test_unset_is_one_false_value_that_says_its_name() -> None:
    """This SDK: what is left out is told from null by identity, also in a copy."""
    assert not UNSET
    assert repr(UNSET) == "UNSET"
    assert copy.deepcopy(UNSET) is UNSET
    assert pickle.loads(pickle.dumps(UNSET)) is UNSET


ITEM: dict[str, Any] = {"name": "Tea", "sku": "t-1", "quantity": 1, "price": 1}
REFERRAL: dict[str, Any] = {"campaign_id": 1, "advocate_profile_integration_id": "u"}
BEYOND = datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))
CIRCULAR: dict[str, Any] = {}
CIRCULAR["a"] = [CIRCULAR]
EVENT: dict[str, Any] = {"session_id": "s", "type": "seen"}

WRONG_VALUES: list[tuple[type[Body], dict[str, Any], str]] = [
    (NewEvent, {**EVENT, "session_id": ""}, "session_id must not be empty"),
    (NewEvent, {**EVENT, "type": ""}, "type must not be empty"),
    (NewEvent, {**EVENT, "profile_id": "\ud800"}, "profile_id must hold no lone surrogate"),
    (
        NewReferral,
        {"campaign_id": 1, "advocate_profile_integration_id": "u", "start_date": datetime(2019, 5, 20)},
        "aware",
    ),
    (NewCustomerSession, {"state": "shut"}, "state must be one of open, closed, cancelled; got 'shut'"),
    (NewCustomerSession, {"total": math.nan}, "total must be finite"),
    (NewCustomerSession, {"total": Decimal("Infinity")}, "total must be finite"),
    (NewCustomerSession, {"total": Decimal("0.1000000000000000055")}, "total must be an amount that a double holds"),
    (NewCustomerSession, {"total": 10**400}, "total must be finite"),
    (NewCustomerSession, {"total": Decimal(10**17 + 1)}, "total must be an amount that a double holds"),
    (NewReferral, {**REFERRAL, "expiry_date": BEYOND}, "expiry_date must be within the years 1 to 9999"),
    (NewCustomerProfile, {"attributes": CIRCULAR}, "nested too deeply, or holds itself"),
    (CartItem, {**ITEM, "quantity": 0}, "quantity must be at least 1, got 0"),
    (CartItem, {**ITEM, "name": ""}, "name must not be empty"),
    (Adjustment, {"pay_from_loyalty_program": 1, "point_payment": 0}, "point_payment must be at least 1"),
    (
        Adjustment,
        {"pay_from_loyalty_program": 1, "point_payment": 1, "remaining_price": -0.5},
        "remaining_price must be at least 0, got -0.5",
    ),
    (NewCustomerProfile, {"attributes": {"a": [1, math.inf]}}, r"attributes\['a'\]\[1\] must be finite"),
    (NewCustomerProfile, {"attributes": {"\ud800": 1}}, "a name in attributes must hold no lone surrogate"),
]


@pytest.mark.parametrize(("kind", "arguments", "words"), WRONG_VALUES)
def test_value_that_cannot_be_sent_is_refused_when_it_is_made(
    kind: type[Body], arguments: dict[str, Any], words: str
) -> None:
    """This SDK: ValueError that names the field, before anything is sent."""
    with pytest.raises(ValueError, match=words):
        kind(**arguments)


WRONG_TYPES: list[tuple[type[Body], dict[str, Any], str]] = [
    (NewEvent, {**EVENT, "type": 7}, "type must be a str, got int"),
    (NewEvent, {**EVENT, "attributes": [1]}, "attributes must be a mapping, got tuple"),
    (NewEvent, {**EVENT, "attributes": None}, "attributes must be a mapping, got NoneType"),
    (
        NewReferral,
        {"campaign_id": True, "advocate_profile_integration_id": "u"},
        "campaign_id must be an int, got bool",
    ),
    (NewReferral, {"campaign_id": "3", "advocate_profile_integration_id": "u"}, "campaign_id must be an int, got str"),
    (NewReferral, {"campaign_id": 1, "advocate_profile_integration_id": "u", "expiry_date": "2019"}, "aware datetime"),
    (CartItem, {**ITEM, "price": "4.50"}, "price must be a number, got str"),
    (CartItem, {**ITEM, "price": True}, "price must be a number, got bool"),
    (CartItem, {**ITEM, "adjustment": {}}, "adjustment must be a Adjustment, got dict"),
    (NewCustomerSession, {"cart_items": "tea"}, "cart_items must be a sequence of CartItem, got str"),
    (NewCustomerSession, {"cart_items": [{}]}, r"cart_items\[0\] must be a CartItem, got dict"),
    (NewCustomerProfile, {"attributes": {"a": {"b": {1}}}}, r"attributes\['a'\]\['b'\] must be a value that JSON can"),
]


@pytest.mark.parametrize(("kind", "arguments", "words"), WRONG_TYPES)
def test_value_of_the_wrong_type_is_refused_when_it_is_made(
    kind: type[Body], arguments: dict[str, Any], words: str
) -> None:
    """This SDK: TypeError that names the field, before anything is sent."""
    with pytest.raises(TypeError, match=words):
        kind(**arguments)


@pytest.mark.parametrize("kind", [NewReferral, NewEvent, NewCustomerProfile, NewCustomerSession, CartItem, Adjustment])
def test_body_takes_no_positional_arguments(kind: type[Body]) -> None:
    """The facts, section 12: positional arguments that shifted between releases broke users of generated clients."""
    with pytest.raises(TypeError, match="positional"):
        kind("x")  # type: ignore[call-arg]


def test_item_from_the_service_is_checked_when_it_is_sent_again() -> None:
    """This SDK: what the service says is taken as it is; what is sent must be right."""
    item = CartItem.from_wire({"name": "Tea", "sku": "", "quantity": 1, "price": 2.5, "currency": "KES"})
    assert item.extra == {"currency": "KES"}
    with pytest.raises(ValueError, match="sku must not be empty"):
        NewCustomerSession(cart_items=[item])
    sent = NewCustomerSession(cart_items=[replace(item, sku="t-1")]).to_wire()
    assert sent == {"cartItems": [{"name": "Tea", "sku": "t-1", "quantity": 1, "price": 2.5}]}
