"""Frames over a stream of bytes: TCP, TLS, and whatever else anyio can open (tunnels, proxies, pipes).

:mod:`elarian_trio._session` stands above; :mod:`elarian_trio._rsocket.framing` cuts and joins, anyio carries.
"""

from __future__ import annotations

import logging
import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import anyio
from anyio.abc import ByteStream, SocketAttribute, SocketStream
from anyio.streams.tls import TLSListener, TLSStream

from elarian_trio._rsocket.framing import FrameSplitter, join_frames
from elarian_trio._transport.transport import FrameTransport
from elarian_trio.errors import ConnectionFailed, ElarianError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from anyio.abc import Listener, TaskStatus

    Address: TypeAlias = tuple[str, int]

__all__ = ["StreamTransport", "open_tcp", "serve_tcp"]

READ_SIZE = 64 * 1024  # one read may carry many small frames; larger reads measured no faster
HANDSHAKE_TIMEOUT = 10.0  # seconds a client has for its TLS handshake with a server of ours

logger = logging.getLogger("elarian_trio.transport")


class StreamTransport(FrameTransport):
    """Frames with RSocket's 24-bit length before each, over any anyio ``ByteStream``, which it then owns."""

    def __init__(self, stream: ByteStream) -> None:
        super().__init__()
        self._stream = stream
        self._splitter = FrameSplitter()

    async def send_frames(self, frames: Sequence[bytes]) -> None:
        """Send *frames* in one write.

        Cancellation:
            A cancelled send may have left part of a frame on the wire: close then, and send no more.
        """
        await self._stream.send(join_frames(frames))

    async def receive_frames(self) -> list[bytes]:
        """Wait for the read that completes at least one frame, and give all that it completed.

        Raises:
            EndOfStream: the peer has closed; half a frame may have been lost with it.
        """
        while True:  # no checkpoint between reading and splitting: a cancelled reader would lose bytes
            frames = self._splitter.feed(await self._stream.receive(READ_SIZE))
            if frames:
                return frames

    async def send_eof(self) -> None:
        """Tell the peer that no more frames follow; NotImplementedError over TLS, which cannot."""
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """Close the stream; at once if cancelled."""
        await self._stream.aclose()

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        """Those of the stream underneath: addresses, the socket, TLS."""
        stream: Any = self._stream  # whose types anyio leaves open
        return cast("Mapping[Any, Callable[[], Any]]", stream.extra_attributes)


async def open_tcp(
    host: str, port: int, *, tls: bool = False, ssl_context: ssl.SSLContext | None = None
) -> StreamTransport:
    """Connect to *host*. Waits for name lookup, connection and TLS handshake; bound it with a cancel scope.

    Args:
        host: a name or an address.
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
        return StreamTransport(await _wrap(stream, host, ssl_context) if tls else stream)
    except (OSError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
        cause = _root(error)
        msg = f"could not connect to {host}:{port}: {str(cause) or type(cause).__name__}"
        raise ConnectionFailed(msg) from cause


async def serve_tcp(
    handler: Callable[[StreamTransport], Awaitable[None]],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ssl_context: ssl.SSLContext | None = None,
    task_status: TaskStatus[list[Address]] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Listen, and run *handler* in a task of its own for each connection, until cancelled.

    Errors of this package that a handler raises cost its own connection only; any other is a defect and ends all.

    Args:
        handler: serves one connection; the transport is closed when it returns.
        host: the address to listen on.
        port: the port, 0 for any that is free.
        ssl_context: makes it TLS.
        task_status: is given the addresses as soon as connections are accepted.

    Raises:
        OSError: the address cannot be had.
    """

    async def serve(stream: ByteStream) -> None:
        async with StreamTransport(stream) as transport:
            _send_at_once(stream)
            try:
                await handler(transport)
            except ElarianError as error:
                logger.debug("a connection ended: %s", type(error).__name__)

    listener = await anyio.create_tcp_listener(local_host=host, local_port=port)
    async with listener:
        task_status.started([_address(each) for each in listener.listeners])
        if ssl_context is None:
            await listener.serve(serve)
        else:
            secure = TLSListener(listener, ssl_context, standard_compatible=False, handshake_timeout=HANDSHAKE_TIMEOUT)
            await secure.serve(serve)


async def _wrap(stream: SocketStream, host: str, ssl_context: ssl.SSLContext | None) -> TLSStream:
    """Shake hands. RSocket says itself where a frame ends, so peers that skip TLS's closing handshake do no harm."""
    try:
        context = ssl_context or ssl.create_default_context()
        return await TLSStream.wrap(stream, hostname=host, ssl_context=context, standard_compatible=False)
    except BaseException:
        await anyio.aclose_forcefully(stream)
        raise


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
