"""Frames over real sockets: framing across reads, errors in the package's own words, nothing allocated ahead."""

from __future__ import annotations

import socket
import ssl
import tracemalloc
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trustme
from anyio.abc import SocketAttribute, SocketStream
from byte_pipes import PipeEnd
from loopback import needs_ipv6

from elarian_trio._transport import StreamTransport, open_tcp, serve_tcp
from elarian_trio._transport.sockets import _accept, _send_at_once
from elarian_trio.errors import ConnectionFailed, ConnectionLost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import ByteStream

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def echoing_server(ssl_context: ssl.SSLContext | None = None) -> AsyncIterator[tuple[str, int]]:
    """Serve connections that send every frame back."""

    async def serve(transport: StreamTransport) -> None:
        try:
            while True:
                await transport.send_frames(await transport.receive_frames())
        except anyio.EndOfStream:
            return

    async with anyio.create_task_group() as tasks:

        async def listen(*, task_status: anyio.abc.TaskStatus[list[tuple[str, int]]]) -> None:
            await serve_tcp(serve, ssl_context=ssl_context, task_status=task_status)

        (address,) = await tasks.start(listen)
        with anyio.fail_after(5):
            yield address
        tasks.cancel_scope.cancel()


def both_addresses(host: str | bytes | None, port: int, *_: object, **__: object) -> list[tuple[Any, ...]]:
    """Look "localhost" up as a machine does that has it in both families; addresses are themselves."""
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port)),
        (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("::1", port, 0, 0)),
    ]
    return [each for each in found if host in ("localhost", b"localhost", each[4][0])]


@asynccontextmanager
async def raw_and_ours() -> AsyncIterator[tuple[SocketStream, StreamTransport]]:
    """Join a plain socket of the test's and a transport of ours."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener:
        port = listener.extra(SocketAttribute.local_port)
        ours = await open_tcp("127.0.0.1", port)
        accepting: Any = listener.listeners[0]  # whose accept() its type does not tell
        raw: SocketStream = await accepting.accept()
        async with raw, ours:
            with anyio.fail_after(5):
                yield raw, ours


async def test_frames_come_back() -> None:
    """RSocket over TCP: many frames, and one larger than any read."""
    frames = [b"header" + bytes(size) for size in (0, 1, 70_000, 5)]
    async with echoing_server() as address, await open_tcp(*address) as transport:
        await transport.send_frames(frames)
        back: list[bytes] = []
        while len(back) < len(frames):
            back += await transport.receive_frames()
    assert back == frames


async def test_one_read_gives_all_its_frames() -> None:
    """RSocket: many frames in one read."""
    async with raw_and_ours() as (raw, ours):
        await raw.send(b"".join(b"\0\0\x06" + b"frame%d" % n for n in range(9)))
        received: list[bytes] = []
        reads = 0
        while len(received) < 9:
            received += await ours.receive_frames()
            reads += 1
    assert received == [b"frame%d" % n for n in range(9)]
    assert reads == 1


async def test_frame_that_comes_byte_by_byte_is_whole() -> None:
    """RSocket: byte-by-byte delivery."""
    async with raw_and_ours() as (raw, ours), anyio.create_task_group() as tasks:

        async def drip() -> None:
            for byte in b"\0\0\x08dripping\0\0":
                await raw.send(bytes([byte]))

        tasks.start_soon(drip)
        assert await ours.receive_frames() == [b"dripping"]


async def test_huge_length_is_not_allocated_before_its_bytes_come() -> None:
    """This SDK: a length prefix of 16,777,215 with few bytes behind it."""
    async with raw_and_ours() as (raw, ours):
        tracemalloc.start()
        try:
            await raw.send(b"\xff\xff\xff" + b"few")
            with anyio.move_on_after(0.05):
                await ours.receive_frames()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    print(f"peak with a length of 16777215 and 3 bytes: {peak} bytes")  # noqa: T201 - a figure to look at
    assert peak < 1_000_000


async def test_end_in_the_middle_of_a_frame_is_an_end() -> None:
    """RSocket and its peers: bytes of a frame cut in the middle are thrown away."""
    async with raw_and_ours() as (raw, ours):
        await raw.send(b"\0\0\x08half")
        await raw.aclose()
        with pytest.raises(anyio.EndOfStream):
            await ours.receive_frames()


async def test_nagle_is_off_on_both_ends() -> None:
    """This SDK: TCP_NODELAY is set."""
    served: list[int] = []

    async def serve(transport: StreamTransport) -> None:
        raw = transport.extra(SocketAttribute.raw_socket)
        served.append(raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        await transport.send(b"served")

    async with anyio.create_task_group() as tasks:

        async def listen(*, task_status: anyio.abc.TaskStatus[list[tuple[str, int]]]) -> None:
            await serve_tcp(serve, task_status=task_status)

        (address,) = await tasks.start(listen)
        with anyio.fail_after(5):
            async with await open_tcp(*address) as transport:
                raw = transport.extra(SocketAttribute.raw_socket)
                assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                assert await transport.receive() == b"served"
        tasks.cancel_scope.cancel()
    assert served[0]


def test_connection_that_was_reset_on_arrival_is_no_error_of_the_option() -> None:
    """A connection that its peer has reset refuses TCP_NODELAY on macOS; raised, that cost a server all the others."""
    with socket.socket() as refusing:
        refusing.close()
        stream: Any = SimpleNamespace(extra=lambda _: refusing)
        _send_at_once(stream)
        with pytest.raises(OSError, match=r"."):
            refusing.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_connection_that_cannot_be_taken_in_is_no_reason_to_stop_listening(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """This SDK: too many open files, or a reset on arrival on macOS, ended the server for everybody."""
    served = anyio.Event()
    near, _ = PipeEnd.pair()

    class Busy:
        def __init__(self) -> None:
            self.results: list[Any] = [OSError(24, "Too many open files"), near]

        async def accept(self) -> Any:  # noqa: ANN401 - a stream
            await anyio.lowlevel.checkpoint()
            if not self.results:
                await anyio.sleep_forever()
            result = self.results.pop(0)
            if isinstance(result, OSError):
                raise result
            return result

    async def serve(stream: ByteStream) -> None:
        assert stream is near
        served.set()
        await anyio.lowlevel.checkpoint()

    listener: Any = Busy()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_accept, listener, serve)
        with anyio.fail_after(5):
            await served.wait()
        tasks.cancel_scope.cancel()
    assert "Too many open files" in caplog.text


async def test_nobody_there_is_connection_failed() -> None:
    """The error tree: foreign errors are translated at one boundary, from the cause, and the address is named."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(ConnectionFailed, match=f"127.0.0.1:{port}") as caught:
            await open_tcp("127.0.0.1", port)
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


async def test_name_that_does_not_exist_is_connection_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error tree: a failed name lookup is one way of not reaching anybody."""

    async def fail(*_: object, **__: object) -> None:
        await anyio.lowlevel.checkpoint()
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(anyio, "connect_tcp", fail)
    with pytest.raises(ConnectionFailed, match="Name or service"):
        await open_tcp("nobody.invalid", 1)


async def test_several_addresses_that_fail_are_told_by_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: what is chained is an error somebody can read, not a group of them."""

    async def fail(*_: object, **__: object) -> None:
        await anyio.lowlevel.checkpoint()
        failures = [ConnectionRefusedError(111, "over IPv6"), ConnectionRefusedError(111, "over IPv4")]
        msg = "All connection attempts failed"
        raise OSError(msg) from ExceptionGroup("several", failures)

    monkeypatch.setattr(anyio, "connect_tcp", fail)
    with pytest.raises(ConnectionFailed, match="over IPv6") as caught:
        await open_tcp("two.invalid", 1)
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


async def test_error_of_one_connection_does_not_end_the_server() -> None:
    """This SDK: a peer that misbehaves costs its own connection only."""

    async def serve(transport: StreamTransport) -> None:
        frame = await transport.receive()
        if frame == b"be bad":
            msg = "badly"
            raise ConnectionLost(msg, sent=False)
        await transport.send(frame)

    async with anyio.create_task_group() as tasks:

        async def listen(*, task_status: anyio.abc.TaskStatus[list[tuple[str, int]]]) -> None:
            await serve_tcp(serve, task_status=task_status)

        (address,) = await tasks.start(listen)
        with anyio.fail_after(5):
            async with await open_tcp(*address) as bad:
                await bad.send(b"be bad")
                with pytest.raises(anyio.EndOfStream):
                    await bad.receive()
            async with await open_tcp(*address) as good:
                await good.send(b"be good")
                assert await good.receive() == b"be good"
        tasks.cancel_scope.cancel()


async def test_tls_carries_frames_and_verifies() -> None:
    """This SDK: the default context verifies; a context of the user's replaces it."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    async with echoing_server(server) as address:
        async with await open_tcp(*address, tls=True, ssl_context=client) as transport:
            await transport.send(b"secretly")
            assert await transport.receive() == b"secretly"
        with pytest.raises(ConnectionFailed, match="certificate") as caught:
            await open_tcp(*address, tls=True)
    assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)


@needs_ipv6
async def test_server_of_a_name_with_several_addresses_leaves_none_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A past bug: where "localhost" is 127.0.0.1 and ::1, as on most machines, the second one stayed open."""
    monkeypatch.setattr(socket, "getaddrinfo", both_addresses)

    async def serve(transport: StreamTransport) -> None:
        await transport.send(await transport.receive())

    async with anyio.create_task_group() as tasks:

        async def listen(*, task_status: anyio.abc.TaskStatus[list[tuple[str, int]]]) -> None:
            await serve_tcp(serve, host="localhost", task_status=task_status)

        addresses = await tasks.start(listen)
        assert {host for host, _ in addresses} == {"127.0.0.1", "::1"}
        for address in addresses:
            async with await open_tcp(*address) as transport:
                await transport.send(b"to all of them")
                assert await transport.receive() == b"to all of them"
        tasks.cancel_scope.cancel()
    for address in addresses:
        with pytest.raises(ConnectionFailed) as caught:
            await open_tcp(*address)
        assert isinstance(caught.value.__cause__, ConnectionRefusedError)


async def test_cancelled_handshake_leaves_no_socket() -> None:
    """This SDK, "nothing leaks": the fixture looks for the socket."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener:
        port = listener.extra(SocketAttribute.local_port)
        with anyio.move_on_after(0.05) as scope:
            await open_tcp("127.0.0.1", port, tls=True)
    assert scope.cancelled_caught
