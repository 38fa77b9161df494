"""Where tasks wait until they are woken: the least that a loop offers for it.

Sessions, the inbox and the client stand above. An ``anyio.Event`` can do more than a :class:`Spot` or a :class:`Bell`
(any number of tasks wait for it, it stays set) and takes three times as long, of which a busy connection has one for
every request. Trio's own parking and asyncio's futures are what anyio's events are made of, too. Of the events that a
connection may come to need, most are never waited for: until then a :class:`Flag` stands for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.lowlevel
import trio.lowlevel
from outcome import Outcome

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

__all__ = ["WOKEN", "Bell", "Flag", "Spot", "asyncio_loop"]

R = TypeVar("R")


def asyncio_loop() -> asyncio.AbstractEventLoop | None:
    """Give asyncio's loop if that runs, ``None`` if Trio does; to ask for it takes as long as to wait at a spot."""
    if trio.lowlevel.in_trio_task():
        return None
    import asyncio  # which programs on Trio need not load

    return asyncio.get_running_loop()


class Woken(Outcome[None]):
    """What a task of Trio's goes on with: one for all, where Trio makes one for each, which can be used once.

    Those for a read's answers are made all at once and freed task by task, and that sets Python's collector off: a
    tenth of what a command took where a thousand were under way.
    """

    __slots__ = ()

    def unwrap(self) -> None:
        """Give nothing; what ``wait_task_rescheduled`` asks for."""

    def send(self, gen: Generator[R, None, object]) -> R:
        """Go on with nothing."""
        return gen.send(None)

    async def asend(self, agen: AsyncGenerator[R, None]) -> R:
        """Go on with nothing."""
        return await agen.asend(None)


WOKEN = Woken()


class Spot:
    """A place for one task to wait at. Whoever wakes it says elsewhere what for."""

    __slots__ = ("_parked",)

    def __init__(self) -> None:
        self._parked: trio.lowlevel.Task | asyncio.Future[None] | None = None

    def park(self) -> Awaitable[object]:
        """Give what is to be awaited at once, and waits for :meth:`unpark`; a checkpoint.

        Cancellation:
            The place is free again.
        """
        return self.park_in(asyncio_loop())

    def park_in(self, loop: asyncio.AbstractEventLoop | None) -> Awaitable[object]:
        """Do as :meth:`park`, for who keeps what :func:`asyncio_loop` gave."""
        if loop is None:
            self._parked = trio.lowlevel.current_task()
            return trio.lowlevel.wait_task_rescheduled(self._abort)  # noqa: ASYNC105 - our caller awaits it at once
        self._parked = future = loop.create_future()
        return future

    def unpark(self) -> None:
        """Wake the task that waits here; if none does, nothing happens."""
        parked, self._parked = self._parked, None
        if isinstance(parked, trio.lowlevel.Task):
            trio.lowlevel.reschedule(parked, WOKEN)
        elif parked is not None and not parked.done():  # a cancelled task has yet to be told
            parked.set_result(None)

    def _abort(self, _: Callable[[], object]) -> trio.lowlevel.Abort:
        self._parked = None
        return trio.lowlevel.Abort.SUCCEEDED


class Bell(Spot):
    """What one task waits for again and again: that there is something to do."""

    __slots__ = ("_rung",)

    def __init__(self) -> None:
        super().__init__()
        self._rung = False

    def ring(self) -> None:
        """Wake the task, or have its next :meth:`wait` return at once."""
        self._rung = True
        if self._parked is not None:
            self.unpark()

    async def wait(self) -> None:
        """Wait until it was rung since the last time; a checkpoint."""
        if self._rung:
            await anyio.lowlevel.checkpoint()
        else:
            await self.park()
        self._rung = False


class Flag:
    """An event: what any number of tasks wait for, once. One of the loop's, which is large, while somebody waits."""

    __slots__ = ("_event", "_is_set")

    def __init__(self) -> None:
        self._event: anyio.Event | None = None
        self._is_set = False

    def is_set(self) -> bool:
        """Whether it was set."""
        return self._is_set

    def set(self) -> None:
        """Wake whoever waits, and let nobody wait any more. May be repeated."""
        self._is_set = True
        event, self._event = self._event, None
        if event is not None:
            event.set()

    async def wait(self) -> None:
        """Wait until it is set; a checkpoint at least. Cancelled, nothing changes."""
        if self._is_set:
            await anyio.lowlevel.checkpoint()
            return
        if self._event is None:
            self._event = anyio.Event()
        await self._event.wait()
