"""Planship's customer API under Trio or anyio: subscriptions, entitlements and metering for one customer.

    async with PlanshipCustomer("clicker-demo", "asha@example.com", client_id="…", client_secret="…") as planship:
        entitlements = await planship.get_entitlements()
        await planship.report_usage("button-click", 1)
        async with planship.entitlement_updates() as updates:
            async for entitlements in updates:
                ...

Needs the extra ``http``.
"""

from __future__ import annotations

from elarian_trio.errors import PlanshipError
from elarian_trio.options import HttpOptions, Reconnects, Retries
from elarian_trio.planship.client import PlanshipCustomer
from elarian_trio.planship.models import (
    BucketUsage,
    CreateCustomerParameters,
    CreateSubscriptionOptions,
    Customer,
    CustomerInDbBase,
    CustomerSubscriptionWithPlan,
    Entitlements,
    LeverInList,
    LeverUsage,
    MeteringRecord,
    ModifySubscriptionParameters,
    Plan,
    PlanDetails,
    PlanEntitlement,
    PlanInDbBase,
    PlanReference,
    PlanshipModel,
    Product,
    SubscriptionCustomer,
    SubscriptionCustomerInDbBase,
    SubscriptionWithPlan,
    TimeUnits,
    TokenResponse,
)
from elarian_trio.planship.updates import EntitlementUpdates

__all__ = [
    "BucketUsage",
    "CreateCustomerParameters",
    "CreateSubscriptionOptions",
    "Customer",
    "CustomerInDbBase",
    "CustomerSubscriptionWithPlan",
    "EntitlementUpdates",
    "Entitlements",
    "HttpOptions",
    "LeverInList",
    "LeverUsage",
    "MeteringRecord",
    "ModifySubscriptionParameters",
    "Plan",
    "PlanDetails",
    "PlanEntitlement",
    "PlanInDbBase",
    "PlanReference",
    "PlanshipCustomer",
    "PlanshipError",
    "PlanshipModel",
    "Product",
    "Reconnects",
    "Retries",
    "SubscriptionCustomer",
    "SubscriptionCustomerInDbBase",
    "SubscriptionWithPlan",
    "TimeUnits",
    "TokenResponse",
]
