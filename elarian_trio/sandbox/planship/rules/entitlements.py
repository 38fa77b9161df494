"""What a customer is entitled to: for each lever the most generous of what its subscriptions give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from elarian_trio.sandbox.planship.rules.catalogue import UNLIMITED
from elarian_trio.sandbox.planship.rules.metering import rolling_changes, total_of, used
from elarian_trio.sandbox.planship.rules.periods import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from elarian_trio.sandbox.planship.rules.catalogue import Lever, LeverValue, Product
    from elarian_trio.sandbox.planship.rules.metering import Buckets
    from elarian_trio.sandbox.planship.rules.records import PlanshipSubscriptionRecord
    from elarian_trio.sandbox.planship.rules.service import Deal

__all__ = ["NO_BUCKET", "Meter", "active_subscriptions", "entitlements_of", "next_change", "remaining"]

Entitlement: TypeAlias = "bool | int | float | str | list[str] | dict[str, int]"

NO_BUCKET = "null"
"""How what was reported without a bucket is called among buckets, says a sample of the vendor's."""


def active_subscriptions(deal: Deal, product: Product, customer_id: str) -> list[PlanshipSubscriptionRecord]:
    """Give the subscriptions that entitle a customer to something, oldest first."""
    return [
        subscription
        for subscription, member in deal.places(customer_id)
        if subscription.product == product.slug and subscription.is_active and member.is_subscriber
    ]


def entitlements_of(deal: Deal, product: Product, customer_id: str) -> dict[str, Entitlement]:
    """Give all entitlements by the slugs of the levers; without any subscription, a lever has its default."""
    subscriptions: list[PlanshipSubscriptionRecord | None] = [*active_subscriptions(deal, product, customer_id)]
    found: dict[str, Entitlement] = {}
    for lever in product.levers:
        values = {each: _value_in(deal, lever, each) for each in subscriptions or [None]}
        if lever.kind == "metered":
            meters = [
                Meter(cast("int", limit), used(deal, product, lever, customer_id, each))
                for each, limit in values.items()
            ]
            found[lever.slug] = remaining(lever, meters)
        else:
            found[lever.slug] = _COMBINE[lever.kind](lever, list(values.values()))
    return found


def _value_in(deal: Deal, lever: Lever, subscription: PlanshipSubscriptionRecord | None) -> LeverValue:
    if subscription is None:
        return lever.least
    product, plan = deal.sold(subscription, subscription.plan)
    return product.value(plan, lever)


class Meter(NamedTuple):
    """What one subscription allows, and what was used of it."""

    limit: int
    buckets: Buckets


def remaining(lever: Lever, meters: Sequence[Meter]) -> int | dict[str, int]:
    """Give what is left by the most generous of *meters*; of a lever that counts by bucket, for each of them."""
    if lever.formula != "per_bucket":
        return _most([_left(limit, total_of(lever, buckets)) for limit, buckets in meters])
    names = dict.fromkeys([None, *(name for meter in meters for name in meter.buckets)])
    return {
        NO_BUCKET if name is None else name: _most([_left(limit, buckets[name]) for limit, buckets in meters])
        for name in names
    }


def _left(limit: int, usage: int) -> int:
    return UNLIMITED if limit == UNLIMITED else max(limit - usage, 0)


def _most(numbers: list[int]) -> int:
    return UNLIMITED if UNLIMITED in numbers else max(numbers)


_COMBINE: Mapping[str, Callable[[Lever, list[Any]], Any]] = {
    "flag": lambda _, given: any(given),
    "integer": lambda _, given: _most(given),
    "list": lambda _, given: list(dict.fromkeys(item for each in given for item in each)),
    "enum": lambda lever, given: max(given, key=lever.choices.index),
}


def next_change(deal: Deal, product: Product, customer_id: str) -> datetime | None:
    """Say when entitlements may change by themselves; ``None`` if never."""
    return min(_changes(deal, product, customer_id), default=None)


def _changes(deal: Deal, product: Product, customer_id: str) -> Iterator[datetime]:
    subscriptions = active_subscriptions(deal, product, customer_id)
    yield from (each.renew_at for each in subscriptions if each.renew_at < NEVER)
    yield from rolling_changes(deal, product, (customer_id, *(each.subscription_id for each in subscriptions)))
