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

QUICK = 0.003  # seconds: what a thread that waits for the disk loses to a busy loop, before and after
DOUBT = 16  # writes that a thread waits for after one that was slower; twice as many each time that the next is, too
MAX_DOUBT = 1_024


class Disk:
    """The wait for what a database has begun to keep. Made by the store, in the loop that writes.

    Where several units wait the loop is busy, and a thread waits for the interpreter before and after: 1.7 ms and 1 ms
    with 256 commands under way, as measured. A disk that takes less holds nobody up as long.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._limiter = anyio.CapacityLimiter(1)
        self._in_doubt = 0  # writes to come, in which nobody waits for the disk but a thread
        self._next_doubt = DOUBT

    @property
    def is_quick(self) -> bool:
        """Whether the loop would wait no longer than a thread, as far as anybody knows."""
        return not self._in_doubt

    def commit_here(self) -> None:
        """Have the whole loop wait. After a hiccup it soon may again; for a disk that is always slow it seldom does.

        Raises:
            StoreError: the disk refuses it.
        """
        if self._database.commit() > QUICK:
            self._in_doubt = self._next_doubt
            self._next_doubt = min(2 * self._next_doubt, MAX_DOUBT)
        else:
            self._next_doubt = DOUBT

    async def commit_in_thread(self) -> None:
        """Have a thread wait.

        Raises:
            StoreError: the disk refuses it.
        """
        self._in_doubt = max(0, self._in_doubt - 1)
        await self._in_thread(self._database.commit)

    async def shorten_log(self) -> None:
        """Have a thread put in its place what is in the log."""
        await self._in_thread(self._database.shorten_log)

    async def _in_thread(self, work: Callable[[], object]) -> None:
        """Let a thread do *work* with the connection that writes."""
        with self._database.writing():
            await anyio.to_thread.run_sync(work, limiter=self._limiter)
