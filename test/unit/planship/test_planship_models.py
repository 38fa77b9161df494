"""What Planship answers becomes models: of API 0.1.4 to 0.3.1 and beyond, with whatever is missing, null or new."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from elarian_trio.planship import (
    BucketUsage,
    Customer,
    CustomerInDbBase,
    CustomerSubscriptionWithPlan,
    Entitlements,
    LeverUsage,
    MeteringRecord,
    Plan,
    PlanDetails,
    PlanEntitlement,
    PlanInDbBase,
    PlanReference,
    SubscriptionCustomer,
    SubscriptionWithPlan,
    TimeUnits,
    TokenResponse,
)
from elarian_trio.planship.reading import read

REFERENCE = {"id": "u1", "name": "Small", "slug": "small"}
AT = "2024-01-01T00:00:00+00:00"
OURS = datetime(2024, 1, 1, tzinfo=UTC)

SEAT: dict[str, Any] = {"customer_id": "c", "subscription_id": "s"}
SUBSCRIPTION: dict[str, Any] = {
    **SEAT,
    "auto_renew": True,
    "is_active": True,
    "renew_at": AT,
    "last_renewed_at": AT,
    "plan": REFERENCE,
    "renew_plan": REFERENCE,
}
PLAN: dict[str, Any] = {"id": "u1", "slug": "small", "name": "Small"}


def test_patch_reply_that_all_clients_read_is_read() -> None:
    """The facts, section 12: the body that the official clients decode."""
    reply = {**SUBSCRIPTION, "is_administrator": True, "is_subscriber": True, "metadata_": None, "max_subscribers": 1}
    plan = PlanReference(id="u1", name="Small", slug="small")
    assert read(CustomerSubscriptionWithPlan, reply, "it") == CustomerSubscriptionWithPlan(
        customer_id="c",
        subscription_id="s",
        is_administrator=True,
        auto_renew=True,
        is_active=True,
        renew_at=OURS,
        last_renewed_at=OURS,
        plan=plan,
        renew_plan=plan,
    )


def test_optional_fields_that_are_null_have_their_defaults() -> None:
    """The facts, section 6: optional may be absent or null, and Python's client applies the default to both."""
    absent = read(PlanInDbBase, PLAN, "it")
    names = "description display_name display_description display_order display_extra_attributes max_subscribers"
    more = "is_self_serve is_public auto_renew duration_period duration_unit product_id alternative_id"
    null = read(PlanInDbBase, {**PLAN, **dict.fromkeys(f"{names} {more}".split())}, "it")
    assert absent == null
    assert (absent.max_subscribers, absent.is_self_serve, absent.is_public, absent.auto_renew) == (1, True, False, True)
    assert (absent.duration_period, absent.duration_unit) == (1, TimeUnits.MONTH)
    assert (absent.display_extra_attributes, absent.product_id) == ({}, None)


def test_metadata_is_read_with_its_trailing_underscore() -> None:
    """The facts, section 1: ``metadata`` is sent, ``metadata_`` is answered."""
    customer = {"id": "u", "organization_id": "o", "metadata_": {"k": 1}, "metadata": "of another kind"}
    made = read(CustomerInDbBase, customer, "it")
    assert made.metadata == {"k": 1}
    assert made.extra == {"metadata": "of another kind"}


def test_unknown_fields_are_kept() -> None:
    """D8 of the facts: accessible, and in nobody's way."""
    made = read(Plan, {"slug": "s", "name": "S", "description": "", "order": 3, "colour": {"a": [1]}}, "it")
    assert made == Plan(slug="s", name="S", description="", order=3, extra={"colour": {"a": [1]}})


@pytest.mark.parametrize("unit", list(TimeUnits))
def test_known_unit_is_a_member(unit: TimeUnits) -> None:
    """The facts, section 6: the only enumeration on the wire."""
    assert read(PlanInDbBase, {**PLAN, "duration_unit": str(unit)}, "it").duration_unit is unit


def test_unknown_unit_is_kept_as_it_is() -> None:
    """This SDK: what a newer server says is no error."""
    assert read(PlanInDbBase, {**PLAN, "duration_unit": "fortnight"}, "it").duration_unit == "fortnight"


def test_entitlements_of_a_plan_are_read_in_both_shapes() -> None:
    """D8 of the facts: up to API 0.1.4 the value is the text; since 0.1.5 there is both."""
    old = {"value": "10 projects", "name": "Projects", "description": ""}
    new = {"value": 10, "formatted_value": "10", "lever_name": "Max", "name": "Projects", "description": "", "order": 1}
    none = {"name": "Projects", "description": "", "configuration": {"a": 1}, "value": False}
    plan = {"slug": "s", "name": "S", "description": "", "entitlements": [old, new, none]}
    assert read(PlanDetails, plan, "it").entitlements == (
        PlanEntitlement(name="Projects", description="", value="10 projects", formatted_value="10 projects"),
        PlanEntitlement(name="Projects", description="", value=10, formatted_value="10", lever_name="Max", order=1),
        PlanEntitlement(name="Projects", description="", value=False, configuration={"a": 1}),
    )


def test_customer_is_read_with_what_the_customer_has_part_in() -> None:
    """The facts, section 6: an array, empty when there is nothing."""
    customer = {"id": "u", "organization_id": "o", "subscriptions": []}
    assert read(Customer, customer, "it").subscriptions == ()
    seats = read(Customer, {**customer, "subscriptions": [{**SEAT, "plan": PLAN, "is_subscriber": False}]}, "it")
    assert seats.subscriptions == (
        SubscriptionCustomer(
            customer_id="c",
            subscription_id="s",
            is_subscriber=False,
            plan=PlanInDbBase(id="u1", slug="small", name="Small"),
        ),
    )


def test_usage_is_read_by_bucket_and_by_subscription() -> None:
    """The facts, section 8: a bucket that is null is use without one."""
    usage = {"total": 3, "by_bucket": {"null": 3}, "by_subscription": {"s": [{"usage": 3.0, "bucket": None}]}}
    made = read(dict[str, LeverUsage], {"clicks": usage}, "it")
    buckets = (BucketUsage(usage=3),)
    assert made == {"clicks": LeverUsage(total=3, by_bucket={"null": 3}, by_subscription={"s": buckets})}
    assert type(made["clicks"].by_subscription["s"][0].usage) is int


def test_metering_record_is_read() -> None:
    """The facts, section 12: the usage reply that the official clients decode."""
    record = {"id": "r", "usage": 3, "metering_id": "m", "customer_id": "c", "product_id": "p", "is_allocated": False}
    made = read(MeteringRecord, {**record, "subscription_id": None, "bucket": None}, "it")
    assert made == MeteringRecord(id="r", usage=3, metering_id="m", customer_id="c", product_id="p")


def test_entitlements_are_whatever_they_are() -> None:
    """The facts, section 8: flags, numbers, text, lists, and objects by bucket."""
    state = {"a": True, "b": -1, "c": 1.5, "d": "x", "e": ["x"], "f": {"null": 3}, "g": None}
    assert read(Entitlements, state, "it") == state


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-01T00:00:00", OURS),
        ("2024-01-01T00:00:00Z", OURS),
        ("2024-01-01T03:00:00+03:00", OURS),
        ("2024-01-01T00:00:00.123456789", OURS + timedelta(microseconds=123456)),
        ("2024-01-01", OURS),
        ("9999-12-31T00:00:00+00:00", datetime(9999, 12, 31, tzinfo=UTC)),
        (
            "9999-12-31T23:59:59-05:00",
            datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-5))),
        ),
    ],
)
def test_time_is_aware_and_in_utc_where_it_does_not_say(text: str, moment: datetime) -> None:
    """D7 of the facts: naive timestamps are UTC."""
    made = read(CustomerSubscriptionWithPlan, {**SUBSCRIPTION, "renew_at": text}, "it").renew_at
    assert made == moment
    assert made.tzinfo is not None


NEW: dict[str, Any] = {**SUBSCRIPTION, "id": "s", "plan_id": "u1", "renew_plan_id": "u1", "start_at": AT}


@pytest.mark.parametrize(
    ("model", "value", "words"),
    [
        (SubscriptionWithPlan, {**NEW, "max_subscribers": None}, "it.max_subscribers should be there, got nothing"),
        (CustomerSubscriptionWithPlan, {**SUBSCRIPTION, "renew_at": None}, "it.renew_at should be there, got nothing"),
        (CustomerSubscriptionWithPlan, {**SUBSCRIPTION, "renew_at": "soon"}, "it.renew_at should be a date and time"),
        (CustomerSubscriptionWithPlan, {**SUBSCRIPTION, "renew_at": 1}, "it.renew_at should be a string, got int"),
        (CustomerSubscriptionWithPlan, {**SUBSCRIPTION, "plan": []}, "it.plan should be an object, got list"),
        (CustomerSubscriptionWithPlan, {**SUBSCRIPTION, "is_active": 1}, "it.is_active should be true or false"),
        (Customer, {"id": "u", "organization_id": "o", "subscriptions": None}, "it.subscriptions should be there"),
        (Customer, {"id": "u", "organization_id": "o", "subscriptions": {}}, "it.subscriptions should be an array"),
        (tuple[Plan, ...], [{"slug": "s"}], r"it\[0\].name should be there"),
        (LeverUsage, {"total": 1.5}, "it.total should be an integer, got float"),
        (LeverUsage, {"total": True}, "it.total should be an integer, got bool"),
        (LeverUsage, {"total": 1, "by_bucket": {"a": "b"}}, "it.by_bucket.a should be an integer, got str"),
        (Entitlements, [], "it should be an object, got list"),
        (Plan, None, "it should be an object, got nothing"),
    ],
)
def test_answer_that_is_not_as_it_should_be_is_refused_with_the_place(model: Any, value: Any, words: str) -> None:  # noqa: ANN401
    """This SDK: a typed error instead of 1970, or of a None where a date is promised; values are not repeated."""
    with pytest.raises(ValueError, match=words):
        read(model, value, "it")


def test_subscription_that_was_made_has_all_its_fields() -> None:
    """The facts, section 6: ``alternative_id`` since API 0.3.0; ``customer_id`` is none of its fields."""
    made = read(SubscriptionWithPlan, {**NEW, "max_subscribers": 5, "alternative_id": "x"}, "it")
    assert (made.id, made.max_subscribers, made.start_at, made.alternative_id) == ("s", 5, OURS, "x")
    assert made.extra == SEAT


def test_token_is_not_shown() -> None:
    """This SDK: credentials appear in no repr."""
    token = read(TokenResponse, {"access_token": "t0ken", "token_type": "bearer", "expires_in": 3600}, "it")
    assert token.access_token == "t0ken"
    assert "t0ken" not in repr(token)
