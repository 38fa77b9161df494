"""Who waits for the disk: the whole loop while the disk is quick, else a thread.

The store stands above and says what is to be kept; the database, which does it, is below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio.sandbox.database import Database

__all__ = ["Disk"]

QUICK = 0.002  # seconds: what a thread that waits for the disk loses to a busy loop, before and after
SLOW_FOR = 1_000  # writes that a thread waits for before a disk that was slower than that has another chance


class Disk:
    """The wait for what a database has begun to keep. Made by the store, in the loop that writes.

    Where several units wait the loop is busy, and a thread waits for the interpreter before and after: 1.7 ms and 1 ms
    with 256 commands under way, as measured. A disk that takes less holds nobody up as long.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._limiter = anyio.CapacityLimiter(1)
        self._slow_for = 0  # writes, in which nobody waits for the disk but a thread

    @property
    def is_quick(self) -> bool:
        """Whether the loop would wait no longer than a thread, as far as anybody knows."""
        return not self._slow_for

    def commit_here(self) -> None:
        """Have the whole loop wait.

        Raises:
            StoreError: the disk refuses it.
        """
        if self._database.commit() > QUICK:
            self._slow_for = SLOW_FOR

    async def commit_in_thread(self) -> None:
        """Have a thread wait.

        Raises:
            StoreError: the disk refuses it.
        """
        self._slow_for = max(0, self._slow_for - 1)
        await self._in_thread(self._database.commit)

    async def shorten_log(self) -> None:
        """Have a thread put in its place what is in the log."""
        await self._in_thread(self._database.shorten_log)

    async def _in_thread(self, work: Callable[[], object]) -> None:
        """Let a thread do *work* with the connection that writes."""
        with self._database.writing():
            await anyio.to_thread.run_sync(work, limiter=self._limiter)
