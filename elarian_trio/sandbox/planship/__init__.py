"""A local Planship: its customer API and entitlement updates, with subscriptions, entitlements and metering of its own.

Users and their tests stand above, :mod:`elarian_trio.sandbox.web` below. It needs the extra ``standins``.
"""

from __future__ import annotations

from elarian_trio.sandbox.planship.rules.catalogue import Catalogue, Lever, LeverValue, Plan, Product, clicker_demo
from elarian_trio.sandbox.planship.rules.service import Switches
from elarian_trio.sandbox.planship.server import PlanshipServer
from elarian_trio.sandbox.web_faults import WebFault, WebFaults, WebRule

__all__ = [
    "Catalogue",
    "Lever",
    "LeverValue",
    "Plan",
    "PlanshipServer",
    "Product",
    "Switches",
    "WebFault",
    "WebFaults",
    "WebRule",
    "clicker_demo",
]
