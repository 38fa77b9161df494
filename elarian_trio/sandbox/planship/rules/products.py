"""The operations on the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from elarian_trio.sandbox.planship.rules.answers import (
    lever_details,
    lever_in_list,
    plan_details,
    plan_entitlement,
    plan_in_list,
    product_details,
)
from elarian_trio.sandbox.planship.rules.catalogue import Lever, Plan
from elarian_trio.sandbox.planship.rules.reading import Refused, read_flag, read_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from elarian_trio.sandbox.planship.rules.catalogue import Product
    from elarian_trio.sandbox.planship.rules.service import Deal

__all__ = [
    "get_lever",
    "get_plan",
    "get_product",
    "get_public_plan",
    "list_levers",
    "list_plan_entitlements",
    "list_plans",
    "list_products",
    "list_public_plans",
]

T = TypeVar("T", Lever, Plan)


def list_products(deal: Deal) -> object:
    """All products."""
    return [product_details(deal, product) for product in deal.catalogue.products]


def get_product(deal: Deal) -> object:
    """A product."""
    return product_details(deal, deal.product())


def list_plans(deal: Deal) -> object:
    """A product's plans."""
    plans = deal.product().plans
    only_public = read_flag(deal.request, "public_only")
    shown = [plan for plan in plans if plan.is_public or not only_public]
    return [plan_in_list(plan) for plan in _ordered(deal, shown, "order_by")]


def get_plan(deal: Deal) -> object:
    """A plan with its entitlements."""
    product, plan = deal.plan()
    return plan_details(plan, _entitlements(deal, product, plan))


def list_plan_entitlements(deal: Deal) -> object:
    """A plan's entitlements."""
    return _entitlements(deal, *deal.plan())


def _entitlements(deal: Deal, product: Product, plan: Plan) -> list[dict[str, object]]:
    levers = _ordered(deal, product.levers, "levers_order_by", "order_by")
    return [plan_entitlement(deal, product, plan, lever) for lever in levers]


def list_levers(deal: Deal) -> object:
    """A product's levers."""
    return [lever_in_list(lever) for lever in _ordered(deal, deal.product().levers, "order_by")]


def get_lever(deal: Deal) -> object:
    """A lever."""
    return lever_details(deal, *deal.lever())


def list_public_plans(deal: Deal) -> object:
    """What is shown to everybody of an organization's product."""
    plans = [plan for plan in _public_product(deal).plans if plan.is_public]
    return [plan_in_list(plan) for plan in _ordered(deal, plans, "order_by")]


def get_public_plan(deal: Deal) -> object:
    """A plan that is shown to everybody."""
    product = _public_product(deal)
    plan = deal.plan_named(product, deal.request.params["plan"])
    if not plan.is_public:
        raise Refused(404, "Plan not found")
    return plan_details(plan, _entitlements(deal, product, plan))


def _public_product(deal: Deal) -> Product:
    if deal.request.params["organization"] != deal.catalogue.organization:
        raise Refused(404, "Organization not found")
    return deal.product()


def _by_order(thing: Lever | Plan) -> tuple[bool, int]:
    return thing.order is None, thing.order or 0


def _by_name(thing: Lever | Plan) -> str:
    return thing.name


def _by_slug(thing: Lever | Plan) -> str:
    return thing.slug


_SORTED: Mapping[str, Callable[[Lever | Plan], Any]] = {"order": _by_order, "name": _by_name, "slug": _by_slug}


def _ordered(deal: Deal, things: Iterable[T], *names: str) -> list[T]:
    """Give *things* as the query orders them, else by their order; those without one come last."""
    found = sorted(things, key=_by_order)
    for field, is_reversed in reversed(read_order(deal.request, *names)):
        found.sort(key=_SORTED[field], reverse=is_reversed)
    return found
