"""Connections that stand and carry nothing, as clients find out: when, and what becomes of what was under way.

All of it in virtual time, over streams in memory; ``test_deaf_clients.py`` has the server's side of it, and
``test_deaf_sockets.py`` the same over real ones.
"""

from __future__ import annotations

import struct
from contextlib import suppress
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
    RESPOND,
    SMS,
    Frame,
    Line,
    ScriptedServer,
    an_update_reply,
    answer_frame,
    answering,
)
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
from elarian_trio._transport import MemoryTransport
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.anyio

LIFETIME, CONNECT = 30.0, 10.0  # the options' defaults
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
