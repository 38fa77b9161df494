"""The operations on customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio.sandbox.planship.rules.answers import customer_with_subscriptions, plain_customer
from elarian_trio.sandbox.planship.rules.reading import Field, Refused, alternative_id, mapping, read_body, text
from elarian_trio.sandbox.planship.rules.records import (
    PlanshipAliasKey,
    PlanshipAliasRecord,
    PlanshipCustomerRecord,
    PlanshipTallyKey,
    members_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elarian_trio.sandbox.planship.rules.service import Deal

__all__ = ["create_customer", "delete_customer", "forget_tallies", "get_customer"]

_CUSTOMER: Mapping[str, Field] = {
    "alternative_id": Field(alternative_id),
    "name": Field(text),
    "email": Field(text),
    "metadata": Field(mapping),
}


def create_customer(deal: Deal) -> object:
    """A new customer; an alternative id is nobody else's."""
    body = read_body(deal.request, _CUSTOMER)
    name = body.get("alternative_id")
    if name is not None and deal.books.find(PlanshipAliasKey(deal.org_id, name)) is not None:
        raise Refused(409, "A customer with this alternative_id already exists")
    customer = deal.books.put(PlanshipCustomerRecord(org_id=deal.org_id, customer_id=deal.new_id(), **body))
    if name is not None:
        deal.books.put(PlanshipAliasRecord(org_id=deal.org_id, alternative_id=name, customer_id=customer.customer_id))
    return customer_with_subscriptions(deal, customer)


def get_customer(deal: Deal) -> object:
    """A customer."""
    return plain_customer(deal.customer())


def delete_customer(deal: Deal) -> object:
    """Remove a customer, its places on subscriptions, and those subscriptions that nobody is on then (D18)."""
    customer = deal.customer()
    deal.touch(customer.customer_id)
    for subscription, _ in deal.places(customer.customer_id):
        deal.leave(subscription.subscription_id, customer.customer_id)
        if not deal.books.members(members_of(deal.org_id, subscription.subscription_id)):
            deal.books.remove(subscription.key)
            forget_tallies(deal, subscription.subscription_id)
    forget_tallies(deal, customer.customer_id)
    deal.books.remove(customer.key)
    if customer.alternative_id is not None:
        deal.books.remove(PlanshipAliasKey(deal.org_id, customer.alternative_id))
    return plain_customer(customer)


def forget_tallies(deal: Deal, owner: str) -> None:
    """Have nothing of what a customer or a subscription used."""
    for product in deal.catalogue.products:
        for metering_id in product.metering_ids:
            key = PlanshipTallyKey(deal.org_id, owner, product.slug, metering_id)
            if deal.books.find(key) is not None:
                deal.books.remove(key)
