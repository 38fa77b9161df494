"""Peers that take their time: what transports and handshakes wait for is bounded. In virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trio.testing
from byte_pipes import PipeEnd
from websocket_peers import a_protocol

from elarian_trio._transport.sockets import HANDSHAKE_TIMEOUT
from elarian_trio._transport.tls import secure_server, server_context
from elarian_trio._transport.upgrade import LINGER_TIMEOUT, _grant
from elarian_trio._transport.websocket import ANSWER_TIMEOUT, CLOSE_TIMEOUT, WebSocketTransport
from elarian_trio.errors import ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Virtual time is Trio's alone."""
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


async def seconds_for(call: Callable[[], Awaitable[object]]) -> float:
    """Say how long *call* takes."""
    start = anyio.current_time()
    with anyio.fail_after(3600):
        await call()
    return anyio.current_time() - start


async def test_peer_that_floods_with_pings_and_takes_no_answer_is_dropped() -> None:
    """This SDK: the reader never waits for ever, and what it keeps meanwhile is bounded."""
    near, far = PipeEnd.pair(room=1000)
    peer = a_protocol("server")

    async def flood() -> None:
        while True:
            peer.send_ping(bytes(100))
            await far.send(b"".join(peer.data_to_send()))

    async def read() -> None:
        with pytest.raises(anyio.BrokenResourceError, match="does not take them"):
            await ours.receive_frames()

    ours = WebSocketTransport(near, a_protocol("client"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(flood)
        assert await seconds_for(read) == ANSWER_TIMEOUT
        tasks.cancel_scope.cancel()
    assert await seconds_for(ours.aclose) == 0.0


async def test_closing_does_not_wait_long_for_a_peer_that_does_not_read() -> None:
    """This SDK: half a second for the goodbye, within what a session allows."""
    near, _ = PipeEnd.pair(room=1)
    ours = WebSocketTransport(near, a_protocol("client"))
    assert await seconds_for(ours.aclose) == CLOSE_TIMEOUT
    assert near.is_closed


async def test_client_that_never_asks_for_its_websocket_is_not_waited_for() -> None:
    """This SDK: 10 s for the opening handshake."""
    near, far = PipeEnd.pair()
    await far.send(b"GET / HTTP/1.1\r\n")

    async def grant() -> None:
        with pytest.raises(ConnectionFailed, match="10 s"):
            await _grant(near)

    assert await seconds_for(grant) == HANDSHAKE_TIMEOUT


async def test_refused_client_that_stays_is_left_after_a_moment() -> None:
    """This SDK: a refused client has half a second to read why."""
    near, far = PipeEnd.pair()
    await far.send(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")

    async def grant() -> None:
        with pytest.raises(ConnectionFailed, match="no WebSocket"):
            await _grant(near)

    assert await seconds_for(grant) == LINGER_TIMEOUT
    assert (await far.receive()).startswith(b"HTTP/1.1 426 ")


async def test_client_that_never_shakes_hands_over_tls_is_not_waited_for() -> None:
    """This SDK: 10 s for the TLS handshake."""
    near, far = PipeEnd.pair()
    await far.send(b"\x16\x03\x01")

    async def shake() -> None:
        with pytest.raises(ConnectionFailed, match="10 s"):
            await secure_server(near, server_context(), HANDSHAKE_TIMEOUT)

    assert await seconds_for(shake) == HANDSHAKE_TIMEOUT
