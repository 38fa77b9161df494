"""TLS over a stream of bytes, either side: its contexts, its handshake, and its errors in anyio's words.

:mod:`.sockets` stands above; anyio's TLS and the standard library's are below.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import ByteStream
from anyio.streams.tls import TLSAttribute, TLSStream

from elarian_trio._transport.transport import attributes_of
from elarian_trio.errors import ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["TlsStream", "client_context", "secure_client", "secure_server", "server_context"]

_HANDSHAKE_ERRORS = (OSError, anyio.BrokenResourceError, anyio.EndOfStream)  # SSLError is an OSError


def client_context(ca_file: str | None = None) -> ssl.SSLContext:
    """Make a context that verifies the server's certificate and name: by *ca_file* alone, or the system's authorities.

    Raises:
        OSError: there is no such file, or no certificate in it.
    """
    return _strict(ssl.create_default_context(cafile=ca_file))


def server_context() -> ssl.SSLContext:
    """Make a context for a server, which then wants its certificate."""
    return _strict(ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))


def _strict(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION  # 1.2 may ask for it within a write, which then would have to read
    return context


class TlsStream(ByteStream):
    """An encrypted stream, made by :func:`secure_client` or :func:`secure_server`.

    It differs from anyio's in raising ``BrokenResourceError`` for whatever TLS finds wrong, as other streams do; anyio
    lets the library's errors through, and from a write an end of the stream or a busy resource, too. And one read gives
    all that has come, as one of TCP does, where anyio gives a record: one after the other without a checkpoint, so that
    whoever acts on each kept everybody else waiting, the task that sends the answers among them.
    """

    def __init__(self, stream: TLSStream) -> None:
        self._stream = stream
        self._ssl = stream.extra(TLSAttribute.ssl_object)
        self._spoiled: ssl.SSLError | None = None  # found behind good records, for the next read to raise

    async def send(self, item: bytes) -> None:
        """Encrypt and send *item*; see anyio's streams."""
        try:
            await self._stream.send(item)
        except (ssl.SSLError, anyio.EndOfStream, anyio.BusyResourceError) as error:
            raise anyio.BrokenResourceError from error

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Wait for bytes and give them in the clear, with all that came behind them; see anyio's streams."""
        try:
            if self._spoiled is not None:
                raise self._spoiled
            first = await self._stream.receive(max_bytes)
        except ssl.SSLError as error:
            raise anyio.BrokenResourceError from error
        return first + self._read_on(max_bytes - len(first))

    def _read_on(self, room: int) -> bytes:
        """Give what further records hold that are here, if any. No checkpoint: a cancelled reader would lose bytes."""
        parts: list[bytes] = []
        try:
            while room and (part := self._ssl.read(room)):
                parts.append(part)
                room -= len(part)
        except ssl.SSLWantReadError:  # no further record is here as a whole
            pass
        except ssl.SSLError as error:  # the library says it once, and from then on that the stream has ended
            self._spoiled = error.with_traceback(None)
        return b"".join(parts)

    async def send_eof(self) -> None:
        """End this direction, without TLS's own word for it, which :meth:`aclose` leaves out, too.

        The peer reads to the end of what was sent, then sees the stream end, and can do nothing but close: what it had
        sent before still arrives.
        """
        await self._stream.transport_stream.send_eof()

    async def aclose(self) -> None:
        """Close the connection underneath."""
        await self._stream.aclose()

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        """Those of the stream underneath, and TLS's own."""
        return self._stream.extra_attributes


async def secure_client(stream: ByteStream, host: str, context: ssl.SSLContext | None) -> TlsStream:
    """Shake hands with the server called *host*, which it is told (SNI) and whose certificate must say so.

    Raises:
        OSError: the handshake failed; *stream* is closed, as it is after cancellation.
    """
    try:
        return await _wrap(stream, context or client_context(), host)
    except BaseException:
        await anyio.aclose_forcefully(stream)
        raise


async def secure_server(stream: ByteStream, context: ssl.SSLContext, timeout: float) -> TlsStream:  # noqa: ASYNC109 - the peer's time, not the caller's
    """Shake hands with a client. The caller closes *stream*, whatever becomes of it.

    Raises:
        ConnectionFailed: it does not speak TLS, or none that suits, or not within *timeout* seconds.
    """
    try:
        with anyio.fail_after(timeout):
            return await _wrap(stream, context, None)
    except TimeoutError as error:
        msg = f"a client did not finish its TLS handshake within {timeout:g} s"
        raise ConnectionFailed(msg) from error
    except _HANDSHAKE_ERRORS as error:
        msg = f"a TLS handshake failed: {str(error) or type(error).__name__}"
        raise ConnectionFailed(msg) from error


async def _wrap(stream: ByteStream, context: ssl.SSLContext, host: str | None) -> TlsStream:
    """Shake hands. RSocket says itself where a frame ends, so peers that skip TLS's closing handshake do no harm."""
    turns = _InTurn(stream)
    secure = await TLSStream.wrap(
        turns, server_side=host is None, hostname=host, ssl_context=context, standard_compatible=False
    )
    return TlsStream(secure)


class _InTurn(ByteStream):
    """The stream under TLS, on which one sends after the other.

    TLS 1.3 lets a peer ask for new keys at any time, which a read answers while a write may be under way. anyio
    refuses two at once.
    """

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._sending = anyio.Lock(fast_acquire=True)  # the send is a checkpoint anyway

    async def send(self, item: bytes) -> None:
        async with self._sending:
            await self._stream.send(item)

    async def receive(self, max_bytes: int = 65536) -> bytes:
        return await self._stream.receive(max_bytes)

    async def send_eof(self) -> None:
        await self._stream.send_eof()

    async def aclose(self) -> None:
        await self._stream.aclose()

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        return attributes_of(self._stream)
