"""Scripted peers and joined sessions, for tests of whoever talks to a peer."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from elarian_trio._rsocket import Connection, Role, Setup
from elarian_trio._rsocket.fragments import Payload
from elarian_trio._rsocket.frames import (
    Frame,
    KeepaliveFrame,
    PayloadFrame,
    RequestResponseFrame,
    SetupFrame,
    decode_frame,
    encode_frame,
)
from elarian_trio._session import IncomingRequest, Session
from elarian_trio._transport import FrameTransport, open_memory_pair
from elarian_trio.errors import ConnectionLost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from anyio.abc import TaskGroup

CREDENTIALS = b"the-secret-key-of-this-test"
BOUND = 5.0  # seconds that anything awaited in a test may take


def a_setup(*, interval: float = 10.0, lifetime: float = 30.0) -> Setup:
    """Give a SETUP with credentials that no text may repeat."""
    return Setup(CREDENTIALS, keepalive_interval=interval, keepalive_lifetime=lifetime)


def refuse(request: IncomingRequest) -> None:
    """Handle a request by REJECTED."""
    request.fail(0x202, "not here")


def echo(request: IncomingRequest) -> None:
    """Handle a request by its own data."""
    request.respond(request.data)


class RawPeer:
    """The other end of a transport, played by the test frame by frame."""

    def __init__(self, transport: FrameTransport) -> None:
        self.transport = transport

    async def receive(self) -> Frame | None:
        """Give the next frame."""
        with anyio.fail_after(BOUND):
            return decode_frame(await self.transport.receive())

    async def receive_request(self) -> RequestResponseFrame:
        """Give the next frame, which must be a request."""
        frame = await self.receive()
        assert isinstance(frame, RequestResponseFrame), frame
        return frame

    async def send(self, *frames: Frame | bytes) -> None:
        """Send frames in one write; bytes go as they are."""
        with anyio.fail_after(BOUND):
            await self.transport.send_frames(
                [frame if isinstance(frame, bytes) else encode_frame(frame) for frame in frames]
            )

    async def answer(self, request: RequestResponseFrame, data: bytes) -> None:
        """Answer a request."""
        await self.send(PayloadFrame(request.stream_id, data, complete=True, next_=True))

    async def let_in(self) -> SetupFrame:
        """Play the server that accepts: take SETUP and KEEPALIVE, answer the latter."""
        setup, keepalive = await self.receive(), await self.receive()
        assert isinstance(setup, SetupFrame), setup
        assert isinstance(keepalive, KeepaliveFrame), keepalive
        await self.send(KeepaliveFrame(keepalive.data))
        return setup

    async def receive_rest(self) -> list[Frame | None]:
        """Give every frame until the peer has closed."""
        frames: list[Frame | None] = []
        with anyio.fail_after(BOUND):
            try:
                while True:
                    frames.append(decode_frame(await self.transport.receive()))
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return frames


class Recorder(FrameTransport):
    """A transport that remembers each write, and may be told to hold or break them."""

    def __init__(self, inner: FrameTransport) -> None:
        super().__init__()
        self.inner = inner
        self.timed = inner.timed
        self.writes: list[list[bytes]] = []
        self.gate = anyio.Event()
        self.gate.set()
        self.breaks = False
        self.closed = 0

    def hold(self) -> None:
        """Let writes wait from now on."""
        self.gate = anyio.Event()

    async def send_frames(self, frames: Sequence[bytes]) -> None:
        self.writes.append(list(frames))
        await self.gate.wait()
        if self.breaks:
            raise anyio.BrokenResourceError
        await self.inner.send_frames(frames)

    async def receive_frames(self) -> list[bytes]:
        return await self.inner.receive_frames()

    async def send_eof(self) -> None:
        await self.inner.send_eof()

    async def aclose(self) -> None:
        self.closed += 1
        await self.inner.aclose()


class Run:
    """How a session or supervisor ended, once its block is left."""

    def __init__(self) -> None:
        self.ended = anyio.Event()
        self.error: BaseException | None = None
        self.scope = anyio.CancelScope()

    async def wait(self) -> BaseException | None:
        """Wait for the end; give what came out of ``run()``."""
        with anyio.fail_after(BOUND):
            await self.ended.wait()
        return self.error


@asynccontextmanager
async def running(what: Session | object, *transport: FrameTransport, opened: bool = True) -> AsyncIterator[Run]:
    """Run a session, on *transport*, or a supervisor beside the block; with *opened*, enter it once that is open.

    What ``run()`` raises is remembered, not raised. Whatever still runs at the end of the block is cancelled.
    """
    run = Run()
    started = anyio.Event()

    class Status:
        def started(self, value: object = None) -> None:
            started.set()

    async def live() -> None:
        try:
            with run.scope:
                await what.run(*transport, task_status=Status())  # type: ignore[union-attr]
        except Exception as error:
            run.error = error
        finally:
            run.ended.set()
            started.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(live)
        try:
            if opened:
                with anyio.fail_after(BOUND):
                    await started.wait()
            yield run
        finally:
            tasks.cancel_scope.cancel()


def a_client(
    transport: FrameTransport,
    handler: Callable[[IncomingRequest], None] = refuse,
    *,
    setup: Setup | None = None,
    fragment_size: int = 64 * 1024,
    on_turn: Callable[[], None] | None = None,
) -> Session:
    """Make the client's session for *transport*."""
    connection = Connection(Role.CLIENT, setup=setup or a_setup(), timed=transport.timed, fragment_size=fragment_size)
    return Session(connection, handler, on_turn=on_turn)


@asynccontextmanager
async def client_and_peer(
    handler: Callable[[IncomingRequest], None] = refuse,
    *,
    timed: bool = False,
    on_turn: Callable[[], None] | None = None,
) -> AsyncIterator[tuple[Session, RawPeer, Run, Recorder]]:
    """Join a client's session, already let in, and a scripted peer."""
    ours, theirs = open_memory_pair()
    ours.timed = timed
    recorder = Recorder(ours)
    session, peer = a_client(recorder, handler, on_turn=on_turn), RawPeer(theirs)
    async with theirs, running(session, recorder, opened=False) as run:
        await peer.let_in()
        await until(lambda: session.opened)
        yield session, peer, run, recorder


@asynccontextmanager
async def client_and_server(
    handler: Callable[[IncomingRequest], None] = echo,
    *,
    client_handler: Callable[[IncomingRequest], None] = refuse,
    pair: tuple[FrameTransport, FrameTransport] | None = None,
) -> AsyncIterator[tuple[Session, Session]]:
    """Join two sessions, one in each role, over *pair* or memory."""
    ours, theirs = pair or open_memory_pair()

    async def judge(_setup: Setup) -> None:
        await anyio.lowlevel.checkpoint()

    server = Session(Connection(Role.SERVER, timed=theirs.timed), handler, on_setup=judge)
    client = a_client(ours, client_handler)
    async with running(server, theirs, opened=False), running(client, ours):
        yield client, server


class Asked:
    """Requests made in tasks of their own, and what became of them."""

    def __init__(self, session: Session, tasks: TaskGroup) -> None:
        self.session = session
        self.tasks = tasks
        self.outcomes: dict[bytes, bytes | ConnectionLost] = {}

    def ask(self, data: bytes) -> None:
        """Make a request."""
        self.tasks.start_soon(self._ask, data)

    async def _ask(self, data: bytes) -> None:
        try:
            self.outcomes[data] = await self.session.request(data)
        except ConnectionLost as lost:
            self.outcomes[data] = lost

    async def answer(self, data: bytes) -> bytes:
        """Wait for the answer to a request."""
        await until(lambda: data in self.outcomes)
        outcome = self.outcomes[data]
        assert isinstance(outcome, bytes), outcome
        return outcome

    async def lost(self, data: bytes) -> ConnectionLost:
        """Wait for the failure of a request."""
        await until(lambda: data in self.outcomes)
        outcome = self.outcomes[data]
        assert isinstance(outcome, ConnectionLost), outcome
        return outcome


async def until(condition: Callable[[], bool]) -> None:
    """Let the other tasks run until *condition* holds."""
    with anyio.fail_after(BOUND):
        while not condition():
            await anyio.lowlevel.checkpoint()


async def settle(rounds: int = 20) -> None:
    """Let every task that can run do so, a good number of times."""
    for _ in range(rounds):
        await anyio.lowlevel.checkpoint()


def payload_of(frame: Frame | None) -> Payload:
    """Give what a PAYLOAD carries."""
    assert isinstance(frame, PayloadFrame), frame
    return Payload(frame.data, frame.metadata)
