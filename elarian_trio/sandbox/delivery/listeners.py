"""Who hears: the connections of an app, or of a phone, and what each of them was chosen for.

A route stands above; below are the lanes, and what is asked of a connection.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elarian_trio.sandbox.delivery.lanes import Lane
    from elarian_trio.sandbox.delivery.listener import Listener
    from elarian_trio.sandbox.delivery.parcel import Parcel

__all__ = ["Listeners"]

MAX_UNDER_WAY = 1_000  # notifications one connection may have unanswered


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
