"""A server that keeps sessions, played by hand frame by frame, and requests whose ends are remembered.

The supervisor's tests stand above; :mod:`network` connects the two, :mod:`peers` speaks for the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import anyio
from peers import RawPeer, until

from elarian_trio._rsocket.frames import (
    ErrorFrame,
    Frame,
    KeepaliveFrame,
    RequestResponseFrame,
    ResumeFrame,
    ResumeOkFrame,
    SetupFrame,
    encode_frame,
)
from elarian_trio._session import Handover, Supervisor
from elarian_trio.errors import ConnectionClosed, ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from network import Network

    from elarian_trio._transport import FrameTransport

    Play: TypeAlias = Callable[[FrameTransport], Awaitable[None]]


class Keeper:
    """A server that keeps sessions, played by hand over one connection after another.

    Attributes:
        setups: every SETUP that came.
        resumes: every RESUME that came.
        opened: how many connections it has let in or resumed.
        peer: what it plays the newest with.
        received: bytes of counted frames that it has read of the present session.
        asked: the data of each request that it has read.
    """

    def __init__(self) -> None:
        self.setups: list[SetupFrame] = []
        self.resumes: list[ResumeFrame] = []
        self.opened = 0
        self.peer: RawPeer
        self.received = 0
        self.asked: list[bytes] = []
        self._cut = anyio.Event()

    async def lets_in(self, transport: FrameTransport) -> None:
        """Play the server that takes a SETUP, until it cuts the connection."""
        self.peer = RawPeer(transport)
        self.received = 0
        self.setups.append(await self.peer.let_in())
        await self.hold()

    async def resumes_it(self, transport: FrameTransport) -> None:
        """Play the server that takes a RESUME, until it cuts the connection."""
        self.peer = RawPeer(transport)
        await self.take_resume(self.peer)
        await self.peer.send(ResumeOkFrame(self.received))
        await self.hold()

    async def serves(self, transport: FrameTransport) -> None:
        """Play the server that takes whichever of the two comes, until it cuts the connection."""
        self.peer = RawPeer(transport)
        await self.peer.send(await self.take_first(self.peer))
        await self.hold()

    async def take_first(self, peer: RawPeer) -> Frame:
        """Take a SETUP or RESUME, and give what it is to be answered with."""
        first = await peer.receive()
        if isinstance(first, ResumeFrame):
            assert first.token == self.setups[-1].resume_token
            self.resumes.append(first)
            return ResumeOkFrame(self.received)
        assert isinstance(first, SetupFrame), first
        self.setups.append(first)
        self.received = 0
        asked = await peer.receive()
        assert isinstance(asked, KeepaliveFrame), asked
        return KeepaliveFrame(asked.data)

    def answers(self, *frames: Frame | bytes) -> Play:
        """Make a server that answers whatever comes first by *frames*, and waits for the client to leave."""

        async def play(transport: FrameTransport) -> None:
            peer = RawPeer(transport)
            first = await peer.receive()
            if isinstance(first, ResumeFrame):
                self.resumes.append(first)
            else:
                assert isinstance(first, SetupFrame), first
                self.setups.append(first)
                await peer.receive()
            if frames:
                await peer.send(*frames)
            while True:  # as long as the client likes: on a clock that jumps, any bound would be over at once
                await transport.receive()

        return play

    async def take_resume(self, peer: RawPeer) -> ResumeFrame:
        """Take a RESUME, which must be all that comes."""
        frame = await peer.receive()
        assert isinstance(frame, ResumeFrame), frame
        assert frame.token == self.setups[-1].resume_token
        self.resumes.append(frame)
        return frame

    async def request_after(self, openings: int) -> RequestResponseFrame:
        """Wait until as many connections were let in or resumed, and take the request that comes then."""
        await until(lambda: self.opened == openings)
        return await self.take_request()

    async def take_request(self) -> RequestResponseFrame:
        """Take a request, and count it."""
        request = await self.peer.receive_request()
        self.received += len(encode_frame(request))
        self.asked.append(request.data)
        return request

    async def hold(self) -> None:
        """Keep a connection that was let in or resumed, until it is cut."""
        self.opened += 1
        self._cut = anyio.Event()
        await self._cut.wait()

    def cut(self) -> None:
        """Cut the newest connection."""
        self._cut.set()


class Tokens:
    """Resume tokens that tell which SETUP they were made for."""

    def __init__(self) -> None:
        self.made: list[bytes] = []

    def __call__(self) -> bytes:
        self.made.append(b"token-%d" % len(self.made))
        return self.made[-1]


def scripted(*plays: Play) -> Callable[[Network], None]:
    """Prepare a network whose connections are played in order."""
    return lambda network: network.script.extend(plays)


def refusal(code: int, words: str = "no") -> bytes:
    """Give the ERROR that refuses a SETUP or RESUME."""
    return encode_frame(ErrorFrame(0, code, words))


class Outcomes:
    """Requests of a supervisor, each in a task, and what became of them."""

    def __init__(self, supervisor: Supervisor, tasks: anyio.abc.TaskGroup) -> None:
        self.supervisor = supervisor
        self.tasks = tasks
        self.of: dict[bytes, bytes | Exception] = {}
        self.handovers: dict[bytes, Handover] = {}
        self.scopes: dict[bytes, anyio.CancelScope] = {}
        self._ends: dict[bytes, anyio.Event] = {}

    def ask(self, data: bytes, *, retry: bool = False) -> None:
        self.handovers[data], self.scopes[data] = Handover(), anyio.CancelScope()
        self._ends[data] = anyio.Event()
        self.tasks.start_soon(self._ask, data, retry)

    async def _ask(self, data: bytes, retry: bool) -> None:
        try:
            with self.scopes[data]:
                self.of[data] = await self.supervisor.request(data, retry=retry, handover=self.handovers[data])
        except (ConnectionLost, ConnectionClosed) as error:
            self.of[data] = error
        finally:
            self._ends[data].set()

    async def ended(self, data: bytes) -> bytes | Exception:
        """Wait for a request's end, however much virtual time that takes."""
        await self._ends[data].wait()
        return self.of[data]

    async def wait_for(self, data: bytes) -> bytes | Exception:
        await until(lambda: data in self.of)
        return self.of[data]

    async def lost(self, data: bytes, *, sent: bool) -> ConnectionLost:
        """Wait for a request that must be lost."""
        error = await self.wait_for(data)
        assert isinstance(error, ConnectionLost), error
        assert error.sent is sent
        assert self.handovers[data].sent is sent
        return error
