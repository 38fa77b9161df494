"""In which order a route's notifications go: each customer's one after the other, and customers side by side.

The route stands above and says when a lane goes, waits or goes on. Nothing here knows a connection, nor the time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from elarian_trio.sandbox.delivery.parcel import Parcel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

__all__ = ["Lane", "Lanes"]


@dataclass(slots=True, eq=False)
class Lane:
    """The notifications of one customer to one app, in order. Made by :class:`Lanes`.

    Attributes:
        customer_id: whose; ``None`` for those about purses.
        queue: the notifications; the first one is the one whose turn it is.
        busy: from choosing a listener to the answer, or pause.
        hops: how many of them a customer at the phone waits for.
        lets_pass: whether its first waits for the second to overtake it.
    """

    customer_id: str | None
    queue: deque[Parcel] = field(default_factory=deque[Parcel])
    busy: bool = False
    hops: int = 0
    lets_pass: bool = False

    @property
    def hurry_at(self) -> datetime | None:
        """From when on the customer at the phone, if there is one, has waited long enough for somebody's lease."""
        return next((parcel.hurry_at for parcel in self.queue if parcel.hurry_at), None) if self.hops else None


class Lanes:
    """The lanes of a route. Made by the route.

    Attributes:
        ready: those whose first can be sent, in the order in which they came up.
        size: how many notifications there are in all.
    """

    def __init__(self) -> None:
        self.ready: deque[Lane] = deque()
        self.size: int = 0
        self._lanes: dict[str | None, Lane] = {}
        self._paused: set[Lane] = set()  # of those the app was too busy for

    def __iter__(self) -> Iterator[Lane]:
        """Give those that there are now."""
        return iter(list(self._lanes.values()))

    def __contains__(self, lane: Lane) -> bool:
        """Whether *lane* is one of these, and was not cleared away."""
        return self._lanes.get(lane.customer_id) is lane

    def put(self, parcel: Parcel) -> Lane:
        """Put *parcel* behind what goes to the same customer, and give its lane."""
        lane = self._lanes.get(parcel.customer_id)
        if lane is None:
            lane = self._lanes[parcel.customer_id] = Lane(parcel.customer_id)
            self.ready.append(lane)
        lane.queue.append(parcel)
        lane.hops += parcel.hop is not None
        self.size += 1
        return lane

    def requeue(self, lane: Lane) -> None:
        """Let *lane* go again from its first parcel."""
        self._paused.discard(lane)
        lane.queue[0].stop_timer()
        lane.busy = lane.lets_pass = False
        self.ready.append(lane)

    def pause(self, lane: Lane) -> None:
        """Note that *lane* waits for an app that is too busy; a timer of the route's lets it go on."""
        self._paused.add(lane)

    def forget_refusals(self) -> None:
        """Let go what waits for an app that is too busy: somebody came of whom nobody has said so."""
        for lane in self._lanes.values():
            lane.queue[0].refusals = 0
        for lane in list(self._paused):
            self.requeue(lane)

    def overtake(self, lane: Lane) -> None:
        """Let the lane's second parcel go before its first, whatever shall be late."""
        overtaken = lane.queue.popleft()
        overtaken.stop_timer()
        lane.queue[0].is_timely = True
        lane.queue.insert(1, overtaken)
        self.requeue(lane)

    def drop(self, lane: Lane, parcel: Parcel) -> None:
        """Be done with *parcel*, and let the lane go on, if it goes on."""
        parcel.stop_timer()
        was_first = lane.queue[0] is parcel
        lane.queue.remove(parcel)
        lane.hops -= parcel.hop is not None
        self.size -= 1
        if not lane.queue:
            del self._lanes[lane.customer_id]
            if not lane.busy:
                self.ready.remove(lane)
        elif was_first and lane.busy:
            lane.busy = lane.lets_pass = False
            self.ready.append(lane)

    def clear(self) -> None:
        """Forget all of them."""
        self._lanes.clear()
        self.ready.clear()
        self._paused.clear()
        self.size = 0
