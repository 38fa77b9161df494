"""Profiles at the stand-in: updated, with points, and forgotten."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from talon_one_desk import AUTHORIZED, HOUR, NOON, Desk, effects

from elarian_trio.sandbox.books import Books
from elarian_trio.sandbox.dice import SeededDice
from elarian_trio.sandbox.exchange import Call, WebRequest
from elarian_trio.sandbox.talonone.rules.deployment import Application, Rule
from elarian_trio.sandbox.talonone.rules.operations import forget
from elarian_trio.sandbox.talonone.rules.records import (
    TalonOneEventRecord,
    TalonOneReferralRecord,
    TalonOneSessionRecord,
)

if TYPE_CHECKING:
    from elarian_trio.sandbox.world.entities import Record


def kept(desk: Desk, kind: type[Record]) -> list[Any]:
    """Give all records of a kind."""
    found = [desk.shelf.load(key) for key in desk.shelf.texts]
    return [record for record in found if isinstance(record, kind)]


def test_profile_update_happens_in_no_session() -> None:
    """The facts, D3: a blank session, which clients take only as an object, and no ``sessionId`` in the event."""
    desk = Desk()
    state = desk.profile("u1", Name="Val é")
    assert state["session"] == {
        "integrationId": "",
        "created": "2019-05-20T12:00:00.5Z",
        "applicationId": 1,
        "profileId": "",
        "coupon": "",
        "referral": "",
        "state": "open",
        "cartItems": [],
        "total": 0,
        "attributes": {},
        "firstSession": True,
        "discounts": {},
    }
    assert state["event"] == {
        "id": 1,
        "created": "2019-05-20T12:00:00.5Z",
        "applicationId": 1,
        "profileId": "u1",
        "type": "talon_profile_created",
        "attributes": {},
        "effects": [],
        "ledgerEntries": [],
        "meta": {},
    }
    assert state["profile"]["attributes"] == {"Name": "Val é"}
    assert kept(desk, TalonOneSessionRecord) == []


def test_profile_attributes_merge_and_a_null_removes_one() -> None:
    """The facts, section 7 and D4."""
    desk = Desk()
    desk.profile("u1", a=1, b={"class": [1]}, base64="x")
    desk.now = NOON + HOUR
    state = desk.profile("u1", a=None, c=3)
    assert state["profile"]["attributes"] == {"b": {"class": [1]}, "base64": "x", "c": 3}
    assert state["event"]["type"] == "talon_profile_updated"
    assert (state["profile"]["created"], state["profile"]["lastActivity"]) == (
        "2019-05-20T12:00:00.5Z",
        "2019-05-20T13:00:00.5Z",
    )
    assert desk.profile("u1")["profile"]["attributes"] == state["profile"]["attributes"]
    reply = desk.ask("PUT", "/v1/customer_profiles/u1", {"attributes": None})
    assert json.loads(reply.body)["profile"]["attributes"] == state["profile"]["attributes"]


def test_profile_update_runs_the_rules_without_codes() -> None:
    """The facts, section 6, rule 10."""
    desk = Desk(Rule(lambda state, event: [("seen", state.session["integrationId"], event["type"])]))
    desk.session("s", profileId="u1", coupon="C")
    assert effects(desk.profile("u1")) == [["seen", "", "talon_profile_updated"]]


def test_points_are_those_that_the_user_said() -> None:
    """The facts, D17: the map's names are the programs' ids as text."""
    desk = Desk(loyalty={"u1": {3: 7.5, 4: 0}})
    for state in (desk.profile("u1"), desk.session("s", profileId="u1")):
        assert state["profile"]["loyaltyMemberships"] == [{"loyaltyProgramId": 3}, {"loyaltyProgramId": 4}]
        assert state["loyalty"] == {"programs": {"3": {"currentBalance": 7.5}, "4": {"currentBalance": 0}}}
    assert desk.session("t")["loyalty"] == {"programs": {}}


def test_account_has_the_number_that_the_user_said() -> None:
    """The facts, section 4."""
    assert Desk(account_id=12).profile("u1")["profile"]["accountId"] == 12


def test_deleted_data_is_gone_wherever_it_was() -> None:
    """The facts, D11: the profile, and what sessions, events and referrals said of the person."""
    desk = Desk()
    desk.profile("u1", Name="Val")
    desk.profile("u2")
    desk.session("s", profileId="u1", attributes={"a": 1}, total=5, state="closed")
    desk.event("t", profileId="u1", attributes={"b": 2})
    codes = [desk.referral("u1")["code"], desk.referral("u2", friendProfileIntegrationId="u1")["code"]]
    desk.delete("u1")
    for session in kept(desk, TalonOneSessionRecord):
        assert (session.profile_id, session.attributes) == ("", "{}")
    for event in kept(desk, TalonOneEventRecord):
        assert event.attributes == "{}"
        assert event.profile_id in ("", "u2")
    people = {each.code: (each.advocate, each.friend) for each in kept(desk, TalonOneReferralRecord)}
    assert people == {codes[0]: ("", ""), codes[1]: ("u2", "")}
    assert desk.session("s", state="cancelled")["session"]["total"] == 5


def test_codes_of_who_was_deleted_count_on() -> None:
    """The facts, section 9: code, counters and limits stay."""
    desk = Desk()
    desk.profile("u1")
    code = desk.referral("u1")["code"]
    desk.delete("u1")
    assert effects(desk.session("s", profileId="u2", referral=code)) == [["acceptReferral", code]]


def test_what_befell_others_in_a_session_stays_theirs() -> None:
    """This SDK: a session that changed hands; its attributes go with its last owner, names with each one's own."""
    desk = Desk()
    desk.session("s", profileId="u1")
    desk.event("s", attributes={"a": 1})
    desk.session("s", profileId="u2")
    desk.delete("u1")
    owners = {event.id: event.profile_id for event in kept(desk, TalonOneEventRecord)}
    assert owners == {1: "", 2: "", 3: "u2"}
    assert desk.session("s")["session"]["profileId"] == "u2"
    desk.profile("u1")
    desk.delete("u2")
    assert {event.profile_id for event in kept(desk, TalonOneEventRecord)} == {"", "u1"}


def test_id_that_is_used_again_is_somebody_new() -> None:
    """The facts, D11: counters 0, and what was before stays nobody's."""
    desk = Desk()
    desk.session("s", profileId="u1", state="closed", total=5)
    desk.delete("u1")
    state = desk.profile("u1")
    assert (state["event"]["type"], state["profile"]["closedSessions"]) == ("talon_profile_created", 0)
    assert desk.session("t", profileId="u1")["session"]["firstSession"] is True
    cancelled = desk.session("s", state="cancelled")
    assert cancelled["profile"]["integrationId"] == ""
    assert desk.profile("u1")["profile"]["closedSessions"] == 0


def test_customer_who_is_not_known_cannot_be_deleted() -> None:
    """The facts, section 9: 404, and so for a second time."""
    desk = Desk()
    desk.profile("u1")
    desk.delete("u1")
    reply = desk.ask("DELETE", "/v1/customer_data/u1", b"{}")
    assert (reply.status, json.loads(reply.body)) == (404, {"message": "there is no such customer"})
    assert desk.ask("DELETE", "/v1/customer_data/u1", b"whatever", headers={}).status == 401


def test_id_is_decoded_once_and_is_any_text() -> None:
    """The facts, section 1."""
    desk = Desk(applications=[Application(api_key="k")])
    reply = desk.ask("PUT", "/v1/customer_sessions/a%2Fb%20c+%C3%A9%2525", {}, headers={"authorization": "ApiKey-v1 k"})
    assert json.loads(reply.body)["session"]["integrationId"] == "a/b c+é%25"
    session = {"sessionId": "a/b c+é%25", "type": "seen", "attributes": {}, "profileId": ""}
    reply = desk.ask("POST", "/v1/events", session, headers={"authorization": "ApiKey-v1 k"})
    assert json.loads(reply.body)["event"]["id"] == 2


def test_session_of_an_id_with_slashes_is_found_when_its_owner_is_deleted() -> None:
    """This SDK: lists of names hold any id."""
    desk = Desk()
    desk.session("a%2Fb", profileId="u1", attributes={"x": 1})
    desk.delete("u1")
    assert desk.session("a%2Fb")["session"]["attributes"] == {}


def test_everything_is_forgotten_at_once() -> None:
    """The facts, section 13: a reset; numbers begin anew, and nothing of before is found."""
    desk = Desk()
    desk.session("s", profileId="u1", state="closed")
    for _ in range(2):
        books = Books(desk.shelf)
        request = WebRequest(method="RESET", path="", headers=AUTHORIZED)
        assert forget(Call(request, books, NOON, SeededDice(1))).status == 204
        desk.shelf.keep(books.changes)
        state = desk.session("s", profileId="u1")
        assert (state["event"]["id"], state["event"]["type"]) == (1, "talon_session_created")
        assert state["session"]["firstSession"] is True
