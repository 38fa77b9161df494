"""A connection that hears notifications, as a route sees it.

The routes and their parts stand above; the sandbox's :class:`~.connections.Client` is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio._session import Question, StreamFailed
    from elarian_trio.errors import ConnectionLost
    from elarian_trio.models.notifications import Notification
    from elarian_trio.models.simulator import SimulatorNotification
    from elarian_trio.sandbox.faults.values import Late

__all__ = ["Listener"]


class Listener(Protocol):
    """A connection that hears notifications."""

    @property
    def connection_id(self) -> str:
        """What it is known by."""
        ...

    @property
    def usable(self) -> bool:
        """Whether it would take one now; not while it is closing, nor while its connection is cut."""
        ...

    def is_deaf_for(self, seconds: float) -> bool:
        """Whether nothing at all was heard from it for *seconds*: it may be gone, and nobody have noticed yet."""
        ...

    def ask(self, data: bytes, then: Callable[[bytes | StreamFailed | ConnectionLost], None]) -> Question:
        """Send a notification and have *then* called, once, with what becomes of it."""
        ...

    def lateness_of(self, notification: Notification | SimulatorNotification) -> Late | None:
        """Say whether *notification* is to be late on purpose; asked once for each, before it is sent."""
        ...
