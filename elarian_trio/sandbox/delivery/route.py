"""The way to one app, over any of its connections, or to one phone.

The engine stands above and makes one for each; the rules' side is its desk. Below are who hears (:mod:`.listeners`),
in which order (:mod:`.lanes`), and how long an answer is waited for (:mod:`.patience`).

The order is kept per customer: each has a lane in a route, and one notification of a lane is on its way at a time.
Several connections of an app take turns. The delays and bounds are this project's own, where nothing public says.

A connection that was cut may be resumed, and until it is, or its session ends, its listener stays on the route,
suspended. What it was told and has not answered is its own: the answer, or the question itself, may be on its way
still, so nobody else is told, and its silence means nothing. What it was not told goes to another connection, or waits
for it; so does a customer at the phone, for as long as one waits for an answer, since an app that is back within a
second is there.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from elarian_trio._rsocket import ErrorCode
from elarian_trio._session import StreamFailed
from elarian_trio.errors import ConnectionLost
from elarian_trio.sandbox.delivery.lanes import Lanes
from elarian_trio.sandbox.delivery.listeners import Listeners
from elarian_trio.sandbox.delivery.overflow import Overflow
from elarian_trio.sandbox.delivery.patience import HOP_TIMEOUT, await_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elarian_trio.sandbox.clock import Clock
    from elarian_trio.sandbox.delivery.activity import Activity
    from elarian_trio.sandbox.delivery.desk import Desk
    from elarian_trio.sandbox.delivery.lanes import Lane
    from elarian_trio.sandbox.delivery.listener import Listener
    from elarian_trio.sandbox.delivery.parcel import Parcel
    from elarian_trio.sandbox.faults.values import Late

__all__ = ["Route"]

HOP_LEASE_TIMEOUT = 5.0  # seconds a customer at the phone waits for somebody else's lease
REDELIVERY_DELAYS = (1.0, 2.0, 4.0)  # after an app failed on a notification; then it is dropped
FIRST_BUSY_DELAY = 1.0  # after an app said it is too busy; doubles each time, and is not counted
LAST_BUSY_DELAY = 86_400.0  # an app that never takes a notification must not keep time from passing
AWAY_LIMIT = 1_000  # notifications kept for an app that is not there
PRESENT_LIMIT = 20_000  # notifications kept for one that is, and is slow, or about to be back: a cut loses nothing

Outcome: TypeAlias = "bytes | StreamFailed | ConnectionLost | None"

logger: logging.Logger = logging.getLogger("elarian_trio.sandbox")


class Route:
    """The way to one app, over any of its connections, or to one phone. Made by the engine.

    Args:
        name: for the log.
        desk: the rules' side.
        clock: where the time-outs come from.
        activity: is told what is under way.
    """

    def __init__(
        self,
        name: str,
        desk: Desk,
        clock: Clock,
        activity: Activity,
    ) -> None:
        self._name = name
        self._desk = desk
        self._clock = clock
        self._activity = activity
        self._listeners = Listeners()
        self._lanes = Lanes()
        self._overflow = Overflow(name)

    @property
    def size(self) -> int:
        """How many notifications are kept or under way."""
        return self._lanes.size

    @property
    def is_unused(self) -> bool:
        """Whether nobody hears by it, and nothing is kept."""
        return not (self._listeners or self._lanes.size)

    def attach(self, listener: Listener) -> None:
        """Let *listener* hear, first of all what was kept; that others were too busy says nothing of it."""
        self._listeners.add(listener)
        self._lanes.forget_refusals()
        self._kick()

    def suspend(self, listener: Listener) -> None:
        """Tell *listener* nothing until it is back: its connection was cut, and its session may be resumed.

        It has not failed to answer what it was told, however long it is away, and nobody waits for it meanwhile; only
        a customer at the phone is not kept longer than ever.
        """
        under_way = self._listeners.suspend(listener)
        self._withdraw_unheard(under_way, listener)
        for parcel in under_way:
            self._stop_counting(parcel)
            if parcel.hop is None:
                parcel.stop_timer()
        self._kick()

    def resume(self, listener: Listener) -> None:
        """Let a suspended *listener* hear again; it has as long as ever to answer what it was told before."""
        under_way = self._listeners.resume(listener)
        if under_way is None:
            return
        for parcel, lane in under_way.items():
            self._count(parcel)
            if parcel.timer is None:
                await_answer(self._clock, parcel, partial(self._hear, lane, parcel))
        self._kick()

    def detach(self, listener: Listener) -> None:
        """Tell *listener* nothing more. What it has not answered is seen to when its session ends."""
        self._withdraw_unheard(self._listeners.remove(listener), listener)
        if not self._listeners:
            self._give_hops_up()
        self._kick()

    @property
    def has_room(self) -> bool:
        """Whether one more parcel would be taken now."""
        return self._lanes.size < (PRESENT_LIMIT if self._listeners else AWAY_LIMIT)

    def put(self, parcel: Parcel, *, is_old: bool = False) -> None:
        """Take *parcel*, to be delivered after what was put before it for the same customer.

        One that *is_old* was taken before a restart, and is not refused for want of room.
        """
        if parcel.hop is not None and not self._listeners:
            self._desk.unheard(parcel)
            return
        if not (self.has_room or is_old):
            self._refuse(parcel)
            return
        lane = self._lanes.put(parcel)
        if parcel.hop is not None:
            self._expect_hop(lane, parcel)
        if len(lane.queue) == 1:
            self._kick()
        elif lane.lets_pass:
            self._overtake(lane)
            self._kick()

    def _refuse(self, parcel: Parcel) -> None:
        """See to it that nobody waits for *parcel*, nor hears of it after a restart: there is no room for it."""
        self.note_dropped()
        if parcel.hop is not None:
            self._desk.unheard(parcel)
        else:
            self._desk.forget(parcel)

    def note_dropped(self) -> None:
        """Note that there was no room for a notification, which nobody hears of."""
        self._overflow.note()

    def close(self) -> None:
        """Forget everything that is kept, as a phone that is gone does."""
        for lane in self._lanes:
            for parcel in lane.queue:
                parcel.stop_timer()
                self._desk.put_back(parcel)
        self._lanes.clear()
        self._overflow.end()

    # From the lane to the wire.

    def _kick(self) -> None:
        """Set every lane going that can go."""
        ready = self._lanes.ready
        while ready:
            listener = self._listeners.next()
            if listener is None:
                return
            self._start(ready.popleft(), listener)

    def _start(self, lane: Lane, listener: Listener) -> None:
        parcel = lane.queue[0]
        lane.busy = True
        late = None if parcel.is_timely else listener.lateness_of(parcel.notification)
        parcel.is_timely = True
        if late is not None:
            self._put_off(lane, parcel, late)
            return
        self._listeners.choose(listener, parcel, lane)
        parcel.stop_timer()
        self._hurry(lane)
        self._desk.take_lease(parcel, partial(self._send, lane, parcel))

    def _put_off(self, lane: Lane, parcel: Parcel, late: Late) -> None:
        """Make the lane's first parcel late: its time comes, or (for some) the next one overtakes it before.

        A customer at the phone waits no longer than ever.
        """
        if late.lets_pass and len(lane.queue) > 1:
            self._overtake(lane)
            return
        lane.lets_pass = late.lets_pass
        due = self._clock.now() + timedelta(seconds=late.seconds)
        if parcel.expires_at is None or due < parcel.expires_at:
            parcel.stop_timer()
            parcel.timer = self._clock.call_at(due, partial(self._go_on, lane))

    def _go_on(self, lane: Lane) -> None:
        """Let a lane go on whose first parcel was put off, or is to be sent again."""
        self._lanes.requeue(lane)
        self._limit_hop(lane, lane.queue[0])
        self._kick()

    def _overtake(self, lane: Lane) -> None:
        """Let the lane's second parcel go first, whatever shall be late."""
        self._lanes.overtake(lane)
        for parcel in (lane.queue[0], lane.queue[1]):
            self._limit_hop(lane, parcel)

    def _hurry(self, lane: Lane) -> None:
        """Where a customer is at the phone, bound how long the first of the lane waits for somebody else's lease."""
        first = lane.queue[0]
        if lane.hurry_at is not None and first.is_at_the_lease and first.timer is None:
            first.timer = self._clock.call_at(lane.hurry_at, partial(self._send, lane, first))

    def _send(self, lane: Lane, parcel: Parcel) -> None:
        """Send *parcel*, with the lease or, for a hop that waited too long, without."""
        listener = parcel.listener
        if parcel.content is not None or listener is None:  # sent already: lease and time-out came together
            return
        parcel.stop_timer()
        parcel.content = self._desk.content(parcel)
        if parcel.content is None:
            self._finish(lane, parcel, None)
        else:
            self._desk.once_kept(partial(self._ask, lane, parcel, listener, parcel.content))

    def _ask(self, lane: Lane, parcel: Parcel, listener: Listener, content: bytes, is_kept: bool) -> None:
        """Send the content that was made for *listener*, unless it was taken back, or tells of what was lost."""
        if parcel.content is not content:
            return
        if not is_kept:
            parcel.content = None
            self._send(lane, parcel)
            return
        if not self._listeners.can_hear(listener):
            self._withdraw(lane, parcel)
            self._kick()
            return
        hear = partial(self._hear, lane, parcel)
        parcel.question = listener.ask(content, hear)
        self._count(parcel)
        await_answer(self._clock, parcel, hear)

    def _hear(self, lane: Lane, parcel: Parcel, outcome: Outcome) -> None:
        self._stop_counting(parcel)
        self._finish(lane, parcel, outcome)

    def _count(self, parcel: Parcel) -> None:
        """Have those who wait until nothing is under way wait for *parcel*."""
        if not parcel.is_counted:
            parcel.is_counted = True
            self._activity.begin()

    def _stop_counting(self, parcel: Parcel) -> None:
        if parcel.is_counted:
            parcel.is_counted = False
            self._activity.end()

    # From the answer back to the lane.

    def _finish(self, lane: Lane, parcel: Parcel, outcome: Outcome) -> None:
        """See to what became of the lane's first parcel, and go on with the lane."""
        self._listeners.free(parcel)
        if lane not in self._lanes:  # the route was closed meanwhile
            self._desk.put_back(parcel)
            return
        if isinstance(outcome, bytes | None) and self._desk.answered(parcel, outcome):
            self._drop(lane, parcel)
        else:
            self._desk.put_back(parcel)
            self._see_to_failure(lane, parcel, outcome)
        self._kick()

    def _withdraw_unheard(self, under_way: Mapping[Parcel, Lane], listener: Listener) -> None:
        """Take back what *listener* was chosen for and has heard nothing of."""
        for parcel, lane in list(under_way.items()):
            if parcel.listener is listener and parcel.is_at_the_lease:  # one that is taken back may set another going
                self._withdraw(lane, parcel)

    def _withdraw(self, lane: Lane, parcel: Parcel) -> None:
        """Take back the lane's first parcel, of which whoever was chosen has heard nothing yet."""
        self._listeners.free(parcel)
        self._lanes.requeue(lane)
        self._limit_hop(lane, parcel)
        self._desk.put_back(parcel)

    def _see_to_failure(self, lane: Lane, parcel: Parcel, outcome: Outcome) -> None:
        """Send *parcel* again, now or later, or give it up."""
        if parcel.hop is not None:
            self._desk.unheard(parcel)
            self._drop(lane, parcel)
        elif isinstance(outcome, ConnectionLost):
            self._lanes.requeue(lane)
        elif isinstance(outcome, StreamFailed) and outcome.code == ErrorCode.REJECTED:
            delay = min(FIRST_BUSY_DELAY * 2**parcel.refusals, LAST_BUSY_DELAY)
            parcel.refusals = min(parcel.refusals + 1, 32)
            self._pause(lane, parcel, delay)
            self._lanes.pause(lane)
        elif parcel.failures < len(REDELIVERY_DELAYS):
            self._pause(lane, parcel, REDELIVERY_DELAYS[parcel.failures])
            parcel.failures += 1
        else:
            logger.warning("%s failed on a notification again and again: it was dropped", self._name)
            self._desk.forget(parcel)
            self._drop(lane, parcel)

    def _pause(self, lane: Lane, parcel: Parcel, delay: float) -> None:
        parcel.stop_timer()
        parcel.timer = self._clock.call_later(delay, partial(self._go_on, lane))

    def _drop(self, lane: Lane, parcel: Parcel) -> None:
        """Be done with *parcel*, and let the lane go on, if it goes on."""
        self._lanes.drop(lane, parcel)
        if not self._lanes.size:
            self._overflow.end()

    # Hops: somebody is at the phone.

    def _expect_hop(self, lane: Lane, parcel: Parcel) -> None:
        """Bound how long a hop waits for its turn, and for somebody else's lease."""
        now = self._clock.now()
        parcel.hurry_at = now + timedelta(seconds=HOP_LEASE_TIMEOUT)
        parcel.expires_at = now + timedelta(seconds=HOP_TIMEOUT)
        self._limit_hop(lane, parcel)
        self._hurry(lane)

    def _limit_hop(self, lane: Lane, parcel: Parcel) -> None:
        """See to it that *parcel*, if it is a hop, is given up where it has not had its turn in time."""
        if parcel.expires_at is not None:
            parcel.timer = self._clock.call_at(parcel.expires_at, partial(self._hop_expires, lane, parcel))

    def _hop_expires(self, lane: Lane, parcel: Parcel) -> None:
        """Give up a hop that never had its turn."""
        self._desk.unheard(parcel)
        self._drop(lane, parcel)
        self._kick()

    def _give_hops_up(self) -> None:
        """Answer for an app that is gone: hops that have not been sent are not kept."""
        for lane in self._lanes:
            for parcel in [parcel for parcel in lane.queue if parcel.hop is not None and parcel.listener is None]:
                self._hop_expires(lane, parcel)
