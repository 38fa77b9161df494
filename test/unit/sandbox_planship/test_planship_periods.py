"""How long subscriptions run, and what becomes of them then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from elarian_trio.sandbox.planship.rules.catalogue import Plan
from elarian_trio.sandbox.planship.rules.periods import NEVER, current, end_of, renewed
from elarian_trio.sandbox.planship.rules.records import PlanshipSubscriptionRecord

START = datetime(2026, 1, 31, 12, tzinfo=UTC)


def lasting(unit: Any, period: int = 1, slug: str = "plan") -> Plan:  # noqa: ANN401 - one of several words
    """Make a plan of that length."""
    return Plan(slug=slug, duration_unit=unit, duration_period=period)


def subscription(plan: Plan, **values: Any) -> PlanshipSubscriptionRecord:  # noqa: ANN401 - fields
    """Make a subscription that began at START."""
    fields = {
        "renew_plan": plan.slug,
        "renew_at": end_of(plan, START),
        "auto_renew": True,
        "is_active": True,
        "max_subscribers": 1,
        **values,
    }
    return PlanshipSubscriptionRecord(
        org_id="o",
        subscription_id="s",
        product="p",
        plan=plan.slug,
        start_at=START,
        last_renewed_at=START,
        **fields,
    )


@pytest.mark.parametrize(
    ("unit", "period", "end"),
    [
        ("minute", 5, START + timedelta(minutes=5)),
        ("hour", 2, START + timedelta(hours=2)),
        ("day", 1, START + timedelta(days=1)),
        ("week", 2, START + timedelta(weeks=2)),
        ("month", 1, datetime(2026, 2, 28, 12, tzinfo=UTC)),
        ("month", 12, datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("year", 1, datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("perpetual", 1, NEVER),
        ("year", 9_000, NEVER),
        ("week", 9_999_999_999, NEVER),
    ],
)
def test_a_period_ends_after_its_length_and_never_beyond_the_calendar(unit: str, period: int, end: datetime) -> None:
    """Facts §6 (TimeUnits) and D16: a month from the 31st ends on the month's last day."""
    assert end_of(lasting(unit, period), START) == end


def test_nothing_changes_before_its_time_is_over() -> None:
    """D16: a subscription lapses at ``renew_at``, not before."""
    plan = lasting("month")
    before = subscription(plan)
    assert current(before, before.renew_at - timedelta(microseconds=1), lambda _: plan) is before


def test_without_auto_renew_it_lapses_and_stays_so() -> None:
    """Facts §8: cancelling is ``auto_renew`` false."""
    plan = lasting("month")
    before = subscription(plan, auto_renew=False)
    lapsed = current(before, before.renew_at, lambda _: plan)
    assert not lapsed.is_active
    assert current(lapsed, NEVER, lambda _: plan) is lapsed


def test_it_renews_to_its_renew_plan_and_then_to_the_same_again() -> None:
    """Facts §8: changing the plan does not change the renew plan."""
    plans = {"plan": lasting("day"), "next": lasting("week", slug="next")}
    before = subscription(plans["plan"], renew_plan="next")
    after = current(before, START + timedelta(days=1 + 7 * 3 + 2), plans.__getitem__)
    assert (after.plan, after.renew_plan) == ("next", "next")
    assert after.last_renewed_at == START + timedelta(days=1 + 7 * 3)
    assert after.renew_at == START + timedelta(days=1 + 7 * 4)


@given(
    unit=st.sampled_from(["minute", "hour", "day", "week", "month", "year"]),
    period=st.integers(1, 40),
    later=st.timedeltas(timedelta(0), timedelta(days=900)),
)
@example(unit="month", period=2, later=timedelta(days=364))
def test_renewing_many_times_at_once_ends_in_the_period_that_holds_the_present(
    unit: str, period: int, later: timedelta
) -> None:
    """This SDK: nobody need look in between, be it once a minute for years."""
    plan = lasting(unit, period)
    after = current(subscription(plan), START + later, lambda _: plan)
    assert after.last_renewed_at <= START + later < after.renew_at
    assert after == current(after, START + later, lambda _: plan)


@given(
    unit=st.sampled_from(["day", "week", "month", "year"]),
    period=st.integers(1, 5),
    looks=st.lists(st.timedeltas(timedelta(0), timedelta(days=2_000)), min_size=1, max_size=20),
)
@example(unit="month", period=2, looks=[timedelta(days=250), timedelta(days=380)])
def test_looking_in_between_changes_nothing(unit: str, period: int, looks: list[timedelta]) -> None:
    """A past bug: from the 31st on, whoever looked in November renewed on the 30th, and nobody else did."""
    plan = lasting(unit, period)
    seen = subscription(plan)
    for look in sorted(looks):
        seen = current(seen, START + look, lambda _: plan)
    assert seen == current(subscription(plan), START + max(looks), lambda _: plan)


def test_a_renewal_date_long_past_and_a_present_at_the_end_of_time_are_found_in_no_time() -> None:
    """Facts §5: a client may send 1970; and the calendar ends, whereas counting would not."""
    plan = lasting("minute")
    before = subscription(plan, renew_at=datetime(1970, 1, 1, tzinfo=UTC))
    after = current(before, START, lambda _: plan)
    assert after.renew_at == START + timedelta(minutes=1)
    for unit in ("minute", "perpetual"):
        assert current(before, NEVER, lambda _, unit=unit: lasting(unit)).renew_at == NEVER


def test_renewing_makes_what_lapsed_active() -> None:
    """Facts §5: ``POST /subscriptions/{s}/renewals``."""
    plan = lasting("day")
    after = renewed(subscription(plan, is_active=False), plan, START + timedelta(days=9))
    assert after.is_active
    assert after.renew_at == START + timedelta(days=10)
