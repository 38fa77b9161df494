"""Who hears: the connections of an app, or of a phone, and what each of them was chosen for.

A route stands above; below are the connections themselves.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from elarian_trio._session import Question, StreamFailed
    from elarian_trio.errors import ConnectionLost
    from elarian_trio.models.notifications import Notification
    from elarian_trio.models.simulator import SimulatorNotification
    from elarian_trio.sandbox.delivery.lanes import Lane
    from elarian_trio.sandbox.delivery.parcel import Parcel
    from elarian_trio.sandbox.faults.values import Late

__all__ = ["Listener", "Listeners"]

MAX_UNDER_WAY = 1_000  # notifications one connection may have unanswered


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


class Listeners:
    """The listeners of a route, which take turns, and what is under way to each. Made by the route."""

    def __init__(self) -> None:
        self._in_turn: deque[Listener] = deque()  # whose turn it is stands first
        self._under_way: dict[Listener, dict[Parcel, Lane]] = {}
        self._suspended: set[Listener] = set()  # of those: cut, and perhaps back soon

    def __len__(self) -> int:
        """Count those that are here, suspended ones among them."""
        return len(self._in_turn)

    def add(self, listener: Listener) -> None:
        """Let *listener* have its turns."""
        self._in_turn.append(listener)
        self._under_way[listener] = {}

    def remove(self, listener: Listener) -> Mapping[Parcel, Lane]:
        """Know nothing more of *listener*; give what was under way to it."""
        self._in_turn.remove(listener)
        self._suspended.discard(listener)
        return self._under_way.pop(listener)

    def suspend(self, listener: Listener) -> Mapping[Parcel, Lane]:
        """Skip *listener* until it is resumed; give what is under way to it, and stays so."""
        self._suspended.add(listener)
        return self._under_way[listener]

    def resume(self, listener: Listener) -> Mapping[Parcel, Lane] | None:
        """Skip *listener* no more; give what is under way to it, ``None`` where it was not suspended."""
        if listener not in self._suspended:
            return None
        self._suspended.remove(listener)
        return self._under_way[listener]

    def can_hear(self, listener: Listener) -> bool:
        """Whether *listener* would take a notification now."""
        return listener.usable and listener not in self._suspended

    def next(self) -> Listener | None:
        """Give the listener whose turn it is, skipping those that cannot hear now or have too much to answer."""
        for _ in range(len(self._in_turn)):
            listener = self._in_turn[0]
            self._in_turn.rotate(-1)
            if self.can_hear(listener) and len(self._under_way[listener]) < MAX_UNDER_WAY:
                return listener
        return None

    def choose(self, listener: Listener, parcel: Parcel, lane: Lane) -> None:
        """Have *parcel* be under way to *listener*."""
        parcel.listener = listener
        self._under_way[listener][parcel] = lane

    def free(self, parcel: Parcel) -> None:
        """Have *parcel* be nobody's."""
        parcel.stop_timer()
        parcel.question = parcel.content = None
        listener, parcel.listener = parcel.listener, None
        if listener is not None:
            self._under_way.get(listener, {}).pop(parcel, None)
