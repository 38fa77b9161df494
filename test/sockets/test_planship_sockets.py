"""Planship's client over real sockets: requests to the byte, TLS, proxies, and what becomes of them when it is left."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trustme
from anyio.abc import SocketAttribute, SocketStream
from planship_server import serving

from elarian_trio.errors import ConnectionLost, PlanshipError
from elarian_trio.planship import HttpOptions, PlanshipCustomer, Reconnects

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import ByteStream

pytestmark = pytest.mark.anyio

BOUND = 5.0  # seconds that anything awaited in a test may take
AUTHORITY = trustme.CA()


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a server's context, and a client's that believes it."""
    theirs, ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    given: Any = AUTHORITY
    given.issue_cert("127.0.0.1").configure_cert(theirs)
    given.configure_trust(ours)
    return theirs, ours


async def test_requests_are_these_to_the_byte() -> None:
    """The facts, sections 4 and 5: as they leave the machine."""
    with anyio.fail_after(BOUND):
        async with (
            serving(state={"n": 0}) as server,
            PlanshipCustomer("p", "c/é", **server.credentials) as planship,
        ):
            await planship.get_entitlements()
            with pytest.raises(PlanshipError, match="404"):
                await planship.report_usage("m +", 3, bucket="b")
    host = f"Host: 127.0.0.1:{server.port}\r\n"
    ours = "accept: application/json\r\nuser-agent: elarian-trio\r\n"
    usage = "/api/v1/customers/c%2F%C3%A9/products/p/usage/m%20%2B"
    assert b"".join(server.raw).decode() == (
        f"POST /api/v1/auth/token HTTP/1.1\r\n{host}Content-Length: 0\r\n{ours}"
        "authorization: Basic SUQ6U0VDUkVU\r\n\r\n"
        f"GET /api/v1/customers/c%2F%C3%A9/products/p/entitlements HTTP/1.1\r\n{host}{ours}"
        "authorization: Bearer t1\r\n\r\n"
        f"POST {usage} HTTP/1.1\r\n{host}{ours}content-type: application/json\r\nauthorization: Bearer t1\r\n"
        'Content-Length: 24\r\n\r\n{"usage":3,"bucket":"b"}'
    )


async def test_a_hundred_calls_with_an_expired_token_need_one_more() -> None:
    """Issue 5: one refresh, 0 failures, over a hundred connections."""
    with anyio.fail_after(BOUND):
        async with (
            serving(state={"n": 0}) as server,
            PlanshipCustomer("p", "c", **server.credentials) as planship,
        ):
            await planship.get_entitlements()
            server.valid.clear()
            async with anyio.create_task_group() as tasks:
                for _ in range(100):
                    tasks.start_soon(planship.get_entitlements)
    assert server.tokens == 2


async def test_updates_come_by_tls() -> None:
    """This SDK: the user's own context holds for https and wss alike."""
    theirs, ours = contexts()
    with anyio.fail_after(BOUND):
        async with (
            serving(theirs, state={"n": 0}) as server,
            PlanshipCustomer("p", "c", **server.credentials, options=HttpOptions(ssl_context=ours)) as planship,
            planship.entitlement_updates() as updates,
        ):
            assert await updates.receive() == {"n": 0}
            server.change(n=1)
            assert await updates.receive() == {"n": 1}
        assert server.all_sockets[0].closed_by_client == 1000


@asynccontextmanager
async def tunnelling() -> AsyncIterator[tuple[int, list[bytes]]]:
    """Play an HTTP proxy that opens tunnels."""
    asked: list[bytes] = []

    async def carry(source: ByteStream, sink: ByteStream) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            while True:
                await sink.send(await source.receive())

    async def serve(stream: SocketStream) -> None:
        async with stream:
            line = (await stream.receive()).split(b"\r\n", maxsplit=1)[0]
            asked.append(line)
            host, _, port = line.split()[1].decode().partition(":")
            async with await anyio.connect_tcp(host, int(port)) as beyond, anyio.create_task_group() as tasks:
                await stream.send(b"HTTP/1.1 200 OK\r\n\r\n")
                tasks.start_soon(carry, stream, beyond)
                await carry(beyond, stream)
                tasks.cancel_scope.cancel()

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        yield listener.extra(SocketAttribute.local_port), asked
        tasks.cancel_scope.cancel()


async def test_updates_go_by_the_proxy() -> None:
    """This SDK: the WebSocket takes the way of every request."""
    theirs, ours = contexts()
    with anyio.fail_after(BOUND):
        async with serving(theirs, state={"n": 0}) as server, tunnelling() as (port, asked):
            options = HttpOptions(ssl_context=ours, proxy=f"http://127.0.0.1:{port}")
            async with (
                PlanshipCustomer("p", "c", **server.credentials, options=options) as planship,
                planship.entitlement_updates() as updates,
            ):
                assert await updates.receive() == {"n": 0}
                server.change(n=1)
                assert await updates.receive() == {"n": 1}
    assert asked == [f"CONNECT 127.0.0.1:{server.port} HTTP/1.1".encode()] * 2


async def test_updates_that_came_with_the_handshake_are_not_lost() -> None:
    """RFC 6455: a service may speak at once, and a network may join what it says."""
    with anyio.fail_after(BOUND):
        async with (
            serving(state={"n": 0}, snapshot=True) as server,
            PlanshipCustomer("p", "c", **server.credentials) as planship,
        ):
            for _ in range(20):
                async with planship.entitlement_updates() as updates:
                    assert await updates.receive() == {"n": 0}


async def test_call_under_way_ends_with_the_block() -> None:
    """This SDK: whoever still waits is told, and no socket is left."""
    async with serving() as server, anyio.create_task_group() as tasks:
        is_asked = anyio.Event()

        async def stall(_: object) -> None:
            is_asked.set()
            await anyio.sleep_forever()

        async def ask(planship: PlanshipCustomer) -> None:
            with pytest.raises(ConnectionLost) as caught:
                await planship.get_access_token()
            assert caught.value.sent is True

        server.answer = stall
        with anyio.fail_after(BOUND):
            async with PlanshipCustomer("p", "c", **server.credentials) as planship:
                tasks.start_soon(ask, planship)
                await is_asked.wait()


async def test_server_that_comes_up_late_is_found() -> None:
    """D22 of the facts: without connection the updates wait."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    port = listener.extra(SocketAttribute.local_port)
    await listener.aclose()
    with anyio.fail_after(BOUND):
        async with serving(state={"n": 3}) as server:
            urls = {**server.credentials, "web_socket_url": f"ws://127.0.0.1:{port}"}
            async with (
                PlanshipCustomer("p", "c", **urls, reconnects=Reconnects(first=0.001, cap=0.001)) as planship,
                planship.entitlement_updates() as updates,
            ):
                while server.tokens < 3:
                    await anyio.lowlevel.checkpoint()
                late = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port)
                async with late, anyio.create_task_group() as tasks:
                    tasks.start_soon(late.serve, server.serve)
                    assert await updates.receive() == {"n": 3}
                    tasks.cancel_scope.cancel()
