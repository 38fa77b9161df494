"""The operations on subscriptions: making, changing and renewing them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from elarian_trio.sandbox.planship.rules.answers import customer_subscription, subscription_with_plan
from elarian_trio.sandbox.planship.rules.catalogue import UNLIMITED
from elarian_trio.sandbox.planship.rules.periods import end_of, renewed
from elarian_trio.sandbox.planship.rules.reading import (
    Field,
    Refused,
    alternative_id,
    flag,
    mapping,
    moment,
    read_body,
    read_uuid,
    seats,
    text,
    uuid_text,
)
from elarian_trio.sandbox.planship.rules.records import PlanshipSubscriptionRecord

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from elarian_trio.sandbox.planship.rules.catalogue import Plan, Product
    from elarian_trio.sandbox.planship.rules.records import PlanshipMemberRecord
    from elarian_trio.sandbox.planship.rules.service import Deal

__all__ = [
    "administered",
    "change_subscription",
    "create_subscription",
    "create_subscription_of_customer",
    "get_subscription",
    "list_subscriptions",
    "renew_subscription",
]

_TO_PLAN: Mapping[str, Field] = {
    "customer_id": Field(text, required=True),
    "is_subscriber": Field(flag),
    "max_subscribers": Field(seats),
    "renew_at": Field(moment),
    "auto_renew": Field(flag),
    "metadata": Field(mapping),
}
_OF_CUSTOMER: Mapping[str, Field] = {
    **{name: Field(flag, required=True) for name in ("auto_renew", "is_active")},
    **{name: Field(uuid_text, required=True) for name in ("plan_id", "renew_plan_id")},
    **{name: Field(moment, required=True) for name in ("renew_at", "last_renewed_at", "start_at")},
    "max_subscribers": Field(seats),
    "alternative_id": Field(alternative_id),
}
_CHANGES: Mapping[str, Field] = {
    "plan_slug": Field(text),
    "renew_plan_slug": Field(text),
    "plan_id": Field(uuid_text),
    "renew_plan_id": Field(uuid_text),
    "max_subscribers": Field(seats),
    "is_active": Field(flag),
    "auto_renew": Field(flag),
    "renew_at": Field(moment),
}


def create_subscription(deal: Deal) -> object:
    """Subscribe a customer to the plan that the path names; the customer administers it."""
    product, plan = deal.plan()
    body = read_body(deal.request, _TO_PLAN)
    customer = deal.customer(body["customer_id"])
    subscription = PlanshipSubscriptionRecord(
        org_id=deal.org_id,
        subscription_id=deal.new_id(),
        product=product.slug,
        plan=plan.slug,
        renew_plan=plan.slug,
        start_at=deal.now,
        last_renewed_at=deal.now,
        renew_at=body.get("renew_at") or end_of(plan, deal.now),
        auto_renew=body.get("auto_renew", plan.auto_renew),
        is_active=True,
        max_subscribers=body.get("max_subscribers", plan.max_subscribers),
    )
    is_subscriber = body.get("is_subscriber", True)
    return _begin(deal, subscription, customer.customer_id, is_subscriber, body.get("metadata"))


def create_subscription_of_customer(deal: Deal) -> object:
    """Subscribe the customer that the path names, with everything said."""
    customer = deal.customer()
    body = read_body(deal.request, _OF_CUSTOMER)
    product, plan = _plan_with_id(deal, body["plan_id"])
    renews_to, renew_plan = _plan_with_id(deal, body["renew_plan_id"])
    if renews_to is not product:
        raise Refused(404, "Plan not found")
    subscription = PlanshipSubscriptionRecord(
        org_id=deal.org_id,
        subscription_id=deal.new_id(),
        product=product.slug,
        plan=plan.slug,
        renew_plan=renew_plan.slug,
        start_at=body["start_at"],
        last_renewed_at=body["last_renewed_at"],
        renew_at=body["renew_at"],
        auto_renew=body["auto_renew"],
        is_active=body["is_active"],
        max_subscribers=body.get("max_subscribers", 1),
        alternative_id=body.get("alternative_id"),
    )
    return _begin(deal, subscription, customer.customer_id, is_subscriber=True, metadata=None)


def _begin(
    deal: Deal, subscription: PlanshipSubscriptionRecord, customer_id: str, is_subscriber: bool, metadata: str | None
) -> object:
    deal.books.put(subscription)
    deal.join(
        subscription.subscription_id,
        customer_id,
        is_administrator=True,
        is_subscriber=is_subscriber,
        metadata=metadata,
    )
    return subscription_with_plan(deal, deal.subscription(subscription.subscription_id))


def _plan_with_id(deal: Deal, plan_id: str) -> tuple[Product, Plan]:
    found = deal.catalogue.plan_with_id(plan_id)
    if found is None:
        raise Refused(404, "Plan not found")
    return found


def list_subscriptions(deal: Deal) -> object:
    """A customer's subscriptions, of all products or of one."""
    customer = deal.customer()
    wanted = {value for name, value in deal.request.query if name == "product_slug"}
    return [
        customer_subscription(deal, subscription, member)
        for subscription, member in deal.places(customer.customer_id)
        if not wanted or subscription.product in wanted
    ]


def get_subscription(deal: Deal) -> object:
    """One of a customer's subscriptions."""
    return customer_subscription(deal, *_place(deal))


def _place(deal: Deal) -> tuple[PlanshipSubscriptionRecord, PlanshipMemberRecord]:
    customer = deal.customer()
    member = deal.member(read_uuid(deal.request, "subscription"), customer.customer_id)
    return deal.subscription(member.subscription_id), member


def administered(deal: Deal) -> tuple[PlanshipSubscriptionRecord, PlanshipMemberRecord]:
    """Give the subscription that the path names, if the path's customer administers it (D9)."""
    subscription, member = _place(deal)
    if not member.is_administrator:
        raise Refused(403, "Only administrators of the subscription may change it")
    return subscription, member


def change_subscription(deal: Deal) -> object:
    """Change what the body names, and nothing else."""
    subscription, member = administered(deal)
    body = read_body(deal.request, _CHANGES)
    changed = replace(subscription, **_terms(deal, subscription, body))
    taken = sum(each.is_subscriber for each in deal.members(subscription.subscription_id))
    if changed.max_subscribers != UNLIMITED and taken > changed.max_subscribers:
        raise Refused(409, f"The subscription has {taken} subscribers already")
    if changed != subscription:
        deal.books.put(changed)
        deal.touch_members(subscription.subscription_id)
    return customer_subscription(deal, deal.subscription(subscription.subscription_id), member)


def _terms(deal: Deal, subscription: PlanshipSubscriptionRecord, body: Mapping[str, Any]) -> dict[str, Any]:
    """Give the record's fields that *body* changes."""
    fields = {name: body[name] for name in ("max_subscribers", "is_active", "auto_renew", "renew_at") if name in body}
    plan = _plan_asked(deal, subscription, body, "plan")
    if plan is not None:
        fields["plan"] = plan.slug
        fields.setdefault("renew_at", _renewal(deal, subscription, plan))
    renew_plan = _plan_asked(deal, subscription, body, "renew_plan")
    if renew_plan is not None:
        fields["renew_plan"] = renew_plan.slug
    return fields


def _plan_asked(
    deal: Deal, subscription: PlanshipSubscriptionRecord, body: Mapping[str, Any], name: str
) -> Plan | None:
    """Give the plan that *body* names by its slug or its id; it must be of the same product."""
    product, _ = deal.sold(subscription, subscription.plan)
    if f"{name}_slug" in body:
        return deal.plan_named(product, body[f"{name}_slug"])
    if f"{name}_id" not in body:
        return None
    owner, plan = _plan_with_id(deal, body[f"{name}_id"])
    if owner is not product:
        raise Refused(404, "Plan not found")
    return plan


def _renewal(deal: Deal, subscription: PlanshipSubscriptionRecord, plan: Plan) -> datetime:
    """Say when a subscription that is changed to *plan* renews: as before, unless either never does."""
    _, before = deal.sold(subscription, subscription.plan)
    if (before.duration_unit == "perpetual") == (plan.duration_unit == "perpetual"):
        return subscription.renew_at
    return end_of(plan, deal.now)


def renew_subscription(deal: Deal) -> object:
    """Renew a subscription now, whether its time is over or not."""
    subscription = deal.subscription(read_uuid(deal.request, "subscription"))
    _, plan = deal.sold(subscription, subscription.renew_plan)
    changed = deal.books.put(renewed(subscription, plan, deal.now))
    deal.touch_members(subscription.subscription_id)
    return subscription_with_plan(deal, changed)
