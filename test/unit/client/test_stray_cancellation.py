"""asyncio's CancelledError where nobody cancelled us: users' functions raise it when something they awaited was."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import pytest
from scripted_server import scripted_server

from elarian_trio import Backoff, ConnectionFailed, ConnectionOptions, Elarian, ReceivedSmsNotification
from elarian_trio._session import StreamFailed
from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.identity import CustomerNumber

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]  # trio has nothing like it

SMS = ReceivedSmsNotification(
    customer_id="el_cst_1",
    message_id="m",
    customer_number=CustomerNumber("+254709759881"),
    channel_number=MessagingChannel.sms("83044"),
    text="hello",
)


async def await_something_cancelled(*_: object) -> Any:  # noqa: ANN401 - never returns
    """What ``await task`` does after ``task.cancel()``."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


async def test_handlers_cancelled_error_costs_its_own_notification_only() -> None:
    """A past bug: it cancelled the client's group, and the block was left in silence, half done."""
    outcome = []
    with anyio.fail_after(5):
        async with scripted_server() as server, Elarian(**server.credentials) as app:
            app.on(ReceivedSmsNotification, await_something_cancelled)
            with pytest.raises(StreamFailed, match="CancelledError"):
                await server.notify(SMS)
            app.on(ReceivedSmsNotification, lambda *_: outcome.append("handled"))
            await server.notify(SMS)
            await app.ping()
            outcome.append("went on")
    assert outcome == ["handled", "went on"]


async def test_listeners_cancelled_error_is_its_own() -> None:
    """A past bug, as above."""
    connected = 0
    with anyio.fail_after(5):
        async with scripted_server() as server:
            app = Elarian(**server.credentials).on("connected", await_something_cancelled)
            async with app:
                await anyio.wait_all_tasks_blocked()
                await app.ping()
                connected += 1
    assert connected == 1


async def test_dialling_that_raises_cancelled_error_is_tried_again_and_given_up() -> None:
    """A past bug: entering raised RuntimeError about a generator; later, the block was left in silence."""
    options = ConnectionOptions(reconnect=Backoff(first=0.0, base=0.0, give_up_after=0.02))
    with anyio.fail_after(5), pytest.raises(ConnectionFailed, match="dialing raised CancelledError"):
        async with Elarian(org_id="o", app_id="a", api_key="k", dial=await_something_cancelled, options=options):
            pytest.fail("entered")
