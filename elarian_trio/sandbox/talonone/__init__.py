"""A stand-in for Talon.One's Integration API, on a port of your own. Needs the extras ``sandbox`` and ``standins``.

Users and the sandbox stand above; it knows nothing of the client in :mod:`elarian_trio.talonone`. Its rules are pure:
a request, the records, the time and the dice give an answer and what changes.
"""

from __future__ import annotations

from elarian_trio.sandbox.talonone.rules.deployment import (
    Application,
    AttributeKind,
    Campaign,
    Catalogue,
    Coupon,
    Rule,
    RuleState,
)
from elarian_trio.sandbox.talonone.server import TalonOneServer
from elarian_trio.sandbox.web_faults import WebFault, WebFaults, WebRule

__all__ = [
    "Application",
    "AttributeKind",
    "Campaign",
    "Catalogue",
    "Coupon",
    "Rule",
    "RuleState",
    "TalonOneServer",
    "WebFault",
    "WebFaults",
    "WebRule",
]
