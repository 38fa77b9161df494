"""What is under way, for those who wait until nothing is.

The routes and the engine stand above and say what begins and ends; below is the loop.
"""

from __future__ import annotations

import anyio
import anyio.lowlevel

__all__ = ["Activity"]


class Activity:
    """Counts what is under way, for those who wait until nothing is. Made by the engine, for all its routes."""

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
