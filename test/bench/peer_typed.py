"""Our client, with types, as an app uses it: ``python peer_typed.py BACKEND ROLE``, with ``ELARIAN_...`` set.

``commands``: each is for the next of some thousands of customers, as it would be in life.
``notifications``: it reads them off a subscription and answers each by leaving its block.
``idle COUNT``: so many clients that do nothing.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from itertools import count, cycle
from typing import TYPE_CHECKING

import anyio
from under_anyio import be_driven, words

from elarian_trio import ConnectionOptions, Elarian, MessagingChannel, ReceivedSmsNotification

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CUSTOMERS = 5_000
SMS = MessagingChannel.sms("83044")
ROOM = 4_096  # notifications; more than are ever under way


class Commands:
    """One command after another, each for the next customer of those who get no other kind."""

    def __init__(self, app: Elarian) -> None:
        self._app = app
        self._numbers = [cycle([f"+254{kind}{each:08d}" for each in range(CUSTOMERS)]) for kind in (5, 6, 7)]
        self._times = count(1)

    async def get_state(self) -> None:
        """Read."""
        await self._app.customer(next(self._numbers[0])).get_state()

    async def update_metadata(self) -> None:
        """Write what is not there yet: a database that finds the same writes nothing."""
        await self._app.customer(next(self._numbers[1])).update_metadata({"seen": str(next(self._times))})

    async def send_message(self) -> None:
        """Send."""
        await self._app.customer(next(self._numbers[2])).send_message(SMS, "Hello!")


async def hear(app: Elarian) -> None:
    """Answer notifications, for ever."""
    async with app.notifications(ReceivedSmsNotification, max_buffer_size=ROOM) as inbox:
        async for delivery in inbox:
            async with delivery:
                pass


async def do_commands() -> None:
    """Connect, and send commands; it hears nothing, so that what its messages become is nobody's work meanwhile."""
    async with Elarian.from_env(options=ConnectionOptions(receive_notifications=False)) as app:
        commands = Commands(app)
        requests = (commands.get_state, commands.update_metadata, commands.send_message)
        await be_driven({request.__name__: request for request in requests})


async def do_notifications() -> None:
    """Connect, and answer notifications."""
    app = Elarian.from_env()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hear, app)
        async with app:
            await be_driven({})
            tasks.cancel_scope.cancel()


async def do_nothing(count: str) -> None:
    """Connect *count* clients, all in this task: one of the user's for each is the user's own affair."""
    async with AsyncExitStack() as clients:
        for _ in range(int(count)):
            await clients.enter_async_context(Elarian.from_env())
        await be_driven({})


ROLES: dict[str, Callable[..., Awaitable[None]]] = {
    "commands": do_commands,
    "notifications": do_notifications,
    "idle": do_nothing,
}

if __name__ == "__main__":
    backend, (role, *arguments) = words()
    anyio.run(ROLES[role], *arguments, backend=backend)
