"""The client's block on a clock that jumps: how long leaving may take."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from scripted_server import scripted_server
from trio.testing import MockClock

from elarian_trio import ConnectionLost, ConnectionOptions, Elarian, ReceivedSmsNotification
from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.identity import CustomerNumber

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio alone has a clock that jumps when nobody can run."""
    return "trio", {"clock": MockClock(autojump_threshold=0.0)}


async def test_leaving_takes_the_drain_timeout_once_whoever_is_waited_for() -> None:
    """A past bug: deliveries in hand had it, and then their handlers had it again."""
    sms = ReceivedSmsNotification(
        customer_id="el_cst_1",
        message_id="m",
        customer_number=CustomerNumber("+254709759881"),
        channel_number=MessagingChannel.sms("83044"),
    )

    async def handler(*_: object) -> None:
        await anyio.sleep_forever()

    async with scripted_server() as server, anyio.create_task_group() as tasks:

        async def ask() -> None:
            with pytest.raises(ConnectionLost):
                await server.notify(sms)

        options = ConnectionOptions(drain_timeout=8.0)
        async with Elarian(**server.credentials, options=options).on("receivedSms", handler):
            tasks.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            left_at = anyio.current_time()
        assert anyio.current_time() - left_at == pytest.approx(8.0, abs=0.5)
