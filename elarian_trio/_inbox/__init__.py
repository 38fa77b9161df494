"""Notifications on their way to the user's code, and its answers on their way back.

The client stands above; customers, the wire's words and the session's requests are below. One :class:`Inbox` belongs
to a client: the session's reader hands it each request, synchronously, and it never waits for anybody.
"""

from __future__ import annotations

from elarian_trio._inbox.answers import UNSET, Unset
from elarian_trio._inbox.deadlines import Deadlines, Timer
from elarian_trio._inbox.deliveries import Delivery
from elarian_trio._inbox.handlers import Handler, Handlers
from elarian_trio._inbox.inbox import Inbox
from elarian_trio._inbox.subscriptions import Claim, Observation, Subscription

__all__ = [
    "UNSET",
    "Claim",
    "Deadlines",
    "Delivery",
    "Handler",
    "Handlers",
    "Inbox",
    "Observation",
    "Subscription",
    "Timer",
    "Unset",
]
