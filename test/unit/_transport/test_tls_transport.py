"""TLS: whom a client believes, what a server asks for, and what becomes of those who speak something else."""

from __future__ import annotations

import logging
import ssl
import warnings
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
import trustme
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.tls import TLSAttribute, TLSStream
from byte_pipes import PipeEnd
from loopback import needs_ipv6

from elarian_trio._transport import StreamTransport, open_tcp, serve_tcp
from elarian_trio._transport.tls import TlsStream, _InTurn, client_context, secure_client, server_context
from elarian_trio.errors import ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from elarian_trio._transport import FrameTransport

pytestmark = pytest.mark.anyio

BOUND = 5.0  # seconds that anything awaited in a test may take
AUTHORITY = trustme.CA()


def believing(authority: trustme.CA = AUTHORITY) -> ssl.SSLContext:
    """Make a client's context that believes *authority* alone."""
    context = client_context()
    given: Any = authority
    given.configure_trust(context)
    return context


def vouched(*names: str, authority: trustme.CA = AUTHORITY, not_after: datetime | None = None) -> ssl.SSLContext:
    """Make a server's context, vouched for under *names*."""
    certificate: Any = authority.issue_cert(*names, not_after=not_after)
    context = server_context()
    certificate.configure_cert(context)
    return context


@asynccontextmanager
async def echoing(context: ssl.SSLContext | None, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """Serve connections that send every frame back; gives the port."""

    async def serve(transport: FrameTransport) -> None:
        try:
            while True:
                await transport.send_frames(await transport.receive_frames())
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return

    async with anyio.create_task_group() as tasks:
        addresses = await tasks.start(partial(serve_tcp, serve, host=host, ssl_context=context))
        with anyio.fail_after(BOUND):
            yield addresses[0][1]
        tasks.cancel_scope.cancel()


async def opened(port: int, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> StreamTransport:
    """Connect as a client that believes the authority of these tests."""
    return await open_tcp(host, port, tls=True, ssl_context=context or believing())


async def read_to_the_end(stream: SocketStream) -> None:
    """Read until the server has closed, in whichever way."""
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        while True:
            await stream.receive()


async def connecting_fails(host: str, port: int, context: ssl.SSLContext | None) -> str:
    """Give the words with which a connection that is not to be fails."""
    with anyio.fail_after(BOUND), pytest.raises(ConnectionFailed) as caught:
        await open_tcp(host, port, tls=True, ssl_context=context)
    assert caught.value.__cause__ is not None
    return str(caught.value)


# --- whom a client believes ---


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", pytest.param("::1", marks=needs_ipv6)])
async def test_server_is_believed_by_name_and_by_address(host: str) -> None:
    """RFC 6125: the name or address that was dialled must stand in the certificate."""
    async with echoing(vouched(host), host) as port, await opened(port, host=host) as transport:
        await transport.send(b"secretly")
        assert await transport.receive() == b"secretly"


async def test_server_is_told_the_name_that_was_dialled() -> None:
    """RFC 6066 §3, SNI: a server of many names has to know which one is asked for. An address is not sent."""
    asked: list[str | None] = []
    context = vouched("localhost", "127.0.0.1")

    def note(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        asked.append(name)

    context.sni_callback = note
    async with echoing(context, "127.0.0.1") as port:
        for host in ("localhost", "127.0.0.1"):
            await (await opened(port, host=host)).aclose()
    assert asked == ["localhost", None]


async def test_stranger_is_not_believed() -> None:
    """The design: TLS verifies by default; the words are the library's and say what was wrong."""
    async with echoing(vouched("127.0.0.1")) as port:
        assert "certificate verify failed" in await connecting_fails("127.0.0.1", port, None)
        assert "certificate verify failed" in await connecting_fails("127.0.0.1", port, believing(trustme.CA()))


async def test_right_authority_for_another_name_is_not_believed() -> None:
    """RFC 6125: a certificate for somebody else is no certificate."""
    async with echoing(vouched("elsewhere.example")) as port:
        assert "not valid for '127.0.0.1'" in await connecting_fails("127.0.0.1", port, believing())
        assert "mismatch" in await connecting_fails("localhost", port, believing())


async def test_expired_certificate_is_not_believed() -> None:
    """RFC 5280: validity ends."""
    context = vouched("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC))
    async with echoing(context) as port:
        assert "expired" in await connecting_fails("127.0.0.1", port, believing())


async def test_context_of_the_users_decides_instead() -> None:
    """The design, ``ssl_context``: theirs is theirs, also where it believes everybody."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    async with echoing(vouched("elsewhere.example")) as port, await opened(port, trusting) as transport:
        await transport.send(b"whoever you are")
        assert await transport.receive() == b"whoever you are"


def test_contexts_of_ours_verify_and_refuse_what_is_older_than_tls_1_2() -> None:
    """The design: minimum TLS 1.2, verifying by default, whatever the interpreter's own defaults are."""
    assert client_context().minimum_version == server_context().minimum_version == ssl.TLSVersion.TLSv1_2
    assert client_context().verify_mode is ssl.CERT_REQUIRED
    assert client_context().check_hostname


def old(context: ssl.SSLContext) -> ssl.SSLContext:
    """Have *context* speak TLS 1.1 and nothing else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


async def test_server_of_tls_1_1_is_refused() -> None:
    """The design: minimum TLS 1.2."""
    async with echoing(old(vouched("127.0.0.1"))) as port:
        assert "could not connect" in await connecting_fails("127.0.0.1", port, believing())


async def test_client_of_tls_1_1_is_refused() -> None:
    """The design: minimum TLS 1.2."""
    async with echoing(vouched("127.0.0.1")) as port:
        assert "could not connect" in await connecting_fails("127.0.0.1", port, old(believing()))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_both_versions_carry_large_frames_both_ways(version: ssl.TLSVersion) -> None:
    """This SDK: five megabytes, in one write, there and back, at once."""
    context = believing()
    context.maximum_version = context.minimum_version = version
    frame = bytes(range(256)) * 20_000
    async with (
        echoing(vouched("127.0.0.1")) as port,
        await opened(port, context) as transport,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(transport.send, frame)
        assert await transport.receive() == frame


# --- those who speak something else ---


async def test_failed_handshakes_cost_their_own_connection_and_one_line_each(caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: no traceback for each scanner that passes, and the others are served."""
    caplog.set_level(logging.INFO)
    async with echoing(vouched("127.0.0.1")) as port:
        async with await anyio.connect_tcp("127.0.0.1", port) as plain:
            await plain.send(b"\0\0\x06frames in the clear")
            await read_to_the_end(plain)
        async with await anyio.connect_tcp("127.0.0.1", port) as silent:
            await silent.send_eof()
            await read_to_the_end(silent)
        await connecting_fails("127.0.0.1", port, None)
        async with await opened(port) as transport:
            await transport.send(b"served")
            assert await transport.receive() == b"served"
    told = [record for record in caplog.records if record.name.startswith("elarian_trio")]
    assert len(told) == 3
    assert all(record.exc_info is None and "\n" not in record.getMessage() for record in told)
    assert not [record for record in caplog.records if record.name.startswith("anyio")]


async def test_server_that_speaks_no_tls_is_a_failed_connection() -> None:
    """This SDK: a client of ours at a plain port, whose server makes nothing of it and closes."""

    async def babble(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(b"\0\0\x0a\0\0\0\0\x2c\0\0\0\1\1 what")

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, babble)
        port = listener.extra(SocketAttribute.local_port)
        assert "could not connect" in await connecting_fails("127.0.0.1", port, believing())
        tasks.cancel_scope.cancel()


async def test_server_that_closes_during_the_handshake_is_a_failed_connection() -> None:
    """This SDK: and the words say so."""

    async def hang_up(stream: SocketStream) -> None:
        await stream.receive()
        await stream.aclose()

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, hang_up)
        port = listener.extra(SocketAttribute.local_port)
        assert "closed the connection" in await connecting_fails("127.0.0.1", port, believing())
        tasks.cancel_scope.cancel()


# --- errors in anyio's words ---


@asynccontextmanager
async def shaken() -> AsyncIterator[tuple[TlsStream, TlsStream, PipeEnd, PipeEnd]]:
    """Join a client and a server that have shaken hands, over pipes that a test may spoil."""
    near, far = PipeEnd.pair()
    server: list[TlsStream] = []

    async def shake() -> None:
        stream = await TLSStream.wrap(
            far, server_side=True, ssl_context=vouched("localhost"), standard_compatible=False
        )
        server.append(TlsStream(stream))

    with anyio.fail_after(BOUND):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(shake)
            client = await secure_client(near, "localhost", believing())
        async with client, server[0]:
            yield client, server[0], near, far


async def test_spoiled_bytes_are_a_broken_connection() -> None:
    """anyio: what a stream raises is BrokenResourceError; its TLS lets the library's own errors through."""
    async with shaken() as (client, _, __, far):
        await far.send(b"\x17\x03\x03\x00\x20" + bytes(32))
        with pytest.raises(anyio.BrokenResourceError) as caught:
            await client.receive()
        assert isinstance(caught.value.__cause__, ssl.SSLError)
        with pytest.raises(anyio.BrokenResourceError):
            await client.send(b"after that")


async def test_one_read_gives_all_the_records_that_have_come() -> None:
    """Past bug: one at a time without a checkpoint, they had a server act on them all before its first answer left."""
    async with shaken() as (client, server, _, __):
        for item in (b"one", b"two", b"three"):
            await server.send(item)
        assert await client.receive() == b"onetwothree"


async def test_read_gives_no_more_than_it_was_asked_for() -> None:
    """anyio: *max_bytes*, also where several records have come; what is left waits for the next read."""
    async with shaken() as (client, server, _, __):
        for item in (b"one", b"two", b"three"):
            await server.send(item)
        assert [await client.receive(size) for size in (3, 5, 2, 9)] == [b"one", b"twoth", b"re", b"e"]


async def test_what_came_before_spoiled_bytes_is_still_read() -> None:
    """This SDK: as over TCP; and the next read says that the connection is broken, not that it has ended."""
    async with shaken() as (client, server, _, far):
        await server.send(b"good")
        await far.send(b"\x17\x03\x03\x00\x20" + bytes(32))
        assert await client.receive() == b"good"
        with pytest.raises(anyio.BrokenResourceError):
            await client.receive()


async def test_what_came_before_tls_goodbye_is_still_read() -> None:
    """This SDK: as over TCP. We skip TLS's own word for the end, but others say it right behind their last."""
    async with shaken() as (client, server, _, __), anyio.create_task_group() as tasks:
        await server.send(b"last")
        with suppress(ssl.SSLWantReadError):  # it asks for the client's goodbye, which does not come
            server.extra(TLSAttribute.ssl_object).unwrap()
        tasks.start_soon(server.receive)  # which first sends what the library wants sent
        await anyio.wait_all_tasks_blocked()
        assert await client.receive() == b"last"
        with anyio.fail_after(BOUND), pytest.raises(anyio.EndOfStream):
            await client.receive()
        tasks.cancel_scope.cancel()


async def test_end_without_tls_goodbye_is_an_end() -> None:
    """This SDK: RSocket frames say where they end; many peers skip TLS's closing handshake."""
    async with shaken() as (client, _, __, far):
        await far.aclose()
        with pytest.raises(anyio.EndOfStream):
            await client.receive()


async def test_one_direction_may_end_while_the_other_is_still_read() -> None:
    """This SDK: a session ends its direction and lets its peer close first; without, leaving took half a second."""
    async with shaken() as (client, server, _, __):
        await server.send(b"under way")
        await client.send(b"last")
        await client.send_eof()
        assert await server.receive() == b"last"
        with pytest.raises(anyio.EndOfStream):
            await server.receive()
        await server.aclose()
        assert await client.receive() == b"under way"
        with pytest.raises(anyio.EndOfStream):
            await client.receive()


async def test_reader_may_answer_while_a_write_is_under_way() -> None:
    """A peer of TLS 1.3 asks for new keys at any time: refused at once, that ended a session as if by a defect."""
    near, far = PipeEnd.pair(room=10)
    turns = _InTurn(near)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(turns.send, b"a" * 25)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(turns.send, b"b" * 5)
        await anyio.wait_all_tasks_blocked()
        seen = b""
        with anyio.fail_after(BOUND):
            while len(seen) < 30:
                seen += await far.receive()
    assert seen == b"a" * 25 + b"b" * 5


async def test_end_of_what_is_underneath_passes_through() -> None:
    """anyio: a stream in between hides nothing."""
    near, far = PipeEnd.pair()
    turns = _InTurn(near)
    await turns.send_eof()
    with pytest.raises(anyio.EndOfStream):
        await far.receive()
    await far.send(b"still")
    assert await turns.receive() == b"still"
    await turns.aclose()
    assert near.is_closed


async def test_transport_over_tls_tells_of_socket_and_certificate() -> None:
    """Anyio's typed attributes: of all the layers."""
    async with echoing(vouched("127.0.0.1")) as port, await opened(port) as transport:
        assert transport.extra(TLSAttribute.tls_version) == "TLSv1.3"
        assert transport.extra(SocketAttribute.remote_port) == port
