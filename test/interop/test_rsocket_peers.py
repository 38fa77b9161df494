"""Our session against RSocket libraries that others wrote, in both roles, over TCP.

Each peer runs a script of this folder and does what a request says: echo, fail, never answer, ask us back. So both
directions are driven from here. What the peers themselves cannot do is said where a test makes room for it.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import anyio.abc
import anyio.lowlevel
import foreign
import pytest
from foreign import BOUND, Peer

from elarian_trio._rsocket import Connection, ErrorCode, Role, Setup
from elarian_trio._session import IncomingRequest, Session, StreamFailed
from elarian_trio._transport import StreamTransport, open_tcp, serve_tcp
from elarian_trio.errors import ConnectionLost, ElarianError, SetupRejected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(foreign.why_not() is not None, reason=str(foreign.why_not())),
]

PEERS = ("js0", "js1", "py")
ROLES = ("client", "server")
INTERVAL, LIFETIME = 10.0, 30.0
FRAGMENT_SIZE = 64 * 1024
MANY = 1000


def command(peer: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Give command and environment of a peer."""
    if peer == "py":
        return foreign.python_command("peer_py.py", *arguments)
    return foreign.node_command(f"peer_{peer}.js", peer, *arguments)


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


class Us:
    """What we do with the peer's requests: echo, but for two words."""

    def __init__(self) -> None:
        self.waiting: list[IncomingRequest] = []
        self.came = anyio.Event()
        self.canceled = anyio.Event()
        self.ended = anyio.Event()
        self.error: Exception | None = None

    def handle(self, request: IncomingRequest) -> None:
        if request.data == b"wait for ever":
            self.waiting.append(request)
            request.on_cancel(self.canceled.set)
            self.came.set()
        elif request.data == b"refuse":
            request.fail(ErrorCode.REJECTED, "not today")
        else:
            request.respond(request.data)

    async def run(self, session: Session, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        """Run *session* and remember how it ended."""
        try:
            await session.run(task_status=task_status)
        except ElarianError as error:
            self.error = error
        finally:
            self.ended.set()

    async def wait(self) -> Exception | None:
        """Wait for the session's end."""
        with anyio.fail_after(BOUND):
            await self.ended.wait()
        return self.error


@asynccontextmanager
async def meeting(
    name: str, role: str, *, credentials: bytes = b"right", interval: float = INTERVAL, lifetime: float = LIFETIME
) -> AsyncIterator[Meeting]:
    """Have our session in *role* meet a peer in the other one."""
    us = Us()
    play = as_client if role == "client" else as_server
    async with anyio.create_task_group() as tasks:
        async with play(tasks, us, name, credentials, interval, lifetime) as met:
            yield met
            met.session.close()
            await us.wait()
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def as_client(
    tasks: anyio.abc.TaskGroup, us: Us, name: str, credentials: bytes, interval: float, lifetime: float
) -> AsyncIterator[Meeting]:
    """Connect to a peer that listens."""
    async with foreign.foreign(*command(name, "server")) as peer:
        transport = await open_tcp("127.0.0.1", await peer.port())
        setup = Setup(credentials, b'{"agent":"test"}', keepalive_interval=interval, keepalive_lifetime=lifetime)
        connection = Connection(Role.CLIENT, setup=setup, fragment_size=FRAGMENT_SIZE)
        session = Session(transport, connection, us.handle)
        with anyio.fail_after(BOUND):
            await tasks.start(us.run, session)
        yield Meeting(session, us, peer)


@asynccontextmanager
async def as_server(
    tasks: anyio.abc.TaskGroup, us: Us, name: str, credentials: bytes, interval: float, lifetime: float
) -> AsyncIterator[Meeting]:
    """Listen, and let a peer connect."""
    sessions: list[Session] = []
    opened = anyio.Event()

    async def judge(setup: Setup) -> None:
        await anyio.lowlevel.checkpoint()
        if setup.data == b"wrong":
            msg = "no such key"
            raise SetupRejected(msg)
        assert setup.metadata == b'{"agent":"test"}'

    async def serve(transport: StreamTransport) -> None:
        session = Session(transport, Connection(Role.SERVER, fragment_size=FRAGMENT_SIZE), us.handle, on_setup=judge)
        sessions.append(session)
        async with anyio.create_task_group() as inner:
            await inner.start(us.run, session)
            opened.set()

    async def listen(*, task_status: anyio.abc.TaskStatus[list[tuple[str, int]]]) -> None:
        await serve_tcp(serve, task_status=task_status)

    (address,) = await tasks.start(listen)
    times = [str(round(each * 1000)) for each in (interval, lifetime)]
    async with foreign.foreign(*command(name, "client", str(address[1]), credentials.decode(), *times)) as peer:
        with anyio.fail_after(BOUND):
            await opened.wait()
        yield Meeting(sessions[0], us, peer)


each_peer = pytest.mark.parametrize("name", PEERS)
both_roles = pytest.mark.parametrize("role", ROLES)


@each_peer
@both_roles
async def test_requests_are_answered_both_ways(name: str, role: str) -> None:
    """RSocket: after the SETUP either end may request."""
    async with meeting(name, role) as met:
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


@each_peer
@both_roles
async def test_a_request_given_up_there_is_canceled_here(name: str, role: str) -> None:
    """RSocket: CANCEL reaches the handler; nothing is sent for that stream any more."""
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
@pytest.mark.parametrize("megabytes", [1, 5])
async def test_large_payloads_pass_both_ways(name: str, role: str, megabytes: int) -> None:
    """RSocket: ours leave in fragments of 64 KiB; the peers' come whole or in fragments, as each of them can."""
    body = bytes(range(256)) * (megabytes * 4096)
    async with meeting(name, role) as met:
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


@each_peer
@both_roles
@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_keepalives_keep_an_idle_connection(name: str, role: str) -> None:
    """RSocket: each end answers the other's KEEPALIVE; nobody is given up within several lifetimes.

    The time is real, as the peer's is.
    """
    async with meeting(name, role, interval=0.5, lifetime=2.0) as met:
        await anyio.sleep(5.0)
        assert not met.us.ended.is_set()
        assert met.session.last_heard is not None
        assert anyio.current_time() - met.session.last_heard < 2.0
        assert 0 <= await met.session.ping() < BOUND
        assert await met.ask("echo", b"still here") == b"still here"
        assert not [line for line in met.peer.said if not line.startswith("READY")]


@each_peer
@both_roles
async def test_the_peer_hears_that_we_leave(name: str, role: str) -> None:
    """RSocket: CONNECTION_CLOSE, then the end; our run() ends without an error."""
    async with meeting(name, role) as met:
        await met.ask("echo", b"hello")
        met.session.close(message="enough")
        assert await met.us.wait() is None
        await met.peer.says("CLOSED")


@each_peer
@both_roles
async def test_we_hear_that_the_peer_leaves(name: str, role: str) -> None:
    """These peers close the socket without a word: the connection is lost, at once."""
    async with meeting(name, role) as met:
        assert await met.ask("leave") == b"bye"
        assert isinstance(await met.us.wait(), ConnectionLost)


@each_peer
async def test_a_server_that_refuses_our_setup_says_why(name: str) -> None:
    """RSocket: REJECTED_SETUP, with the server's words."""
    us = Us()
    async with foreign.foreign(*command(name, "server")) as peer:
        transport = await open_tcp("127.0.0.1", await peer.port())
        setup = Setup(b"wrong", keepalive_interval=INTERVAL, keepalive_lifetime=LIFETIME)
        session = Session(transport, Connection(Role.CLIENT, setup=setup), us.handle)
        with anyio.fail_after(BOUND), pytest.raises(SetupRejected, match="no such key"):
            await session.run()


@each_peer
async def test_a_client_that_we_refuse_hears_why(name: str) -> None:
    """RSocket: REJECTED_SETUP, flushed before the connection is closed."""
    us = Us()

    async def judge(_: Setup) -> None:
        await anyio.lowlevel.checkpoint()
        msg = "no such key"
        raise SetupRejected(msg)

    async def serve(transport: StreamTransport) -> None:
        await Session(transport, Connection(Role.SERVER), us.handle, on_setup=judge).run()

    async def listen(*, task_status: anyio.abc.TaskStatus[list[tuple[str, int]]]) -> None:
        await serve_tcp(serve, task_status=task_status)

    async with anyio.create_task_group() as tasks:
        (address,) = await tasks.start(listen)
        async with foreign.foreign(*command(name, "client", str(address[1]), "wrong", "10000", "30000")) as peer:
            await peer.says("CLOSED")
            await peer.says("no such key")
        tasks.cancel_scope.cancel()
