"""A session's stay on one transport: the tasks that read, write and keep time while it lasts.

:mod:`elarian_trio._session.session` stands above, makes one for each transport, and lives on when it is over; a
:class:`Connection` says what the bytes mean, a :class:`FrameTransport` carries them.

Only the writer task sends on the transport. It is woken by a bell, takes whatever frames wait by then, and sends them
in one write, so a cancelled caller never leaves half a frame. The reader hands frames over synchronously and waits for
nobody but the transport. None of the tasks raises; each tells the session why the stay ends.
"""

from __future__ import annotations

import math
from contextlib import suppress
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from elarian_trio._session.parking import Bell
from elarian_trio._transport import TRANSPORT_ERRORS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from anyio.abc import TaskStatus

    from elarian_trio._rsocket import Connection
    from elarian_trio._session.session import Session
    from elarian_trio._transport import FrameTransport

__all__ = ["Attachment", "close_transport"]

LINGER_TIMEOUT = 0.5  # seconds for the peer to close first: closing over its unread bytes resets a TCP connection
TOGETHER = 16  # frames that are acted on as one: a server looks at all of them before it acts on each
PARTS = 8  # of a read of hundreds of frames, rather than more: each turn costs both ends the same, however short
MAX_WRITE = 16 * 1024  # bytes; more at once keeps a KEEPALIVE waiting, and a slow reader busy for over the lifetime
CLOSE_TIMEOUT = 1.0  # seconds for a transport's own goodbye


class Attachment:
    """One transport under a session, from the session's coming to its going. Made by the session.

    Its reader and writer are shielded: cancellation from outside reaches the session first (``on_cancel``), which ends
    the stay at once or lets it send a last word within a bound.

    Attributes:
        is_over: whether nothing more is read, and nothing more written.
        error: what the stay ended with, where it ended badly.
        flushed: whether the last word was sent.
        wake: has the writer look for what waits to be sent.
        returns: whether the session was on another transport before, and would stay resumable without this one.
    """

    def __init__(
        self,
        session: Session,
        connection: Connection,
        transport: FrameTransport,
        *,
        returns: bool,
        clock: Callable[[], float],
        task_status: TaskStatus[None],
    ) -> None:
        self._session = session
        self._connection = connection
        self._transport = transport
        self._clock = clock
        self.returns: bool = returns
        self.is_over: bool = False
        self.error: Exception | None = None
        self.flushed: bool = False
        self._read_over = False
        self._gives_up_at = math.inf  # when the peer will have taken nothing for too long of what is being sent
        self._scope = anyio.CancelScope(shield=True)
        self._is_proven = False
        self._task_status = task_status
        self._work = Bell()  # for the writer: something waits to be sent
        self.wake: Callable[[], None] = self._work.ring
        self._rearm = Bell()  # for the timer: an earlier deadline may have come up

    @property
    def is_open(self) -> bool:
        """Whether peer and session have found each other on this transport, and it is there still."""
        return self._is_proven and not self.is_over

    def open(self) -> None:
        """Note that the peer has answered, or was answered; timers may have started.

        Whoever waits for it is told in the same step, before anything that came behind is handed over.
        """
        self._is_proven = True
        self._task_status.started()
        self._rearm.ring()

    def stop_within(self, seconds: float) -> None:
        """Have the writer send its last, and the stay end within *seconds*."""
        self._scope.deadline = anyio.current_time() + seconds
        self._work.ring()

    def stop(self, error: Exception | None) -> None:
        """End the stay now; the first call says with what."""
        if not self.is_over:
            self.is_over = True
            self.error = error
            self._scope.cancel()

    async def run(
        self,
        received: Sequence[bytes],
        *others: Callable[[], Awaitable[None]],
        on_cancel: Callable[[Attachment], None],
    ) -> None:
        """Stay until :meth:`stop` or :meth:`stop_within`, and run *others* meanwhile.

        Args:
            received: frames that were already read from the transport.
            others: more tasks for the time of the stay.
            on_cancel: called where the stay is cancelled from outside; says how it ends.

        Cancellation:
            Raised once the stay has ended, as ``on_cancel`` has it.
        """
        works: Sequence[Callable[[], Awaitable[None]]] = (
            partial(self._read, received),
            self._write,
            *others,
        )
        async with anyio.create_task_group() as watch:
            watch.start_soon(self._guard, partial(self._watch, on_cancel))
            with self._scope:
                async with anyio.create_task_group() as tasks:
                    for work in works:
                        tasks.start_soon(self._guard, work)
            if not self.is_over:  # its last word took too long
                self._session.end()
            watch.cancel_scope.cancel()
        await anyio.lowlevel.checkpoint()  # asyncio's task group forgets what only its other tasks have heard of

    async def _watch(self, on_cancel: Callable[[Attachment], None]) -> None:
        """Keep time, and look out for cancellation from outside: the one task that is not shielded from it."""
        try:
            await self._keep_time()
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            if not self.is_over:
                on_cancel(self)
            raise

    async def _guard(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except TRANSPORT_ERRORS as error:
            if not self.is_over:
                self._session.lose(_describe(error), _without_frames(error))
        except Exception as error:  # a defect: it ends the session, and comes out of its run() as it is
            self._session.end(error)
        await anyio.lowlevel.checkpoint()

    async def _read(self, frames: Sequence[bytes]) -> None:
        """Hand over what comes, and let others have their turn in between: answers leave while the rest is acted on.

        A reader that is cancelled there forgets the rest, as no frame counts as received before it is handed over.
        """
        try:
            while not self.is_over:
                together = max(TOGETHER, len(frames) // PARTS)
                row_ends = perf_counter() + self._session.in_a_row
                for begin in range(0, len(frames), together):
                    if begin and perf_counter() >= row_ends:
                        await anyio.lowlevel.checkpoint()
                        row_ends = perf_counter() + self._session.in_a_row
                    self._session.take_in(frames[begin : begin + together])
                frames = await self._transport.receive_frames()
        except TRANSPORT_ERRORS:
            self._read_over = True
            if not self._session.ending:
                raise
            if self.flushed:
                self._session.end()
        await anyio.lowlevel.checkpoint()

    async def _write(self) -> None:
        """Send what waits; the timer sees to it that each takes no longer than the lifetime."""
        while True:
            while not self.is_over and (frames := self._connection.frames_to_send(MAX_WRITE)):
                await self._send(frames)
            if self._session.ending:
                break
            await self._work.wait()
        if not self.is_over:
            await self._say_goodbye()
        await anyio.lowlevel.checkpoint()

    async def _send(self, frames: list[bytes]) -> None:
        if self._transport.timed:
            self._gives_up_at = self._clock() + self._connection.lifetime
        await self._transport.send_frames(frames)
        self._gives_up_at = math.inf
        self._session.bytes_sent += sum(map(len, frames))

    async def _say_goodbye(self) -> None:
        """Let the peer close first, for a moment, where closing could cost it our last words."""
        self.flushed = True
        if self._read_over or not self._transport.timed:
            self._session.end()
        self.stop_within(LINGER_TIMEOUT)
        with suppress(NotImplementedError, *TRANSPORT_ERRORS):
            await self._transport.send_eof()
        await anyio.lowlevel.checkpoint()

    async def _keep_time(self) -> None:
        await anyio.lowlevel.checkpoint()
        while not (self.is_over or self._session.ending):
            now = self._clock()
            wakes_at = self._look(now)
            with anyio.move_on_after(wakes_at - now):
                await self._rearm.wait()

    def _look(self, now: float) -> float:
        """Do what time asks for, and give when to look again.

        A write that begins later is seen in time all the same: the peer's silence is looked at within the lifetime.
        """
        due = self._connection.next_deadline()
        if due is not None and due <= now:
            self._session.hand_over(self._connection.tick(now))
            return now
        if self._gives_up_at <= now:  # a peer that takes nothing for so long is dead as well
            self._session.lose(f"the peer took nothing for {self._connection.lifetime:g} s")
            return now
        return min(math.inf if due is None else due, self._gives_up_at)


async def close_transport(transport: FrameTransport, *, forcefully: bool) -> None:
    """Close *transport* whatever has happened, and whatever happens meanwhile, within a bound.

    Args:
        transport: what to close.
        forcefully: without a word to the peer, which is gone or has lost it too.
    """
    with anyio.move_on_after(CLOSE_TIMEOUT, shield=True), suppress(*TRANSPORT_ERRORS):
        await (anyio.aclose_forcefully(transport) if forcefully else transport.aclose())
    await anyio.lowlevel.cancel_shielded_checkpoint()


def _without_frames(error: BaseException) -> BaseException:
    """Forget through which calls a transport's error came: their variables hold what was sent, credentials among it."""
    known: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in known:
        known.append(following.with_traceback(None))
        following = following.__cause__ or following.__context__
    return error


def _describe(error: BaseException) -> str:
    if isinstance(error, anyio.EndOfStream):
        return "the peer closed the transport"
    return "the transport broke"
