"""Clients of the sandbox that do only what a test tells them: one session each, answers by hand, no retries."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import anyio
import anyio.abc
import anyio.lowlevel
import pytest

from elarian_trio._rsocket import Connection, Role, Setup
from elarian_trio._session import IncomingRequest, Session, StreamFailed
from elarian_trio._transport import as_transport, open_tcp
from elarian_trio._wire.envelopes import (
    decode_app_notification,
    decode_reply,
    decode_simulator_notification,
    encode_command,
    encode_notification_reply,
)
from elarian_trio._wire.setup import Credentials, encode_setup
from elarian_trio.errors import SetupRejected
from elarian_trio.models.notifications import NotificationReply, UssdSessionNotification

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from anyio.abc import TaskGroup

    from elarian_trio._transport import FrameTransport
    from elarian_trio.models.commands import Command
    from elarian_trio.sandbox import Sandbox

BOUND = 5.0  # seconds that anything awaited in a test may take
NOTHING = NotificationReply()


@dataclass
class Heard:
    """A notification that came, and the way to answer it."""

    notification: Any
    app_data: str | bytes | None
    request: IncomingRequest

    def answer(self, reply: NotificationReply = NOTHING) -> None:
        """Answer it."""
        self.request.respond(encode_notification_reply(reply))

    def fail(self, code: int) -> None:
        """Answer it with an error."""
        self.request.fail(code, "the test says so")


class RawClient:
    """One connection to a sandbox."""

    def __init__(self, transport: FrameTransport, setup: Setup, *, is_simulator: bool) -> None:
        self._is_simulator = is_simulator
        self.transport = transport
        self.heard: list[Heard] = []
        self.taken = 0
        self._changed = anyio.Event()
        self.session = Session(a_connection(setup, timed=transport.timed), self._handle)

    def _handle(self, request: IncomingRequest) -> None:
        if self._is_simulator:
            heard = Heard(decode_simulator_notification(request.data), None, request)
        else:
            heard = Heard(*decode_app_notification(request.data), request)
        self.heard.append(heard)
        self._changed.set()
        self._changed = anyio.Event()

    async def send(self, command: Command[Any]) -> Any:  # noqa: ANN401 - by the command
        """Send a command and give its reply."""
        with anyio.fail_after(BOUND):
            return decode_reply(command, await self.session.request(encode_command(command)))

    async def next(self) -> Heard:
        """Give the next notification."""
        with anyio.fail_after(BOUND):
            while len(self.heard) <= self.taken:
                await self._changed.wait()
        self.taken += 1
        return self.heard[self.taken - 1]

    async def settle(self) -> None:
        """Let everything that is under way arrive, on a memory transport."""
        for _ in range(50):
            await anyio.lowlevel.checkpoint()


class Said:
    """What commands that were sent in the background were answered with."""

    def __init__(self, client: RawClient, tasks: TaskGroup) -> None:
        self._client = client
        self._tasks = tasks
        self.replies: list[Any] = []

    async def send(self, command: Command[Any]) -> None:
        """Send a command without waiting for its reply, and let it arrive."""
        self._tasks.start_soon(self._send, command)
        await self._client.settle()

    async def _send(self, command: Command[Any]) -> None:
        try:
            self.replies.append(await self._client.send(command))
        except StreamFailed as error:
            self.replies.append(error)


async def next_hop(app: RawClient) -> Any:  # noqa: ANN401
    """Answer whatever comes before the hop, and give the hop."""
    while True:
        heard = await app.next()
        if isinstance(heard.notification, UssdSessionNotification):
            return heard
        heard.answer()


def a_setup(credentials: Mapping[str, Any], *, lifetime: float = 30.0, **changes: Any) -> Setup:  # noqa: ANN401
    """Make the SETUP of a client with the sandbox's credentials, or others."""
    known = {name: credentials.get(name) for name in ("org_id", "app_id", "api_key")}
    data = encode_setup(replace(Credentials(**known), **changes))
    return Setup(data, keepalive_interval=lifetime / 3, keepalive_lifetime=lifetime)


def a_connection(setup: Setup, *, timed: bool) -> Connection:
    """Make a client's connection, which can be resumed if *setup* names a token."""
    kept = None if setup.resume_token is None else 1024 * 1024
    return Connection(Role.CLIENT, setup=setup, timed=timed, resume_buffer_size=kept)


async def refused_by(sandbox: Sandbox, setup: Setup) -> SetupRejected:
    """Offer a SETUP that must be refused, and give the refusal."""
    transport = as_transport(await sandbox.credentials["dial"]())
    with anyio.fail_after(BOUND), pytest.raises(SetupRejected) as caught:
        await Session(a_connection(setup, timed=False), lambda _: None).run(transport)
    return caught.value


@asynccontextmanager
async def raw_client(
    sandbox: Sandbox,
    *,
    over: str = "memory",
    simulator_mode: bool = False,
    lifetime: float = 30.0,
    **changes: Any,  # noqa: ANN401
) -> AsyncIterator[RawClient]:
    """Open a connection for a block; *changes* are other credentials."""
    if over == "memory":
        transport = as_transport(await sandbox.credentials["dial"]())
    else:
        host, _, port = sandbox.endpoints[over].rpartition("/")[2].rpartition(":")
        transport = await open_tcp(host, int(port))
    setup = a_setup(sandbox.credentials, lifetime=lifetime, simulator_mode=simulator_mode, **changes)
    client = RawClient(transport, setup, is_simulator=simulator_mode)
    async with anyio.create_task_group() as tasks:
        with anyio.fail_after(BOUND):
            await tasks.start(_run, client)
        yield client
        client.session.close()
        tasks.cancel_scope.cancel()


async def _run(client: RawClient, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    await client.session.run(client.transport, task_status=task_status)
