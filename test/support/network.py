"""A network in memory: what a supervisor dials, and servers that a test may stop, start, script and cut."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
from peers import RawPeer, Run, a_setup, echo, refuse, running

from elarian_trio._rsocket import Connection, Role, Setup
from elarian_trio._session import IncomingRequest, Reception, Session, Supervisor
from elarian_trio._transport import FrameTransport, MemoryTransport, open_memory_pair
from elarian_trio.errors import ElarianError
from elarian_trio.options import Backoff, ConnectionOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from anyio.abc import TaskGroup

    from elarian_trio._session import StateName

RESUME_BUFFER_SIZE = 1024 * 1024
PROMPT = ConnectionOptions(resume="off", reconnect=Backoff(first=0.0, base=0.0, jitter=0.0))  # on the wall clock
CALM = ConnectionOptions(resume="off", reconnect=Backoff(jitter=0.0))
RESUMING = ConnectionOptions(reconnect=Backoff(first=0.0, base=0.0, jitter=0.0))
PATIENT = ConnectionOptions(reconnect=Backoff(first=1000.0, jitter=0.0))


class Network:
    """Connections that a supervisor dials, each served by a task.

    Attributes:
        up: whether anybody answers.
        handler: answers requests, in ordinary servers.
        judge: judges SETUPs there.
        script: plays the server of the next connection instead, once, for each entry.
        sessions: the servers' sessions so far.
        transports: our ends of the connections so far.
        ends: the servers' ends of them.
        reception: keeps sessions that are cut; without one, SETUPs with a resume token are refused.
        asked: every request's data that a server has seen.
        dials: how often somebody tried.
    """

    def __init__(self, tasks: TaskGroup) -> None:
        self.tasks = tasks
        self.up = True
        self.handler: Callable[[IncomingRequest], None] = echo
        self.judge: Callable[[Setup], Awaitable[None]] = self.welcome
        self.script: list[Callable[[FrameTransport], Awaitable[None]]] = []
        self.sessions: list[Session] = []
        self.transports: list[MemoryTransport] = []
        self.ends: list[MemoryTransport] = []
        self.asked: list[bytes] = []
        self.dials = 0
        self.reception: Reception | None = None
        self.wrap: Callable[[FrameTransport], FrameTransport] = lambda transport: transport

    async def welcome(self, _: Setup) -> None:
        await anyio.lowlevel.checkpoint()

    async def dial(self) -> FrameTransport:
        """Open a connection, or fail as a socket does."""
        self.dials += 1
        await anyio.lowlevel.checkpoint()
        if not self.up:
            raise ConnectionRefusedError(111, "Connection refused")
        ours, theirs = open_memory_pair()
        self.transports.append(ours)
        self.ends.append(theirs)
        play = self.script.pop(0) if self.script else self.serve
        self.tasks.start_soon(self._play, play, theirs)
        return self.wrap(ours)

    async def _play(self, play: Callable[[FrameTransport], Awaitable[None]], transport: FrameTransport) -> None:
        async with transport:
            try:
                await play(transport)
            except (ElarianError, anyio.BrokenResourceError, anyio.EndOfStream):
                return

    async def serve(self, transport: FrameTransport) -> None:
        """Be an ordinary server."""

        def handle(request: IncomingRequest) -> None:
            self.asked.append(request.data)
            self.handler(request)

        def open_session() -> Session:
            size = None if self.reception is None else RESUME_BUFFER_SIZE
            connection = Connection(Role.SERVER, timed=transport.timed, resume_buffer_size=size)
            self.sessions.append(Session(connection, handle, on_setup=self.judge))
            return self.sessions[-1]

        await (self.reception or Reception()).serve(transport, open_session)

    def forget(self) -> None:
        """Know no session any more, as a server that was started again."""
        self.reception = Reception()
        for session in self.sessions:
            session.end()

    async def cut(self) -> None:
        """Cut the newest connection, as a cable is."""
        await self.transports[-1].aclose()


def says(*frames: bytes) -> Callable[[FrameTransport], Awaitable[None]]:
    """Script a server that answers the SETUP by *frames*."""

    async def play(transport: FrameTransport) -> None:
        peer = RawPeer(transport)
        await peer.receive()
        await peer.receive()
        await peer.send(*frames)
        await peer.receive_rest()

    return play


def lets_in_then_says(*frames: bytes) -> Callable[[FrameTransport], Awaitable[None]]:
    """Script a server that answers the proving KEEPALIVE, waits for a request, and says *frames*."""

    async def play(transport: FrameTransport) -> None:
        peer = RawPeer(transport)
        await peer.let_in()
        await peer.receive()
        await peer.send(*frames)
        await peer.receive_rest()

    return play


class States:
    """What a supervisor's listener was told."""

    def __init__(self) -> None:
        self.names: list[StateName] = []
        self.causes: list[BaseException | None] = []
        self.times: list[float] = []

    def __call__(self, name: StateName, cause: BaseException | None) -> None:
        self.names.append(name)
        self.causes.append(cause)
        self.times.append(anyio.current_time())


async def fresh_setup() -> Setup:
    """Make a SETUP, as the client does before each session."""
    await anyio.lowlevel.checkpoint()
    return a_setup()


def note_dials(network: Network) -> list[float]:
    """Note when each attempt begins."""
    times: list[float] = []
    dial = network.dial

    async def noted() -> FrameTransport:
        times.append(anyio.current_time())
        return await dial()

    network.dial = noted  # type: ignore[method-assign]
    return times


@asynccontextmanager
async def supervised(
    options: ConnectionOptions = PROMPT,
    *,
    opened: bool = True,
    up: bool = True,
    setup: Callable[[], Awaitable[Setup]] = fresh_setup,
    handler: Callable[[IncomingRequest], None] = refuse,
    prepare: Callable[[Network], None] = lambda _: None,
    **more: Any,  # noqa: ANN401 - whatever the supervisor takes
) -> AsyncIterator[tuple[Supervisor, Network, Run, States]]:
    """Run a supervisor on a network of its own; *more* is for it."""
    async with anyio.create_task_group() as tasks:
        network = Network(tasks)
        network.up = up
        prepare(network)
        states = States()
        supervisor = Supervisor(
            dial=lambda: network.dial(),
            setup=setup,
            options=options,
            handler=handler,
            on_state=states,
            **{"random": lambda: 0.5, **more},
        )
        async with running(supervisor, opened=opened) as run:
            yield supervisor, network, run, states
        tasks.cancel_scope.cancel()
