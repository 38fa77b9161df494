"""A client's session with a resume token, and the transports it lives on, one after another.

The session's tests stand above; they play the server frame by frame, as a :class:`RawPeer`.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from peers import RawPeer, Recorder, Run, a_setup, refuse, running, until

from elarian_trio._rsocket import Connection, Role
from elarian_trio._rsocket.frames import Frame, ResumeFrame, ResumeOkFrame, encode_frame
from elarian_trio._session import Session
from elarian_trio._transport import open_memory_pair

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from elarian_trio._session import IncomingRequest

TOKEN = b"0123456789abcdef"
STORE = 1024 * 1024


def size(*frames: Frame | bytes) -> int:
    """Give the bytes by which frames move a position."""
    return sum(len(frame if isinstance(frame, bytes) else encode_frame(frame)) for frame in frames)


class Comeback:
    """One session over several transports.

    Attributes:
        recorders: our ends of the transports so far.
        runs: how the session fared on each.
        idles: how often it said that nothing was under way.
    """

    def __init__(
        self,
        handler: Callable[[IncomingRequest], None] = refuse,
        *,
        store: int = STORE,
        timed: bool = False,
        fragment_size: int = 64 * 1024,
        interval: float = 10.0,
        lifetime: float = 30.0,
    ) -> None:
        setup = replace(a_setup(interval=interval, lifetime=lifetime), resume_token=TOKEN)
        connection = Connection(
            Role.CLIENT, setup=setup, timed=timed, fragment_size=fragment_size, resume_buffer_size=store
        )
        self.session = Session(connection, handler, on_idle=self._note_idle)
        self.recorders: list[Recorder] = []
        self.runs: list[Run] = []
        self.idles = 0
        self._timed = timed

    def _note_idle(self) -> None:
        self.idles += 1

    @asynccontextmanager
    async def on_a_transport(self) -> AsyncIterator[RawPeer]:
        """Run the session on a new transport, whose other end the test plays."""
        ours, theirs = open_memory_pair()
        ours.timed = self._timed
        recorder = Recorder(ours)
        self.recorders.append(recorder)
        async with theirs, running(self.session, recorder, opened=False) as run:
            self.runs.append(run)
            yield RawPeer(theirs)

    @asynccontextmanager
    async def met(self) -> AsyncIterator[RawPeer]:
        """Run it for the first time, and let it in."""
        async with self.on_a_transport() as peer:
            setup = await peer.let_in()
            assert setup.resume_token == TOKEN
            await until(lambda: self.session.attached)
            yield peer

    @asynccontextmanager
    async def back(self, position: int) -> AsyncIterator[RawPeer]:
        """Run it on another transport, and let it go on: the peer has *position* bytes of its frames."""
        async with self.on_a_transport() as peer:
            await resume_of(peer)
            await peer.send(ResumeOkFrame(position))
            await until(lambda: self.session.attached)
            yield peer

    async def cut(self, peer: RawPeer) -> BaseException | None:
        """Cut the present transport, as a cable is; give what came out of the session's run on it."""
        await peer.transport.aclose()
        return await self.runs[-1].wait()


async def resume_of(peer: RawPeer) -> ResumeFrame:
    """Give the RESUME, which must come first."""
    frame = await peer.receive()
    assert isinstance(frame, ResumeFrame), frame
    assert frame.token == TOKEN
    return frame
