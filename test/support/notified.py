"""A client that a scripted server tells things, and what the server hears about each of them.

The client's tests stand above; :mod:`scripted_server` has the server.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
from scripted_server import ScriptedServer, scripted_server

from elarian_trio import (
    ConnectionOptions,
    CustomerNumber,
    Elarian,
    MessagingChannel,
    ReceivedSmsNotification,
    Reminder,
    ReminderNotification,
    UssdSessionNotification,
)
from elarian_trio._session import StreamFailed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from anyio.abc import TaskGroup

    from elarian_trio.models.notifications import Notification, NotificationReply

NUMBER = CustomerNumber("+254709759881")
DEFAULTS = ConnectionOptions()
CHANNEL = MessagingChannel.sms("83044")


def sms(text: str = "hello", customer: str = "el_cst_1", number: str = NUMBER.number) -> ReceivedSmsNotification:
    """A text from a customer."""
    return ReceivedSmsNotification(
        customer_id=customer,
        message_id=f"m-{text}",
        customer_number=CustomerNumber(number),
        channel_number=CHANNEL,
        text=text,
    )


def reminder(customer: str = "el_cst_1") -> ReminderNotification:
    """A reminder of a customer."""
    return ReminderNotification(customer_id=customer, reminder=Reminder("k", None))


def ussd() -> UssdSessionNotification:
    """A customer dials."""
    return UssdSessionNotification(
        customer_id="el_cst_1", customer_number=NUMBER, channel_number=MessagingChannel.ussd("*1#")
    )


class Asked:
    """A notification on its way, and its answer or failure."""

    def __init__(self) -> None:
        self.reply: NotificationReply | None = None
        self.failure: StreamFailed | None = None
        self.done = anyio.Event()


def ask(tasks: TaskGroup, server: ScriptedServer, notification: Notification, app_data: str | None = None) -> Asked:
    """Have the server tell the client something, in a task of its own."""
    asked = Asked()

    async def run() -> None:
        try:
            asked.reply = await server.notify(notification, app_data)
        except StreamFailed as failed:
            asked.failure = failed
        asked.done.set()

    tasks.start_soon(run)
    return asked


@asynccontextmanager
async def connected(
    options: ConnectionOptions = DEFAULTS,
) -> AsyncGenerator[tuple[ScriptedServer, Elarian, TaskGroup]]:
    """A server, a client that is connected to it, and a group for what goes on beside the test."""
    async with (
        scripted_server() as server,
        Elarian(**server.credentials, options=options) as app,
        anyio.create_task_group() as tasks,
    ):
        yield server, app, tasks
