"""Connections over a network, out and in, plain and TLS: what every transport that crosses one stands on.

The transports (:mod:`.tcp`, :mod:`.upgrade`) stand above and say what travels; :mod:`.tls` and anyio are below.
"""

from __future__ import annotations

import logging
import socket
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import anyio
from anyio.abc import ByteStream, Listener, SocketAttribute, SocketStream

from elarian_trio._transport.tls import secure_client, secure_server
from elarian_trio.errors import ConnectionFailed, ElarianError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Coroutine

    from anyio.abc import TaskStatus

__all__ = ["Address", "connect", "listen", "shown"]

Address: TypeAlias = tuple[str, int]

HANDSHAKE_TIMEOUT = 10.0  # seconds a client has for its handshakes with a server of ours, TLS and WebSocket each
ACCEPT_PAUSE = 0.1  # seconds until the next attempt where the system has no room for another connection

logger = logging.getLogger("elarian_trio.transport")


async def connect(host: str, port: int, *, tls: bool = False, ssl_context: ssl.SSLContext | None = None) -> ByteStream:
    """Connect to *host*. Waits for name lookup, connection and TLS handshake; bound it with a cancel scope.

    Args:
        host: a name or an address; a certificate must be for it.
        port: a port number.
        tls: whether to speak TLS.
        ssl_context: replaces the default context, which verifies the server's certificate and name.

    Raises:
        ConnectionFailed: nobody is there, or the handshake failed; the cause is chained.

    Cancellation:
        Leaves no socket behind.
    """
    try:
        stream = await anyio.connect_tcp(host, port)
        _send_at_once(stream)
        return await secure_client(stream, host, ssl_context) if tls else stream
    except (OSError, anyio.BrokenResourceError, anyio.EndOfStream, UnicodeError) as error:
        cause = _root(error)
        msg = f"could not connect to {shown(host)}:{port}: {_in_words(cause)}"
        raise ConnectionFailed(msg) from cause


async def listen(
    handler: Callable[[ByteStream], Awaitable[None]],
    *,
    host: str,
    port: int,
    ssl_context: ssl.SSLContext | None,
    task_status: TaskStatus[list[Address]],
) -> None:
    """Listen, and run *handler* in a task of its own for each connection, until cancelled.

    Errors of this package that a handler raises cost its own connection only, and so does a TLS handshake that fails
    (``ConnectionFailed`` is logged in one line); any other is a defect and ends all. The stream is closed when its
    handler returns.

    Raises:
        OSError: the address cannot be had; the words name it.
    """

    async def serve(stream: ByteStream) -> None:
        async with stream:
            _send_at_once(stream)
            try:
                if ssl_context is not None:
                    stream = await secure_server(stream, ssl_context, HANDSHAKE_TIMEOUT)
                await handler(stream)
            except ConnectionFailed as error:  # its words are ours: nothing that the peer said is repeated
                logger.info("a connection came to nothing: %s", error)
            except ElarianError as error:
                logger.debug("a connection ended: %s", type(error).__name__)

    try:
        listening = await anyio.create_tcp_listener(local_host=host, local_port=port)
    except OSError as error:
        msg = f"cannot listen on {shown(host)}:{port}: {error.strerror or error}"
        raise OSError(error.errno, msg) from error
    async with AsyncExitStack() as closing, anyio.create_task_group() as tasks:
        for each in listening.listeners:  # one by one: closed together, a cancellation would close the first one only
            closing.push_async_exit(each)
            tasks.start_soon(_accept, each, serve)
        task_status.started([_address(each) for each in listening.listeners])


async def _accept(listener: Listener[SocketStream], serve: Callable[[ByteStream], Coroutine[Any, Any, None]]) -> None:
    """Take in connections; one that fails on arrival, or finds no descriptor left, is no reason to stop listening."""
    accepting = cast("Any", listener)  # anyio's listeners of sockets have accept(); the general ones only serve()
    async with anyio.create_task_group() as connections:
        while True:
            try:
                stream: ByteStream = await accepting.accept()
            except OSError as error:
                logger.warning("a connection could not be taken in: %s", error)
                await anyio.sleep(ACCEPT_PAUSE)
            else:
                connections.start_soon(serve, stream)


def shown(host: str) -> str:
    """Give *host* as it stands before a port: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def _address(listener: Listener[SocketStream]) -> Address:
    return cast("Address", listener.extra(SocketAttribute.local_address)[:2])


def _send_at_once(stream: ByteStream) -> None:
    """Turn Nagle's algorithm off: frames that can travel together are joined by the writer, not by waiting."""
    raw: socket.socket = stream.extra(SocketAttribute.raw_socket)
    with suppress(OSError):  # macOS refuses where the peer has reset the connection already; the first read says so
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _root(error: BaseException) -> BaseException:
    """Give the first plain error under what anyio raises for one or several addresses tried."""
    below = error.__cause__
    if isinstance(below, BaseExceptionGroup):
        below = cast("BaseExceptionGroup[BaseException]", below).exceptions[0]
    return error if below is None else _root(below)


def _in_words(error: BaseException) -> str:
    """Say what went wrong; anyio's own errors mostly have no words."""
    if isinstance(error, anyio.EndOfStream):
        return "the peer closed the connection during the handshake"
    return str(error) or type(error).__name__
