"""The operations on use: reporting it, and asking how much there was."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from elarian_trio.sandbox.planship.rules.entitlements import (
    NO_BUCKET,
    Meter,
    active_subscriptions,
    entitlements_of,
    remaining,
)
from elarian_trio.sandbox.planship.rules.metering import note_use, total_of, used
from elarian_trio.sandbox.planship.rules.reading import Field, Refused, read_body, text, uuid_text, whole
from elarian_trio.sandbox.planship.rules.records import Use

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elarian_trio.sandbox.planship.rules.catalogue import Lever, Product
    from elarian_trio.sandbox.planship.rules.metering import Buckets
    from elarian_trio.sandbox.planship.rules.records import PlanshipSubscriptionRecord
    from elarian_trio.sandbox.planship.rules.service import Deal

__all__ = ["get_entitlements", "get_lever_usage", "get_metering_id_usage", "report_usage"]

_USAGE: Mapping[str, Field] = {
    "usage": Field(whole, required=True),
    "bucket": Field(text),
    "subscription_id": Field(uuid_text),
}


def get_entitlements(deal: Deal) -> object:
    """What the customer is entitled to."""
    product, customer = deal.product(), deal.customer()
    return entitlements_of(deal, product, customer.customer_id)


def report_usage(deal: Deal) -> object:
    """Count what was used, at once; what no lever reads is accepted and counts nowhere (D13)."""
    product, customer = deal.product(), deal.customer()
    metering_id = deal.request.params["metering_id"]
    body = read_body(deal.request, _USAGE)
    subscription = _subscription(deal, product, customer.customer_id, metering_id, body.get("subscription_id"))
    if product.readers(metering_id):
        use = Use(
            at=deal.now,
            subscription_id=None if subscription is None else subscription.subscription_id,
            bucket=body.get("bucket"),
            usage=body["usage"],
        )
        note_use(deal, product, metering_id, customer.customer_id, subscription, use)
        deal.touch(customer.customer_id)
        if subscription is not None:
            deal.touch_members(subscription.subscription_id)
    return {
        "id": deal.new_id(),
        "usage": body["usage"],
        "metering_id": metering_id,
        "customer_id": customer.customer_id,
        "product_id": deal.catalogue.product_id(product),
        "is_allocated": False,
        "subscription_id": None,
        "bucket": body.get("bucket"),
    }


def _subscription(
    deal: Deal, product: Product, customer_id: str, metering_id: str, wanted: str | None
) -> PlanshipSubscriptionRecord | None:
    """Say under which subscription use is: the one named; else the oldest with something left; else the oldest."""
    found = active_subscriptions(deal, product, customer_id)
    if wanted is not None:
        found = [each for each in found if each.subscription_id == wanted]
        if not found:
            raise Refused(404, "Subscription not found")
    levers = product.readers(metering_id)
    within = (each for each in found if any(_has_left(deal, product, lever, customer_id, each) for lever in levers))
    return next(within, found[0] if found else None)


def _has_left(
    deal: Deal, product: Product, lever: Lever, customer_id: str, subscription: PlanshipSubscriptionRecord
) -> bool:
    _, plan = deal.sold(subscription, subscription.plan)
    limit = cast("int", product.value(plan, lever))
    meter = Meter(limit, used(deal, product, lever, customer_id, subscription))
    left = remaining(lever, [meter])
    return any(left.values()) if isinstance(left, dict) else left != 0


def get_lever_usage(deal: Deal) -> object:
    """How much of one metered lever was used."""
    product, lever = deal.lever()
    customer = deal.customer()
    if lever.kind != "metered":
        raise Refused(404, "Lever is not metered")
    return _lever_usage(deal, product, lever, customer.customer_id)


def get_metering_id_usage(deal: Deal) -> object:
    """How much was used, by the slug of each lever that reads the metering id."""
    product, customer = deal.product(), deal.customer()
    levers = product.readers(deal.request.params["metering_id"])
    return {lever.slug: _lever_usage(deal, product, lever, customer.customer_id) for lever in levers}


def _lever_usage(deal: Deal, product: Product, lever: Lever, customer_id: str) -> dict[str, object]:
    """LeverUsage."""
    by_subscription = {
        each.subscription_id: used(deal, product, lever, customer_id, each)
        for each in active_subscriptions(deal, product, customer_id)
    }
    everything: Buckets = used(deal, product, lever, customer_id, None)
    for buckets in by_subscription.values():
        everything.update(buckets)
    return {
        "total": total_of(lever, everything),
        "by_bucket": {NO_BUCKET if name is None else name: number for name, number in _shown(lever, everything)},
        "by_subscription": {
            subscription_id: [{"usage": number, "bucket": name} for name, number in _shown(lever, buckets)]
            for subscription_id, buckets in by_subscription.items()
        },
    }


def _shown(lever: Lever, buckets: Buckets) -> list[tuple[str | None, int]]:
    """Give what is told by bucket; a lever that does not tell them apart tells one sum."""
    return [(None, sum(buckets.values()))] if lever.formula == "total" else list(buckets.items())
