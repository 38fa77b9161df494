"""Connections that stand and carry nothing: who notices, when, and what becomes of what was under way.

All of it in virtual time, over streams in memory; ``test_deaf_sockets.py`` has the same over real ones.
"""

from __future__ import annotations

import struct
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
from acceptance import (
    ASHA,
    COMPLETE,
    KEEPALIVE,
    NEXT,
    PAYLOAD,
    REQUEST_RESPONSE,
    RESPOND,
    SMS,
    Frame,
    Line,
    ScriptedServer,
    an_update_reply,
    answer_frame,
    answering,
)
from byte_pipes import PipeEnd
from faulty import FOREVER, Fault, FaultNetwork, Kind, Plan, Way, first_of
from trio.testing import MockClock

from elarian_trio import (
    Backoff,
    ConnectionFailed,
    ConnectionLost,
    ConnectionOptions,
    Elarian,
    ReceivedSmsNotification,
    SendMessageSimulatorNotification,
    Simulator,
    Tag,
)
from elarian_trio._rsocket import Connection, FrameSplitter, Role
from elarian_trio._session import IncomingRequest, Reception, Session
from elarian_trio._transport import MemoryTransport, StreamTransport
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from elarian_trio._rsocket import Setup

pytestmark = pytest.mark.anyio

INTERVAL, LIFETIME, CONNECT = 10.0, 30.0, 10.0  # the options' defaults
WINDOW = 120.0  # seconds that a server keeps a session that was cut
SECOND = 1.0
OPTIONS = ConnectionOptions(reconnect=Backoff(jitter=0.0), command_timeout=None)
GONE = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio alone has a clock that jumps when nobody can run."""
    return "trio", {"clock": MockClock(autojump_threshold=0.0)}


def an_app(server: ScriptedServer | FaultNetwork, **changes: Any) -> Elarian:  # noqa: ANN401
    """Make a client that comes to *server*."""
    return Elarian(
        org_id="org", app_id="app", api_key="el_k_0123456789", dial=server.dial, options=replace(OPTIONS, **changes)
    )


async def state_at(app: Elarian, name: str) -> float:
    """Wait for a state other than the present one, and give when it came."""
    async with app.connection_states() as states:
        await states.receive()
        async for state in states:
            if state == name:
                return anyio.current_time()
    msg = f"the connection never was {name}"
    raise AssertionError(msg)


# --- a client and a server that is deaf ---


async def swallow(line: Line) -> None:
    """Read everything and answer nothing."""
    with suppress(*GONE):
        while True:
            await line.receive()


async def chatter(line: Line) -> None:
    """Say much, but no KEEPALIVE."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(swallow, line)
        with suppress(*GONE):
            while True:
                await line.send(Frame(2001, PAYLOAD, NEXT | COMPLETE, b"for nobody"), Frame(0, 0x0C, 0x100, b"pushed"))
                await anyio.sleep(SECOND)
        tasks.cancel_scope.cancel()


async def say_nothing(line: Line) -> None:
    """Neither read nor write."""
    del line
    await anyio.sleep_forever()


async def speak_only(line: Line) -> None:
    """Show life, and take nothing more."""
    while True:
        await line.send(Frame(0, KEEPALIVE, 0, bytes(8)))
        await anyio.sleep(SECOND)


@pytest.mark.parametrize("deaf", [swallow, chatter, say_nothing])
@pytest.mark.parametrize("resume", ["auto", "off"])
async def test_server_that_shows_no_life_is_given_up_after_the_lifetime(
    resume: Any,  # noqa: ANN401
    deaf: Callable[[Line], Awaitable[None]],
) -> None:
    """RSocket: only KEEPALIVE frames are life; without any for the lifetime the transport is dead."""

    async def script(line: Line) -> None:
        await (deaf_once(line, deaf) if len(server.lines) == 1 else serve_again(line))

    async with ScriptedServer(script) as server, an_app(server, resume=resume) as app:
        begun = anyio.current_time()
        assert await state_at(app, "pending") - begun == pytest.approx(LIFETIME, abs=0.1)
        assert await state_at(app, "connected") - begun == pytest.approx(LIFETIME + OPTIONS.reconnect.first, abs=0.1)
        await app.customer(ASHA).update_tags(Tag("alive", "yes"))


async def deaf_once(line: Line, deaf: Callable[[Line], Awaitable[None]]) -> None:
    """Let the client in, and be deaf from then on."""
    await line.let_in()
    await deaf(line)


async def serve_again(line: Line) -> None:
    """Know no session that was before, let the client in and answer every command."""
    first = await line.receive()
    if first.kind == 0x0D:
        await line.send(Frame(0, 0x0B, 0, struct.pack(">I", 4) + b"who?"))
        return
    keepalive = await line.receive()
    await line.send(Frame(0, KEEPALIVE, 0, keepalive.rest))  # its position is 0, and so is ours
    line.reply = lambda frame: answer_frame(frame.stream, an_update_reply())
    await line.serve()


async def test_server_that_shows_life_late_but_in_time_is_kept() -> None:
    """RSocket: any KEEPALIVE restarts the lifetime, whether it answers one of ours or not."""

    async def script(line: Line) -> None:
        await line.let_in()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(swallow, line)
            with suppress(*GONE):
                while True:
                    await anyio.sleep(LIFETIME - SECOND)
                    await line.send(Frame(0, KEEPALIVE, 0, bytes(8)))
            tasks.cancel_scope.cancel()

    async with ScriptedServer(script) as server, an_app(server) as app:
        await anyio.sleep(3600)
        assert app.connection_state == "connected"
        assert len(server.lines) == 1


@pytest.mark.parametrize("resume", ["auto", "off"])
async def test_server_that_takes_nothing_is_given_up_though_it_speaks(resume: Any) -> None:  # noqa: ANN401
    """The issue: write stalls end the connection after the lifetime; here with a command half-way out."""

    async def script(line: Line) -> None:
        await (deaf_once(line, speak_only) if len(server.lines) == 1 else serve_again(line))

    async with ScriptedServer(script, room=1) as server, an_app(server, resume=resume) as app:
        begun = anyio.current_time()
        lost: list[bool] = []
        async with anyio.create_task_group() as tasks:
            for number in range(3):
                tasks.start_soon(send_much, app, number, lost)
            assert await state_at(app, "pending") - begun == pytest.approx(LIFETIME, abs=0.5)
            await state_at(app, "connected")
        assert lost == [True] * len(lost)
        await app.customer(ASHA).update_tags(Tag("alive", "yes"))


async def send_much(app: Elarian, number: int, lost: list[bool]) -> None:
    """Send a command of several frames, and note what it hears where its session is lost."""
    try:
        await app.customer(ASHA).update_metadata({str(number): "x" * 500_000})
    except ConnectionLost as error:
        lost.append(error.sent)


async def test_server_that_takes_little_but_steadily_is_kept() -> None:
    """The issue: slow readers are not deaf ones; KEEPALIVEs pass between the pieces of what is long."""
    read = 0

    async def script(line: Line) -> None:
        nonlocal read
        await line.let_in()
        while True:
            frame = await line.receive()
            read += len(frame.rest)
            await anyio.sleep(len(frame.rest) / 10_000)  # bytes a second: less than the links people have
            if frame.kind == KEEPALIVE and frame.flags & RESPOND:
                await line.send(Frame(0, KEEPALIVE, 0, bytes(8) + frame.rest[8:]))

    async with ScriptedServer(script, room=1) as server, an_app(server) as app:
        with anyio.move_on_after(600):
            await app.customer(ASHA).update_metadata({"long": "x" * 1_000_000})
        assert app.connection_state == "connected"
        assert len(server.lines) == 1
        assert read > 1_000_000


async def test_server_that_never_speaks_costs_the_connect_timeout_each_time(caplog: pytest.LogCaptureFixture) -> None:
    """The issue: a peer that accepts and never speaks. The design: attempts go on, each logged at WARNING."""
    options = replace(OPTIONS, reconnect=Backoff(jitter=0.0, give_up_after=60.0))
    async with ScriptedServer(swallow) as server:
        begun = anyio.current_time()
        app = Elarian(org_id="org", app_id="app", api_key="el_k_0123456789", dial=server.dial, options=options)
        with pytest.raises(ConnectionFailed, match="gave up after 60 s"):
            async with app:
                pytest.fail("entered")
        assert anyio.current_time() - begun == pytest.approx(60.0, abs=1)
    attempts = len(server.lines)
    assert 4 <= attempts <= 6
    assert len([each for each in caplog.records if each.levelname == "WARNING"]) >= attempts - 1


async def test_server_that_falls_silent_over_resume_is_asked_again() -> None:
    """This SDK: the session is kept while the server may hold it; each attempt ends by ``connect_timeout``."""

    async def script(line: Line) -> None:
        if len(server.lines) == 1:
            await deaf_once(line, chatter)
        elif len(server.lines) < 4:
            first = await line.receive()
            assert first.kind == 0x0D
            await swallow(line)
        else:
            await serve_again(line)

    async with ScriptedServer(script) as server, an_app(server) as app:
        begun = anyio.current_time()
        with pytest.raises(ConnectionLost) as caught:
            await app.customer(ASHA).update_tags(Tag("patient", "yes"))
        assert caught.value.sent
        assert anyio.current_time() - begun < LIFETIME + 2 * CONNECT + 15
        await app.customer(ASHA).update_tags(Tag("alive", "yes"))


# --- the real server, behind a network that carries nothing any more ---


def stalled(*ways: Way, at: int = 600) -> Plan:
    """Let nothing pass one way or both, without telling anybody."""
    return Plan(0, tuple(Fault(Kind.STALL, way, at, FOREVER) for way in ways))


@pytest.mark.parametrize("ways", [(Way.UP,), (Way.DOWN,), (Way.UP, Way.DOWN)], ids=["up", "down", "both"])
@pytest.mark.parametrize("at", [400, 700, 1100, 1500])
@pytest.mark.parametrize("lifetime", [15.0, LIFETIME, 45.0])
async def test_half_open_connection_costs_time_and_nothing_else(
    lifetime: float, ways: tuple[Way, ...], at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 1: the peer vanished without a word; commands and notifications under way are all there, once each.

    Also where the lifetime is longer than the time that the server waits for an answer, which it then gives twice.
    """
    monkeypatch.setattr(MemoryTransport, "timed", True)  # as a socket is, for the server as well
    options = replace(OPTIONS, keepalive_interval=lifetime / 3, keepalive_lifetime=lifetime, command_timeout=None)
    filler = "." * 100
    async with (
        Sandbox() as sandbox,
        FaultNetwork(sandbox.credentials["dial"], first_of(stalled(*ways, at=at)), timed=True) as network,
        Elarian(**{**sandbox.credentials, "dial": network.dial}, options=options) as app,
        Simulator(**sandbox.credentials) as phone,
        answering(phone, SendMessageSimulatorNotification, bound=600) as handset,
        answering(app, ReceivedSmsNotification, bound=600) as inbox,
    ):
        begun = anyio.current_time()
        async with anyio.create_task_group() as tasks:
            for number in range(10):
                tasks.start_soon(app.customer(f"+25470000000{number}").send_message, SMS, f"out {number}{filler}")
                tasks.start_soon(phone.receive_message, f"+25471100000{number}", SMS, "", [f"in {number}{filler}"])
        outgoing, incoming = await handset.many(10), await inbox.many(10)
        assert network.record.met[Kind.STALL] >= 1
        assert anyio.current_time() - begun < lifetime * 4 / 3 + 5.0
        await anyio.sleep(600)
        assert sorted(str(each.message.body) for each in outgoing) == [f"out {number}{filler}" for number in range(10)]
        assert sorted(each.text for each in incoming) == [f"in {number}{filler}" for number in range(10)]
        assert (len(handset.deliveries), len(inbox.deliveries)) == (10, 10)
        counted = app.statistics()
        assert (counted.reconnects, counted.resumptions, counted.sessions_lost) == (1, 1, 0)


async def test_server_that_is_away_for_longer_than_it_keeps_sessions_is_met_afresh() -> None:
    """The design: then the session is lost, and every command ends as promise 1 says."""
    async with (
        Sandbox() as sandbox,
        FaultNetwork(sandbox.credentials["dial"], first_of(stalled(Way.UP, Way.DOWN)), timed=True) as network,
        Elarian(**{**sandbox.credentials, "dial": network.dial}, options=OPTIONS) as app,
        anyio.create_task_group() as tasks,
    ):
        lost: list[bool] = []
        network.reachable = False
        for number in range(6):
            tasks.start_soon(tag, app, number, lost)
        await anyio.sleep(LIFETIME + WINDOW + 60)
        network.reachable = True
        await app.reconnect_now()
        await app.customer(ASHA).update_tags(Tag("alive", "yes"))
        counted = app.statistics()
        assert (counted.sessions_lost, counted.resumptions) in ((1, 0), (0, 1))


async def tag(app: Elarian, number: int, lost: list[bool]) -> None:
    """Send a command, and note what it hears where its session is lost."""
    try:
        await app.customer(f"+25470000000{number}").update_tags(Tag("n", str(number)))
    except ConnectionLost as error:
        lost.append(error.sent)


# --- a server and a client that is deaf ---


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
