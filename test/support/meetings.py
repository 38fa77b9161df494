"""A session of ours and a peer that others wrote at its other end, over TCP or WebSocket, in either role.

The peers' programs stand in ``test/interop``; :mod:`foreign` starts them. Each does what a request says, so that both
directions are driven from here.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import foreign
from foreign import BOUND

from elarian_trio._rsocket import Connection, ErrorCode, Role, Setup
from elarian_trio._session import IncomingRequest, Session
from elarian_trio._transport import open_tcp, serve_tcp
from elarian_trio.errors import ElarianError, SetupRejected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from anyio.abc import TaskGroup, TaskStatus
    from foreign import Peer

    from elarian_trio._transport import FrameTransport

__all__ = ["FRAGMENT_SIZE", "INTERVAL", "LIFETIME", "Meeting", "Us", "dial", "meeting", "serve"]

INTERVAL, LIFETIME = 10.0, 30.0
FRAGMENT_SIZE = 64 * 1024
METADATA = b'{"agent":"test"}'  # what the peers send with their SETUP, too


async def dial(transport: str, port: int) -> FrameTransport:
    """Connect to a port of this machine over ``tcp`` or ``ws``."""
    if transport == "tcp":
        return await open_tcp("127.0.0.1", port)
    from elarian_trio._transport.upgrade import open_websocket  # here: the package it takes is an extra

    return await open_websocket("127.0.0.1", port)


async def serve(tasks: TaskGroup, transport: str, handler: Callable[[FrameTransport], Awaitable[None]]) -> int:
    """Listen for ``tcp`` or ``ws`` in a task of *tasks*; give the port."""
    if transport == "tcp":
        listen: Any = serve_tcp
    else:
        from elarian_trio._transport.upgrade import serve_websocket as listen  # here: as above

    async def run(*, task_status: TaskStatus[list[tuple[str, int]]]) -> None:
        await listen(handler, task_status=task_status)

    (address,) = await tasks.start(run)
    return int(address[1])


class Us:
    """What we do with the peer's requests: echo, but for two words."""

    def __init__(self) -> None:
        self.waiting: list[IncomingRequest] = []
        self.came = anyio.Event()
        self.canceled = anyio.Event()
        self.ended = anyio.Event()
        self.error: Exception | None = None

    def handle(self, request: IncomingRequest) -> None:
        """Answer, or keep the request waiting."""
        if request.data == b"wait for ever":
            self.waiting.append(request)
            request.on_cancel(self.canceled.set)
            self.came.set()
        elif request.data == b"refuse":
            request.fail(ErrorCode.REJECTED, "not today")
        else:
            request.respond(request.data)

    async def judge(self, setup: Setup) -> None:
        """As a server: let in whoever does not say that it is the wrong one."""
        await anyio.lowlevel.checkpoint()
        if setup.data == b"wrong":
            msg = "no such key"
            raise SetupRejected(msg)
        assert setup.metadata == METADATA

    async def run(self, session: Session, transport: FrameTransport, *, task_status: TaskStatus[None]) -> None:
        """Run *session* on *transport* and remember how it ended."""
        try:
            await session.run(transport, task_status=task_status)
        except ElarianError as error:
            self.error = error
        finally:
            self.ended.set()

    async def wait(self) -> Exception | None:
        """Wait for the session's end."""
        with anyio.fail_after(BOUND):
            await self.ended.wait()
        return self.error


class Meeting:
    """A session of ours and the peer at its other end."""

    def __init__(self, session: Session, us: Us, peer: Peer) -> None:
        self.session = session
        self.us = us
        self.peer = peer

    async def ask(self, verb: str, body: bytes = b"") -> bytes:
        """Have the peer do something; give its answer."""
        with anyio.fail_after(BOUND):
            return await self.session.request(verb.encode() + b":" + body)


@asynccontextmanager
async def meeting(
    name: str,
    role: str,
    transport: str = "tcp",
    *,
    credentials: bytes = b"right",
    interval: float = INTERVAL,
    lifetime: float = LIFETIME,
) -> AsyncIterator[Meeting]:
    """Have our session in *role* meet a peer in the other one."""
    us = Us()
    setup = Setup(credentials, METADATA, keepalive_interval=interval, keepalive_lifetime=lifetime)
    play = _as_client if role == "client" else _as_server
    async with anyio.create_task_group() as tasks:
        async with play(tasks, us, name, transport, setup) as met:
            yield met
            met.session.close()
            await us.wait()
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def _as_client(tasks: TaskGroup, us: Us, name: str, transport: str, setup: Setup) -> AsyncIterator[Meeting]:
    """Connect to a peer that listens."""
    async with foreign.foreign(*foreign.peer_command(name, "server", transport)) as peer:
        connection = Connection(Role.CLIENT, setup=setup, fragment_size=FRAGMENT_SIZE)
        session = Session(connection, us.handle)
        with anyio.fail_after(BOUND):
            await tasks.start(us.run, session, await dial(transport, await peer.port()))
        yield Meeting(session, us, peer)


@asynccontextmanager
async def _as_server(tasks: TaskGroup, us: Us, name: str, transport: str, setup: Setup) -> AsyncIterator[Meeting]:
    """Listen, and let a peer connect."""
    sessions: list[Session] = []
    opened = anyio.Event()

    async def live(link: FrameTransport) -> None:
        session = Session(Connection(Role.SERVER, fragment_size=FRAGMENT_SIZE), us.handle, on_setup=us.judge)
        sessions.append(session)
        async with anyio.create_task_group() as inner:
            await inner.start(us.run, session, link)
            opened.set()

    port = await serve(tasks, transport, live)
    async with foreign.foreign(*foreign.client_command(name, "client", transport, port, setup)) as peer:
        with anyio.fail_after(BOUND):
            await opened.wait()
        yield Meeting(sessions[0], us, peer)
