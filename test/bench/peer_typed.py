"""Our client, with types, as an app uses it: ``python peer_typed.py BACKEND [notifications]``, ``ELARIAN_...`` set.

Each command is for the next of some thousands of customers, as it would be in life. With ``notifications`` it reads
them off a subscription and answers each by leaving its block.
"""

from __future__ import annotations

import sys
from itertools import cycle
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from rounds import be_driven

from elarian_trio import Elarian, MessagingChannel, ReceivedSmsNotification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rounds import Work

CUSTOMERS = 5_000
SMS = MessagingChannel.sms("83044")
ROOM = 4_096  # notifications; more than are ever under way


async def together(works: Sequence[Work]) -> None:
    """Run *works* at once."""
    async with anyio.create_task_group() as workers:
        for work in works:
            workers.start_soon(work)


class Commands:
    """One command after another, each for the next customer."""

    def __init__(self, app: Elarian) -> None:
        self._app = app
        self._numbers = cycle([f"+2547{each:08d}" for each in range(CUSTOMERS)])

    async def get_state(self) -> None:
        """Read."""
        await self._app.customer(next(self._numbers)).get_state()

    async def update_metadata(self) -> None:
        """Write."""
        await self._app.customer(next(self._numbers)).update_metadata({"seen": "yes"})

    async def send_message(self) -> None:
        """Send."""
        await self._app.customer(next(self._numbers)).send_message(SMS, "Hello!")


async def hear(app: Elarian) -> None:
    """Answer notifications, for ever."""
    async with app.notifications(ReceivedSmsNotification, max_buffer_size=ROOM) as inbox:
        async for delivery in inbox:
            async with delivery:
                pass


async def main(role: str) -> None:
    """Connect and be driven."""
    app = Elarian.from_env()
    async with anyio.create_task_group() as tasks:
        if role == "notifications":
            tasks.start_soon(hear, app)
        async with app:
            commands = Commands(app)
            requests = {
                "get_state": commands.get_state,
                "update_metadata": commands.update_metadata,
                "send_message": commands.send_message,
            }
            await be_driven(anyio.to_thread.run_sync, together, requests)
            tasks.cancel_scope.cancel()


if __name__ == "__main__":
    _, backend, *words = sys.argv
    anyio.run(main, words[0] if words else "commands", backend=backend)
