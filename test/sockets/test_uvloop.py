"""uvloop, which servers of ASGI applications run by default: the client, the sandbox and the stand-ins work on it."""

from __future__ import annotations

from typing import Any

import pytest
from acceptance import ASHA, SMS, WAYS, answering, at_port, listening
from web_clients import Gone, caller

from elarian_trio import Elarian, MessageStatusNotification, SendMessageSimulatorNotification, Simulator
from elarian_trio.sandbox.planship import PlanshipServer, WebFault

pytest.importorskip("uvloop", reason="uvloop does not run on this platform")

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run on uvloop alone."""
    return "asyncio", {"use_uvloop": True}


@WAYS
async def test_an_app_and_a_phone_talk_to_each_other(way: str) -> None:
    """This SDK: uvloop is a loop of asyncio's, and all that anyio runs on does."""
    async with (
        listening(way) as sandbox,
        Elarian(**at_port(sandbox, way)) as app,
        Simulator(**at_port(sandbox, way)) as phone,
        answering(app, MessageStatusNotification) as inbox,
        answering(phone, SendMessageSimulatorNotification) as handset,
    ):
        sent = await app.customer(ASHA).send_message(SMS, "Hello")
        assert (await handset.next()).message_id == sent.message_id
        assert (await inbox.next()).message_id == sent.message_id


async def test_a_stand_in_drops_connections_as_asked_and_ends_with_its_block() -> None:
    """A past bug: uvloop's sockets cannot be shut down, and what it raised there ended the stand-in and its block."""
    async with PlanshipServer() as planship, caller(planship) as client:
        await client.subscribe("asha")
        for times in range(3):
            planship.faults.add(WebFault.drop(), on="GET */ws/*", times=1)
            with pytest.raises(Gone):
                async with client.listen_to("asha"):
                    raise AssertionError("it was let in")
            async with client.listen_to("asha") as socket:
                await client.use("asha", times + 1)
                assert (await socket.receive())["button-clicks-per-project-per-day"]
