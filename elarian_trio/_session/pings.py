"""KEEPALIVEs that somebody waits to have answered.

The session stands above, sends them, and tells what comes back; below are the waiters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from elarian_trio._session.pending import Pending

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Pings"]

MAX_PINGS = 64  # under way at once: peers, ours included, forget the oldest of very many, whose askers would wait on


class Pings(Pending[bytes, float]):
    """Waiters by the data of a KEEPALIVE, of which many at once wait for each other. Made by the session."""

    __slots__ = ("_turns",)

    def __init__(self) -> None:
        super().__init__()
        self._turns: anyio.Semaphore | None = None  # once somebody pings: most connections never do

    async def ask(self, send: Callable[[], bytes]) -> float:
        """Have *send* send a KEEPALIVE and give its data; give the seconds until it was answered.

        Raises:
            Exception: what *send* raised, or the waiter was made to fail by.

        Cancellation:
            Always a checkpoint. The answer is then dropped when it comes.
        """
        if self._turns is None:
            self._turns = anyio.Semaphore(MAX_PINGS)
        async with self._turns:
            with self.catch(send()) as waiter:
                return await waiter.wait()
