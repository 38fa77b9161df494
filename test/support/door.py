"""A server's reception, and clients of it that a test plays frame by frame."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
from peers import CREDENTIALS, RawPeer, Recorder, echo, until

from elarian_trio._rsocket import Connection, Role, Setup
from elarian_trio._rsocket.frames import KeepaliveFrame, ResumeFrame, SetupFrame
from elarian_trio._session import Reception, Session
from elarian_trio._transport import open_memory_pair

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from anyio.abc import TaskGroup

    from elarian_trio._rsocket.frames import Frame
    from elarian_trio._session import IncomingRequest

TOKEN = b"0123456789abcdef"
KEEPALIVE = KeepaliveFrame(b"first", respond=True)


def a_setup_frame(token: bytes | None = TOKEN, *, interval: float = 10.0, lifetime: float = 30.0) -> SetupFrame:
    """Make the SETUP of a client."""
    return SetupFrame(
        round(interval * 1000),
        round(lifetime * 1000),
        metadata_mime=b"application/json",
        data_mime=b"application/octet-stream",
        data=CREDENTIALS,
        resume_token=token,
    )


async def welcome(_: Setup) -> None:
    """Judge everybody welcome."""
    await anyio.lowlevel.checkpoint()


class Door:
    """A server's reception with its tasks. Made by :func:`open_door`.

    Attributes:
        reception: what is tested.
        told: what the reception told, each with the number of the session.
        sessions: those that were made.
        recorders: the server's ends of the connections.
        scopes: the scope of each connection's task.
        served: how many connections it is done with.
        handler: answers requests.
        judge: judges SETUPs.
    """

    def __init__(self, reception: Reception, tasks: TaskGroup, *, timed: bool) -> None:
        self.reception = reception
        self.told: list[tuple[str, int]] = []
        self.sessions: list[Session] = []
        self.recorders: list[Recorder] = []
        self.scopes: list[anyio.CancelScope] = []
        self.served = 0
        self.handler: Callable[[IncomingRequest], None] = echo
        self.judge: Callable[[Setup], Awaitable[None]] = welcome
        self._changed = anyio.Event()
        self._tasks = tasks
        self._timed = timed

    def connect(self) -> RawPeer:
        """Open a connection, which says nothing yet."""
        ours, theirs = open_memory_pair()
        ours.timed = self._timed
        self.recorders.append(Recorder(ours))
        self._tasks.start_soon(self._serve, self.recorders[-1])
        return RawPeer(theirs)

    async def _serve(self, recorder: Recorder) -> None:
        self.scopes.append(anyio.CancelScope())
        try:
            with self.scopes[-1]:
                await self.reception.serve(
                    recorder,
                    self._open_session,
                    on_open=partial(self._tell, "open"),
                    on_detached=partial(self._tell, "detached"),
                    on_resumed=partial(self._tell, "resumed"),
                    on_end=partial(self._tell, "end"),
                )
        finally:
            self.served += 1

    def _open_session(self) -> Session:
        connection = Connection(Role.SERVER, timed=self._timed, resume_buffer_size=1024 * 1024)
        self.sessions.append(Session(connection, lambda request: self.handler(request), on_setup=self.judge))
        return self.sessions[-1]

    def _tell(self, what: str, session: Session) -> None:
        self.told.append((what, self.sessions.index(session)))
        self._changed.set()
        self._changed = anyio.Event()

    async def tells(self, what: str, number: int = 0, *, times: int = 1) -> None:
        """Wait until the reception has told *what* so often, however much virtual time that takes."""
        while self.told.count((what, number)) < times:
            await self._changed.wait()

    async def enter(self, token: bytes | None = TOKEN) -> RawPeer:
        """Be let in as a fresh client."""
        peer = self.connect()
        await peer.send(a_setup_frame(token), KEEPALIVE)
        assert await peer.receive() == KeepaliveFrame(b"first")
        return peer

    async def come_back(self, received: int, first: int = 0, *behind: Frame, token: bytes = TOKEN) -> RawPeer:
        """Ask to resume, and send what is *behind* in the same write."""
        peer = self.connect()
        await peer.send(ResumeFrame(token, received, first), *behind)
        return peer

    async def cut(self, peer: RawPeer, *, parked: int = 1) -> None:
        """Cut a connection, and wait until its session is parked."""
        await peer.transport.aclose()
        await until(lambda: self.reception.parked == parked)


@asynccontextmanager
async def open_door(reception: Reception | None = None, *, timed: bool = False) -> AsyncIterator[Door]:
    """Serve until the block is left, and cancel what goes on then."""
    async with anyio.create_task_group() as tasks:
        yield Door(reception or Reception(), tasks, timed=timed)
        tasks.cancel_scope.cancel()
