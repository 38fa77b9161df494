"""Sessions and events at the stand-in: the state machine, what an update merges, what closing counts."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from talon_one_desk import HOUR, KEY, NOON, Desk, done

from elarian_trio.sandbox.talonone.rules.deployment import Application, Coupon, Rule

PATH = "/v1/customer_sessions/s"


def test_answer_to_a_new_session_has_every_field() -> None:
    """The facts, section 4: lists and maps are never null, and clients refuse what is missing."""
    item = {"name": "Tea", "sku": "t-1", "quantity": 2, "price": 4.5}
    state = Desk().session("cart-7", profileId="u1", cartItems=[item], total=9)
    assert state == {
        "session": {
            "integrationId": "cart-7",
            "created": "2019-05-20T12:00:00.5Z",
            "applicationId": 1,
            "profileId": "u1",
            "coupon": "",
            "referral": "",
            "state": "open",
            "cartItems": [{**item, "position": 0}],
            "total": 9,
            "attributes": {},
            "firstSession": True,
            "discounts": {},
        },
        "profile": {
            "integrationId": "u1",
            "created": "2019-05-20T12:00:00.5Z",
            "attributes": {},
            "accountId": 1,
            "closedSessions": 0,
            "totalSales": 0,
            "loyaltyMemberships": [],
            "lastActivity": "2019-05-20T12:00:00.5Z",
        },
        "event": {
            "id": 1,
            "created": "2019-05-20T12:00:00.5Z",
            "applicationId": 1,
            "profileId": "u1",
            "sessionId": "cart-7",
            "type": "talon_session_created",
            "attributes": {},
            "effects": [],
            "ledgerEntries": [],
            "meta": {},
        },
        "loyalty": {"programs": {}},
    }


TO: dict[str | None, dict[str, Any]] = {None: {}, "open": {"state": "open"}}
TO |= {state: {"state": state} for state in ("closed", "cancelled")}

MOVES: list[tuple[list[str], str | None, str, str]] = [
    ([], None, "open", "created"),
    ([], "open", "open", "created"),
    ([], "closed", "closed", "created"),
    (["open"], None, "open", "updated"),
    (["open"], "open", "open", "updated"),
    (["open"], "closed", "closed", "closed"),
    (["open"], "cancelled", "cancelled", "cancelled"),
    (["closed"], "cancelled", "cancelled", "revoked"),
]


@pytest.mark.parametrize(("before", "wanted", "becomes", "happened"), MOVES)
def test_session_moves_and_says_what_happened(before: list[str], wanted: str, becomes: str, happened: str) -> None:
    """The facts, section 6: the state machine and the event of each move."""
    desk = Desk()
    for state in before:
        desk.session("s", state=state)
    state = desk.session("s", **TO[wanted])
    assert (state["session"]["state"], state["event"]["type"]) == (becomes, f"talon_session_{happened}")


REFUSED: list[tuple[list[str], str | None]] = [
    ([], "cancelled"),
    (["closed"], None),
    (["closed"], "open"),
    (["closed"], "closed"),
    (["open", "cancelled"], None),
    (["open", "cancelled"], "open"),
    (["open", "cancelled"], "closed"),
    (["open", "cancelled"], "cancelled"),
]


@pytest.mark.parametrize(("before", "wanted"), REFUSED)
def test_other_moves_are_refused_and_change_nothing(before: list[str], wanted: str | None) -> None:
    """The facts, D7 and D8: also to close twice."""
    desk = Desk()
    for state in before:
        desk.session("s", state=state)
    kept = dict(desk.shelf.texts)
    assert desk.refused("PUT", PATH, TO[wanted]) == [("/state", "Invalid state")]
    assert desk.shelf.texts == kept


def test_what_is_given_replaces_and_what_is_not_stays() -> None:
    """The facts, section 7: attributes merge by name, a null removes one, everything else is replaced whole."""
    desk = Desk()
    items = [{"name": "A", "sku": "a", "quantity": 1, "price": 1}, {"name": "B", "sku": "b", "quantity": 1, "price": 2}]
    desk.session("s", cartItems=items, total=3, coupon="C", referral="R", attributes={"a": 1, "b": 2, "c": 3})
    kept = desk.session("s")["session"]
    assert [item["position"] for item in kept["cartItems"]] == [0, 1]
    nulls = dict.fromkeys(("profileId", "coupon", "referral", "cartItems", "total", "attributes", "state"))
    assert desk.session("s", **nulls)["session"] == kept
    new = desk.session("s", cartItems=[], total=0.5, coupon="", referral="", attributes={"b": None, "c": [3], "d": {}})
    assert new["session"] == {
        **kept,
        "cartItems": [],
        "total": 0.5,
        "coupon": "",
        "referral": "",
        "attributes": {"a": 1, "c": [3], "d": {}},
    }


def test_closed_session_that_is_cancelled_changes_in_nothing_else() -> None:
    """The facts, section 6, rule 9: a closed session takes no update except cancelling."""
    desk = Desk()
    desk.session("s", profileId="u1", state="closed", total=9)
    state = desk.session("s", profileId="u1", state="cancelled", total=1, attributes={"a": 1})
    assert (state["session"]["total"], state["session"]["attributes"]) == (9, {})


# Whose it is.


def test_session_of_nobody_counts_itself_alone() -> None:
    """The facts, D6, and a test of the vendor's: ``closedSessions`` is 1 after closing one."""
    desk = Desk()
    opened = desk.session("s", profileId="", total=2.5)
    assert (opened["profile"]["integrationId"], opened["profile"]["closedSessions"]) == ("", 0)
    assert "profileId" not in opened["event"]
    closed = desk.session("s", state="closed")["profile"]
    assert (closed["closedSessions"], closed["totalSales"]) == (1, 2.5)
    assert desk.session("t", state="closed", total=1)["profile"]["totalSales"] == 1
    cancelled = desk.session("s", state="cancelled")
    assert (cancelled["profile"]["closedSessions"], cancelled["profile"]["totalSales"]) == (0, 0)
    assert cancelled["session"]["firstSession"] is True
    assert desk.refused("POST", "/v1/referrals", {"campaignId": 1, "advocateProfileIntegrationId": "u1"})


def test_first_session_is_said_of_the_first_only() -> None:
    """The facts, section 4."""
    desk = Desk()
    assert [desk.session(name, profileId="u1")["session"]["firstSession"] for name in "aba"] == [True, False, True]


def test_session_of_nobody_is_taken_by_who_logs_in() -> None:
    """The facts, section 7 and D5: adopted, and given to somebody else while it is open."""
    desk = Desk()
    desk.session("first", profileId="u1")
    assert desk.session("s")["session"]["firstSession"] is True
    taken = desk.session("s", profileId="u1")
    assert (taken["session"]["profileId"], taken["session"]["firstSession"]) == ("u1", False)
    assert desk.session("s")["session"]["profileId"] == "u1"
    given = desk.session("s", profileId="u2")
    assert (given["profile"]["integrationId"], given["session"]["firstSession"]) == ("u2", True)
    left = desk.session("s", profileId="")
    assert (left["session"]["profileId"], left["profile"]["integrationId"]) == ("", "")


def test_session_that_is_not_open_keeps_its_owner() -> None:
    """The facts, D5: 400 on any other state."""
    desk = Desk()
    desk.session("s", profileId="u1", state="closed")
    for other in ("u2", ""):
        body = {"profileId": other, "state": "cancelled"}
        assert desk.refused("PUT", PATH, body) == [("/profileId", "Invalid profile")]
    assert desk.session("s", profileId="u1", state="cancelled")["session"]["profileId"] == "u1"


def test_same_id_in_two_applications_is_two_sessions_of_one_customer() -> None:
    """The facts, section 6, rule 2: sessions by application, profiles by account."""
    two = [Application(application_id=number, api_key=KEY[:-1] + str(number)) for number in (1, 2)]
    desk = Desk(applications=two)
    answered = [
        done(desk.ask("PUT", PATH, {"profileId": "u1"}, headers={"authorization": f"ApiKey-v1 {each.api_key}"}), 200)
        for each in two
    ]
    assert [state["session"]["applicationId"] for state in answered] == [1, 2]
    assert [state["session"]["firstSession"] for state in answered] == [True, False]
    assert [state["event"]["type"] for state in answered] == ["talon_session_created"] * 2


# Closing and cancelling.


def test_closing_counts_and_cancelling_takes_it_back() -> None:
    """The facts, section 6, rules 7 and 8: sessions and sales; what attributes became stays."""
    desk = Desk()
    desk.session("a", profileId="u1", state="closed", total=0.1)
    desk.session("b", profileId="u1", total=0.2)
    closed = desk.session("b", state="closed", attributes={"x": 1})["profile"]
    assert (closed["closedSessions"], closed["totalSales"]) == (2, 0.3)
    cancelled = desk.session("b", state="cancelled")
    assert (cancelled["profile"]["closedSessions"], cancelled["profile"]["totalSales"]) == (1, 0.1)
    assert cancelled["session"]["attributes"] == {"x": 1}
    desk.session("c", profileId="u1")
    assert desk.session("c", state="cancelled")["profile"]["closedSessions"] == 1


def test_codes_count_on_closing_and_no_longer_after_cancelling() -> None:
    """The facts, section 6: the coupon's and the referral's counter move on close and back on cancel."""
    desk = Desk(coupons=[Coupon(code="C", usage_limit=1)])
    desk.profile("u1")
    code = desk.referral("u1")["code"]
    given = {"profileId": "u2", "coupon": "C", "referral": code}
    for state in ("open", "open", "closed"):
        assert desk.session("s", **given, state=state)["event"]["meta"] == {"coupons": {"C": {}}}
    meta = desk.session("t", **given)["event"]["meta"]
    assert meta["couponRejectionReason"]["reason"] == "CouponLimitReached"
    assert meta["referralRejectionReason"]["reason"] == "ReferralLimitReached"
    assert desk.session("s", state="cancelled")["event"]["meta"] == {}
    assert desk.session("t", **given)["event"]["meta"] == {"coupons": {"C": {}}}


def test_code_that_does_not_count_is_not_counted() -> None:
    """This SDK: only what was accepted moves a counter, and only that moves back."""
    desk = Desk(coupons=[Coupon(code="C", recipient="u9")])
    desk.session("s", profileId="u1", coupon="C", state="closed")
    desk.session("s", state="cancelled")
    assert desk.session("t", profileId="u9", coupon="C")["event"]["meta"] == {"coupons": {"C": {}}}


# Events.


def test_event_is_answered_with_itself_also_where_it_makes_the_session() -> None:
    """The facts, section 6: the custom event, even when the session had to be created."""
    desk = Desk()
    state = desk.event("s", "seen", profileId="u1", attributes={"Page": 3, "None": None})
    assert (state["event"]["type"], state["event"]["attributes"]) == ("seen", {"Page": 3, "None": None})
    assert (state["session"]["state"], state["session"]["attributes"]) == ("open", {})
    assert state["profile"]["integrationId"] == "u1"
    assert desk.session("s")["event"]["type"] == "talon_session_updated"


@pytest.mark.parametrize("profile", [{}, {"profileId": None}, {"profileId": "u1"}])
def test_event_without_a_profile_is_the_sessions_owners(profile: dict[str, Any]) -> None:
    """The facts, sections 3 and 7: absent, or null as one client sends it, is the owner."""
    desk = Desk()
    desk.session("s", profileId="u1")
    assert desk.event("s", **profile)["event"]["profileId"] == "u1"


@pytest.mark.parametrize("profile", [{}, {"profileId": None}, {"profileId": ""}])
def test_event_of_nobody_makes_a_session_of_nobody(profile: dict[str, Any]) -> None:
    """The facts, section 3: not known yet."""
    desk = Desk()
    assert desk.event("s", **profile)["session"]["profileId"] == ""
    assert desk.event("s", profileId="")["session"]["profileId"] == ""


@pytest.mark.parametrize(("owner", "other"), [("u1", "u2"), ("u1", ""), ("", "u1")])
def test_event_of_somebody_else_is_refused(owner: str, other: str) -> None:
    """The facts, section 6, rule 4, and section 7: strict equality."""
    desk = Desk()
    desk.session("s", profileId=owner)
    body = {"sessionId": "s", "type": "seen", "attributes": {}, "profileId": other}
    assert desk.refused("POST", "/v1/events", body) == [("/profileId", "Invalid profile")]


@pytest.mark.parametrize("state", ["closed", "cancelled"])
def test_event_in_a_session_that_is_not_open_is_refused(state: str) -> None:
    """The facts, D8."""
    desk = Desk()
    desk.session("s")
    desk.session("s", state=state)
    body = {"sessionId": "s", "type": "seen", "attributes": {}}
    assert desk.refused("POST", "/v1/events", body) == [("/sessionId", "Invalid state")]


def test_each_update_has_one_event_with_the_next_number() -> None:
    """The facts, section 6, rule 10."""
    desk = Desk(first_id=7)
    ids = [desk.session("s")["event"]["id"], desk.event("s")["event"]["id"], desk.profile("u1")["event"]["id"]]
    assert ids == [7, 8, 9]


def test_last_activity_is_the_newest_events_time() -> None:
    """The facts, section 4."""
    desk = Desk()
    desk.session("s", profileId="u1")
    desk.now = NOON + HOUR
    profile = desk.event("s")["profile"]
    assert (profile["created"], profile["lastActivity"]) == ("2019-05-20T12:00:00.5Z", "2019-05-20T13:00:00.5Z")
    desk.now = NOON.replace(microsecond=0) + 2 * HOUR
    assert desk.profile("u1")["profile"]["lastActivity"] == "2019-05-20T14:00:00Z"


# Dry.


def test_dry_request_answers_in_full_and_keeps_nothing() -> None:
    """The facts, section 11 and D15."""
    desk = Desk(Rule(lambda _state, _event: [("couponCreated", None, "u1")]))
    state = desk.session("s", (("dry", "true"),), profileId="u1", state="closed", total=1)
    assert state["profile"]["closedSessions"] == 1
    assert desk.shelf.texts == {}
    assert desk.session("s", (("dry", "false"),), profileId="u1")["event"]["id"] == state["event"]["id"] == 1
    for method, path, body in (
        ("POST", "/v1/events", {"sessionId": "s", "type": "seen", "attributes": {}}),
        ("PUT", "/v1/customer_profiles/u1", {}),
    ):
        kept = dict(desk.shelf.texts)
        assert desk.ask(method, path, body, query=(("dry", "true"),)).status in (200, 201)
        assert desk.shelf.texts == kept


def test_dry_is_nothing_to_what_knows_no_such_thing() -> None:
    """The facts, section 11: of profiles, sessions and events."""
    desk = Desk()
    desk.profile("u1")
    assert desk.ask("DELETE", "/v1/customer_data/u1", query=(("dry", "true"),)).status == 204
    assert desk.ask("DELETE", "/v1/customer_data/u1").status == 404


def test_empty_body_of_an_update_is_an_empty_object() -> None:
    """The facts, section 1: a client sends none when its caller gives none."""
    desk = Desk()
    assert desk.ask("PUT", PATH, b"").status == 200
    assert desk.ask("PUT", "/v1/customer_profiles/u1", b"").status == 200


@pytest.mark.parametrize("sign", [1, -1])
def test_sums_beyond_what_a_number_can_hold_stay_at_the_largest(sign: int) -> None:
    """A past bug: closing a session was answered with a failure of the stand-in's own."""
    desk = Desk()
    total = sign * 1.7e308
    for name in ("s", "t"):
        state = desk.session(name, profileId="u1", state="closed", total=total)
    assert state["profile"]["totalSales"] == sign * sys.float_info.max
