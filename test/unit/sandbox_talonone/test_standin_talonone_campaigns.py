"""Campaigns at the stand-in: the user's rules in order, coupons and referral codes and why they do not count."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from talon_one_desk import HOUR, NOON, Desk, effects

from elarian_trio.sandbox.talonone.rules.deployment import Campaign, Coupon, Rule, RuleState

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = "/v1/customer_sessions/s"


def spring(state: RuleState, _event: Mapping[str, Any]) -> list[tuple[str, str, float]]:
    """Take two off for a coupon."""
    return [("setDiscount", "Spring", 2)] if state.coupon == "SPRING" else []


def test_accepted_coupon_comes_before_the_rules_effects() -> None:
    """The facts, sections 4 and 5: the sample, with the campaign's own numbers."""
    desk = Desk(
        Rule(spring, campaign_id=54, ruleset_id=22, rule_index=0),
        campaigns=[Campaign(campaign_id=54, ruleset_id=22)],
        coupons=[Coupon(code="SPRING", campaign_id=54, attributes={"Colour": "green"})],
    )
    state = desk.session("cart-7", profileId="u1", coupon="SPRING")
    assert state["event"]["effects"] == [
        [54, 22, 0, ["acceptCoupon", "SPRING"]],
        [54, 22, 0, ["setDiscount", "Spring", 2]],
    ]
    assert state["event"]["meta"] == {"coupons": {"SPRING": {"Colour": "green"}}}
    assert state["session"]["discounts"] == {"Spring": 2}


def test_rejections_come_behind_the_other_rules_effects() -> None:
    """The facts, section 5: the coupon's, then the referral's, and 200 all the same."""
    desk = Desk(Rule(lambda _state, _event: [["mine", {"a": [1, None]}]]))
    state = desk.session("s", coupon="C", referral="R")
    assert state["event"]["effects"] == [
        [1, 1, 0, ["mine", {"a": [1, None]}]],
        [-1, 0, 0, ["rejectCoupon", "C"]],
        [-1, 0, 0, ["rejectReferral", "R"]],
    ]
    assert state["event"]["meta"] == {
        "couponRejectionReason": {"campaignId": -1, "couponId": 0, "reason": "CouponNotFound"},
        "referralRejectionReason": {"campaignId": -1, "referralId": 0, "reason": "ReferralNotFound"},
    }
    assert desk.session("t")["event"]["meta"] == {}


COUPONS: list[tuple[Coupon, str]] = [
    (Coupon(code="C"), ""),
    (Coupon(code="C", recipient="u1"), ""),
    (Coupon(code="C", start_date=NOON, expiry_date=NOON + HOUR), ""),
    (Coupon(code="C", condition=lambda state, event: state.coupon == "C" and event["type"] != "x"), ""),
    (Coupon(code="C", campaign_id=2), "CouponPartOfNotRunningCampaign"),
    (Coupon(code="C", campaign_id=3), "CouponPartOfNotRunningCampaign"),
    (Coupon(code="C", start_date=NOON + HOUR), "CouponStartDateInFuture"),
    (Coupon(code="C", expiry_date=NOON), "CouponExpired"),
    (Coupon(code="C", recipient="u2"), "CouponRecipientDoesNotMatch"),
    (Coupon(code="C", condition=lambda _state, _event: False), "CouponRejectedByCondition"),
]


@pytest.mark.parametrize(("coupon", "reason"), COUPONS)
def test_coupon_counts_or_has_its_reason(coupon: Coupon, reason: str) -> None:
    """The facts, section 5: the reasons of this release."""
    desk = Desk(campaigns=[Campaign(campaign_id=1), Campaign(campaign_id=2, is_running=False)], coupons=[coupon])
    state = desk.session("s", profileId="u1", coupon="C")
    assert effects(state) == [["rejectCoupon" if reason else "acceptCoupon", "C"]]
    if reason:
        told = {"campaignId": coupon.campaign_id, "couponId": 2, "reason": reason}
        assert state["event"]["meta"] == {"couponRejectionReason": told}


REFERRALS: list[tuple[dict[str, Any], str, str]] = [
    ({}, "u2", ""),
    ({"friendProfileIntegrationId": "u2"}, "u2", ""),
    ({"startDate": NOON.isoformat(), "expiryDate": (NOON + HOUR).isoformat()}, "u2", ""),
    ({}, "", ""),
    ({}, "u1", "ReferralRecipientIdSameAsAdvocate"),
    ({"friendProfileIntegrationId": "u2"}, "u3", "ReferralRecipientDoesNotMatch"),
    ({"friendProfileIntegrationId": "u2"}, "", "ReferralRecipientDoesNotMatch"),
    ({"expiryDate": NOON.isoformat()}, "u2", "ReferralExpired"),
    ({"expiryDate": "2019-01-01T00:00:00Z", "startDate": "2019-02-01T00:00:00Z"}, "u2", "ReferralExpired"),
    ({"startDate": (NOON + HOUR).isoformat()}, "u2", "ReferralStartDateInFuture"),
    ({"campaign_id": 2}, "u2", "ReferralPartOfNotRunningCampaign"),
    ({"campaign_id": 3}, "u2", "ReferralRejectedByCondition"),
]


@pytest.mark.parametrize(("fields", "friend", "reason"), REFERRALS)
def test_referral_code_counts_or_has_its_reason(fields: dict[str, Any], friend: str, reason: str) -> None:
    """The facts, sections 5 and 8: window, friend, the advocate's own code, and the campaign."""
    desk = Desk(
        campaigns=[
            Campaign(campaign_id=1),
            Campaign(campaign_id=2, is_running=False),
            Campaign(campaign_id=3, referral_condition=lambda state, _event: not state.referral),
        ]
    )
    for person in ("u1", "u2"):
        desk.profile(person)
    referral = desk.referral("u1", **fields)
    state = desk.session("s", profileId=friend, referral=referral["code"])
    assert effects(state) == [["rejectReferral" if reason else "acceptReferral", referral["code"]]]
    if reason:
        told = {"campaignId": referral["campaignId"], "referralId": referral["id"], "reason": reason}
        assert state["event"]["meta"] == {"referralRejectionReason": told}


def test_codes_of_campaigns_that_are_gone_do_not_count() -> None:
    """This SDK: a server that is started again on its file may know other campaigns."""
    before = Desk(
        Rule(lambda state, _event: [("couponCreated", "MINE", "")] if state.profile["closedSessions"] else [])
    )
    before.session("s", profileId="u1", state="closed")
    before.profile("u1")
    code = before.referral("u1")["code"]
    after = Desk(campaigns=[Campaign(campaign_id=9)])
    after.shelf = before.shelf
    meta = after.session("t", profileId="u2", coupon="MINE", referral=code)["event"]["meta"]
    assert meta["couponRejectionReason"]["reason"] == "CouponPartOfNotRunningCampaign"
    assert meta["referralRejectionReason"]["reason"] == "ReferralPartOfNotRunningCampaign"


# Rules.


def test_rules_run_in_order_and_say_whose_they_are() -> None:
    """The facts, section 13: an ordered list of rules with their numbers; those without a place have their turn's."""
    desk = Desk(
        Rule(lambda _state, _event: [("a",)], campaign_id=5, ruleset_id=6, rule_index=7),
        Rule(lambda _state, _event: (("b", each) for each in "xy"), condition=lambda state, _event: True),
        Rule(lambda _state, _event: [("never",)], condition=lambda state, event: event["type"] == "x"),
        Rule(lambda _state, _event: [("c",)]),
    )
    assert desk.session("s")["event"]["effects"] == [
        [5, 6, 7, ["a"]],
        [1, 1, 1, ["b", "x"]],
        [1, 1, 1, ["b", "y"]],
        [1, 1, 3, ["c"]],
    ]


def test_rule_sees_the_session_the_profile_and_the_event_as_they_are_answered() -> None:
    """The issue: ``(state, event) -> effects``; a session that is closed now is not in the profile's counters yet."""
    seen: list[tuple[RuleState, Mapping[str, Any]]] = []

    def look(state: RuleState, event: Mapping[str, Any]) -> list[Any]:
        seen.append((state, event))
        return [("setDiscount", "x", 1)]

    desk = Desk(Rule(look), coupons=[Coupon(code="C")])
    desk.session("s", profileId="u1", coupon="C", attributes={"a": 1})
    answered = desk.session("s", state="closed", total=5)
    (_, _), (state, event) = seen
    assert state.session == answered["session"]
    assert (state.profile["closedSessions"], answered["profile"]["closedSessions"]) == (0, 1)
    assert (state.coupon, state.referral, state.now) == ("C", "", NOON)
    assert {**event, "effects": answered["event"]["effects"], "meta": answered["event"]["meta"]} == answered["event"]
    desk.profile("u1", b=2)
    assert seen[-1][0].profile["attributes"] == {"b": 2}
    assert seen[-1][1]["type"] == "talon_profile_updated"


def test_rule_sees_who_recommended_where_a_referral_code_counts() -> None:
    """The shop that rewards its advocates: a code says nothing of whose it is, to the rule or to the app."""
    seen: list[tuple[str, str]] = []
    desk = Desk(Rule(lambda state, _event: seen.append((state.referral, state.advocate)) or []))
    desk.profile("u1")
    code = desk.referral("u1")["code"]
    desk.session("s", profileId="u2", referral=code)
    desk.session("t", profileId="u1", referral=code)  # her own does not count
    desk.session("u", profileId="u2")
    assert seen[-3:] == [(code, "u1"), ("", ""), ("", "")]


def test_codes_of_a_cancelled_session_are_not_judged() -> None:
    """This SDK: nobody uses them; rules see the state and may take back what they gave."""
    desk = Desk(Rule(spring), coupons=[Coupon(code="SPRING", usage_limit=1)])
    desk.session("s", coupon="SPRING", state="closed")
    state = desk.session("s", state="cancelled")
    assert (effects(state), state["event"]["meta"], state["session"]["discounts"]) == ([], {}, {})


def test_discounts_are_the_sums_by_label_of_the_last_evaluation() -> None:
    """The facts, section 4: recomputed each time; what is no discount is not summed."""
    amounts: list[Any] = [("setDiscount", "a", 0.1), ("setDiscount", "a", 0.2), ("setDiscount", "b", 3.0)]
    odd: list[Any] = [
        ("setDiscount", "c", "1"),
        ("setDiscount", 7, 1),
        ("setDiscount", "d"),
        ("setDiscount", "e", True),
    ]
    desk = Desk(Rule(lambda state, _event: [*amounts, *odd] if state.session["total"] else []))
    assert desk.session("s", total=1)["session"]["discounts"] == {"a": 0.3, "b": 3}
    assert desk.event("s")["session"]["discounts"] == {"a": 0.3, "b": 3}
    assert desk.session("s", total=0)["session"]["discounts"] == {}


def failing(_state: RuleState, _event: Mapping[str, Any]) -> list[Any]:
    """Fail."""
    raise KeyError("u1")


BAD: list[tuple[Any, str]] = [
    (failing, "failed: KeyError"),
    (lambda _state, _event: [()], "gave what is no effect"),
    (lambda _state, _event: ["mine"], "gave what is no effect"),
    (lambda _state, _event: [(7,)], "gave what is no effect"),
    (lambda _state, _event: [("mine", object())], "failed: TypeError"),
    (lambda _state, _event: [("mine", float("nan"))], "failed: ValueError"),
    (lambda _state, _event: None, "failed: TypeError"),
]


@pytest.mark.parametrize(("rule", "words"), BAD)
def test_rule_that_fails_is_answered_with_500_and_changes_nothing(
    rule: Any,  # noqa: ANN401 - bad on purpose
    words: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The house: nothing half-done; the log has what went wrong, the answer only its name."""
    desk = Desk(Rule(rule, campaign_id=5))
    with caplog.at_level(logging.ERROR, "elarian_trio.sandbox"):
        reply = desk.ask("PUT", PATH, {"profileId": "u1"})
    message = json.loads(reply.body)["message"]
    assert (reply.status, desk.shelf.texts) == (500, {})
    assert message.startswith("rule 0 of campaign 5 ")
    assert words in message
    assert words in caplog.text


def test_condition_that_fails_says_of_which_code() -> None:
    """The same, for conditions of coupons and referral codes."""
    desk = Desk(coupons=[Coupon(code="C", condition=failing)])  # type: ignore[arg-type]
    message = json.loads(desk.ask("PUT", PATH, {"coupon": "C"}).body)["message"]
    assert message == "the condition of C failed: KeyError"
    desk = Desk(
        campaigns=[Campaign(campaign_id=1, referral_pattern="R###", referral_condition=failing)], codes=lambda _: "RRRR"
    )  # type: ignore[arg-type]
    desk.profile("u1")
    desk.referral("u1")
    message = json.loads(desk.ask("PUT", PATH, {"referral": "RRRR"}).body)["message"]
    assert message == "the condition of RRRR failed: KeyError"


@pytest.mark.parametrize("arguments", [{"effects": 7}, {"effects": failing, "condition": 7}, {"effects": None}])
def test_rule_that_cannot_be_called_is_refused(arguments: dict[str, Any]) -> None:
    """The house: a bad argument is told of when it is given."""
    with pytest.raises(TypeError, match="must be a function of a state and an event"):
        Rule(**arguments)


# Codes that rules make.


def test_coupon_that_a_rule_makes_counts_once_and_for_its_recipient() -> None:
    """The facts, section 5: ``couponCreated``; and section 6, rule 8: it stays when the session is cancelled."""
    desk = Desk(Rule(lambda _state, event: [("couponCreated", None, "u1")] if event["type"] == "won" else []))
    state = desk.event("s", "won", profileId="u1")
    ((name, code, recipient),) = effects(state)
    assert (name, len(code), recipient) == ("couponCreated", 8, "u1")
    desk.session("s", state="cancelled")
    assert effects(desk.session("t", profileId="u2", coupon=code)) == [["rejectCoupon", code]]
    assert effects(desk.session("u", profileId="u1", coupon=code, state="closed")) == [["acceptCoupon", code]]
    reason = desk.session("v", profileId="u1", coupon=code)["event"]["meta"]["couponRejectionReason"]
    assert (reason["campaignId"], reason["reason"]) == (1, "CouponLimitReached")


def test_code_that_is_there_is_not_made_again() -> None:
    """This SDK: a rule that gives the same code each time takes nothing from who has it."""
    given: list[Any] = [("couponCreated", "MINE", "u2"), ("couponCreated", "TAKEN", "")]
    desk = Desk(Rule(lambda _state, _event: given), coupons=[Coupon(code="TAKEN", recipient="u3")])
    for _ in range(2):
        desk.session("s", profileId="u1")
    desk.session("t", profileId="u2", coupon="MINE", state="closed")
    meta = desk.session("u", profileId="u2", coupon="MINE")["event"]["meta"]
    assert meta["couponRejectionReason"]["reason"] == "CouponLimitReached"
    meta = desk.session("u", profileId="u2", coupon="TAKEN")["event"]["meta"]
    assert meta["couponRejectionReason"]["reason"] == "CouponRecipientDoesNotMatch"


def test_referral_code_that_a_rule_makes_is_the_customers() -> None:
    """The facts, section 5: ``referralCreated`` with the friend's profile."""
    desk = Desk(
        Rule(lambda _state, event: [("referralCreated", None, "u2"), ("referralCreated", "MINE")], campaign_id=4),
        campaigns=[Campaign(campaign_id=4, referral_pattern="RF-####", referral_usage_limit=0)],
    )
    first, second = effects(desk.event("s", profileId="u1"))
    assert (first[0], first[1][:3], len(first[1]), first[2]) == ("referralCreated", "RF-", 7, "u2")
    assert second == ["referralCreated", "MINE", ""]
    for _ in range(2):
        state = desk.session("t", profileId="u2", referral=first[1], state="open")
        assert ["acceptReferral", first[1]] in effects(state)
    own = desk.session("u", profileId="u1", referral="MINE")["event"]["meta"]
    assert own["referralRejectionReason"]["reason"] == "ReferralRecipientIdSameAsAdvocate"


def test_rule_of_a_campaign_that_is_not_told_of_makes_codes_all_the_same() -> None:
    """This SDK: a rule says whose it is, and is believed."""
    desk = Desk(Rule(lambda _state, _event: [("referralCreated",)], campaign_id=5), campaigns=[Campaign(campaign_id=4)])
    ((_, code, friend),) = effects(desk.event("s", profileId="u1"))
    assert (len(code), friend) == (8, "")


# Referrals that are asked for.


def test_referral_answers_with_what_was_given() -> None:
    """The facts, section 4: optional inputs that were not given are left out; numbers and codes can be had again."""
    desk = Desk()
    desk.profile("u1")
    referral = desk.referral("u1")
    assert referral == {
        "id": 2,
        "created": "2019-05-20T12:00:00.5Z",
        "campaignId": 1,
        "advocateProfileIntegrationId": "u1",
        "code": referral["code"],
        "usageCounter": 0,
        "usageLimit": 1,
    }
    assert len(referral["code"]) == 8
    assert referral["code"].isalnum()
    assert desk.referral("u1")["code"] != referral["code"]
    again = Desk()
    again.profile("u1")
    assert again.referral("u1") == referral


def test_referral_may_be_used_as_often_as_its_campaign_says() -> None:
    """The facts, section 8 and D10: once by default, configurable, 0 for without limit."""
    for settings, limit in (({}, 1), ({"referral_usage_limit": 3}, 3)):
        desk = Desk(**settings)
        desk.profile("u1")
        assert desk.referral("u1")["usageLimit"] == limit
    desk = Desk(campaigns=[Campaign(campaign_id=1, referral_usage_limit=0)])
    desk.profile("u1")
    code = desk.referral("u1")["code"]
    for session in "abc":
        state = desk.session(session, profileId="u2", referral=code, state="closed")
        assert effects(state) == [["acceptReferral", code]]


def test_referral_for_people_who_are_not_known_is_refused_unless_lenient() -> None:
    """The facts, D9: 400 with a pointer to each; a switch makes them."""
    body = {"campaignId": 1, "advocateProfileIntegrationId": "u1", "friendProfileIntegrationId": "u2"}
    refused = [("/advocateProfileIntegrationId", "Unknown"), ("/friendProfileIntegrationId", "Unknown")]
    assert Desk().refused("POST", "/v1/referrals", body) == refused
    lenient = Desk(lenient=True)
    lenient.referral("u1", friendProfileIntegrationId="u2")
    lenient.delete("u2")


def test_referral_for_a_campaign_that_is_not_there_or_has_none_is_refused() -> None:
    """The facts, D9: 404 for an unknown one, 400 for one without the feature; without campaigns any number is one."""
    desk = Desk(campaigns=[Campaign(campaign_id=1, has_referrals=False)])
    desk.profile("u1")
    body = {"campaignId": 1, "advocateProfileIntegrationId": "u1"}
    assert desk.refused("POST", "/v1/referrals", body) == [("/campaignId", "Invalid campaign")]
    assert desk.ask("POST", "/v1/referrals", {**body, "campaignId": 2}).status == 404
    free = Desk()
    free.profile("u1")
    assert free.referral("u1", campaign_id=99)["campaignId"] == 99


def test_codes_are_unique_and_may_come_from_the_user() -> None:
    """The facts, section 8: unique among coupons and referral codes; the generator is injectable."""
    given = iter(["AAAA", "AAAA", "CCCC", "BBBB"])
    patterns: list[str] = []

    def make(pattern: str) -> str:
        patterns.append(pattern)
        return next(given)

    desk = Desk(codes=make, coupons=[Coupon(code="CCCC")])
    desk.profile("u1")
    assert [desk.referral("u1")["code"] for _ in range(2)] == ["AAAA", "BBBB"]
    assert set(patterns) == {"########"}


def test_pattern_that_is_used_up_is_told_of() -> None:
    """The house: no wait without a bound, no loop either."""
    desk = Desk(codes=lambda _pattern: "AAAA")
    desk.profile("u1")
    desk.referral("u1")
    reply = desk.ask("POST", "/v1/referrals", {"campaignId": 1, "advocateProfileIntegrationId": "u1"})
    assert (reply.status, json.loads(reply.body)["message"]) == (500, "no code is left that looks like ########")


@pytest.mark.parametrize("pattern", ["###", "AB##", ""])
def test_pattern_of_too_few_characters_is_refused(pattern: str) -> None:
    """The facts, section 4: a code has at least four."""
    with pytest.raises(ValueError, match="referral_pattern has at least 4 characters"):
        Campaign(campaign_id=1, referral_pattern=pattern)


def test_time_decides_when_a_code_counts() -> None:
    """The facts, section 8: from the start up to, not including, the expiry."""
    desk = Desk(coupons=[Coupon(code="C", start_date=NOON + HOUR, expiry_date=NOON + 2 * HOUR)])
    verdicts: list[str] = []
    for minutes in (59, 60, 119, 120):
        desk.now = NOON + timedelta(minutes=minutes)
        verdicts.append(effects(desk.session("s", coupon="C"))[0][0])
    assert verdicts == ["rejectCoupon", "acceptCoupon", "acceptCoupon", "rejectCoupon"]
