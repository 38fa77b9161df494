"""How a supervisor is left: closed, drained or cancelled, with something in hand or before it has begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest
from keeper import Outcomes
from network import PROMPT, fresh_setup, supervised
from peers import RawPeer, settle, until

from elarian_trio._session import IncomingRequest, Supervisor
from elarian_trio.errors import ConnectionClosed, ConnectionLost
from elarian_trio.options import Backoff, ConnectionOptions

if TYPE_CHECKING:
    from elarian_trio._transport import FrameTransport

pytestmark = pytest.mark.anyio


async def test_requests_before_and_after_are_refused() -> None:
    """This SDK: commands before or after the block raise ConnectionClosed."""
    async with supervised() as (supervisor, _, run, states):
        idle = Supervisor(dial=supervisor._dial, setup=fresh_setup, options=PROMPT, handler=lambda _: None)
        with pytest.raises(ConnectionClosed):
            await idle.request(b"before", retry=True)
        supervisor.close()
        assert await run.wait() is None
        assert states.names[-1] == "closed"
    with pytest.raises(ConnectionClosed):
        await supervisor.request(b"after", retry=True)
    with pytest.raises(ConnectionClosed):
        await supervisor.ping()
    with pytest.raises(RuntimeError, match="runs once"):
        await supervisor.run()


async def test_close_says_goodbye_and_ends_what_is_in_flight() -> None:
    """This SDK: orderly close; ``sent`` tells the truth; the server saw CONNECTION_CLOSE, not a cut."""
    async with supervised() as (supervisor, network, run, _), anyio.create_task_group() as tasks:
        network.handler = lambda _: None
        asked = Outcomes(supervisor, tasks)
        asked.ask(b"in flight", retry=True)
        await until(lambda: bool(network.asked))
        supervisor.close()
        lost = await asked.wait_for(b"in flight")
        assert isinstance(lost, ConnectionLost)
        assert lost.sent
        assert await run.wait() is None
        assert supervisor.sessions_lost == 0


async def test_close_while_waiting_to_reconnect_ends_at_once() -> None:
    """This SDK, "every way out": also in the pause between two attempts, whose commands were not sent."""
    options = ConnectionOptions(resume="off", reconnect=Backoff(first=1000.0, jitter=0.0))
    async with supervised(options) as (supervisor, network, run, states), anyio.create_task_group() as tasks:
        asked = Outcomes(supervisor, tasks)
        await network.cut()
        await until(lambda: states.names[-1] == "pending")
        asked.ask(b"waits")
        await settle()
        supervisor.close()
        assert isinstance(await asked.wait_for(b"waits"), ConnectionClosed)
        assert await run.wait() is None


async def test_closed_before_it_ran_it_never_connects() -> None:
    """This SDK: whoever waits for ``started()`` hears an error, not silence."""
    async with supervised() as (_, network, _, _):
        early = Supervisor(dial=network.dial, setup=fresh_setup, options=PROMPT, handler=lambda _: None)
        early.close()
        with pytest.raises(ConnectionClosed):
            await early.run()
        assert network.dials == 1


async def test_close_during_an_attempt_ends_at_once() -> None:
    """This SDK, "every way out": also while a server thinks about our SETUP."""

    async def silent(transport: FrameTransport) -> None:
        await RawPeer(transport).receive_rest()

    async with supervised(opened=False, prepare=lambda network: network.script.append(silent)) as (
        supervisor,
        network,
        run,
        _,
    ):
        await until(lambda: network.dials == 1)
        await settle()
        supervisor.close()
        assert isinstance(await run.wait(), ConnectionClosed)


async def test_drain_lets_everything_under_way_end() -> None:
    """This SDK, ``disconnect()``: new commands are refused; commands and deliveries under way may end."""
    at_server: list[IncomingRequest] = []
    at_client: list[IncomingRequest] = []
    async with (
        supervised(handler=at_client.append) as (supervisor, network, run, _),
        anyio.create_task_group() as tasks,
    ):
        network.handler = at_server.append
        asked = Outcomes(supervisor, tasks)
        asked.ask(b"command")
        notified: list[bytes] = []

        async def notify() -> None:
            notified.append(await network.sessions[0].request(b"notification"))

        tasks.start_soon(notify)
        await until(lambda: bool(at_server and at_client))
        tasks.start_soon(supervisor.drain)
        await settle()
        with pytest.raises(ConnectionClosed):
            await supervisor.request(b"new", retry=True)
        at_server[0].respond(b"reply")
        assert await asked.wait_for(b"command") == b"reply"
        await settle()
        assert not run.ended.is_set()
        at_client[0].respond(b"delivered")
        await until(lambda: bool(notified))
        assert await run.wait() is None
    assert notified == [b"delivered"]


async def test_drain_that_is_cancelled_closes_all_the_same() -> None:
    """This SDK: ``drain_timeout`` bounds it; then it closes."""
    async with supervised() as (supervisor, network, run, _), anyio.create_task_group() as tasks:
        network.handler = lambda _: None
        asked = Outcomes(supervisor, tasks)
        asked.ask(b"never answered")
        await until(lambda: bool(network.asked))
        with anyio.move_on_after(0.01) as scope:
            await supervisor.drain()
        assert scope.cancelled_caught
        assert isinstance(await asked.wait_for(b"never answered"), ConnectionLost)
        assert await run.wait() is None


@pytest.mark.parametrize("step", range(12))
async def test_run_cancelled_at_every_step_leaves_nothing(step: int) -> None:
    """This SDK promises: the fixtures look for tasks and sockets, this test for waiters."""
    async with supervised(opened=False) as (supervisor, _, run, states), anyio.create_task_group() as tasks:
        asked = Outcomes(supervisor, tasks)
        await until(lambda: bool(states.names))
        asked.ask(b"whenever")
        await settle(step)
        run.scope.cancel()
        await run.wait()
        await asked.wait_for(b"whenever")
        assert states.names[-1] == "closed"
        assert supervisor._idle
