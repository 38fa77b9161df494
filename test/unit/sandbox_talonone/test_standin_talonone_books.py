"""Whatever is asked of the stand-in, in whatever order: its counters say what the sessions say."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from talon_one_desk import Desk

from elarian_trio.sandbox.rows import key_text
from elarian_trio.sandbox.talonone.rules.deployment import Coupon, Rule
from elarian_trio.sandbox.talonone.rules.records import (
    TalonOneCouponRecord,
    TalonOneEventRecord,
    TalonOneProfileRecord,
    TalonOneReferralRecord,
    TalonOneSessionRecord,
)

if TYPE_CHECKING:
    from elarian_trio.sandbox.world.entities import Record

PEOPLE = st.sampled_from(["u1", "u2"])
AMOUNTS = st.integers(0, 1_000).map(lambda cents: cents / 10)
SESSIONS = st.fixed_dictionaries(
    {},
    optional={
        "profileId": st.just("") | PEOPLE,
        "coupon": st.sampled_from(["", "ONCE", "NONE"]),
        "state": st.sampled_from(["open", "closed", "cancelled"]),
        "total": AMOUNTS,
    },
)
ASKED = st.one_of(
    st.tuples(st.just("session"), st.sampled_from("abc"), SESSIONS),
    st.tuples(st.just("event"), st.sampled_from("abc"), st.just("") | PEOPLE),
    st.tuples(st.just("profile"), PEOPLE),
    st.tuples(st.just("referral"), PEOPLE),
    st.tuples(st.just("redeem"), st.sampled_from("abc")),
    st.tuples(st.just("delete"), PEOPLE),
)


class Shop:
    """A desk, and what is asked of it."""

    def __init__(self) -> None:
        self.desk = Desk(
            Rule(lambda state, _event: [("setDiscount", "Off", state.session["total"] / 2)] if state.coupon else []),
            coupons=[Coupon(code="ONCE", usage_limit=1)],
        )
        self.code = ""

    def ask(self, asked: tuple[Any, ...]) -> None:
        """Ask for one thing, which may be refused."""
        match asked:
            case ("session", session_id, body):
                self.put(f"/v1/customer_sessions/{session_id}", body)
            case ("event", session_id, owner):
                body = {"sessionId": session_id, "type": "seen", "attributes": {}, "profileId": owner}
                assert self.desk.ask("POST", "/v1/events", body).status in (201, 400)
            case ("profile", owner):
                self.put(f"/v1/customer_profiles/{owner}", {})
            case ("referral", owner):
                self.desk.profile(owner)
                self.code = self.desk.referral(owner)["code"]
            case ("redeem", session_id):
                self.put(f"/v1/customer_sessions/{session_id}", {"referral": self.code})
            case (_, owner):
                assert self.desk.ask("DELETE", f"/v1/customer_data/{owner}").status in (204, 404)

    def put(self, path: str, body: object) -> None:
        """Update something."""
        assert self.desk.ask("PUT", path, body).status in (200, 400)

    def all(self, kind: type[Record]) -> list[Any]:
        """Give all records of a kind."""
        found = [self.desk.shelf.load(key) for key in self.desk.shelf.texts]
        return [record for record in found if isinstance(record, kind)]


@given(st.lists(ASKED, max_size=25))
def test_counters_say_what_the_sessions_say(asked: list[tuple[Any, ...]]) -> None:
    """The facts, section 6, rules 7 and 8: what closing counts is what is closed, whoever was forgotten meanwhile."""
    shop = Shop()
    for each in asked:
        shop.ask(each)
    closed = [session for session in shop.all(TalonOneSessionRecord) if session.state == "closed"]
    for profile in shop.all(TalonOneProfileRecord):
        own = [session for session in closed if session.profile_id == profile.integration_id]
        assert profile.closed_sessions == len(own)
        assert Decimal(str(profile.total_sales)) == sum((Decimal(str(each.total)) for each in own), Decimal(0))
    for coupon in shop.all(TalonOneCouponRecord):
        assert coupon.usage_counter == sum(session.counted_coupon == coupon.code for session in closed) <= 1
    for referral in shop.all(TalonOneReferralRecord):
        assert referral.usage_counter == sum(session.counted_referral == referral.code for session in closed) <= 1
    numbers = [record.id for kind in (TalonOneEventRecord, TalonOneReferralRecord) for record in shop.all(kind)]
    assert len(numbers) == len(set(numbers))


@given(st.lists(ASKED, max_size=25), PEOPLE)
def test_nothing_that_is_kept_names_who_was_deleted(asked: list[tuple[Any, ...]], person: str) -> None:
    """The facts, section 9: whatever happened before, nothing is tied to the person any more."""
    shop = Shop()
    for each in asked:
        shop.ask(each)
    shop.ask(("profile", person))
    shop.desk.delete(person)
    assert not [key for key, text in shop.desk.shelf.texts.items() if f'"{person}"' in key_text(key) + text]
