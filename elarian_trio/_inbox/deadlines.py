"""What is due some time after it came: one timer for all of a client's notifications and commands.

The client makes the timer and keeps its commands' time by it, the inbox its notifications'.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio
import anyio.lowlevel

from elarian_trio._inbox.loops import present_loop
from elarian_trio._session import Bell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from anyio.abc import TaskGroup

__all__ = ["Deadlines", "Timer"]

T = TypeVar("T")


class Timer:
    """Settles what is due, of all :class:`Deadlines` that were made by it, in a task that lasts while anything waits.

    It sleeps until the deadline that was the first when it last looked: of what comes later, and of what is done with
    in time, it hears nothing.

    Attributes:
        wakes_at: until when it sleeps; infinity: nothing waits; the opposite: it is about to look.
    """

    __slots__ = ("_all", "_bell", "_tasks", "wakes_at")

    def __init__(self) -> None:
        self._all: list[Deadlines[Any]] = []
        self._bell = Bell()
        self._tasks: TaskGroup | None = None
        self.wakes_at: float = math.inf

    def deadlines(self, limit: float, expire: Callable[[T], None]) -> Deadlines[T]:
        """Make deadlines that this timer keeps; see :class:`Deadlines`."""
        made = Deadlines(limit, expire, self)
        self._all.append(made)
        return made

    def run_in(self, tasks: TaskGroup | None) -> None:
        """Settle things in a task of *tasks* from now on; ``None``: nothing is settled any more."""
        self._tasks = tasks
        self.wakes_at = math.inf
        if any(map(len, self._all)):
            self.look()

    def look(self) -> None:
        """Look at the deadlines: there is one before it wakes."""
        if self._tasks is None:
            return
        if self.wakes_at == math.inf:
            self._tasks.start_soon(self._keep)
        else:
            self._bell.ring()
        self.wakes_at = -math.inf

    async def _keep(self) -> None:
        """Settle what is due when it is, until nothing waits."""
        while (wakes_at := self._settle()) < math.inf:
            self.wakes_at = wakes_at
            with anyio.CancelScope(deadline=wakes_at):
                await self._bell.wait()
            self.wakes_at = -math.inf
        self.wakes_at = math.inf
        await anyio.lowlevel.checkpoint()

    def _settle(self) -> float:
        """Let go of all that is due; give the first deadline that is left, infinity if none is."""
        now = anyio.current_time()
        return min([each.settle(now) for each in self._all], default=math.inf)


class Deadlines(Generic[T]):
    """The things that may wait equally long, in the order in which they came, which is that of their deadlines.

    Args:
        limit: seconds that each may wait.
        expire: called with what was still here at its deadline; must not wait.
        timer: is told of each that is due before it wakes.

    Attributes:
        limit: the same.
    """

    __slots__ = ("_expire", "_timer", "_waiting", "limit")

    def __init__(self, limit: float, expire: Callable[[T], None], timer: Timer) -> None:
        self.limit: float = limit
        self._expire = expire
        self._timer = timer
        self._waiting: dict[T, float] = {}

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def __iter__(self) -> Iterator[T]:
        """Give those that wait now."""
        return iter(tuple(self._waiting))

    def add(self, item: T, came: float | None = None) -> float:
        """Have *item* wait, which came at *came*, or now; give its deadline. Both are on anyio's clock."""
        deadline = self._waiting[item] = (present_loop().current_time() if came is None else came) + self.limit
        if deadline < self._timer.wakes_at:
            self._timer.look()
        return deadline

    def discard(self, item: T) -> bool:
        """Have *item* wait no longer; ``False`` if it did not."""
        return self._waiting.pop(item, None) is not None

    def settle(self, now: float) -> float:
        """Let go of all that is due at *now*; give the first deadline that is left, infinity if none is."""
        for item, deadline in tuple(self._waiting.items()):
            if deadline > now:
                return deadline
            if self.discard(item):  # else one that was due before it took this one along
                self._expire(item)
        return math.inf
