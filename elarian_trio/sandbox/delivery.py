"""Which connection hears of what, in which order, and how often.

The server stands above and makes one :class:`Route` for each app and one for each phone; the rules behind it are its
:class:`Desk`. Below are the clock and the session. Everything is synchronous: no task waits for an answer.

The order is kept per customer: each has a lane in a route, and one notification of a lane is on its way at a time.
Several connections of an app take turns. The delays and bounds are this project's own, where nothing public says.

A silence is an answer only of an app that was asked. Where the connection may have carried nothing, and nobody knows
yet that it is cut, it is waited for longer.

A connection that was cut may be resumed, and until it is, or its session ends, its listener stays on the route,
suspended. What it was told and has not answered is its own: the answer, or the question itself, may be on its way
still, so nobody else is told, and its silence means nothing. What it was not told goes to another connection, or waits
for it; so does a customer at the phone, for as long as one waits for an answer, since an app that is back within a
second is there.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import anyio
import anyio.lowlevel

from elarian_trio._rsocket import ErrorCode
from elarian_trio._session import StreamFailed
from elarian_trio.errors import ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from elarian_trio._session import Question
    from elarian_trio.models.notifications import Notification
    from elarian_trio.models.simulator import SimulatorNotification
    from elarian_trio.sandbox.clock import Clock, Timer
    from elarian_trio.sandbox.faults.values import Late

__all__ = ["Activity", "Desk", "Listener", "Parcel", "Route"]

ANSWER_TIMEOUT = 30.0  # seconds an app has for its answer
ARRIVAL_TIMEOUT = 15.0  # seconds of real time in which a live client's KEEPALIVE, every 10 s, tells what it received
HOP_TIMEOUT = 20.0  # the same where a customer waits at the phone; SDKs' own 15 s end first
HOP_LEASE_TIMEOUT = 5.0  # seconds a customer at the phone waits for somebody else's lease
REDELIVERY_DELAYS = (1.0, 2.0, 4.0)  # after an app failed on a notification; then it is dropped
FIRST_BUSY_DELAY = 1.0  # after an app said it is too busy; doubles each time, and is not counted
LAST_BUSY_DELAY = 86_400.0  # an app that never takes a notification must not keep time from passing
AWAY_LIMIT = 1_000  # notifications kept for an app that is not there
PRESENT_LIMIT = 20_000  # notifications kept for one that is, and is slow, or about to be back: a cut loses nothing
MAX_UNDER_WAY = 1_000  # notifications one connection may have unanswered

Outcome: TypeAlias = "bytes | StreamFailed | ConnectionLost | None"

logger: logging.Logger = logging.getLogger("elarian_trio.sandbox")


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


@dataclass(slots=True, eq=False)
class Parcel:
    """A notification on its way.

    Attributes:
        notification: what to tell.
        customer_id: whose lane it goes by; ``None`` where it is about a purse.
        hop: what waits for the answer: a customer at the phone. Such a parcel is not sent twice.
        hurry_at: from when on nobody's lease keeps a hop, or what goes before it, waiting.
        expires_at: when a hop that was not sent by then is given up.
        listener: who was chosen to hear it.
        is_counted: whether it counts as under way: sent, to a listener that can answer.
        content: what is sent, from when it was made for the listener.
        note: the desk's own.
    """

    notification: Notification | SimulatorNotification
    customer_id: str | None = None
    hop: Any = None
    hurry_at: datetime | None = None
    expires_at: datetime | None = None
    listener: Listener | None = None
    is_counted: bool = False
    content: bytes | None = None
    note: Any = None
    failures: int = 0
    refusals: int = 0
    timer: Timer | None = None
    question: Question | None = None
    is_timely: bool = False  # nobody makes it late any more

    @property
    def is_at_the_lease(self) -> bool:
        """Whether it has a listener and waits for the app data's lease."""
        return self.listener is not None and self.question is None

    def stop_timer(self) -> None:
        """Forget the time-out of the stage it was in."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Desk(Protocol):
    """What a route asks of the server: the rules' side of a delivery. All of it is synchronous."""

    def take_lease(self, parcel: Parcel, then: Callable[[], None]) -> None:
        """Take the app data's lease for *parcel*, and call *then*: at once if it is free, else when it was granted."""
        ...

    def content(self, parcel: Parcel) -> bytes | None:
        """Give what is sent, with the app data as it is now; ``None`` where that is impossible, by a defect."""
        ...

    def answered(self, parcel: Parcel, data: bytes | None) -> bool:
        """Act on an answer, ``None`` for one that never came; release the lease. ``False``: it cannot be read."""
        ...

    def put_back(self, parcel: Parcel) -> None:
        """Release the lease, or leave its queue: *parcel* is not under way any more."""
        ...

    def unheard(self, parcel: Parcel) -> None:
        """Tell a customer at the phone that nobody answered; called for parcels with a hop only."""
        ...

    def once_kept(self, call: Callable[[bool], None]) -> None:
        """Make *call* once everything is kept that a content may tell of (at once where that is so), or is lost."""
        ...

    def forget(self, parcel: Parcel) -> None:
        """Keep *parcel* no longer: it is given up, without an answer."""
        ...


class Activity:
    """Counts what is under way, for those who wait until nothing is."""

    def __init__(self) -> None:
        self._count = 0
        self._stuck = 0  # of those counted: somebody waited for them in vain, and does so once only
        self._marks = 0
        self._changed: anyio.Event | None = None

    def begin(self) -> None:
        """Count one more."""
        self._count += 1
        self.mark()

    def end(self) -> None:
        """Count one less."""
        self._count -= 1
        self._stuck = max(self._stuck - 1, 0)
        self.mark()

    def mark(self) -> None:
        """Note that something goes on."""
        self._marks += 1
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._count

    async def wait_quiet(self, rounds: int, patience: float) -> None:
        """Wait until nothing is under way, or until what is does not get on.

        Args:
            rounds: turns of the loop in which nothing may happen, so that programs may begin something new.
            patience: seconds, of the loop's time, that whoever has something to answer may be silent.
        """
        await anyio.lowlevel.checkpoint()
        while True:
            seen = self._marks
            await _turn(rounds)
            if self._marks != seen:
                continue
            if self._count <= self._stuck:
                return
            self._changed = self._changed or anyio.Event()
            with anyio.move_on_after(patience):
                await self._changed.wait()
            await _turn(rounds)  # a loop that was held up has let the time pass before the answer
            if self._marks == seen:
                self._stuck = self._count
                return


async def _turn(rounds: int) -> None:
    await anyio.lowlevel.checkpoint()
    for _ in range(rounds):
        await anyio.lowlevel.checkpoint()


@dataclass(slots=True, eq=False)
class Lane:
    """The notifications of one customer to one app, in order. Busy from choosing a listener to the answer, or pause."""

    customer_id: str | None
    queue: deque[Parcel] = field(default_factory=deque[Parcel])
    busy: bool = False
    hops: int = 0
    lets_pass: bool = False  # its first waits for the second to overtake it

    @property
    def hurry_at(self) -> datetime | None:
        """From when on the customer at the phone, if there is one, has waited long enough for somebody's lease."""
        return next((parcel.hurry_at for parcel in self.queue if parcel.hurry_at), None) if self.hops else None


class Route:
    """The way to one app, over any of its connections, or to one phone.

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
        self._listeners: deque[Listener] = deque()  # whose turn it is stands first
        self._under_way: dict[Listener, dict[Parcel, Lane]] = {}
        self._suspended: set[Listener] = set()  # of those: cut, and perhaps back soon
        self._lanes: dict[str | None, Lane] = {}
        self._ready: deque[Lane] = deque()
        self._paused: set[Lane] = set()  # of those the app was too busy for
        self._size = 0
        self._dropped = 0  # for want of room, since nothing was waiting

    @property
    def size(self) -> int:
        """How many notifications are kept or under way."""
        return self._size

    def attach(self, listener: Listener) -> None:
        """Let *listener* hear, first of all what was kept; that others were too busy says nothing of it."""
        self._listeners.append(listener)
        self._under_way[listener] = {}
        for lane in self._lanes.values():
            lane.queue[0].refusals = 0
        for lane in list(self._paused):
            self._requeue(lane)
        self._kick()

    def suspend(self, listener: Listener) -> None:
        """Tell *listener* nothing until it is back: its connection was cut, and its session may be resumed.

        It has not failed to answer what it was told, however long it is away, and nobody waits for it meanwhile; only
        a customer at the phone is not kept longer than ever.
        """
        self._suspended.add(listener)
        self._withdraw_from(listener)
        for parcel in self._under_way[listener]:
            self._stop_counting(parcel)
            if parcel.hop is None:
                parcel.stop_timer()
        self._kick()

    def resume(self, listener: Listener) -> None:
        """Let a suspended *listener* hear again; it has as long as ever to answer what it was told before."""
        if listener not in self._suspended:
            return
        self._suspended.remove(listener)
        for parcel, lane in self._under_way[listener].items():
            self._count(parcel)
            if parcel.timer is None:
                self._await_answer(lane, parcel)
        self._kick()

    def detach(self, listener: Listener) -> None:
        """Tell *listener* nothing more. What it has not answered is seen to when its session ends."""
        self._listeners.remove(listener)
        self._suspended.discard(listener)
        self._withdraw_from(listener)
        del self._under_way[listener]
        if not self._listeners:
            self._give_hops_up()
        self._kick()

    @property
    def has_room(self) -> bool:
        """Whether one more parcel would be taken now."""
        return self._size < (PRESENT_LIMIT if self._listeners else AWAY_LIMIT)

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
        lane = self._lanes.get(parcel.customer_id)
        if lane is None:
            lane = self._lanes[parcel.customer_id] = Lane(parcel.customer_id)
        lane.queue.append(parcel)
        self._size += 1
        if parcel.hop is not None:
            lane.hops += 1
            now = self._clock.now()
            parcel.hurry_at = now + timedelta(seconds=HOP_LEASE_TIMEOUT)
            parcel.expires_at = now + timedelta(seconds=HOP_TIMEOUT)
            self._limit_hop(lane, parcel)
            self._hurry(lane)
        if len(lane.queue) == 1:
            self._ready.append(lane)
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
        """Note that there was no room for a notification.

        That is said once until nothing is waiting any more: under load there is room for one again and again.
        """
        if not self._dropped:
            logger.warning("%s has too many notifications waiting: new ones are dropped", self._name)
        self._dropped += 1

    def close(self) -> None:
        """Forget everything that is kept, as a phone that is gone does."""
        for lane in self._lanes.values():
            for parcel in lane.queue:
                parcel.stop_timer()
                self._desk.put_back(parcel)
        self._lanes.clear()
        self._ready.clear()
        self._paused.clear()
        self._size = 0
        self._count_dropped()

    def _count_dropped(self) -> None:
        """Say how many were dropped for want of room, now that nothing is waiting."""
        if self._dropped:
            logger.warning("%s has no notifications waiting any more: %d were dropped", self._name, self._dropped)
            self._dropped = 0

    # From the lane to the wire.

    def _kick(self) -> None:
        """Set every lane going that can go."""
        while self._ready:
            listener = self._next_listener()
            if listener is None:
                return
            self._start(self._ready.popleft(), listener)

    def _next_listener(self) -> Listener | None:
        """Give the listener whose turn it is, skipping those that cannot hear now or have too much to answer."""
        for _ in range(len(self._listeners)):
            listener = self._listeners[0]
            self._listeners.rotate(-1)
            if self._can_hear(listener) and len(self._under_way[listener]) < MAX_UNDER_WAY:
                return listener
        return None

    def _can_hear(self, listener: Listener) -> bool:
        return listener.usable and listener not in self._suspended

    def _start(self, lane: Lane, listener: Listener) -> None:
        parcel = lane.queue[0]
        lane.busy = True
        late = None if parcel.is_timely else listener.lateness_of(parcel.notification)
        parcel.is_timely = True
        if late is not None:
            self._put_off(lane, parcel, late)
            return
        parcel.listener = listener
        self._under_way[listener][parcel] = lane
        parcel.stop_timer()
        go = partial(self._send, lane, parcel)
        self._hurry(lane)
        self._desk.take_lease(parcel, go)

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
            parcel.timer = self._clock.call_at(due, partial(self._be_late, lane))

    def _be_late(self, lane: Lane) -> None:
        """Let a lane whose first parcel was put off go on."""
        self._requeue(lane)
        self._limit_hop(lane, lane.queue[0])
        self._kick()

    def _overtake(self, lane: Lane) -> None:
        """Let the lane's second parcel go first, whatever shall be late."""
        overtaken = lane.queue.popleft()
        overtaken.stop_timer()
        lane.queue[0].is_timely = True
        lane.queue.insert(1, overtaken)
        self._requeue(lane)
        for parcel in (lane.queue[0], overtaken):
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
        if not self._can_hear(listener):
            self._withdraw(lane, parcel)
            self._kick()
            return
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
        if not self._can_hear(listener):
            self._withdraw(lane, parcel)
            self._kick()
            return
        parcel.question = listener.ask(content, partial(self._hear, lane, parcel))
        self._count(parcel)
        self._await_answer(lane, parcel)

    def _await_answer(self, lane: Lane, parcel: Parcel, *, is_last: bool = False) -> None:
        timeout = ANSWER_TIMEOUT if parcel.hop is None else HOP_TIMEOUT
        stop = partial(self._stop_waiting, lane, parcel, since=anyio.current_time(), is_last=is_last)
        parcel.timer = self._clock.call_later(timeout, stop, after_advance=True)

    def _stop_waiting(self, lane: Lane, parcel: Parcel, *, since: float, is_last: bool) -> None:
        """Count a silence as an empty answer; not that of a connection, which may not have carried the question.

        Whoever was heard but does not acknowledge is waited for once more: the question is lost on its way, and the
        client will notice; or it is a client that acknowledges nothing. Whoever was not heard at all is waited for
        until he is heard or lost, which the lifetime bounds: it may be more than twice the time-out, and sessions that
        cannot be resumed have nothing but that.
        """
        listener, question = parcel.listener, parcel.question
        if listener is None or question is None:  # nobody is asked any more
            return
        if parcel.hop is None:
            if listener.is_deaf_for(ANSWER_TIMEOUT):
                self._await_answer(lane, parcel, is_last=is_last)
                return
            # A manual clock that leaps leaves nobody the time to acknowledge; that is no sign of loss.
            could_tell = anyio.current_time() - since >= ARRIVAL_TIMEOUT
            if could_tell and not (is_last or question.was_received()):
                self._await_answer(lane, parcel, is_last=True)
                return
        question.call_off()
        self._hear(lane, parcel, None)

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
        self._free(parcel)
        if self._lanes.get(lane.customer_id) is not lane:  # the route was closed meanwhile
            self._desk.put_back(parcel)
            return
        if isinstance(outcome, bytes | None) and self._desk.answered(parcel, outcome):
            self._drop(lane, parcel)
        else:
            self._desk.put_back(parcel)
            self._see_to_failure(lane, parcel, outcome)
        self._kick()

    def _withdraw_from(self, listener: Listener) -> None:
        """Take back what *listener* was chosen for and has heard nothing of."""
        for parcel, lane in list(self._under_way[listener].items()):
            if parcel.listener is listener and parcel.is_at_the_lease:  # one that is taken back may set another going
                self._withdraw(lane, parcel)

    def _withdraw(self, lane: Lane, parcel: Parcel) -> None:
        """Take back the lane's first parcel, of which whoever was chosen has heard nothing yet."""
        self._free(parcel)
        self._requeue(lane)
        if parcel.hop is not None:
            self._limit_hop(lane, parcel)
        self._desk.put_back(parcel)

    def _free(self, parcel: Parcel) -> None:
        """Have *parcel* be nobody's."""
        parcel.stop_timer()
        parcel.question = parcel.content = None
        listener, parcel.listener = parcel.listener, None
        if listener is not None:
            self._under_way.get(listener, {}).pop(parcel, None)

    def _see_to_failure(self, lane: Lane, parcel: Parcel, outcome: Outcome) -> None:
        """Send *parcel* again, now or later, or give it up."""
        if parcel.hop is not None:
            self._desk.unheard(parcel)
            self._drop(lane, parcel)
        elif isinstance(outcome, ConnectionLost):
            self._requeue(lane)
        elif isinstance(outcome, StreamFailed) and outcome.code == ErrorCode.REJECTED:
            delay = min(FIRST_BUSY_DELAY * 2**parcel.refusals, LAST_BUSY_DELAY)
            parcel.refusals = min(parcel.refusals + 1, 32)
            self._pause(lane, parcel, delay)
            self._paused.add(lane)
        elif parcel.failures < len(REDELIVERY_DELAYS):
            self._pause(lane, parcel, REDELIVERY_DELAYS[parcel.failures])
            parcel.failures += 1
        else:
            logger.warning("%s failed on a notification again and again: it was dropped", self._name)
            self._desk.forget(parcel)
            self._drop(lane, parcel)

    def _pause(self, lane: Lane, parcel: Parcel, delay: float) -> None:
        self._set_timer(parcel, delay, partial(self._requeue_and_kick, lane))

    def _requeue(self, lane: Lane) -> None:
        """Let *lane* go again from its first parcel."""
        self._paused.discard(lane)
        lane.queue[0].stop_timer()
        lane.busy = lane.lets_pass = False
        self._ready.append(lane)

    def _requeue_and_kick(self, lane: Lane) -> None:
        self._requeue(lane)
        self._kick()

    def _drop(self, lane: Lane, parcel: Parcel) -> None:
        """Be done with *parcel*, and let the lane go on, if it goes on."""
        parcel.stop_timer()
        was_first = lane.queue[0] is parcel
        lane.queue.remove(parcel)
        lane.hops -= parcel.hop is not None
        self._size -= 1
        if not self._size:
            self._count_dropped()
        if not lane.queue:
            del self._lanes[lane.customer_id]
            if not lane.busy:
                self._ready.remove(lane)
        elif was_first and lane.busy:
            lane.busy = lane.lets_pass = False
            self._ready.append(lane)

    # Hops: somebody is at the phone.

    def _limit_hop(self, lane: Lane, parcel: Parcel) -> None:
        """See to it that a hop that has not had its turn in time is given up."""
        if parcel.expires_at is not None:
            parcel.timer = self._clock.call_at(parcel.expires_at, partial(self._hop_expires, lane, parcel))

    def _hop_expires(self, lane: Lane, parcel: Parcel) -> None:
        """Give up a hop that never had its turn."""
        self._desk.unheard(parcel)
        self._drop(lane, parcel)
        self._kick()

    def _give_hops_up(self) -> None:
        """Answer for an app that is gone: hops that have not been sent are not kept."""
        for lane in list(self._lanes.values()):
            for parcel in [parcel for parcel in lane.queue if parcel.hop is not None and parcel.listener is None]:
                self._hop_expires(lane, parcel)

    def _set_timer(self, parcel: Parcel, delay: float, callback: Callable[[], None]) -> None:
        parcel.stop_timer()
        parcel.timer = self._clock.call_later(delay, callback)
