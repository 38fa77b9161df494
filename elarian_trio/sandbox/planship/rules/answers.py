"""The models of the wire, as what is answered: facts §6, snake case, dates never null."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from elarian_trio.sandbox.planship.rules.catalogue import UNLIMITED, id_of

if TYPE_CHECKING:
    from datetime import datetime

    from elarian_trio.sandbox.planship.rules.catalogue import Lever, LeverValue, Plan, Product
    from elarian_trio.sandbox.planship.rules.records import (
        PlanshipCustomerRecord,
        PlanshipMemberRecord,
        PlanshipSubscriptionRecord,
    )
    from elarian_trio.sandbox.planship.rules.service import Deal

__all__ = [
    "customer_subscription",
    "customer_with_subscriptions",
    "lever_details",
    "lever_in_list",
    "plain_customer",
    "plan_details",
    "plan_entitlement",
    "plan_in_list",
    "product_details",
    "subscription_customer",
    "subscription_member",
    "subscription_with_plan",
]


def _time(moment: datetime) -> str:
    """Write a time as clients decode it without guessing: with an offset."""
    return moment.isoformat()


def _metadata(kept: str | None) -> Any:  # noqa: ANN401 - the user's own
    return None if kept is None else json.loads(kept)


# --- the catalogue ---


def product_details(deal: Deal, product: Product) -> dict[str, object]:
    """Product."""
    return {
        "id": deal.catalogue.product_id(product),
        "slug": product.slug,
        "name": product.name,
        "description": product.description,
        "organization_id": deal.org_id,
        "alternative_id": product.alternative_id,
    }


def plan_in_list(plan: Plan) -> dict[str, object]:
    """PlanInList."""
    return {"slug": plan.slug, "name": plan.name, "description": plan.description, "order": plan.order}


def plan_details(plan: Plan, entitlements: list[dict[str, object]]) -> dict[str, object]:
    """Plan, with its entitlements."""
    return {**plan_in_list(plan), "entitlements": entitlements}


def plan_entitlement(deal: Deal, product: Product, plan: Plan, lever: Lever) -> dict[str, object]:
    """PlanEntitlement, in both shapes that there ever were: see D25."""
    value = product.value(plan, lever)
    raw = list(value) if isinstance(value, tuple) else value
    shown = display_text(value)
    return {
        "value": raw if deal.service.switches.raw_values else shown,
        "formatted_value": shown,
        "lever_name": lever.name,
        "name": lever.name,
        "description": lever.description,
        "order": lever.order,
        "configuration": None,
    }


def display_text(value: LeverValue) -> str:
    """Write a lever's value for people."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, tuple):
        return ", ".join(value)
    return "Unlimited" if value == UNLIMITED else str(value)


def lever_in_list(lever: Lever) -> dict[str, object]:
    """LeverInList."""
    return {
        "slug": lever.slug,
        "name": lever.name,
        "description": lever.description,
        "default_value": display_text(lever.least),
        "order": lever.order,
    }


def lever_details(deal: Deal, product: Product, lever: Lever) -> dict[str, object]:
    """Lever."""
    return {
        "id": deal.catalogue.lever_id(product, lever),
        "lever_type_id": id_of("lever type", lever.kind),
        "product_id": deal.catalogue.product_id(product),
        "slug": lever.slug,
        "name": lever.name,
        "metering_ids": list(lever.metering_ids),
        "description": lever.description,
        "display_name": lever.name,
        "display_description": lever.description,
        "entitlement_display_value_template": "",
        "entitlement_display_name_template": "",
        "entitlement_display_description_template": "",
        "display_order": lever.order,
        "display_extra_attributes": {},
        "configuration": None,
        "entitlement_schema_json": None,
    }


def _named_plan(deal: Deal, product: Product, plan: Plan) -> dict[str, object]:
    """IdNameSlugOrmBase."""
    return {"id": deal.catalogue.plan_id(product, plan), "name": plan.name, "slug": plan.slug}


def _whole_plan(deal: Deal, product: Product, plan: Plan) -> dict[str, object]:
    """PlanInDbBase."""
    return {
        **_named_plan(deal, product, plan),
        "description": plan.description,
        "display_name": plan.name,
        "display_description": plan.description,
        "display_order": plan.order,
        "display_extra_attributes": {},
        "max_subscribers": plan.max_subscribers,
        "is_self_serve": plan.is_self_serve,
        "is_public": plan.is_public,
        "auto_renew": plan.auto_renew,
        "duration_period": plan.duration_period,
        "duration_unit": plan.duration_unit,
        "product_id": deal.catalogue.product_id(product),
        "alternative_id": plan.alternative_id,
    }


# --- customers and subscriptions ---


def plain_customer(customer: PlanshipCustomerRecord) -> dict[str, object]:
    """CustomerInDbBase."""
    return {
        "id": customer.customer_id,
        "organization_id": customer.org_id,
        "alternative_id": customer.alternative_id,
        "name": customer.name,
        "email": customer.email,
        "metadata_": _metadata(customer.metadata),
    }


def customer_with_subscriptions(deal: Deal, customer: PlanshipCustomerRecord) -> dict[str, object]:
    """Customer."""
    places = deal.places(customer.customer_id)
    rows = [subscription_customer(deal, subscription, member) for subscription, member in places]
    return {**plain_customer(customer), "subscriptions": rows}


def subscription_member(member: PlanshipMemberRecord) -> dict[str, object]:
    """SubscriptionCustomerInDbBase."""
    return {
        "customer_id": member.customer_id,
        "subscription_id": member.subscription_id,
        "is_administrator": member.is_administrator,
        "is_subscriber": member.is_subscriber,
        "metadata_": _metadata(member.metadata),
    }


def subscription_customer(
    deal: Deal, subscription: PlanshipSubscriptionRecord, member: PlanshipMemberRecord
) -> dict[str, object]:
    """SubscriptionCustomer."""
    return {**subscription_member(member), "plan": _whole_plan(deal, *deal.sold(subscription, subscription.plan))}


def _terms(deal: Deal, subscription: PlanshipSubscriptionRecord) -> dict[str, object]:
    """What both shapes of a subscription have."""
    return {
        "max_subscribers": subscription.max_subscribers,
        "auto_renew": subscription.auto_renew,
        "is_active": subscription.is_active,
        "renew_at": _time(subscription.renew_at),
        "last_renewed_at": _time(subscription.last_renewed_at),
        "plan": _named_plan(deal, *deal.sold(subscription, subscription.plan)),
        "renew_plan": _named_plan(deal, *deal.sold(subscription, subscription.renew_plan)),
    }


def customer_subscription(
    deal: Deal, subscription: PlanshipSubscriptionRecord, member: PlanshipMemberRecord
) -> dict[str, object]:
    """CustomerSubscriptionWithPlan, which has no id of its own."""
    return {**subscription_member(member), **_terms(deal, subscription)}


def subscription_with_plan(deal: Deal, subscription: PlanshipSubscriptionRecord) -> dict[str, object]:
    """SubscriptionWithPlan."""
    product, plan = deal.sold(subscription, subscription.plan)
    _, renew_plan = deal.sold(subscription, subscription.renew_plan)
    return {
        "id": subscription.subscription_id,
        "plan_id": deal.catalogue.plan_id(product, plan),
        "renew_plan_id": deal.catalogue.plan_id(product, renew_plan),
        "start_at": _time(subscription.start_at),
        "alternative_id": subscription.alternative_id,
        **_terms(deal, subscription),
    }
