"""The streams from which the user's tasks take deliveries.

The client hands them out; the inbox puts tickets in, synchronously, and never more than they have room for.
"""

from __future__ import annotations

from collections import deque
from threading import get_ident
from time import perf_counter
from typing import TYPE_CHECKING, Any, Generic

import anyio
import anyio.lowlevel
from anyio.abc import ObjectReceiveStream
from typing_extensions import TypeVar

from elarian_trio._inbox.deliveries import Delivery
from elarian_trio._inbox.loops import present_loop
from elarian_trio.models.notifications import AnyNotification

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from elarian_trio._inbox.inbox import Inbox
    from elarian_trio._inbox.loops import Loop
    from elarian_trio._inbox.tickets import Ticket

__all__ = ["Claim", "Observation", "Subscription"]

IN_A_ROW = 0.001  # seconds that others wait while deliveries are taken that wait already: so answers leave together

_SHOWN = 3  # kinds that a repr names
_CLOSED = "the block of this subscription was left; ask for another by notifications()"
_BROKEN = "the client's block ended by an error or a cancellation: nothing more comes, and nothing is answered"
_NOT_OPENED = "a subscription is opened first: async with client.notifications(...) as inbox"
_ELSEWHERE = "a subscription is read in the thread it was opened in; anyio.from_thread.run() leads there"

N = TypeVar("N", bound=AnyNotification, covariant=True, default=AnyNotification)


class Subscription(ObjectReceiveStream[Delivery[N]], Generic[N]):
    """A stream of deliveries. Made by ``notifications()``.

    Opened by ``async with``, once; iterated by one task or several, each delivery going to one of them. The loop ends
    when the client is left in order.

    Attributes:
        kinds: the classes of notification that it is of.
        room: how many may wait in it.
    """

    def __init__(
        self,
        inbox: Inbox,
        kinds: frozenset[type[AnyNotification]],
        max_buffer_size: int,
        hand_out: Callable[[Any], Delivery[Any]],
    ) -> None:
        self._inbox = inbox
        self.kinds = kinds
        self.room: int = max_buffer_size
        self._next: deque[Any] = deque()  # what the next one makes deliveries of
        self._hand_out = hand_out
        self._receivers: deque[anyio.Event] = deque()  # one for each task that waits, in order
        self._row_ends = 0.0  # until then others need not run; real seconds, whatever clock the loop has
        self._opened = self._closed = False
        self._loop: Loop | None = None  # the one it was opened in
        self._end: type[Exception] | None = None  # what those who wait are told

    def __repr__(self) -> str:
        """Say what it is a stream of, and whether anything comes by it."""
        names = sorted(kind.__name__ for kind in self.kinds)
        what = ", ".join(names) if len(names) <= _SHOWN else f"{len(names)} kinds"
        return f"<Subscription to {what}, {'closed' if self._closed else 'open' if self._opened else 'not opened'}>"

    async def __aenter__(self) -> Self:
        """Open the stream: from here on nothing of its kinds is missed. A checkpoint, before it is opened.

        Raises:
            ValueError: somebody else takes one of its kinds.
            RuntimeError: it was opened before.
        """
        if self._opened:
            msg = "a subscription is opened once; ask for another"
            raise RuntimeError(msg)
        await anyio.lowlevel.checkpoint()
        self._open()
        self._inbox.streams.add(self)
        self._end = self._inbox.ended
        self._opened = True
        self._loop = present_loop()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the stream; see :meth:`aclose`."""
        self._close()
        await anyio.lowlevel.cancel_shielded_checkpoint()

    async def receive(self) -> Delivery[N]:
        """Wait for the next delivery whose turn it is.

        Raises:
            EndOfStream: the client has been left in order; a loop ends with it.
            BrokenResourceError: the client's block ended otherwise (only a task outside the block sees this).
            ClosedResourceError: the stream was not opened, or was closed here.
            RuntimeError: it would wait in another thread than the one it was opened in.

        Cancellation:
            Always seen. Nothing is taken from the stream. Of deliveries that wait already, those of a millisecond are
            given before other tasks run; else this is a checkpoint as any other.
        """
        try:
            return await self.__anext__()
        except StopAsyncIteration:
            raise anyio.EndOfStream from None

    async def __anext__(self) -> Delivery[N]:
        """Do as :meth:`receive`, for a loop. The base class has this call that; here it costs the loops nothing."""
        loop = self._loop or present_loop()
        if self._next and perf_counter() < self._row_ends:
            await loop.checkpoint_if_cancelled()
        else:
            await (loop.checkpoint() if self._next or self._is_silent else self._wait())
            self._row_ends = perf_counter() + IN_A_ROW
        while not self._next:
            if self._closed or not self._opened:
                raise anyio.ClosedResourceError(_CLOSED if self._closed else _NOT_OPENED)
            if self._end is not None:
                raise StopAsyncIteration if self._end is anyio.EndOfStream else self._end(_BROKEN)
            await self._wait()
        return self._hand_out(self._next.popleft())

    @property
    def _is_silent(self) -> bool:
        """Whether nobody waits here: it was not opened, was closed, or nothing more comes."""
        return self._closed or not self._opened or self._end is not None

    async def aclose(self) -> None:
        """Stop taking notifications. Those that were not handed out are answered REJECTED. A checkpoint, no wait."""
        self._close()
        await anyio.lowlevel.checkpoint()

    def finish(self, reason: type[Exception]) -> None:
        """For the inbox: no more deliveries come; whoever waits is told *reason*."""
        self._end = self._end or reason
        self._wake_all()

    def _open(self) -> None:
        raise NotImplementedError

    def _shut(self) -> None:
        raise NotImplementedError

    def _close(self) -> None:
        if self._opened and not self._closed:
            self._closed = True
            self._inbox.streams.discard(self)
            self._shut()
            self._wake_all()

    async def _wait(self) -> None:
        """Wait to be woken; who is cancelled after that wakes the next, so that no delivery lies unseen."""
        if self._loop is not None and get_ident() != self._loop.thread:  # the client's would fail as it woke it
            raise RuntimeError(_ELSEWHERE)
        event = anyio.Event()
        self._receivers.append(event)
        try:
            await event.wait()
        except BaseException:
            if not event.is_set():
                self._receivers.remove(event)
            elif self._next:
                self._wake_one()
            raise

    def _wake_one(self) -> None:
        if self._receivers:
            self._receivers.popleft().set()

    def _wake_all(self) -> None:
        while self._receivers:
            self._wake_one()


class Claim(Subscription[N]):
    """The one taker of its kinds of notification: each delivery is to be answered.

    Attributes:
        waiting: how many wait for a task that takes them.
    """

    def __init__(self, inbox: Inbox, kinds: frozenset[type[AnyNotification]], max_buffer_size: int) -> None:
        super().__init__(inbox, kinds, max_buffer_size, inbox.hand_out)
        self.waiting: int = 0

    @property
    def is_idle(self) -> bool:
        """Whether a task waits for one."""
        return bool(self._receivers)

    def ready(self, ticket: Ticket) -> None:
        """Let *ticket* be handed out."""
        self._next.append(ticket)
        if self._receivers:
            self._wake_one()

    def drop(self, ticket: Ticket) -> None:
        """Forget *ticket*."""
        if ticket in self._next:
            self._next.remove(ticket)

    def _open(self) -> None:
        self._inbox.open_taker(self.kinds, self)

    def _shut(self) -> None:
        self._inbox.close_taker(self.kinds, self)


class Observation(Subscription[N]):
    """A listening copy: its deliveries answer nothing, and what finds no room is dropped and counted."""

    def __init__(self, inbox: Inbox, kinds: frozenset[type[AnyNotification]], max_buffer_size: int) -> None:
        super().__init__(inbox, kinds, max_buffer_size, _as_it_is)

    def offer(self, delivery: Delivery[N]) -> bool:
        """Take a copy in, if there is room."""
        if len(self._next) >= self.room:
            return False
        self._next.append(delivery)
        self._wake_one()
        return True

    def _open(self) -> None:
        self._inbox.observe(self)

    def _shut(self) -> None:
        self._inbox.stop_observing(self)
        self._next.clear()


def _as_it_is(copy: Delivery[Any]) -> Delivery[Any]:
    """Hand out what was made a delivery of when it came."""
    return copy
