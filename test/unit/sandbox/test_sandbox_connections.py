"""One client as the server sees it: what it tells the server, and what it knows of a connection that says nothing."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import anyio
import pytest
import trio
import trio.testing
from peers import until
from resuming_clients import CutTransport, resumable
from sandbox_clients import RawClient, a_setup

from elarian_trio._session import Reception
from elarian_trio._transport import open_memory_pair
from elarian_trio._wire.envelopes import encode_notification
from elarian_trio.errors import ConnectionLost
from elarian_trio.models.messaging import MessageDeliveryStatus
from elarian_trio.models.notifications import MessageStatusNotification
from elarian_trio.sandbox.clock import ManualClock
from elarian_trio.sandbox.connections import Client
from elarian_trio.sandbox.faults import Faults

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from anyio.abc import TaskGroup

    from elarian_trio._session import IncomingRequest
    from elarian_trio._wire.setup import Credentials

TELLING = encode_notification(MessageStatusNotification(message_id="it", status=MessageDeliveryStatus.SENT))
NAMES = {"org_id": "org", "app_id": "app", "api_key": "key"}


class NotingHost:
    """A server that lets everybody in and notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def judge(self, credentials: Credentials) -> None:
        self.told.append(f"judge {credentials.app_id}")

    def came(self, client: Client) -> None:
        self.told.append(f"came {client.connection_id}")

    def away(self, client: Client) -> None:
        self.told.append(f"away {client.connection_id}")

    def back(self, client: Client) -> None:
        self.told.append(f"back {client.connection_id}")

    def left(self, client: Client) -> None:
        self.told.append(f"left {client.connection_id}")

    def handle(self, client: Client, requests: Sequence[IncomingRequest]) -> None:
        for request in requests:
            self.told.append(f"handle {client.connection_id}")
            request.respond(request.data)


class Hall:
    """A server's connections: a reception, and clients that come to it over memory."""

    def __init__(self, tasks: TaskGroup, *, timed: bool) -> None:
        self.host = NotingHost()
        self.clients: list[Client] = []
        self._reception = Reception(resume_window=100)
        self._tasks = tasks
        self._timed = timed
        self._is_living = False

    def enter(self) -> CutTransport:
        """Open a connection, and give its other end."""
        ours, theirs = open_memory_pair()
        ours.timed = theirs.timed = self._timed
        name, clock = f"{len(self.clients)}", ManualClock()
        client = Client(name, self.host, timed=self._timed, is_resumable=True, faults=Faults(), clock=clock)
        self.clients.append(client)
        self._tasks.start_soon(client.serve, self._reception, ours)
        return CutTransport(theirs)

    async def run(self, client: RawClient, transport: CutTransport) -> None:
        """Have a client live on a connection until that is cut."""
        await until(lambda: not self._is_living)

        async def live() -> None:
            self._is_living = True
            with suppress(ConnectionLost):
                await client.session.run(transport)
            self._is_living = False

        self._tasks.start_soon(live)
        await until(lambda: client.session.attached)


@asynccontextmanager
async def opened_hall(*, timed: bool = False, lifetime: float = 30.0) -> AsyncGenerator[tuple[Hall, RawClient]]:
    """Give a server and the client that is in."""
    async with anyio.create_task_group() as tasks:
        hall = Hall(tasks, timed=timed)
        transport = hall.enter()
        client = RawClient(transport, resumable(a_setup(NAMES, lifetime=lifetime)), is_simulator=False)
        await hall.run(client, transport)
        yield hall, client
        tasks.cancel_scope.cancel()


@pytest.mark.anyio
async def test_the_server_hears_of_one_client_over_all_its_connections() -> None:
    """This SDK: a session is one client, known by one name, whichever connections it came and came back by."""
    async with opened_hall() as (hall, client):
        await client.session.request(b"?")
        await client.transport.aclose()
        await until(lambda: not hall.clients[0].usable)
        await hall.run(client, hall.enter())
        assert hall.clients[0].usable
        await client.session.request(b"?")
        client.session.close()
        await until(lambda: hall.host.told[-1] == "left 0")
        assert hall.host.told == ["judge app", "came 0", "handle 0", "away 0", "back 0", "handle 0", "left 0"]


@pytest.mark.trio
async def test_a_connection_is_deaf_before_it_is_lost(autojump_clock: trio.testing.MockClock) -> None:
    """This SDK: with a lifetime of a minute a cut is known after a minute; silence tells of it before."""
    async with opened_hall(timed=True, lifetime=60) as (hall, client):
        (ours,) = hall.clients
        await trio.sleep(90)
        assert not ours.is_deaf_for(30)
        client.transport.loses_up = True
        await trio.sleep(49)
        assert ours.usable
        assert ours.is_deaf_for(30)
        await trio.sleep(2)
        assert hall.host.told[-1] == "away 0"


@pytest.mark.trio
async def test_a_client_acknowledges_within_its_interval_and_not_where_nothing_comes_through(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """This SDK: a client that is heard well need not have heard us."""
    async with opened_hall(timed=True) as (hall, client):
        (ours,) = hall.clients
        for loses, acknowledged in ((False, [False, True]), (True, [False, False])):
            client.transport.loses_down = loses
            question = ours.ask(TELLING, lambda _: None)
            received: list[bool] = []
            for pause in (0.1, 10):
                await trio.sleep(pause)
                received.append(question.was_received())
            assert received == acknowledged
            assert not ours.is_deaf_for(15)


@pytest.mark.trio
async def test_memory_counts_as_having_carried_everything(autojump_clock: trio.testing.MockClock) -> None:
    """The design: on the memory transport no periodic KEEPALIVE tells what was received."""
    async with opened_hall() as (hall, _):
        assert hall.clients[0].ask(TELLING, lambda _: None).was_received()


@pytest.mark.trio
async def test_memory_is_never_deaf(autojump_clock: trio.testing.MockClock) -> None:
    """The design: on the memory transport no lifetime runs, so whoever says nothing has nothing to say."""
    async with opened_hall() as (hall, _):
        await trio.sleep(1000)
        assert not hall.clients[0].is_deaf_for(30)
