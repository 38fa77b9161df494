"""How long a subscription runs, and what becomes of it when its time is over."""

from __future__ import annotations

import calendar
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from elarian_trio.sandbox.planship.rules.catalogue import Plan
    from elarian_trio.sandbox.planship.rules.records import PlanshipSubscriptionRecord

__all__ = ["NEVER", "current", "end_of", "renewed"]

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""When a perpetual plan is renewed; dates are never null on this wire."""

EVERY_MONTHS = 28  # the last day that every month has

_SPANS: Mapping[str, timedelta] = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_MONTHS: Mapping[str, int] = {"month": 1, "year": 12}


def end_of(plan: Plan, start: datetime, periods: int = 1) -> datetime:
    """Say when *periods* of *plan* that begin at *start* are over: never later than :data:`NEVER`.

    A month from the 31st ends on the last day that the next month has.
    """
    if plan.duration_unit == "perpetual":
        return NEVER
    length = periods * plan.duration_period
    try:
        if plan.duration_unit in _SPANS:
            return min(start + length * _SPANS[plan.duration_unit], NEVER)
        return min(_months_later(start, length * _MONTHS[plan.duration_unit]), NEVER)
    except OverflowError:
        return NEVER


def _months_later(start: datetime, months: int) -> datetime:
    years, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if years > NEVER.year:
        return NEVER
    day = min(start.day, calendar.monthrange(years, month + 1)[1])
    return start.replace(year=years, month=month + 1, day=day)


def renewed(subscription: PlanshipSubscriptionRecord, plan: Plan, at: datetime) -> PlanshipSubscriptionRecord:
    """Give *subscription* with a period of *plan* that begins at that time."""
    return replace(subscription, plan=plan.slug, last_renewed_at=at, renew_at=end_of(plan, at), is_active=True)


def current(
    subscription: PlanshipSubscriptionRecord, now: datetime, plan_of: Callable[[str], Plan]
) -> PlanshipSubscriptionRecord:
    """Give *subscription* as it is by *now*: renewed as often as its time was over, or lapsed.

    What is not active does not renew. The first renewal may be to another plan, all others are then to the same.
    """
    if not subscription.is_active or now < subscription.renew_at:
        return subscription
    if not subscription.auto_renew:
        return replace(subscription, is_active=False)
    plan = plan_of(subscription.renew_plan)
    return renewed(subscription, plan, _last_renewal(plan, subscription.renew_at, now))


def _last_renewal(plan: Plan, start: datetime, now: datetime) -> datetime:
    """Say when the period began that holds *now*, as if each renewal since *start* had been looked at.

    The end of a month that is shorter than the day is late stays the day for what follows, so these are gone through.
    """
    now = min(now, NEVER - datetime.resolution)  # behind the last day nothing ends any more
    while plan.duration_unit in _MONTHS and start.day > EVERY_MONTHS:
        end = end_of(plan, start)
        if end > now:
            return start
        start = end
    whole = _periods_within(plan, start, now)
    return end_of(plan, start, whole) if whole else start


def _periods_within(plan: Plan, start: datetime, now: datetime) -> int:
    """Count the whole periods from *start* to *now*, however many: by halving, since there may be millions."""
    low, high = 0, 1
    while end_of(plan, start, high) <= now:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if end_of(plan, start, middle) <= now else (low, middle)
    return low
