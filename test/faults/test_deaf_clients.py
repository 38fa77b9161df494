"""Clients that fall silent, or take nothing, as a server finds out: when it cuts them, and how long it keeps them.

All of it in virtual time, over streams in memory, as in ``test_deaf_connections.py``.
"""

from __future__ import annotations

import struct
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
from acceptance import COMPLETE, KEEPALIVE, PAYLOAD, REQUEST_RESPONSE, RESPOND, Frame
from byte_pipes import PipeEnd
from trio.testing import MockClock

from elarian_trio._rsocket import Connection, FrameSplitter, Role
from elarian_trio._session import IncomingRequest, Reception, Session
from elarian_trio._transport import StreamTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from elarian_trio._rsocket import Setup

pytestmark = pytest.mark.anyio

INTERVAL, LIFETIME = 10.0, 30.0  # the options' defaults
WINDOW = 120.0  # seconds that a server keeps a session that was cut
SECOND = 1.0
GONE = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio alone has a clock that jumps when nobody can run."""
    return "trio", {"clock": MockClock(autojump_threshold=0.0)}


class Door:
    """A server that notes what becomes of who comes."""

    def __init__(self, *, window: float = WINDOW) -> None:
        self.reception = Reception(resume_window=window)
        self.is_resumable = window > 0
        self.heard: list[tuple[str, float]] = []
        self.answers = b"answer"

    async def serve(self, stream: PipeEnd) -> None:
        """Serve one connection."""
        await self.reception.serve(
            StreamTransport(stream),
            self.open_session,
            on_open=lambda _: self.note("open"),
            on_detached=lambda _: self.note("cut"),
            on_resumed=lambda _: self.note("resumed"),
            on_end=lambda _: self.note("over"),
        )
        self.note("left")

    def open_session(self) -> Session:
        """Make the session of who came."""
        store = 1024 * 1024 if self.is_resumable else None
        return Session(Connection(Role.SERVER, resume_buffer_size=store), self.handle, on_setup=self.judge)

    def handle(self, request: IncomingRequest) -> None:
        """Answer all alike."""
        request.respond(self.answers)

    async def judge(self, _: Setup) -> None:
        """Let everybody in."""
        await anyio.lowlevel.checkpoint()

    def note(self, what: str) -> None:
        """Note when something happened."""
        self.heard.append((what, round(anyio.current_time(), 1)))

    @property
    def names(self) -> list[str]:
        """What happened, in order."""
        return [name for name, _ in self.heard]

    def when(self, what: str) -> float:
        """Give when something happened first."""
        return next(time for name, time in self.heard if name == what)


@asynccontextmanager
async def at_the_door(*, window: float = WINDOW, room: int = 1 << 20) -> AsyncIterator[tuple[Door, PipeEnd]]:
    """Come to a server, and be a client that does what the test says."""
    door = Door(window=window)
    near, far = PipeEnd.pair(room)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(door.serve, near)
        yield door, far
        tasks.cancel_scope.cancel()


def prefixed(*frames: Frame) -> bytes:
    """Give frames as a stream of bytes carries them."""
    return b"".join(len(bytes(each)).to_bytes(3, "big") + bytes(each) for each in frames)


def a_setup(lifetime: float = LIFETIME, *, token: bytes | None = b"0123456789abcdef") -> Frame:
    """Give a SETUP that is in order."""
    rest = struct.pack(">HHII", 1, 0, int(lifetime * 1000 / 3), int(lifetime * 1000))
    rest += b"" if token is None else struct.pack(">H", len(token)) + token
    return Frame(0, 0x01, 0 if token is None else 0x80, rest + b"\1a\1b" + b"creds")


async def test_setup_that_never_comes_is_waited_for_ten_seconds() -> None:
    """The issue: a SETUP that never comes (sandbox: 10 s)."""
    async with at_the_door() as (door, far):
        with pytest.raises(anyio.EndOfStream), anyio.fail_after(60):
            await far.receive()
        assert anyio.current_time() == pytest.approx(10.0, abs=0.6)
        await anyio.sleep(1)
        assert door.names == ["left"]


@pytest.mark.parametrize("what", [prefixed(a_setup()), b"\xff\xff\xff" + bytes(100)])
async def test_setup_that_comes_by_drops_is_waited_for_no_longer(what: bytes) -> None:
    """This SDK: ten seconds are for the whole frame."""
    async with at_the_door() as (door, far):
        with suppress(*GONE):
            for byte in what:
                await far.send(bytes([byte]))
                await anyio.sleep(SECOND / 2)
        await anyio.sleep(SECOND)
        assert door.names == ["left"]
        assert door.when("left") == pytest.approx(10.0, abs=0.6)


@pytest.mark.parametrize("window", [WINDOW, 0.0])
async def test_client_that_falls_silent_is_cut_after_its_lifetime_and_kept_for_the_window(window: float) -> None:
    """RSocket: the SETUP's lifetime holds for the client, too; a session that can be resumed is kept, not ended."""
    async with at_the_door(window=window) as (door, far):
        await far.send(prefixed(a_setup(token=b"t" * 16 if window else None)))
        await anyio.sleep(LIFETIME + WINDOW + 10)
        assert door.when("open") == 0.0
        if window:
            assert door.names == ["open", "cut", "over", "left"]
            assert door.when("cut") == pytest.approx(LIFETIME, abs=0.6)
            assert door.when("over") == pytest.approx(LIFETIME + window, abs=0.6)
        else:
            assert door.names == ["open", "over", "left"]
            assert door.when("over") == pytest.approx(LIFETIME, abs=0.6)
        assert door.reception.parked == 0


async def test_client_that_only_asks_is_cut_all_the_same() -> None:
    """RSocket: ordinary traffic is no life."""
    async with at_the_door() as (door, far):
        await far.send(prefixed(a_setup()))
        with suppress(*GONE):
            for number in range(1, 200, 2):
                await far.send(prefixed(Frame(number, REQUEST_RESPONSE, 0, b"please")))
                assert await far.receive()
                await anyio.sleep(SECOND)
        await anyio.sleep(SECOND)
        assert door.when("cut") == pytest.approx(LIFETIME, abs=1.5)


async def test_client_that_takes_nothing_is_cut_though_it_speaks() -> None:
    """The issue: write stalls end the connection after the lifetime, in the server's role as well."""
    async with at_the_door(room=1000) as (door, far):
        door.answers = bytes(5000)
        await far.send(prefixed(a_setup(), Frame(1, REQUEST_RESPONSE, 0, b"please")))
        with suppress(*GONE):
            for _ in range(60):
                await anyio.sleep(SECOND)
                await far.send(prefixed(Frame(0, KEEPALIVE, 0, bytes(8))))
        assert door.names == ["open", "cut"]
        assert door.when("cut") == pytest.approx(LIFETIME, abs=1.5)


@pytest.mark.parametrize("rate", [10_000, 2_500])
async def test_client_that_takes_little_but_steadily_is_kept(rate: int) -> None:
    """The issue: a slow reader lives, also while more waits for it than it reads within the lifetime."""
    async with at_the_door(room=1000) as (door, far):
        door.answers = bytes(400_000)
        splitter, answered = FrameSplitter(), 0
        await far.send(prefixed(a_setup(), Frame(1, REQUEST_RESPONSE, 0, b"please")))

        async def speak() -> None:
            while True:
                await anyio.sleep(INTERVAL)
                await far.send(prefixed(Frame(0, KEEPALIVE, RESPOND, bytes(8))))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(speak)
            with anyio.fail_after(600):
                while not answered & COMPLETE:
                    data = await far.receive(1000)
                    await anyio.sleep(len(data) / rate)
                    for frame in map(Frame.of, splitter.feed(data)):
                        answered |= frame.flags if frame.kind == PAYLOAD else 0
            tasks.cancel_scope.cancel()
        assert door.names == ["open"]


async def test_deaf_client_is_back_over_another_connection_before_the_server_has_noticed() -> None:
    """RSocket: a RESUME that comes while the old transport stands wins; the old one is closed and counts no more."""
    door = Door()
    ends = [PipeEnd.pair() for _ in range(2)]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(door.serve, ends[0][0])
        await ends[0][1].send(prefixed(a_setup(), Frame(1, REQUEST_RESPONSE, 0, b"please")))
        await anyio.sleep(5)
        tasks.start_soon(door.serve, ends[1][0])
        token, zero = b"0123456789abcdef", struct.pack(">Q", 0)
        resume = Frame(0, 0x0D, 0, struct.pack(">HHH", 1, 0, 16) + token + zero + zero)
        await ends[1][1].send(prefixed(resume))
        await anyio.sleep(1)
        replayed = list(map(Frame.of, FrameSplitter().feed(await ends[1][1].receive())))
        assert [frame.kind for frame in replayed] == [0x0E, PAYLOAD]
        assert replayed[1].rest == b"answer"
        assert door.names == ["open", "cut", "resumed"] or door.names == ["open", "cut", "left", "resumed"]
        await ends[0][1].receive()
        with pytest.raises(anyio.EndOfStream):
            await ends[0][1].receive()
        tasks.cancel_scope.cancel()
