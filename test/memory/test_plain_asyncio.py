"""A program that knows asyncio only: its tasks, time-outs and groups, and no word of anyio."""

from __future__ import annotations

import asyncio

import pytest

from elarian_trio import (
    Elarian,
    MessageDeliveryStatus,
    MessagingChannel,
    ReceivedSmsNotification,
    Simulator,
    Subscription,
)
from elarian_trio.sandbox import Sandbox

ASHA = "+254709759881"
SMS = MessagingChannel.sms("83044")


def test_asyncio_bounds_gathers_and_cancels_what_waits_for_the_client() -> None:
    """README: the client stands beside any asyncio code."""
    asyncio.run(_program())


async def _program() -> None:
    async with (
        asyncio.timeout(10),
        Sandbox() as sandbox,
        Elarian(**sandbox.credentials) as app,
        Simulator(**sandbox.credentials) as phone,
    ):
        customers = [app.customer(f"+25470000000{digit}") for digit in range(10)]
        replies = await asyncio.gather(*(each.send_message(SMS, "hello") for each in customers))
        assert {reply.status for reply in replies} == {MessageDeliveryStatus.SENT}
        async with app.notifications(ReceivedSmsNotification) as inbox:
            heard: asyncio.Queue[str | None] = asyncio.Queue()
            reader = asyncio.create_task(_read(inbox, heard))
            for text in ("1", "2"):
                await phone.receive_message(ASHA, SMS, None, [text])
            assert [await heard.get(), await heard.get()] == ["1", "2"]
            reader.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reader
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(inbox.receive(), 0.01)
        assert (await app.customer(ASHA).get_state()).messaging_state.messages
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("of", ["client", "sandbox"])
def test_block_that_another_task_leaves_says_so(of: str) -> None:
    """A past bug: fixtures that are set up in one task and torn down in another heard of a defect to be reported."""

    async def program() -> None:
        async with asyncio.timeout(10), Sandbox() as sandbox:
            block = Elarian(**sandbox.credentials) if of == "client" else Sandbox()
            await asyncio.create_task(block.__aenter__())
            with pytest.raises(RuntimeError, match="left by another task than entered it") as caught:
                await asyncio.create_task(block.__aexit__(None, None, None))
            assert isinstance(caught.value.__cause__, RuntimeError)

    asyncio.run(program())


async def _read(inbox: Subscription[ReceivedSmsNotification], heard: asyncio.Queue[str | None]) -> None:
    async for delivery in inbox:
        async with delivery:
            heard.put_nowait(delivery.notification.text)
