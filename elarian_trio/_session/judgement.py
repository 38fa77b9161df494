"""A server's judgement of a SETUP: the wait until it comes, and for whoever says whether its client may come in.

The session stands above, hands the SETUP over when it comes, and acts on the verdict.
"""

from __future__ import annotations

import logging
from traceback import format_tb
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from elarian_trio._session.parking import Flag
from elarian_trio.errors import ConnectionFailed, SetupRejected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from elarian_trio._rsocket import Setup

__all__ = ["Judgement"]

SETUP_TIMEOUT = 10.0  # seconds a client has for its SETUP, and a server of ours for judging it

logger = logging.getLogger("elarian_trio.session")


class Judgement:
    """One SETUP, judged once. Made by a server's session.

    Args:
        judge: an async function that returns to accept a SETUP, and raises
            :exc:`~elarian_trio.errors.SetupRejected` to refuse it.
    """

    __slots__ = ("_came", "_judge", "_setup")

    def __init__(self, judge: Callable[[Setup], Awaitable[None]]) -> None:
        self._judge = judge
        self._came = Flag()
        self._setup: Setup | None = None

    def hand_over(self, setup: Setup) -> None:
        """Have *setup* judged."""
        self._setup = setup
        self._came.set()

    async def verdict(self) -> SetupRejected | ConnectionFailed | None:
        """Wait for the SETUP and for what is said of it, 10 seconds each at most.

        Returns:
            ``None``: its client may come in. SetupRejected: it may not. ConnectionFailed: no SETUP came.

        Cancellation:
            There is no verdict then; whoever is judging is cancelled.
        """
        await anyio.lowlevel.checkpoint()
        with anyio.move_on_after(SETUP_TIMEOUT):
            await self._came.wait()
        setup, self._setup = self._setup, None  # it holds credentials: kept no longer than they are needed
        if setup is None:
            return ConnectionFailed(f"no SETUP came within {SETUP_TIMEOUT:g} s")
        try:
            with anyio.fail_after(SETUP_TIMEOUT):
                await self._judge(setup)
        except SetupRejected as error:
            return error
        except Exception as error:
            logger.error("judging a SETUP raised %s", type(error).__name__)  # not its words: it saw credentials
            logger.debug("it was raised here:\n%s", "".join(format_tb(error.__traceback__)))
            return SetupRejected("the setup could not be checked")
        return None
