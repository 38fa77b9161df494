"""How much was used, by whom, of what, and since when."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from elarian_trio.models.model import EPOCH
from elarian_trio.sandbox.planship.rules.records import Count, PlanshipTallyKey, PlanshipTallyRecord, Use

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elarian_trio.sandbox.planship.rules.catalogue import Lever, Product
    from elarian_trio.sandbox.planship.rules.records import PlanshipSubscriptionRecord
    from elarian_trio.sandbox.planship.rules.service import Deal

__all__ = ["Buckets", "note_use", "rolling_changes", "total_of", "used"]

GRAINS = 1_000  # parts of a rolling period: use within one of them leaves it together, with the last of it

Buckets: TypeAlias = "Counter[str | None]"
"""How much by bucket; ``None`` stands for what was reported without one."""


def total_of(lever: Lever, buckets: Buckets) -> int:
    """Give what counts against the limit of a lever with one number."""
    if lever.formula == "unique_buckets":
        return len({bucket for bucket in buckets if bucket is not None})
    return sum(buckets.values())


def used(
    deal: Deal, product: Product, lever: Lever, customer_id: str, subscription: PlanshipSubscriptionRecord | None
) -> Buckets:
    """Give what counts against *lever* in its period, for a customer under a subscription, or under none."""
    owner = customer_id if subscription is None or lever.scope == "customer" else subscription.subscription_id
    found: Buckets = Counter()
    for metering_id in lever.metering_ids:
        tally = deal.books.find(PlanshipTallyKey(deal.org_id, owner, product.slug, metering_id))
        if tally is not None:
            for bucket, usage in _within(deal, lever, tally, subscription):
                found[bucket] += usage
    return found


def _within(
    deal: Deal, lever: Lever, tally: PlanshipTallyRecord, subscription: PlanshipSubscriptionRecord | None
) -> Iterator[tuple[str | None, int]]:
    """Give what *tally* holds of the lever's period and of the subscription; without one, a period is all time."""
    wanted = subscription and subscription.subscription_id
    period = lever.period
    if isinstance(period, timedelta):
        since = _since(deal.now, period)
        yield from ((use.bucket, use.usage) for use in tally.recent if use.subscription_id == wanted and use.at > since)
        return
    for count in tally.counts:
        if count.subscription_id != wanted:
            continue
        if period == "all_time" or subscription is None:
            yield count.bucket, count.total
        elif count.period_start == subscription.last_renewed_at:
            yield count.bucket, count.in_period


def _since(now: datetime, period: timedelta) -> datetime:
    try:
        return now - period
    except OverflowError:
        return datetime.min.replace(tzinfo=now.tzinfo)


def note_use(
    deal: Deal,
    product: Product,
    metering_id: str,
    customer_id: str,
    subscription: PlanshipSubscriptionRecord | None,
    use: Use,
) -> None:
    """Count *use* for the customer and, where there is one, for the subscription that it is under."""
    owners = [customer_id] if subscription is None else [customer_id, subscription.subscription_id]
    start = None if subscription is None else subscription.last_renewed_at
    windows = [lever.period for lever in product.readers(metering_id) if isinstance(lever.period, timedelta)]
    for owner in owners:
        key = PlanshipTallyKey(deal.org_id, owner, product.slug, metering_id)
        tally = deal.books.find(key) or PlanshipTallyRecord(
            org_id=deal.org_id, owner=owner, product=product.slug, metering_id=metering_id
        )
        recent = _recent(tally.recent, use, windows) if windows else ()
        deal.books.put(replace(tally, counts=_counted(tally.counts, use, start), recent=recent))


def _counted(counts: tuple[Count, ...], use: Use, start: datetime | None) -> tuple[Count, ...]:
    for place, count in enumerate(counts):
        if (count.subscription_id, count.bucket) == (use.subscription_id, use.bucket):
            in_period = use.usage + (count.in_period if count.period_start == start else 0)
            now = replace(count, total=count.total + use.usage, period_start=start, in_period=in_period)
            return (*counts[:place], now, *counts[place + 1 :])
    new = Count(
        subscription_id=use.subscription_id,
        bucket=use.bucket,
        total=use.usage,
        period_start=start,
        in_period=use.usage,
    )
    return (*counts, new)


def _recent(uses: tuple[Use, ...], use: Use, windows: list[timedelta]) -> tuple[Use, ...]:
    """Give what rolling periods take in once *use* is added; what is close together in time is put together."""
    since = _since(use.at, max(windows))
    kept = [each for each in uses if each.at > since]
    grain = max(min(windows) / GRAINS, timedelta.resolution)
    slot = (use.at - EPOCH) // grain
    for place in reversed(range(len(kept))):
        each = kept[place]
        if (each.at - EPOCH) // grain != slot:
            break
        if (each.subscription_id, each.bucket) == (use.subscription_id, use.bucket):
            use = replace(use, usage=each.usage + use.usage)
            del kept[place]
            break
    return (*kept, use)


def rolling_changes(deal: Deal, product: Product, owners: tuple[str, ...]) -> Iterator[datetime]:
    """Say when use of *owners* leaves the rolling period of a lever, of each the first time."""
    for lever in product.levers:
        period = lever.period
        if not isinstance(period, timedelta):
            continue
        since = _since(deal.now, period)
        for metering_id in lever.metering_ids:
            for owner in owners:
                tally = deal.books.find(PlanshipTallyKey(deal.org_id, owner, product.slug, metering_id))
                within = next((use for use in tally.recent if use.at > since), None) if tally else None
                if within is not None:
                    yield within.at + period
