"""How a connection becomes a WebSocket: the opening handshake over HTTP, asked for and granted.

Clients and the sandbox stand above. :mod:`.sockets` opens and takes in connections, :mod:`.websocket` is what comes of
them, and the ``websockets`` package reads and writes the HTTP. Import it where it is needed only: that package is an
extra, and without it this module cannot be imported.
"""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from elarian_trio._rsocket.frames import MAX_FRAME_SIZE
from elarian_trio._transport.sockets import HANDSHAKE_TIMEOUT, connect, listen, shown
from elarian_trio._transport.transport import TRANSPORT_ERRORS
from elarian_trio.errors import ConnectionFailed

try:
    from websockets.client import ClientProtocol
    from websockets.exceptions import InvalidStatus
    from websockets.http11 import Request
    from websockets.protocol import State
    from websockets.server import ServerProtocol
    from websockets.uri import parse_uri

    from elarian_trio._transport.websocket import SILENT, WebSocketTransport
except ImportError as error:
    msg = "ws and wss need the websockets package: pip install 'elarian-trio[websocket]'"
    raise ModuleNotFoundError(msg, name="websockets") from error

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    from anyio.abc import ByteStream, TaskStatus
    from websockets.protocol import Event

    from elarian_trio._transport.sockets import Address

__all__ = ["open_websocket", "serve_websocket"]

MAX_REQUEST = 32 * 1024  # bytes a client's handshake may have; those of browsers with cookies stay far below
LINGER_TIMEOUT = 0.5  # seconds for a refused client to close first: closing over what it still sends loses the answer


async def open_websocket(
    host: str, port: int, *, tls: bool = False, ssl_context: ssl.SSLContext | None = None
) -> WebSocketTransport:
    """Connect to *host* and open a WebSocket at the path ``/``. Waits for all handshakes; bound it with a cancel scope.

    Args:
        host: a name or an address.
        port: a port number.
        tls: whether to speak TLS below.
        ssl_context: replaces the default context, which verifies the server's certificate and name.

    Raises:
        ConnectionFailed: nobody is there, a handshake failed, or the server opens no WebSocket (and redirects are not
            followed); the cause is chained.

    Cancellation:
        Leaves no socket behind.
    """
    where = f"{shown(host)}:{port}"
    uri = parse_uri(f"{'wss' if tls else 'ws'}://{where}/")
    protocol = ClientProtocol(uri, max_size=MAX_FRAME_SIZE, logger=SILENT)
    stream = await connect(host, port, tls=tls, ssl_context=ssl_context)
    try:
        return await _ask(stream, protocol, where)
    except BaseException:
        await anyio.aclose_forcefully(stream)
        raise


async def _ask(stream: ByteStream, protocol: ClientProtocol, where: str) -> WebSocketTransport:
    """Send the request and read until the answer is whole. How long an answer may be, the library bounds."""
    protocol.send_request(protocol.connect())
    try:
        await stream.send(b"".join(protocol.data_to_send()))
        while protocol.state is State.CONNECTING and protocol.handshake_exc is None:
            protocol.receive_data(await stream.receive())
    except anyio.EndOfStream:
        protocol.receive_eof()  # which may be where an answer ends
        await anyio.lowlevel.checkpoint()
    except (anyio.BrokenResourceError, OSError) as error:
        msg = f"could not open a WebSocket at {where}: the connection broke"
        raise ConnectionFailed(msg) from error
    events = protocol.events_received()
    if protocol.handshake_exc is not None:
        msg = f"could not open a WebSocket at {where}: {_refusal(protocol.handshake_exc, has_answered=bool(events))}"
        raise ConnectionFailed(msg) from protocol.handshake_exc
    return WebSocketTransport(stream, protocol, events[1:])


def _refusal(error: Exception, *, has_answered: bool) -> str:
    """Say why there is no WebSocket, in words that repeat nothing of the server's."""
    if isinstance(error, InvalidStatus):
        code = error.response.status_code
        known = code in HTTPStatus.__members__.values()
        return f"the server answered HTTP {code}{f' {HTTPStatus(code).phrase}' if known else ''}"
    if has_answered:
        return "the server's answer is not how a WebSocket is opened"
    if isinstance(error, EOFError) or isinstance(error.__cause__, EOFError):
        return "the server closed the connection"
    return "the server does not speak HTTP"


async def serve_websocket(
    handler: Callable[[WebSocketTransport], Awaitable[None]],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ssl_context: ssl.SSLContext | None = None,
    task_status: TaskStatus[list[Address]] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Listen for WebSockets at any path, and run *handler* in a task of its own for each, until cancelled.

    Other HTTP requests are told that this is no web server. Errors of this package that a handler raises cost its own
    connection only; any other is a defect and ends all.

    Args:
        handler: serves one connection; the transport is closed when it returns.
        host: the address to listen on.
        port: the port, 0 for any that is free.
        ssl_context: makes it TLS below.
        task_status: is given the addresses as soon as connections are accepted.

    Raises:
        OSError: the address cannot be had.
    """

    async def serve(stream: ByteStream) -> None:
        async with await _grant(stream) as transport:
            await handler(transport)

    await listen(serve, host=host, port=port, ssl_context=ssl_context, task_status=task_status)


async def _grant(stream: ByteStream) -> WebSocketTransport:
    """Read a client's request and answer it.

    Raises:
        ConnectionFailed: there is to be no WebSocket; the client was told why.
    """
    protocol = ServerProtocol(max_size=MAX_FRAME_SIZE, logger=SILENT)
    try:
        with anyio.fail_after(HANDSHAKE_TIMEOUT):
            answer = await _answer_request(stream, protocol)
            await stream.send(answer)
            if protocol.state is not State.OPEN:
                await _linger(stream)
    except TimeoutError as error:
        msg = f"a client did not finish its WebSocket handshake within {HANDSHAKE_TIMEOUT:g} s"
        raise ConnectionFailed(msg) from error
    except TRANSPORT_ERRORS as error:
        msg = "a client left during its WebSocket handshake"
        raise ConnectionFailed(msg) from error
    if protocol.state is not State.OPEN:
        msg = "a client's request opens no WebSocket"
        raise ConnectionFailed(msg) from protocol.handshake_exc
    return WebSocketTransport(stream, protocol, protocol.events_received())


async def _answer_request(stream: ByteStream, protocol: ServerProtocol) -> bytes:
    """Read until the request is whole, or past help, and give the answer's bytes."""
    size = 0
    while True:
        data = await stream.receive()
        size += len(data)
        protocol.receive_data(data)
        events = protocol.events_received()
        if events or protocol.handshake_exc is not None or size > MAX_REQUEST:
            return _answer(protocol, events)


def _answer(protocol: ServerProtocol, events: list[Event]) -> bytes:
    match events:
        case [Request() as request]:
            protocol.send_response(protocol.accept(request))
        case [_, *_]:
            return _refuse(protocol, HTTPStatus.BAD_REQUEST, "Messages come after the handshake.")
        case _ if protocol.handshake_exc is None:
            return _refuse(protocol, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The request is too long.")
        case _:
            pass
    answer = b"".join(protocol.data_to_send())
    return answer or _refuse(protocol, HTTPStatus.BAD_REQUEST, "This is no HTTP request.")


def _refuse(protocol: ServerProtocol, status: HTTPStatus, words: str) -> bytes:
    return protocol.reject(status, f"{words}\n").serialize()


async def _linger(stream: ByteStream) -> None:
    """Let a client that was refused read why: what it still sends is thrown away until it closes, for a moment."""
    with anyio.move_on_after(LINGER_TIMEOUT), suppress(NotImplementedError, *TRANSPORT_ERRORS):
        await stream.send_eof()
        while True:
            await stream.receive()
    await anyio.lowlevel.checkpoint()
