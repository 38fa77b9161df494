"""What is due some time after it came: one timer for all that may wait as long.

The inbox keeps its notifications' time by it, the client its commands'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import anyio
import anyio.lowlevel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Deadlines"]

T = TypeVar("T")


class Deadlines(Generic[T]):
    """The things that wait, in the order in which they came, which is that of their deadlines.

    Args:
        limit: seconds that each may wait.
        expire: called with what was still here at its deadline; must not wait.

    Attributes:
        limit: the same.
    """

    __slots__ = ("_expire", "_idle", "_waiting", "limit")

    def __init__(self, limit: float, expire: Callable[[T], None]) -> None:
        self.limit: float = limit
        self._expire = expire
        self._waiting: dict[T, float] = {}
        self._idle: anyio.Event | None = None  # the timer waits for this, while there is nothing to wait for

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def __iter__(self) -> Iterator[T]:
        """Give those that wait now."""
        return iter(tuple(self._waiting))

    def add(self, item: T) -> float:
        """Have *item* wait; give its deadline, on anyio's clock."""
        deadline = self._waiting[item] = anyio.current_time() + self.limit
        if self._idle is not None:
            self._idle.set()
            self._idle = None
        return deadline

    def discard(self, item: T) -> bool:
        """Have *item* wait no longer; ``False`` if it did not."""
        return self._waiting.pop(item, None) is not None

    async def keep(self) -> None:
        """Settle what is due when it is, until cancelled.

        It sleeps until the deadline that was the first when it last looked: what comes and goes wakes nobody.
        """
        while True:
            wait = self._settle(anyio.current_time())
            if wait is None:
                self._idle = anyio.Event()
                await self._idle.wait()
            else:
                await anyio.sleep(wait)

    def _settle(self, now: float) -> float | None:
        """Let go of all that is due; give the seconds until more is, ``None`` if nothing waits."""
        for item, deadline in tuple(self._waiting.items()):
            if deadline > now:
                return deadline - now
            if self.discard(item):  # else one that was due before it took this one along
                self._expire(item)
        return None
