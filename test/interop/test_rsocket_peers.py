"""Our session against RSocket libraries that others wrote, in both roles, over TCP and WebSocket.

What the peers themselves cannot do is said where a test makes room for it.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from itertools import product
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import foreign
import pytest
from foreign import BOUND
from meetings import INTERVAL, LIFETIME, Meeting, Us, dial, meeting, serve

from elarian_trio._rsocket import Connection, ErrorCode, Role, Setup
from elarian_trio._session import Session, StreamFailed
from elarian_trio.errors import ConnectionLost, SetupRejected

if TYPE_CHECKING:
    from elarian_trio._transport import FrameTransport

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(foreign.why_not() is not None, reason=str(foreign.why_not())),
]

NAMES = ("js0", "js1", "py", "java", "go")
ROLES = ("client", "server")
TRANSPORTS = ("tcp", "ws")
MANY = 1000

each_peer = pytest.mark.parametrize("name", foreign.peers(*NAMES))
both_roles = pytest.mark.parametrize("role", ROLES)
both_transports = pytest.mark.parametrize("transport", TRANSPORTS)


def end(name: str, transport: str) -> str:
    """Say by what a peer shows that it heard of the end.

    rsocket-py's transports on aiohttp never tell it that a WebSocket was closed, so there the ERROR must do.
    """
    return "HEARD" if (name, transport) == ("py", "ws") else "CLOSED"


@each_peer
@both_roles
@both_transports
async def test_requests_are_answered_both_ways(name: str, role: str, transport: str) -> None:
    """RSocket: after the SETUP either end may request."""
    async with meeting(name, role, transport) as met:
        assert await met.ask("echo", b"\x00\xff hello") == b"\x00\xff hello"
        assert await met.ask("ask", b"and you?") == b"and you?"
        assert met.session.frames_ignored == 0


@each_peer
@both_roles
async def test_errors_cross_both_ways_and_fail_their_own_request_only(name: str, role: str) -> None:
    """RSocket: APPLICATION_ERROR with the responder's words; REJECTED with ours."""
    async with meeting(name, role) as met:
        with pytest.raises(StreamFailed) as caught:
            await met.ask("fail", b"out of order")
        assert caught.value.code == ErrorCode.APPLICATION_ERROR
        assert "out of order" in caught.value.message
        assert b"not today" in await met.ask("ask", b"refuse")
        assert await met.ask("echo", b"goes on") == b"goes on"


@each_peer
@both_roles
async def test_a_request_given_up_by_us_is_canceled_there(name: str, role: str) -> None:
    """RSocket: CANCEL stops the responder."""
    async with meeting(name, role) as met:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(met.ask, "never")
            await anyio.lowlevel.checkpoint()
            assert await met.ask("echo", b"behind it") == b"behind it"
            tasks.cancel_scope.cancel()
        assert await met.ask("canceled") == b"1"


@pytest.mark.parametrize("name", foreign.peers(*(each for each in NAMES if each != "go")))
@both_roles
async def test_a_request_given_up_there_is_canceled_here(name: str, role: str) -> None:
    """RSocket: CANCEL reaches the handler; nothing is sent for that stream any more. rsocket-go never sends it."""
    async with meeting(name, role) as met:
        assert await met.ask("keep", b"wait for ever") == b"kept"
        with anyio.fail_after(BOUND):
            await met.us.came.wait()
            assert await met.ask("drop") == b"dropped"
            await met.us.canceled.wait()
        assert not met.us.waiting[0].respond(b"too late")
        assert await met.ask("echo", b"goes on") == b"goes on"


@each_peer
@both_roles
@both_transports
async def test_large_payloads_pass_both_ways(name: str, role: str, transport: str) -> None:
    """RSocket: ours leave in fragments of 64 KiB; the peers' come whole or in fragments, as each of them can."""
    body = bytes(range(256)) * (5 * 4096)
    async with meeting(name, role, transport) as met:
        assert await met.ask("echo", body) == body
        assert await met.ask("ask", body) == body


@each_peer
@both_roles
async def test_a_thousand_requests_at_once_each_get_their_own_answer(name: str, role: str) -> None:
    """RSocket: streams do not touch each other, whoever begins them."""
    answers: dict[int, bytes] = {}

    async def ask(number: int) -> None:
        answers[number] = await met.ask("echo", b"%d" % number)

    async with meeting(name, role) as met:
        async with anyio.create_task_group() as tasks:
            for number in range(MANY):
                tasks.start_soon(ask, number)
        assert answers == {number: b"%d" % number for number in range(MANY)}
        assert await met.ask("many", b"%d" % MANY) == b"each its own"


@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_keepalives_keep_idle_connections() -> None:
    """RSocket: each end answers the other's KEEPALIVE; nobody is given up within several lifetimes.

    The time is real, as the peers' is, so all of them wait together.
    """
    met: list[Meeting] = []
    async with AsyncExitStack() as stack:
        for name, role, transport in product(foreign.those_here(*NAMES), ROLES, TRANSPORTS):
            met.append(await stack.enter_async_context(meeting(name, role, transport, interval=0.5, lifetime=2.0)))
        await anyio.sleep(5.0)
        for each in met:
            assert not each.us.ended.is_set()
            assert each.session.last_heard is not None
            assert anyio.current_time() - each.session.last_heard < 2.0
            assert 0 <= await each.session.ping() < BOUND
            assert await each.ask("echo", b"still here") == b"still here"
            assert not [line for line in each.peer.said if not line.startswith("READY")]


@each_peer
@both_roles
@both_transports
async def test_the_peer_hears_that_we_leave(name: str, role: str, transport: str) -> None:
    """RSocket: CONNECTION_CLOSE, then the end; our run() ends without an error."""
    async with meeting(name, role, transport) as met:
        await met.ask("echo", b"hello")
        met.session.close(message="enough")
        assert await met.us.wait() is None
        await met.peer.says(end(name, transport))


@each_peer
@both_roles
@both_transports
async def test_we_hear_that_the_peer_leaves(name: str, role: str, transport: str) -> None:
    """These peers close without a word, but for rsocket-java's CONNECTION_ERROR: the connection is lost, at once."""
    async with meeting(name, role, transport) as met:
        assert await met.ask("leave") == b"bye"
        assert isinstance(await met.us.wait(), ConnectionLost)


@each_peer
@both_transports
async def test_a_server_that_refuses_our_setup_says_why(name: str, transport: str) -> None:
    """RSocket: REJECTED_SETUP, with the server's words."""
    us = Us()
    async with foreign.foreign(*foreign.peer_command(name, "server", transport)) as peer:
        setup = Setup(b"wrong", keepalive_interval=INTERVAL, keepalive_lifetime=LIFETIME)
        session = Session(Connection(Role.CLIENT, setup=setup), us.handle)
        with anyio.fail_after(BOUND), pytest.raises(SetupRejected, match="no such key"):
            await session.run(await dial(transport, await peer.port()))


@each_peer
@both_transports
async def test_a_client_that_we_refuse_hears_why(name: str, transport: str) -> None:
    """RSocket: REJECTED_SETUP, flushed before the connection is closed."""
    us = Us()

    async def live(link: FrameTransport) -> None:
        await Session(Connection(Role.SERVER), us.handle, on_setup=us.judge).run(link)

    setup = Setup(b"wrong", keepalive_interval=INTERVAL, keepalive_lifetime=LIFETIME)
    async with anyio.create_task_group() as tasks:
        port = await serve(tasks, transport, live)
        async with foreign.foreign(*foreign.client_command(name, "client", transport, port, setup)) as peer:
            await peer.says(end(name, transport))
            await peer.says("no such key")
        tasks.cancel_scope.cancel()
