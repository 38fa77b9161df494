"""The fault proxy does to sockets, to the byte, what it is told to."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import pytest
from faulty import FOREVER, Fault, Kind, Plan, Plans, Way, cut, first_of, sound
from peers import BOUND
from proxy import Proxy, open_proxy

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from anyio.abc import SocketStream

pytestmark = pytest.mark.anyio

DATA = bytes(range(256)) * 8


class Server:
    """Keeps what arrives, by connection, and how each ended."""

    def __init__(self) -> None:
        self.endpoint = ""
        self.streams: list[SocketStream] = []
        self.heard: list[bytes] = []
        self.ends: list[type[BaseException] | None] = []
        self.changed = anyio.Event()

    async def serve(self, stream: SocketStream) -> None:
        """Take one connection, and hear it to its end."""
        number = len(self.streams)
        self.streams.append(stream)
        self.heard.append(b"")
        self.ends.append(None)
        self._note()
        try:
            while True:
                self.heard[number] += await stream.receive()
                self._note()
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            self.ends[number] = type(error)
        self._note()

    def _note(self) -> None:
        self.changed.set()
        self.changed = anyio.Event()

    async def until_ended(self, number: int = 0) -> None:
        """Wait for a connection's end."""
        with anyio.fail_after(BOUND):
            while len(self.ends) <= number or self.ends[number] is None:
                await self.changed.wait()

    async def until_heard(self, count: int, number: int = 0) -> None:
        """Wait for so many bytes."""
        with anyio.fail_after(BOUND):
            while len(self.heard) <= number or len(self.heard[number]) < count:
                await self.changed.wait()


@asynccontextmanager
async def proxied(plans: Plans = sound) -> AsyncGenerator[tuple[Server, Proxy]]:
    """Put a proxy before a server."""
    server = Server()
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, server.serve)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with open_proxy(f"tcp://127.0.0.1:{port}", plans) as proxy:
            yield server, proxy
        for stream in server.streams:
            await stream.aclose()
        tasks.cancel_scope.cancel()


async def connect(proxy: Proxy) -> SocketStream:
    """Open a connection by the proxy."""
    return await anyio.connect_tcp("127.0.0.1", proxy.port)


async def rest_of(stream: SocketStream) -> tuple[bytes, type[BaseException]]:
    """Give all that arrives, and how it ends."""
    data = b""
    with anyio.fail_after(BOUND):
        try:
            while True:
                data += await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError) as error:
            return data, type(error)


async def test_bytes_pass_both_ways_and_ends_too() -> None:
    """This proxy: without a fault it is not there."""
    async with proxied() as (server, proxy), await connect(proxy) as client:
        await client.send(DATA)
        await server.until_heard(len(DATA))
        await client.send_eof()
        await server.until_ended()
        await server.streams[0].send(DATA[::-1])
        await server.streams[0].send_eof()
        assert await rest_of(client) == (DATA[::-1], anyio.EndOfStream)
        assert server.heard == [DATA]
        assert server.ends == [anyio.EndOfStream]
        assert str(proxy.record) == "1 connections, 0 refused, 0 cuts (none)"


@pytest.mark.parametrize("at", [0, 1, 2, 255, 1000, len(DATA)])
@pytest.mark.parametrize("kind", [Kind.CUT, Kind.END])
async def test_cut_upwards_passes_exactly_so_many_bytes(kind: Kind, at: int) -> None:
    """This proxy: and both ends see the loss, abrupt or orderly."""
    async with proxied(first_of(Plan(0, (cut("up", at, kind),)))) as (server, proxy):
        async with await connect(proxy) as client:
            await client.send(DATA)
            assert (await rest_of(client))[0] == b""
        await server.until_ended()
        assert server.heard == [DATA[:at]]
        assert server.ends == [anyio.EndOfStream if kind is Kind.END else anyio.BrokenResourceError]
        assert proxy.record.cuts == 1


@pytest.mark.parametrize("pieces", [(), (1, 5)])
@pytest.mark.parametrize("at", [0, 1, 255, len(DATA)])
@pytest.mark.parametrize("kind", [Kind.CUT, Kind.END])
async def test_cut_downwards_passes_exactly_so_many_bytes(kind: Kind, at: int, pieces: tuple[int, ...]) -> None:
    """This proxy: the same the other way, however the bytes are cut."""
    async with proxied(first_of(Plan(0, (cut("down", at, kind),), pieces=pieces))) as (server, proxy):
        async with await connect(proxy) as client:
            if at:
                await client.send(b"x")
                await server.until_heard(1)
                await server.streams[0].send(DATA)
            heard, how = await rest_of(client)
            assert heard == DATA[:at]
            assert how is (anyio.EndOfStream if kind is Kind.END else anyio.BrokenResourceError)
        await server.until_ended()


async def test_vanished_connection_is_open_for_the_server() -> None:
    """This proxy: half-open sockets are made like this."""
    async with proxied(first_of(Plan(0, (cut("up", 5, Kind.VANISH),)))) as (server, proxy):
        async with await connect(proxy) as client:
            await client.send(DATA)
            assert (await rest_of(client))[0] == b""
        await server.until_heard(5)
        await server.streams[0].send(DATA)  # nobody says no
        assert server.ends == [None]
    await server.until_ended()


async def test_half_close_ends_one_way() -> None:
    """This proxy: the other goes on."""
    half = Plan(0, (Fault(Kind.HALF_CLOSE, Way.UP, 5),))
    async with proxied(first_of(half)) as (server, proxy), await connect(proxy) as client:
        await client.send(DATA)
        await server.until_ended()
        assert (server.heard, server.ends) == ([DATA[:5]], [anyio.EndOfStream])
        await server.streams[0].send(DATA)
        await server.streams[0].aclose()
        assert await rest_of(client) == (DATA, anyio.EndOfStream)


async def test_stall_holds_what_comes_behind_it_and_garbled_bytes_arrive_flipped() -> None:
    """This proxy: one way for ever, the other for a moment."""
    plan = Plan(
        0,
        (
            Fault(Kind.GARBLE, Way.UP, 1, 0xF0),
            Fault(Kind.STALL, Way.UP, 5, FOREVER),
            Fault(Kind.STALL, Way.DOWN, 5, 0.01),
        ),
        delay=0.001,
        linger=2,
    )
    async with proxied(first_of(plan)) as (server, proxy), await connect(proxy) as client:
        await client.send(DATA)
        await server.until_heard(5)
        await server.streams[0].send(DATA)
        with anyio.fail_after(BOUND):
            heard = b""
            while len(heard) < len(DATA):
                heard += await client.receive()
        assert heard == DATA
        assert server.heard == [bytes([DATA[0], DATA[1] ^ 0xF0]) + DATA[2:5]]
        await server.streams[0].aclose()


async def test_refused_connection_is_reset_and_a_proxy_that_is_down_has_no_port() -> None:
    """This proxy: it comes back where it was."""
    async with proxied(first_of(Plan(0, refused=True))) as (server, proxy):
        async with await connect(proxy) as client:
            assert await rest_of(client) == (b"", anyio.BrokenResourceError)
        port = proxy.port
        proxy.go_down()
        with pytest.raises(OSError, match="connect"):
            await connect(proxy)
        proxy.come_up()
        assert proxy.port == port
        async with await connect(proxy) as client:
            await client.send(b"hello")
            await server.until_heard(5)
            proxy.cut_all()
            assert (await rest_of(client))[1] is anyio.BrokenResourceError
        assert str(proxy.record) == "2 connections, 1 refused, 1 cuts (1 cut)"


async def test_server_that_is_gone_is_gone_by_the_proxy_as_well() -> None:
    """This proxy: who dials through it sees a connection that is reset."""
    async with proxied() as (_, proxy):
        pass
    async with open_proxy(f"tcp://127.0.0.1:{proxy.port}") as another, await connect(another) as client:
        assert await rest_of(client) == (b"", anyio.BrokenResourceError)
