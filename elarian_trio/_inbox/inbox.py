"""The client's inbox: which notification goes to whom, whose turn it is, and what becomes of those nobody answers.

The client makes it and gives :meth:`Inbox.handle` to the supervisor, whose reader calls it for each request of the
server's. Nothing here but :meth:`Inbox.wait_answered` waits.
"""

from __future__ import annotations

import logging
from functools import cached_property
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import anyio.lowlevel

from elarian_trio._arguments import require
from elarian_trio._inbox.answers import Mute
from elarian_trio._inbox.deliveries import Delivery
from elarian_trio._inbox.loops import Loop, present_loop
from elarian_trio._inbox.order import AppDataWatch, Lanes, lane_of
from elarian_trio._inbox.tickets import DONE, IN_HAND, WAITING, Ticket
from elarian_trio._rsocket import ErrorCode
from elarian_trio._session import Flag
from elarian_trio.errors import ConnectionClosed, ConnectionLost, DeliveryExpired, LocalProtocolError
from elarian_trio.models.notifications import NotificationReply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from elarian_trio._inbox.deadlines import Timer
    from elarian_trio._inbox.subscriptions import Observation, Subscription
    from elarian_trio._inbox.tickets import Taker
    from elarian_trio._session import IncomingRequest
    from elarian_trio.customer import Customer
    from elarian_trio.models.notifications import AnyNotification
    from elarian_trio.options import ConnectionOptions

    Decode: TypeAlias = Callable[[bytes], tuple[AnyNotification, str | bytes | None]]
    Encode: TypeAlias = Callable[[NotificationReply], bytes]
    FindCustomer: TypeAlias = Callable[[AnyNotification], Customer | None]

__all__ = ["WAITING_ROOM", "Inbox"]

WAITING_ROOM = 64  # notifications that wait for the client's first taker

logger = logging.getLogger("elarian_trio.inbox")


class Inbox:
    """Routes notifications to their takers, in each customer's order. Made by the client, one each.

    Args:
        kinds: every class of notification that may come.
        decode: bytes to a notification and the app's data.
        encode: an answer to bytes.
        customer_of: makes the customer a notification is about, if it is about one.
        options: how long notifications may wait, and how app data is stored.
        timer: sees to it that they wait no longer.

    Attributes:
        watch: for the client: which unanswered notifications a change of app data concerns.
        streams: the streams that are open.
        ended: what those who wait are told since no more notifications are taken; ``None`` before.
        notifications: how many came.
        unclaimed: how many nobody took, answered by default.
        rejected: how many were answered REJECTED, for want of room, of time, or of a client that stays.
        answers_late: how many were answered after their time was up, or after nobody waited any more.
        observed_dropped: how many copies found no room with an observer.
    """

    def __init__(
        self,
        *,
        kinds: Sequence[type[AnyNotification]],
        decode: Decode,
        encode: Encode,
        customer_of: FindCustomer,
        options: ConnectionOptions,
        timer: Timer,
    ) -> None:
        self._kinds = tuple(kinds)
        self._decode = decode
        self._encode = encode
        self._customer_of = customer_of
        self._serializer = options.serializer
        self.streams: set[Subscription[Any]] = set()
        self.ended: type[Exception] | None = None
        self.notifications: int = 0
        self.unclaimed: int = 0
        self.rejected: int = 0
        self.answers_late: int = 0
        self.observed_dropped: int = 0
        self._lanes = Lanes()
        self.watch: AppDataWatch = AppDataWatch(self._lanes)
        self._takers: dict[type[AnyNotification], Taker] = {}
        self._observers: dict[type[AnyNotification], list[Observation[Any]]] = {}
        self._room: _WaitingRoom | None = _WaitingRoom()
        self._unanswered = timer.deadlines(options.notification_timeout, self._expire)
        self._nothing: bytes | None = None  # the answer that says nothing, once it was asked for
        self._fewer = Flag()  # for whoever waits until all is answered
        self._has_warned = False  # of deliveries that were forgotten

    @cached_property
    def loop(self) -> Loop:
        """The loop that the client runs in; asked for first by the client, as it is entered."""
        return present_loop()

    def require_thread(self) -> None:
        """See that this is the client's thread: the tasks that an answer wakes from another one sleep on for good.

        Raises:
            RuntimeError: it is another.
        """
        if get_ident() != self.loop.thread:
            msg = "a delivery is handled in the thread of its client's block; anyio.from_thread.run_sync() leads there"
            raise RuntimeError(msg)

    # Who takes what.

    def kinds_of(self, types: Iterable[type[AnyNotification]]) -> frozenset[type[AnyNotification]]:
        """Give every kind that is one of *types* or below it; all kinds for no type.

        Raises:
            ValueError: nothing of a type ever comes here.
            TypeError: one is no class.
        """
        wanted = tuple(types)
        for each in wanted:
            require("what is subscribed to", type, each, wanted="a class of notifications (names are for on())")
            if not any(issubclass(kind, each) for kind in self._kinds):
                known = ", ".join(kind.__name__ for kind in self._kinds)
                msg = f"{getattr(each, '__name__', each)!r} is no notification of this socket; known are {known}"
                raise ValueError(msg)
        return frozenset(kind for kind in self._kinds if not wanted or issubclass(kind, wanted))

    def require_free(self, kinds: Iterable[type[AnyNotification]]) -> None:
        """See that nobody takes any of *kinds*.

        Raises:
            ValueError: somebody does.
        """
        taken = sorted(kind.__name__ for kind in kinds if kind in self._takers)
        if taken:
            msg = f"{', '.join(taken)}: taken already, by another subscription or handler; observe=True only listens"
            raise ValueError(msg)

    def open_taker(self, kinds: frozenset[type[AnyNotification]], taker: Taker) -> None:
        """Let *taker* take *kinds*; the first one ever gets, of what waited, what is for it.

        Raises:
            ValueError: somebody takes one of them.
        """
        self.require_free(kinds)
        self._takers.update(dict.fromkeys(kinds, taker))
        room, self._room = self._room, None
        if room is None:
            return
        tickets = self._waiting_for(room)
        for ticket in tickets:  # all of them leave before the first is routed: nobody overtakes
            self._lanes.leave(ticket.lane, ticket)
        for ticket in tickets:
            self._route(ticket)

    def close_taker(self, kinds: frozenset[type[AnyNotification]], taker: Taker) -> None:
        """Let *taker* take *kinds* no longer; what waits of them was seen by no user code, so the server may retry."""
        for kind in kinds:
            self._takers.pop(kind, None)
        for ticket in self._waiting_for(taker):
            if type(ticket.notification) in kinds:
                self._refuse_waiting(ticket)

    def _waiting_for(self, taker: Taker) -> list[Ticket]:
        """Give what *taker* has taken in and not handed out, in order of arrival."""
        return [ticket for ticket in self._unanswered if ticket.taker is taker and ticket.stage is WAITING]

    def observe(self, observer: Observation[Any]) -> None:
        """Let *observer* have copies."""
        for kind in observer.kinds:
            self._observers.setdefault(kind, []).append(observer)

    def stop_observing(self, observer: Observation[Any]) -> None:
        """Let *observer* have copies no longer."""
        for kind in observer.kinds:
            self._observers[kind].remove(observer)

    # A notification comes.

    def handle(self, request: IncomingRequest) -> None:
        """Take a request of the server's in; for the session's reader, so it waits for nobody and raises nothing."""
        self.notifications += 1
        if self.ended is not None:
            self._reject(request, "the app is leaving")
            return
        try:
            notification, app_data = self._decode(request.data)
        except Exception as error:
            logger.error("a notification could not be read: %s", type(error).__name__)
            request.fail(ErrorCode.INVALID, "not a notification")
            return
        ticket = Ticket(self, request, notification, app_data, lane_of(notification))
        request.on_cancel(ticket)
        if self._observers:
            self._copy(ticket)
        self._route(ticket)

    def _copy(self, ticket: Ticket) -> None:
        for observer in self._observers.get(type(ticket.notification), ()):
            if not observer.offer(self._make_delivery(ticket, Mute())):
                self.observed_dropped += 1

    def _route(self, ticket: Ticket) -> None:
        taker = self._takers.get(type(ticket.notification), self._room)
        if taker is None:
            self.unclaimed += 1
            ticket.stage = DONE
            self._answer_unasked(ticket)
            return
        first = self._lanes.join(ticket.lane, ticket)
        if taker.waiting >= taker.room and not (first and taker.is_idle):
            ticket.stage = DONE
            self._lanes.leave(ticket.lane, ticket)
            self._reject(ticket.request, "no room")
            self._let_go(ticket)
            return
        ticket.taker = taker
        if not ticket.waits:  # else it comes out of the waiting room
            ticket.waits = True
            ticket.deadline = self._unanswered.add(ticket, ticket.request.session.last_heard)
            if self.watch.is_on:
                self.watch.add(ticket)
        taker.waiting += 1
        if first:
            taker.ready(ticket)

    def _reject(self, request: IncomingRequest, reason: str) -> None:
        """Promise the server that nothing was done with it."""
        self.rejected += 1
        request.fail(ErrorCode.REJECTED, reason)

    def withdraw(self, ticket: Ticket) -> None:
        """Nobody waits for the answer any more: what no user code has seen is forgotten."""
        if ticket.stage is WAITING:
            self._done(ticket)
        if self.ended is not None:
            self._note_fewer()

    # A ticket is handed out, answered, and done.

    def hand_out(self, ticket: Ticket) -> Delivery[Any]:
        """Give *ticket* to user code; for takers, when its turn has come."""
        ticket.stage = IN_HAND
        if ticket.taker is not None:
            ticket.taker.waiting -= 1
        return self._make_delivery(ticket, ticket)

    def _make_delivery(self, ticket: Ticket, answers: Ticket | Mute) -> Delivery[Any]:
        raw, stored = ticket.request.data, ticket.app_data
        # By their places: a class that is called with names takes twice as long.
        return Delivery(ticket.notification, None, None, raw, stored, answers, self._serializer, self._customer_of)

    def answer(self, ticket: Ticket, reply: NotificationReply | str) -> None:
        """Answer by hand: a reply, or the reason for a failure."""
        self.require_thread()
        self._require_answerable(ticket)
        if isinstance(reply, str):
            ticket.request.fail(ErrorCode.APPLICATION_ERROR, reply)
        else:
            ticket.request.respond(self._encode(reply))  # which may refuse it: nothing is sent then
        ticket.answered = True
        self._let_go(ticket)
        if not ticket.entered:
            self._done(ticket)

    def _require_answerable(self, ticket: Ticket) -> None:
        if ticket.expired:
            self._count_late(ticket)
            msg = "its time was up, and the default answer went out"
            raise DeliveryExpired(msg)
        if ticket.answered:
            msg = "this delivery was answered before"
            raise LocalProtocolError(msg)
        if not ticket.request.canceled:
            return
        self._count_late(ticket)
        if not ticket.entered:  # whoever tried to answer is through with it: the customer's next may come
            self._done(ticket)
        if ticket.request.session.usable:
            msg = "the server has given up waiting for the answer"
            raise DeliveryExpired(msg)
        if self.ended is not None:
            msg = "the client's block was left"
            raise ConnectionClosed(msg)
        msg = "the session it came by is over; the server will deliver it again"
        raise ConnectionLost(msg, sent=False)

    def leave(self, ticket: Ticket, error: BaseException | None) -> None:
        """User code has left the outermost block: answer what is unanswered, and let the next one through."""
        if ticket.expired or (not ticket.answered and ticket.request.canceled):
            self._count_late(ticket)
        elif not ticket.answered and self.ended is not anyio.BrokenResourceError:  # then the server hears nothing more
            self._answer_unasked(ticket, error)
        self._done(ticket)

    def _answer_unasked(self, ticket: Ticket, error: BaseException | None = None) -> None:
        if error is not None:
            ticket.request.fail(ErrorCode.APPLICATION_ERROR, type(error).__name__)
        else:
            ticket.request.respond(self._default_answer(ticket))
        ticket.answered = True
        self._let_go(ticket)

    def _default_answer(self, ticket: Ticket) -> bytes:
        update = ticket.default_update()
        if update is not None:
            return self._encode(NotificationReply(data_update=update))
        if self._nothing is None:
            self._nothing = self._encode(NotificationReply())
        return self._nothing

    def _let_go(self, ticket: Ticket) -> None:
        """Wait for its answer no longer."""
        if ticket.waits:
            ticket.waits = False
            self._unanswered.discard(ticket)
            if self.watch.is_on:
                self.watch.discard(ticket)
            if self.ended is not None:
                self._note_fewer()

    def _count_late(self, ticket: Ticket) -> None:
        self.answers_late += not ticket.late
        ticket.late = True

    def _refuse_waiting(self, ticket: Ticket) -> None:
        """Answer REJECTED to what no user code has seen."""
        if ticket.stage is WAITING:
            self._reject(ticket.request, "not taken in time")
            self._done(ticket)

    def _done(self, ticket: Ticket) -> None:
        """Forget *ticket*, and let the next of its customer through."""
        if ticket.stage is DONE:
            return
        if ticket.stage is WAITING and ticket.taker is not None:
            ticket.taker.waiting -= 1
            ticket.taker.drop(ticket)
        ticket.stage = DONE
        if ticket.waits:
            self._let_go(ticket)
        following = self._lanes.leave(ticket.lane, ticket)
        if following is None or following.taker is None or self.ended is not None:
            return
        if ticket.request.canceled and _same_end(ticket, following):
            return
        following.taker.ready(following)

    # Time.

    def _expire(self, ticket: Ticket) -> None:
        """Answer what nobody answered in time."""
        if ticket.stage is WAITING:
            self._refuse_waiting(ticket)
            return
        if ticket.request.canceled:
            self._let_go(ticket)
        else:
            self._answer_unasked(ticket)
            if not ticket.entered:
                self._warn_of_forgotten(ticket)
        ticket.expired = True
        if not ticket.entered:
            self._done(ticket)

    def _warn_of_forgotten(self, ticket: Ticket) -> None:
        """Say once how a delivery is handled: who only reads it gets each customer's next one a time-out later."""
        if self._has_warned:
            return
        self._has_warned = True
        logger.warning(
            "a delivery of %s was neither entered nor answered within %g s, and the customer's next ones waited: "
            "handle each in 'async with delivery:' (said once)",
            ticket.notification.event,
            self._unanswered.limit,
        )

    # The end.

    def close(self) -> None:
        """Take nothing in any more and hand nothing out; what is in hand may still be answered."""
        self._end(anyio.EndOfStream)
        for ticket in self._unanswered:
            self._refuse_waiting(ticket)

    def abandon(self) -> None:
        """The client's block ended otherwise: whoever still listens is told, and nothing is answered."""
        self._end(anyio.BrokenResourceError)
        for ticket in self._unanswered:
            if ticket.stage is WAITING:
                self._done(ticket)

    def _end(self, reason: type[Exception]) -> None:
        self.ended = self.ended or reason
        for stream in tuple(self.streams):
            stream.finish(self.ended)

    async def wait_answered(self) -> None:
        """Wait until all that is in hand is answered.

        For after :meth:`close`. Always a checkpoint; cancelled, nothing changes.
        """
        await anyio.lowlevel.checkpoint()
        while any(not ticket.request.canceled for ticket in self._unanswered):
            await self._fewer.wait()

    def answer_own(self) -> None:
        """Answer by default what this very task has in hand: it is the one that ends the connection."""
        task = self.loop.current_task()
        for ticket in self._unanswered:
            if ticket.task is task and not ticket.request.canceled:
                self._answer_unasked(ticket)

    def _note_fewer(self) -> None:
        self._fewer.set()
        self._fewer = Flag()


class _WaitingRoom:
    """Takes notifications in until the client has a taker; hands nothing out."""

    is_idle = False

    def __init__(self) -> None:
        self.room = WAITING_ROOM
        self.waiting = 0

    def ready(self, ticket: Ticket) -> None:
        """There is nobody to give it to."""

    def drop(self, ticket: Ticket) -> None:
        """It lies nowhere else."""


def _same_end(ticket: Ticket, following: Ticket) -> bool:
    """Whether the session whose end canceled *ticket* is about to cancel *following*, too."""
    session = following.request.session
    return session is ticket.request.session and session.ending
