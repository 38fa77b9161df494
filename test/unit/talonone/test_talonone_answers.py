"""What Talon.One answers: the sample of the facts, every trap in it, and what an unknown release may add."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from elarian_trio.talonone import (
    UNSET,
    AcceptCoupon,
    Adjustment,
    CartItem,
    CouponRejectionReason,
    CustomerProfile,
    CustomerSession,
    Effect,
    Event,
    IntegrationState,
    LedgerEntry,
    Loyalty,
    LoyaltyMembership,
    LoyaltyProgram,
    Referral,
    ReferralRejectionReason,
    SessionState,
    SetDiscount,
)

SAMPLE = json.loads(
    """
    {"session":{"integrationId":"cart-7","created":"2019-05-20T12:00:00.5Z","applicationId":1,"profileId":"u1",
      "coupon":"SPRING","referral":"","state":"open","cartItems":[{"name":"Tea","sku":"t-1","quantity":2,"price":4.5,
      "position":0}],"total":9,"attributes":{},"firstSession":true,"discounts":{"Spring":2}},
     "profile":{"integrationId":"u1","created":"2019-05-20T12:00:00.5Z","attributes":{},"accountId":1,
      "closedSessions":0,"totalSales":0,"loyaltyMemberships":[],"lastActivity":"2019-05-20T12:00:00.5Z"},
     "event":{"id":12,"created":"2019-05-20T12:00:00.5Z","applicationId":1,"profileId":"u1","sessionId":"cart-7",
      "type":"talon_session_created","attributes":{},"effects":[[54,22,0,["acceptCoupon","SPRING"]],
      [54,22,0,["setDiscount","Spring",2]]],"ledgerEntries":[],"meta":{}},
     "loyalty":{"programs":{}}}
    """
)
WHEN = datetime(2019, 5, 20, 12, 0, 0, 500_000, tzinfo=UTC)


def test_sample_answer_reads_as_what_it_says() -> None:
    """The facts, section 4: the sample that every client of the vendor's parsed."""
    state = IntegrationState.from_wire(SAMPLE)
    assert state.session == CustomerSession(
        integration_id="cart-7",
        created=WHEN,
        application_id=1,
        profile_id="u1",
        coupon="SPRING",
        state=SessionState.OPEN,
        cart_items=(CartItem(name="Tea", sku="t-1", quantity=2, price=4.5, position=0.0),),
        total=9.0,
        first_session=True,
        discounts={"Spring": 2.0},
    )
    assert state.profile == CustomerProfile(integration_id="u1", created=WHEN, account_id=1, last_activity=WHEN)
    assert state.loyalty == Loyalty()
    assert state.effects == state.event.effects
    assert [effect.details for effect in state.effects] == [AcceptCoupon("SPRING"), SetDiscount("Spring", 2.0)]
    assert (state.event.id, state.event.type, state.event.session_id) == (12, "talon_session_created", "cart-7")
    assert state.raw is SAMPLE
    assert state.extra == state.session.extra == state.event.extra == {}


def test_answer_can_be_copied_and_pickled() -> None:
    """This SDK: a plain value, which may travel to another process."""
    state = IntegrationState.from_wire(SAMPLE)
    again = pickle.loads(pickle.dumps(copy.deepcopy(state)))
    assert (again, again.raw) == (state, SAMPLE)


def test_every_field_of_every_answer_is_read() -> None:
    """The facts, section 4: all fields, with the optional ones."""
    event = Event.from_wire(
        {
            "ledgerEntries": [
                {
                    "id": 1,
                    "created": "2019-05-20T12:00:00.5Z",
                    "profileId": "u1",
                    "accountId": 2,
                    "loyaltyProgramId": 3,
                    "eventId": 4,
                    "amount": -5,
                    "reason": "used",
                    "expiryDate": "2019-05-20T14:00:00.5+02:00",
                    "referenceId": 6,
                }
            ],
            "attributes": {"Page": [1]},
            "meta": {
                "couponRejectionReason": {"campaignId": 1, "couponId": 2, "reason": "CouponExpired"},
                "referralRejectionReason": {"campaignId": 1, "referralId": 0, "reason": "ReferralNotFound"},
                "warnings": {},
            },
        }
    )
    assert event.ledger_entries == (
        LedgerEntry(
            id=1,
            created=WHEN,
            profile_id="u1",
            account_id=2,
            loyalty_program_id=3,
            event_id=4,
            amount=-5,
            reason="used",
            expiry_date=WHEN,
            reference_id=6,
        ),
    )
    assert event.attributes == {"Page": [1]}
    assert event.coupon_rejection == CouponRejectionReason(campaign_id=1, coupon_id=2, reason="CouponExpired")
    assert event.referral_rejection == ReferralRejectionReason(campaign_id=1, reason="ReferralNotFound")
    assert event.meta["warnings"] == {}
    profile = CustomerProfile.from_wire({"loyaltyMemberships": [{"loyaltyProgramId": 3}]})
    assert profile.loyalty_memberships == (LoyaltyMembership(loyalty_program_id=3),)
    loyalty = Loyalty.from_wire({"programs": {"3": {"currentBalance": 7, "title": "Miles"}}})
    assert loyalty.programs == {"3": LoyaltyProgram(current_balance=7.0)}
    assert loyalty.programs["3"].extra == {"title": "Miles"}
    item = CartItem.from_wire({"adjustment": {"payFromLoyaltyProgram": 1, "pointPayment": 2, "remainingPrice": None}})
    assert item.adjustment == Adjustment(pay_from_loyalty_program=1, point_payment=2, remaining_price=None)
    assert item.category is UNSET


def test_referral_without_what_was_not_given_is_read() -> None:
    """The facts, section 4: optional inputs that were not given are left out."""
    referral = Referral.from_wire({"id": 5, "code": "ABCDEFGH", "campaignId": 3, "usageLimit": 1, "usageCounter": 0})
    assert referral == Referral(id=5, code="ABCDEFGH", campaign_id=3, usage_limit=1)
    assert (referral.start_date, referral.expiry_date, referral.friend_profile_integration_id) == (None, None, "")


@pytest.mark.parametrize("missing", ["sessionId", "ledgerEntries", "meta", "profileId", "effects", "attributes"])
def test_event_without_a_field_that_the_service_leaves_out_is_read(missing: str) -> None:
    """The facts, section 12: a missing ``sessionId`` and a missing ``ledgerEntries`` broke strict clients."""
    event = {name: value for name, value in SAMPLE["event"].items() if name != missing}
    assert IntegrationState.from_wire({**SAMPLE, "event": event}).event.id == 12


def test_answer_of_nothing_but_nulls_is_blank() -> None:
    """The facts, section 4: a null session, state or list broke the vendor's Python clients."""
    for kind in (CustomerSession, CustomerProfile, Event, Loyalty, Referral, LedgerEntry):
        nulls = dict.fromkeys(("session", "state", "cartItems", "attributes", "programs", "total", "id", "code"))
        assert kind.from_wire(nulls) == kind()
    state = IntegrationState.from_wire({"session": None, "profile": None, "event": None, "loyalty": None})
    assert state == IntegrationState()
    assert state.session.cart_items == ()
    assert state.event.coupon_rejection is None


@pytest.mark.parametrize("wrong", [7, "x", True, [7], {"x": 7}, 1e400, "9" * 5000], ids=lambda value: str(value)[:6])
def test_field_of_the_wrong_type_is_blank_and_kept_in_raw(wrong: Any) -> None:  # noqa: ANN401 - bad on purpose
    """This SDK: an answer that is odd in one place is still an answer; what was said is kept."""
    for kind in (CustomerSession, CustomerProfile, Event, Referral, LedgerEntry, CartItem):
        said = dict.fromkeys(map(wire, kind.__dataclass_fields__), wrong)
        assert kind.from_wire(said).raw is said
    session = CustomerSession.from_wire({"cartItems": [wrong, {"sku": "t-1"}]})
    assert [item.sku for item in session.cart_items if item.sku == "t-1"] == ["t-1"]
    assert IntegrationState.from_wire({**SAMPLE, "session": wrong}).event.id == 12


def wire(name: str) -> str:
    """Give a field's name on the wire."""
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


@pytest.mark.parametrize("digits", range(10))
@pytest.mark.parametrize("offset", ["Z", "z", "+00:00", "-05:30"])
def test_time_of_any_fraction_and_offset_is_read(digits: int, offset: str) -> None:
    """The facts, sections 1 and 12: 0 to 9 fractional digits; nanoseconds broke a client in 2020."""
    fraction = f".{'123456789'[:digits]}" if digits else ""
    read = Referral.from_wire({"created": f"2019-05-20T12:00:00{fraction}{offset}"}).created
    expected = datetime.fromisoformat(f"2019-05-20T12:00:00.{'123456'[:digits]:0<6}{offset.upper()}")
    assert read == expected
    assert read is not None
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2019-05-20T12:00:00", datetime(2019, 5, 20, 12, tzinfo=UTC)),
        ("soon", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_time_that_is_none_is_none_and_one_without_offset_is_utc(text: str, read: datetime | None) -> None:
    """The facts, section 1: the service stores UTC."""
    assert Referral.from_wire({"created": text}).created == read


def test_state_of_a_newer_release_is_the_string_it_is() -> None:
    """The facts, section 6: ``partially_returned`` came later."""
    assert CustomerSession.from_wire({"state": "partially_returned"}).state == "partially_returned"
    assert CustomerSession.from_wire({"state": "closed"}).state is SessionState.CLOSED


def test_fields_of_a_newer_release_are_kept() -> None:
    """The facts, section 11: every later release added some."""
    state = IntegrationState.from_wire({**SAMPLE, "coupon": {"id": 1}, "session": {"couponCodes": ["A"]}})
    assert state.extra == {"coupon": {"id": 1}}
    assert state.session.extra == {"couponCodes": ["A"]}
    assert "couponCodes" not in repr(state)


def test_integral_float_is_an_integer() -> None:
    """The facts, section 12: a client of the vendor's showed ids as floats."""
    assert Event.from_wire({"id": 12.0}).id == 12
    assert Effect.from_wire([54.0, 22.0, 0.0, ["x"]]).campaign_id == 54
    assert Event.from_wire({"id": 12.5}).id == 0
