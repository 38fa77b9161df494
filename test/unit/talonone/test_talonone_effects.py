"""Effects: the list form of the first version, the kinds known by name, and everything that is neither."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elarian_trio.talonone import (
    AcceptCoupon,
    AcceptReferral,
    AddFreeItem,
    CouponCreated,
    Effect,
    EffectDetails,
    Event,
    InvalidateCoupon,
    RedeemReferral,
    ReferralCreated,
    RejectCoupon,
    RejectReferral,
    SetDiscount,
)
from elarian_trio.talonone.effects import KNOWN

DETAILS: list[tuple[list[Any], EffectDetails]] = [
    (["setDiscount", "Spring", 2], SetDiscount("Spring", 2.0)),
    (["acceptCoupon", "A"], AcceptCoupon("A")),
    (["rejectCoupon", "A"], RejectCoupon("A")),
    (["invalidateCoupon", "A"], InvalidateCoupon("A")),
    (["acceptReferral", "R"], AcceptReferral("R")),
    (["rejectReferral", "R"], RejectReferral("R")),
    (["redeemReferral", "R"], RedeemReferral("R")),
    (["referralCreated", "R", "u2"], ReferralCreated("R", "u2")),
    (["couponCreated", "A", "u1"], CouponCreated("A", "u1")),
    (["addFreeItem", "u1", "t-1", "Tea"], AddFreeItem("u1", "t-1", "Tea")),
]


@pytest.mark.parametrize(("said", "details"), DETAILS, ids=lambda each: each[0] if isinstance(each, list) else "")
def test_known_effect_has_its_arguments_by_name(said: list[Any], details: EffectDetails) -> None:
    """The facts, section 5: names and the order of their arguments."""
    effect = Effect.from_wire([54, 22, 1, said])
    assert (effect.campaign_id, effect.ruleset_id, effect.rule_index) == (54, 22, 1)
    assert (effect.name, effect.args) == (said[0], tuple(said[1:]))
    assert effect.details == details


def test_every_known_kind_is_tried() -> None:
    """This SDK: the table above misses none."""
    assert [said[0] for said, _ in DETAILS] == list(KNOWN)


@pytest.mark.parametrize(
    "said",
    [
        ["showNotification", {"title": "x"}],
        ["setDiscount", "Spring"],
        ["setDiscount", "Spring", "2"],
        ["setDiscount", 2, "Spring"],
        ["acceptCoupon", None],
        ["setDiscount", "Spring", 10**400],
        ["mine"],
    ],
)
def test_effect_that_is_not_known_is_generic(said: list[Any]) -> None:
    """The facts, section 5: accounts define their own, so that an unknown name is normal."""
    effect = Effect.from_wire([1, 2, 3, said])
    assert effect.details is None
    assert (effect.name, effect.args) == (said[0], tuple(said[1:]))


def test_argument_that_a_newer_release_adds_is_no_reason_not_to_know_the_effect() -> None:
    """The facts, section 11: later releases only ever added."""
    assert Effect.from_wire([1, 2, 3, ["acceptCoupon", "A", 9]]).details == AcceptCoupon("A")


MALFORMED = [
    None,
    7,
    "acceptCoupon",
    [],
    {},
    {"effectType": "setDiscount", "props": {"name": "x", "value": 1}},
    [1, 2, 3],
    [1, 2, 3, []],
    [1, 2, 3, [7]],
    [1, 2, 3, {"name": 1}, 5],
    ["1", 2, 3, ["x"]],
    [True, 2, 3, ["x"]],
    [1.5, 2, 3, ["x"]],
    [float("inf"), 2, 3, ["x"]],
    [1, 2, 3, "setDiscount"],
    [1, 2, 3, {"setDiscount": 1}],
]


@pytest.mark.parametrize("item", MALFORMED, ids=str)
def test_malformed_item_is_an_effect_with_only_what_was_said(item: Any) -> None:  # noqa: ANN401 - bad on purpose
    """The facts, section 5: nothing is skipped, and nothing fails."""
    effect = Event.from_wire({"effects": [item]}).effects[0]
    assert effect == Effect(raw=item)
    assert effect.details is None


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner), max_leaves=9))
def test_no_item_fails(item: Any) -> None:  # noqa: ANN401 - any JSON
    """The facts, section 5: the client fails on nothing."""
    assert Effect.from_wire(item).raw is item


def test_effects_that_are_no_list_are_none() -> None:
    """The facts, section 4: lists may be null."""
    assert Event.from_wire({"effects": None}).effects == ()
    assert Event.from_wire({"effects": {"a": 1}}).effects == ()
