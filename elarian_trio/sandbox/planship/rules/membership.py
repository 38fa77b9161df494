"""The operations on who is on a subscription."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio.sandbox.planship.rules.answers import subscription_customer, subscription_member
from elarian_trio.sandbox.planship.rules.catalogue import UNLIMITED
from elarian_trio.sandbox.planship.rules.reading import Field, Refused, flag, mapping, read_body, read_uuid, text
from elarian_trio.sandbox.planship.rules.records import PlanshipMemberKey
from elarian_trio.sandbox.planship.rules.subscriptions import administered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elarian_trio.sandbox.planship.rules.records import PlanshipMemberRecord
    from elarian_trio.sandbox.planship.rules.service import Deal

__all__ = ["add_subscription_customer", "list_subscription_customers", "remove_subscription_customer"]

_ADDED: Mapping[str, Field] = {
    "customer_id": Field(text, required=True),
    "is_administrator": Field(flag),
    "is_subscriber": Field(flag),
    "metadata": Field(mapping),
}


def list_subscription_customers(deal: Deal) -> object:
    """All who are on one of a customer's subscriptions."""
    customer = deal.customer()
    own = deal.member(read_uuid(deal.request, "subscription"), customer.customer_id)
    subscription = deal.subscription(own.subscription_id)
    return [subscription_customer(deal, subscription, each) for each in deal.members(own.subscription_id)]


def add_subscription_customer(deal: Deal) -> object:
    """Have another customer on a subscription, in a seat that is free if it is to have one."""
    subscription, _ = administered(deal)
    body = read_body(deal.request, _ADDED)
    customer = deal.customer(body["customer_id"])
    if deal.books.find(PlanshipMemberKey(deal.org_id, subscription.subscription_id, customer.customer_id)) is not None:
        raise Refused(409, "The customer is on the subscription already")
    is_subscriber = body.get("is_subscriber", True)
    taken = sum(each.is_subscriber for each in deal.members(subscription.subscription_id))
    if is_subscriber and subscription.max_subscribers != UNLIMITED and taken >= subscription.max_subscribers:
        raise Refused(409, f"All {subscription.max_subscribers} seats of the subscription are taken")
    member = deal.join(
        subscription.subscription_id,
        customer.customer_id,
        is_administrator=body.get("is_administrator", False),
        is_subscriber=is_subscriber,
        metadata=body.get("metadata"),
    )
    return subscription_customer(deal, subscription, member)


def remove_subscription_customer(deal: Deal) -> object:
    """Have a customer on a subscription no longer: by an administrator, or by itself."""
    actor = deal.customer()
    subscription_id = read_uuid(deal.request, "subscription")
    own = deal.member(subscription_id, actor.customer_id)
    leaving = deal.member(subscription_id, deal.customer(deal.request.params["member"]).customer_id)
    if not own.is_administrator and own.customer_id != leaving.customer_id:
        raise Refused(403, "Only administrators of the subscription may remove others")
    _check_others(deal, leaving)
    deal.leave(subscription_id, leaving.customer_id)
    return subscription_member(leaving)


def _check_others(deal: Deal, leaving: PlanshipMemberRecord) -> None:
    """See that others are left who administer and use the subscription (D10)."""
    others = [each for each in deal.members(leaving.subscription_id) if each.customer_id != leaving.customer_id]
    if leaving.is_administrator and not any(each.is_administrator for each in others):
        raise Refused(409, "The only administrator cannot be removed")
    if leaving.is_subscriber and not any(each.is_subscriber for each in others):
        raise Refused(409, "The only subscriber cannot be removed")
