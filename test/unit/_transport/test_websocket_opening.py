"""How a connection becomes a WebSocket, or does not: both sides of the opening handshake, over real sockets."""

from __future__ import annotations

import base64
import hashlib
import logging
import socket
import struct
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import pytest
from anyio.abc import SocketAttribute, SocketStream
from loopback import needs_ipv6

from elarian_trio._transport.upgrade import open_websocket, serve_websocket
from elarian_trio.errors import ConnectionFailed, ConnectionLost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from elarian_trio._transport import FrameTransport

pytestmark = pytest.mark.anyio

BOUND = 5.0  # seconds that anything awaited in a test may take

ASKING = (
    b"GET /anywhere?at=all HTTP/1.1\r\nHost: here\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


def granting(request: bytes, more: bytes = b"", extra: bytes = b"") -> bytes:
    """Make a server's answer to *request*, with *extra* headers, and *more* right behind it."""
    key = next(line for line in request.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key:")).split()[1]
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())  # RFC 6455 §4.2.2
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n" + extra + b"\r\n" + more
    )


@asynccontextmanager
async def answering(answer: Callable[[bytes], bytes], *, stays: bool = False) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Play a server that answers one request with *answer*'s bytes, and closes unless it *stays*."""
    requests: list[bytes] = []

    async def serve(stream: SocketStream) -> None:
        async with stream:
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += await stream.receive()
            requests.append(request)
            await stream.send(answer(request) or b"")
            if stays:
                await anyio.sleep_forever()

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        with anyio.fail_after(BOUND):
            yield listener.extra(SocketAttribute.local_port), requests
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def echoing() -> AsyncIterator[int]:
    """Serve WebSockets that send every frame back; a frame "be bad" is a failure of ours."""

    async def serve(transport: FrameTransport) -> None:
        try:
            while frames := await transport.receive_frames():
                if frames == [b"be bad"]:
                    msg = "badly"
                    raise ConnectionLost(msg, sent=False)
                await transport.send_frames(frames)
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return

    async with anyio.create_task_group() as tasks:
        addresses = await tasks.start(partial(serve_websocket, serve))
        with anyio.fail_after(BOUND):
            yield addresses[0][1]
        tasks.cancel_scope.cancel()


async def asked(port: int, *pieces: bytes) -> bytes:
    """Send *pieces* to a server and give all that it says until it closes."""
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        for piece in pieces:
            await stream.send(piece)
        said = b""
        try:
            while True:
                said += await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return said


# --- the client ---


async def test_frames_come_back() -> None:
    """RSocket over WebSocket: through our own server, large frames too."""
    frames = [b"header" + bytes(size) for size in (0, 70_000, 5_000_000)]
    async with echoing() as port, await open_websocket("127.0.0.1", port) as transport:
        back: list[bytes] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(transport.send_frames, frames)
            while len(back) < len(frames):
                back += await transport.receive_frames()
        assert back == frames
        assert transport.timed
        assert transport.extra(SocketAttribute.remote_port) == port


async def test_request_asks_for_nothing_but_a_websocket() -> None:
    """RSocket's peers: path "/", no subprotocol, no extension; and no origin, since we are no web page."""
    async with answering(granting, stays=True) as (port, requests), await open_websocket("127.0.0.1", port):
        first, *headers = requests[0].decode().strip().split("\r\n")
    assert first == "GET / HTTP/1.1"
    names = {header.partition(":")[0] for header in headers}
    assert names == {"Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"}
    assert f"Host: 127.0.0.1:{port}" in headers


async def test_server_may_speak_right_behind_its_answer() -> None:
    """RFC 6455: the connection is open for it then; its first message may come in the same segment."""
    early = partial(granting, more=b"\x82\x05early")
    async with answering(early, stays=True) as (port, _), await open_websocket("127.0.0.1", port) as transport:
        assert await transport.receive_frames() == [b"early"]


@needs_ipv6
async def test_header_of_the_ports_host_may_be_an_address_in_brackets() -> None:
    """RFC 3986: IPv6 addresses stand in brackets."""
    listener = await anyio.create_tcp_listener(local_host="::1")
    request = b""

    async def serve(stream: SocketStream) -> None:
        nonlocal request
        async with stream:
            request = await stream.receive()

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        port = listener.extra(SocketAttribute.local_port)
        with anyio.fail_after(BOUND), pytest.raises(ConnectionFailed, match="closed the connection"):
            await open_websocket("::1", port)
        tasks.cancel_scope.cancel()
    assert f"Host: [::1]:{port}".encode() in request


BODY = b"<h1>el_k_test_secret</h1>"
SIZED = b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\n" + SIZED, "HTTP 401 Unauthorized"),
        (b"HTTP/1.1 403 Go away, el_k_test_secret\r\n" + SIZED, "HTTP 403 Forbidden"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n" + BODY, "HTTP 404 Not Found"),
        (b"HTTP/1.1 302 Found\r\nLocation: ws://elsewhere.example/\r\n" + SIZED, "HTTP 302 Found"),
        (b"HTTP/1.1 200 OK\r\n" + SIZED, "HTTP 200 OK"),
        (b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP 503 Service Unavailable"),
        (b"HTTP/1.1 599 Odd\r\n" + SIZED, "HTTP 599"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "not how a WebSocket is opened"),
        (b"SSH-2.0-el_k_test_secret\r\n", "does not speak HTTP"),
        (b"\0\0\x0b\0\0\0\0\x2c\0\0\0\0\1no\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 101 Fine\r\n" + b"x" * 10_000, "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000, "does not speak HTTP"),
        (b"HTTP/1.1 101 Switch", "closed the connection"),
        (b"", "closed the connection"),
    ],
)
async def test_server_that_opens_none_is_a_failed_connection(answer: bytes, words: str) -> None:
    """This SDK: the status in words of ours; what the server said is not repeated."""
    async with answering(lambda _: answer) as (port, _):
        with pytest.raises(ConnectionFailed, match=words) as caught:
            await open_websocket("127.0.0.1", port)
        assert "secret" not in str(caught.value)
        assert str(port) in str(caught.value)


@pytest.mark.parametrize(
    "extra",
    [
        b"Sec-WebSocket-Extensions: permessage-deflate\r\n",
        b"Sec-WebSocket-Protocol: rsocket\r\n",
        b"Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    ],
)
async def test_server_that_grants_what_was_not_asked_for_is_a_failed_connection(extra: bytes) -> None:
    """RFC 6455 §4.1: the client must fail the connection."""
    async with answering(partial(granting, extra=extra)) as (port, _):
        with pytest.raises(ConnectionFailed, match="not how a WebSocket is opened"):
            await open_websocket("127.0.0.1", port)


async def test_endless_answer_is_not_kept() -> None:
    """This SDK, a bound: a server that goes on and on is cut off."""

    async def serve(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            with suppress(anyio.BrokenResourceError):
                while True:
                    await stream.send(bytes(65536))

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        port = listener.extra(SocketAttribute.local_port)
        with anyio.fail_after(BOUND), pytest.raises(ConnectionFailed):
            await open_websocket("127.0.0.1", port)
        tasks.cancel_scope.cancel()


async def test_cancelled_opening_leaves_no_socket() -> None:
    """This SDK, "nothing leaks": the fixture looks for the socket."""
    async with answering(lambda _: b"", stays=True) as (port, requests), anyio.create_task_group() as tasks:
        tasks.start_soon(open_websocket, "127.0.0.1", port)
        while not requests:
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()


async def test_connection_reset_during_the_opening_is_a_failed_connection() -> None:
    """The error tree: foreign errors are translated at one boundary."""

    async def serve(stream: SocketStream) -> None:
        raw = stream.extra(SocketAttribute.raw_socket)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing is a reset then
        await stream.aclose()

    if sys.platform == "win32":
        pytest.skip("the option has another form there")
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        port = listener.extra(SocketAttribute.local_port)
        with anyio.fail_after(BOUND), pytest.raises(ConnectionFailed, match=r"broke|closed the connection|reset"):
            await open_websocket("127.0.0.1", port)
        tasks.cancel_scope.cancel()


# --- the server ---


async def test_extensions_and_subprotocols_that_clients_offer_are_declined() -> None:
    """RSocket's peers: npm's ws offers compression by default; the connection opens without."""
    offer = (
        b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nSec-WebSocket-Protocol: rsocket\r\n"
    )
    async with echoing() as port, await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(ASKING + offer + b"Origin: http://page.example\r\n\r\n")
        answer = await stream.receive()
        assert answer.startswith(b"HTTP/1.1 101 ")
        assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer  # RFC 6455 §1.3
        assert b"Extensions" not in answer
        assert b"Protocol:" not in answer
        await stream.send(b"\x82\x84\0\0\0\0open")
        assert await stream.receive() == b"\x82\x04open"


async def test_request_may_come_in_any_pieces() -> None:
    """TCP: a segment ends anywhere."""
    async with echoing() as port, await anyio.connect_tcp("127.0.0.1", port) as stream:
        for byte in ASKING + b"\r\n":
            await stream.send(bytes([byte]))
        assert (await stream.receive()).startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize(
    ("pieces", "answer"),
    [
        ([b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"], b"426 "),
        ([b"GET / HTTP/1.0\r\n\r\n"], b"505 "),
        ([b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\n", b"body"], b"400 "),
        ([ASKING.replace(b"GET", b"PUT") + b"\r\n"], b"405 "),
        ([ASKING.replace(b"Version: 13", b"Version: 12") + b"\r\n"], b"400 "),
        ([ASKING.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"c2hvcnQ=") + b"\r\n"], b"400 "),
        ([b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n"], b"414 "),
        ([ASKING + b"Cookie: " + b"x" * 9000 + b"\r\n\r\n"], b"431 "),
        ([ASKING, *[b"Cookie: " + b"x" * 8000 + b"\r\n"] * 5], b"431 "),
        ([ASKING + b"\r\n\x89\x80\0\0\0\0"], b"400 "),
        ([b"\0\0\x0b\0\0\0\0\x04\0\0\1\0\0\r\n"], b"400 "),
        ([b"\x16\x03\x01\x02\0\1\n"], b"400 "),
    ],
)
async def test_what_is_no_opening_is_answered_and_closed(pieces: list[bytes], answer: bytes) -> None:
    """RFC 6455 §4.2.2 and HTTP: a plain answer that says what is wrong, and the next client is served."""
    async with echoing() as port:
        said = await asked(port, *pieces)
        assert said.startswith(b"HTTP/1.1 " + answer)
        assert b"Connection: close" in said
        async with await open_websocket("127.0.0.1", port) as transport:
            await transport.send(b"served")
            assert await transport.receive() == b"served"


async def test_failures_cost_their_own_connection_and_one_line_each(caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: no traceback for each browser that passes, and nothing of what it said."""
    caplog.set_level(logging.DEBUG, logger="elarian_trio")
    async with echoing() as port:
        await asked(port, b"GET /?key=el_k_test_secret HTTP/1.1\r\nHost: here\r\n\r\n")
        async with await anyio.connect_tcp("127.0.0.1", port) as gone:
            await gone.send(b"GET")
        async with await open_websocket("127.0.0.1", port) as bad:
            await bad.send(b"be bad")
            with pytest.raises(anyio.EndOfStream):
                await bad.receive()
        async with await open_websocket("127.0.0.1", port) as good:
            await good.send(b"be good")
            assert await good.receive() == b"be good"
    told = [record for record in caplog.records if record.name == "elarian_trio.transport"]
    assert len(told) == 3
    assert all(record.exc_info is None for record in told)
    assert "secret" not in caplog.text


# --- the extra ---


def test_without_the_package_the_error_says_what_to_install() -> None:
    """The design: websockets is an extra, and nothing else needs it."""
    program = """
import sys
sys.modules["websockets"] = None
from elarian_trio import Elarian
from elarian_trio.sandbox import Sandbox
Elarian(org_id="o", app_id="a", api_key="k", endpoint="tls://127.0.0.1:1")
Sandbox(tcp="127.0.0.1:0")
for make in (
    lambda: Elarian(org_id="o", app_id="a", api_key="k", endpoint="ws://127.0.0.1:1"),
    lambda: Elarian(org_id="o", app_id="a", api_key="k", endpoint="wss://127.0.0.1:1"),
    lambda: Sandbox(ws="127.0.0.1:0"),
    lambda: Sandbox(wss="127.0.0.1:0"),
):
    try:
        make()
    except ModuleNotFoundError as error:
        assert "pip install 'elarian-trio[websocket]'" in str(error), error
        assert error.name == "websockets"
    else:
        raise AssertionError
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)
