"""A sandbox in which things go wrong, and an app and a phone that note what they hear meanwhile."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from peers import until
from sandbox_clients import BOUND

from elarian_trio import Activity, Backoff, ConnectionOptions, Elarian, MessagingChannel, Simulator
from elarian_trio.models.commands import CustomerActivity
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


ASHA = "+254709759881"
JUMA = "+254709759882"
SMS = MessagingChannel.sms("83044")
A_SECOND = timedelta(seconds=1)
AT_ONCE = ConnectionOptions(reconnect=Backoff(first=0.0, jitter=0.0))
NOT_RESUMED = ConnectionOptions(reconnect=Backoff(first=0.0, jitter=0.0), resume="off")
VISIT = CustomerActivity(customer_number=CustomerNumber(ASHA), source="shop.example", session_id="1", key="look")
ways = pytest.mark.parametrize("options", [AT_ONCE, NOT_RESUMED], ids=["resumed", "not resumed"])
moments = pytest.mark.parametrize("when", ["before", "after"])


class Meeting:
    """A sandbox whose time stands still, an app and a phone.

    Attributes:
        texts: the messages that reached the phone.
        seen: the keys of the activities that the app was told of.
        statuses: the message statuses that the app was told of.
    """

    def __init__(self, sandbox: Sandbox, app: Elarian, phone: Simulator) -> None:
        self.sandbox = sandbox
        self.faults = sandbox.faults
        self.app = app
        self.phone = phone
        self.asha = app.customer(ASHA)
        self.texts: list[object] = []
        self.seen: list[str] = []
        self.statuses: list[str] = []
        phone.on("sendMessage", self._note_text)
        app.on("customerActivity", self._note_activity)
        app.on("messageStatus", self._note_status)

    async def _note_text(self, notification: Any, *_: Any) -> None:  # noqa: ANN401
        self.texts.append(notification.message.body)

    async def _note_activity(self, notification: Any, *_: Any) -> None:  # noqa: ANN401
        self.seen.append(notification.activity.key)

    async def _note_status(self, notification: Any, *_: Any) -> None:  # noqa: ANN401
        self.statuses.append(notification.status)

    async def visit(self, *keys: str, number: str = ASHA) -> None:
        """Have the app told of what a customer did, once for each of *keys*."""
        for key in keys:
            await self.app.customer(number).update_activity("shop.example", Activity(key, "1", {}))
        await self.settle()

    async def settle(self, time: timedelta = timedelta(0)) -> None:
        """Let everything that is under way arrive, and *time* pass."""
        await self.sandbox.clock.advance(time)

    async def goes_on(self) -> None:
        """See that a command and a notification still come through, once."""
        self.faults.clear()
        await self.settle()
        before, seen = len(self.texts), len(self.seen)
        assert (await self.asha.send_message(SMS, "Still there?")).status == "sent"
        await self.visit("still here")
        await until(lambda: len(self.texts) == before + 1 and len(self.seen) == seen + 1)


@asynccontextmanager
async def meeting(options: ConnectionOptions = AT_ONCE, **arguments: Any) -> AsyncIterator[Meeting]:  # noqa: ANN401
    """Give a meeting that ends within a bound, and goes on whatever went wrong."""
    with anyio.fail_after(4 * BOUND):
        async with (
            Sandbox(clock="manual", **arguments) as sandbox,
            Elarian(**sandbox.credentials, options=options) as app,
            Simulator(**sandbox.credentials, options=options) as phone,
        ):
            met = Meeting(sandbox, app, phone)
            yield met
            await met.goes_on()
