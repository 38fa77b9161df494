"""Frames over a stream of bytes: TCP, TLS, and whatever else anyio can open (tunnels, proxies, pipes).

:mod:`elarian_trio._session` stands above; :mod:`elarian_trio._rsocket.framing` cuts and joins, :mod:`.sockets` opens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from elarian_trio._rsocket.framing import FrameSplitter, join_frames
from elarian_trio._transport.sockets import connect, listen
from elarian_trio._transport.transport import FrameTransport, attributes_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from anyio.abc import ByteStream, TaskStatus

    from elarian_trio._transport.sockets import Address

__all__ = ["StreamTransport", "open_tcp", "serve_tcp"]

READ_SIZE = 64 * 1024  # one read may carry many small frames; larger reads measured no faster


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
        """Tell the peer that no more frames follow; NotImplementedError where the stream cannot."""
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """Close the stream; at once if cancelled."""
        await self._stream.aclose()

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        """Those of the stream underneath: addresses, the socket, TLS."""
        return attributes_of(self._stream)


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
    return StreamTransport(await connect(host, port, tls=tls, ssl_context=ssl_context))


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
            await handler(transport)

    await listen(serve, host=host, port=port, ssl_context=ssl_context, task_status=task_status)
