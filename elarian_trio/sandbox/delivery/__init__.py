"""Which connection hears of what, in which order, and how often.

The engine stands above and makes one :class:`Route` for each app and one for each phone; whoever knows the rules is its
:class:`Desk`. Below are the clock and the session. Everything is synchronous: no task waits for an answer.
"""

from __future__ import annotations

from elarian_trio.sandbox.delivery.activity import Activity
from elarian_trio.sandbox.delivery.desk import Desk
from elarian_trio.sandbox.delivery.listener import Listener
from elarian_trio.sandbox.delivery.parcel import Parcel
from elarian_trio.sandbox.delivery.route import Route

__all__ = ["Activity", "Desk", "Listener", "Parcel", "Route"]
