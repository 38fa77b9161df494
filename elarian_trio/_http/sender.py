"""The one sender on which the HTTP companions stand: a bound, retries by table, and this package's errors.

The services' clients stand above; :mod:`.exchange` says what is sent and :mod:`.pool` carries it. Of httpx2 only the
transport is used: no redirects, no cookies, and no log, since its own repeats addresses, in which customers are named.
An error status is a response like any other here: what it means is for the service to say.
"""

from __future__ import annotations

import random
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import urlsplit

import anyio
import anyio.lowlevel

from elarian_trio._arguments import wrong_type
from elarian_trio._http.exchange import Headers, Response, bare
from elarian_trio._http.pool import NetworkStream, httpx2, open_pool
from elarian_trio.errors import CommandTimedOut, ConnectionClosed, ConnectionFailed, ConnectionLost, RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping

    from anyio.abc import ByteStream

    from elarian_trio._http.exchange import Request
    from elarian_trio.options import HttpOptions, Retries

__all__ = ["Attempt", "Sender", "Upgrade", "open_sender", "require_transport"]

MAX_BODY = 16 * 1024 * 1024  # bytes of a response, as of a message at Elarian; more is no answer of either service

_HEADERS: Final = Headers({"accept": "application/json", "user-agent": "elarian-trio"})
_SWITCHING_PROTOCOLS = 101
_FOREIGN = (httpx2.RequestError, httpx2.StreamError, httpx2.InvalidURL, OSError, anyio.BrokenResourceError)
_NEVER_LEFT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
_CUT_SHORT = ("disconnected", "peer closed connection")  # what httpcore2 and h11 say of an answer that ends too soon


class Attempt:
    """Knows whether anything of a request, in any of its attempts, has been handed to the network.

    Args:
        is_told: whether the transport says what it does; one that does not may have sent whatever it was handed.
    """

    __slots__ = ("_is_told", "_opened", "was_sent")

    def __init__(self, *, is_told: bool = True) -> None:
        self.was_sent = False
        self._is_told = is_told
        self._opened: Any = None  # a connection that was made, and on which nothing was sent yet

    async def trace(self, name: str, info: Mapping[str, Any]) -> None:  # noqa: ASYNC910 - see below
        """Be told by the transport what it does; asking a proxy for a tunnel is not yet sending.

        No checkpoint: between a connection's opening and whoever will close it, nobody would if this were cancelled.
        """
        self._is_told = True
        if name.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._opened = info["return_value"]
        if name.endswith("send_request_headers.started"):
            self._opened = None
            self.was_sent = self.was_sent or info["request"].method != b"CONNECT"

    def fail(self, error: BaseException) -> None:
        """Be told with what the transport let go of a request."""
        if not (self._is_told or isinstance(error, _NEVER_LEFT)):
            self.was_sent = True

    async def abandon(self) -> None:
        """Close a connection on which nothing was sent: httpcore2 forgets one that is cancelled at that point."""
        await anyio.lowlevel.cancel_shielded_checkpoint()
        stream, self._opened = self._opened, None
        if stream is not None:
            await anyio.aclose_forcefully(NetworkStream(stream))


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What came of asking for another protocol.

    Attributes:
        response: the answer.
        stream: carries the other protocol's bytes; ``None`` where the answer was not 101.
    """

    response: Response
    stream: ByteStream | None


class Sender:
    """Sends requests to one service over a pool of connections. Made by :func:`open_sender`.

    Args:
        base_url: where the service is, as :func:`base_of` gives it.
        transport: what carries the requests.
        timeout: seconds for one call with all its attempts; ``None`` for no bound but the caller's.
        retries: when to try again.
    """

    def __init__(
        self, base_url: str, transport: httpx2.AsyncBaseTransport, timeout: float | None, retries: Retries
    ) -> None:
        self._base_url = base_url
        self._transport = transport
        self._timeout = timeout
        self._retries = retries
        self._calls: set[anyio.CancelScope] = set()
        self._is_closed = False

    def close(self) -> None:
        """End every call that is under way, and send nothing more; whoever made the pool closes that."""
        self._is_closed = True
        for scope in self._calls:
            scope.cancel()

    async def send(self, request: Request) -> Response:
        """Send *request*, again if the table of retries says so, and give the last response, whatever its status.

        Waits for the service, and between two attempts. Where the service asks for more patience than the time-out,
        or the caller's own scope, leaves, its answer is given at once.

        Raises:
            ConnectionFailed: nobody is there; nothing was sent.
            ConnectionLost: the connection broke; ``sent`` tells whether the service may have acted.
            CommandTimedOut: no response within the time-out; the same.
            RemoteProtocolError: what came is no HTTP, or longer than 16 MiB.
            ValueError: the address is too long (65,536 characters), or its host is no name. Nothing was sent.

        Cancellation:
            Always a checkpoint. The connection is closed; the service may have acted all the same.
        """
        with self.within(request.method) as attempt:
            return await self.send_within(attempt, request)

    @contextmanager
    def within(self, method: str) -> Generator[Attempt]:
        """Bound a block by the time-out, and by this sender: one or more requests that together are one call.

        Raises:
            CommandTimedOut: the block took longer; ``sent`` tells what its attempt says.
            ConnectionLost: the sender was closed first; the service may have acted.
            ConnectionClosed: the same, but nothing was sent yet.
        """
        attempt = Attempt(is_told=isinstance(self._transport, httpx2.AsyncHTTPTransport))
        with anyio.move_on_after(self._timeout) as scope:
            self._calls.add(scope)
            try:
                yield attempt
            finally:
                self._calls.discard(scope)
        if scope.cancelled_caught and self._is_closed:
            msg = f"{method}: the client's block was left"
            raise ConnectionLost(msg, sent=True) if attempt.was_sent else ConnectionClosed(msg)
        if scope.cancelled_caught:
            msg = f"{method}: no response within {self._timeout:g} s"
            raise CommandTimedOut(msg, sent=attempt.was_sent)

    async def send_within(self, attempt: Attempt, request: Request) -> Response:
        """Do as :meth:`send` does, as part of a block that is bounded already, see :meth:`within`."""
        retries = self._retries
        tries = retries.attempts if request.method in retries.methods else 1
        for number in range(1, tries):
            asked = None
            try:
                response = await self._send_once(request, attempt)
            except (ConnectionFailed, ConnectionLost):
                pass
            else:
                asked = response.retry_after(datetime.now(UTC))
                if response.status not in retries.statuses or not self._may_wait(asked or 0.0):
                    return response
            await anyio.sleep(random.uniform(0, retries.delay(number)) if asked is None else asked)
        return await self._send_once(request, attempt)

    def _may_wait(self, delay: float) -> bool:
        return delay <= self._retries.cap and anyio.current_time() + delay < anyio.current_effective_deadline()

    async def _send_once(self, request: Request, attempt: Attempt) -> Response:
        async with self._answered(request, attempt) as answered:
            return _response_of(answered, await self._read(answered, request, attempt))

    @asynccontextmanager
    async def upgrade(self, request: Request) -> AsyncGenerator[Upgrade]:
        """Ask once for another protocol on a connection of its own, which is closed with the block.

        Raises:
            Exception: see :meth:`send`, from entering.
        """
        async with AsyncExitStack() as stack:
            with self.within(request.method) as attempt:
                answered = await stack.enter_async_context(self._answered(request, attempt))
                stream, body = None, b""
                if answered.status_code == _SWITCHING_PROTOCOLS:
                    stream = NetworkStream(answered.extensions["network_stream"])
                    stack.push_async_callback(anyio.aclose_forcefully, stream)
                else:
                    body = await self._read(answered, request, attempt)
            yield Upgrade(_response_of(answered, body), stream)

    @asynccontextmanager
    async def _answered(self, request: Request, attempt: Attempt) -> AsyncGenerator[httpx2.Response]:
        """Send, and give the answer once its head is there; the connection is let go, or closed, with the block."""
        with self._in_our_words(request, attempt):
            try:
                answered = await self._transport.handle_async_request(
                    httpx2.Request(  # in no variable: it shows its address, which may hold a token
                        request.method,
                        f"{self._base_url}{request.target}",
                        headers=Headers({**_HEADERS, **request.headers}),
                        content=request.content or b"",
                        extensions={"trace": attempt.trace},
                    )
                )
            except BaseException as error:
                attempt.fail(error)
                await attempt.abandon()
                raise
            attempt.was_sent = True  # whatever it was told: there is an answer
        try:
            yield answered
        finally:
            with anyio.CancelScope(shield=True):
                await answered.aclose()

    async def _read(self, answered: httpx2.Response, request: Request, attempt: Attempt) -> bytes:
        """Read a body, which may be too long to be an answer."""
        body = bytearray()
        try:
            with self._in_our_words(request, attempt):
                async for piece in answered.aiter_bytes():
                    body += piece
                    if len(body) > MAX_BODY:  # closed here, the next piece fails: that ends every generator below
                        await answered.aclose()
        except ConnectionLost:
            if len(body) <= MAX_BODY:
                raise
        await anyio.lowlevel.checkpoint()
        if len(body) > MAX_BODY:
            msg = f"{request.method}: the response is longer than {MAX_BODY} bytes"
            raise RemoteProtocolError(msg)
        return bytes(body)

    @contextmanager
    def _in_our_words(self, request: Request, attempt: Attempt) -> Generator[None]:
        """Raise this package's errors for those of httpx2, and of the streams below, which it lets through."""
        try:
            yield
        except _FOREIGN as error:
            translate = next(words for kinds, words in _WORDS if isinstance(error, kinds))
            translate(f"{request.method} {urlsplit(self._base_url).netloc}", error, attempt)


def _response_of(answered: httpx2.Response, body: bytes) -> Response:
    headers = {name.lower(): value for name, value in answered.headers.items()}
    return Response(status=answered.status_code, headers=headers, body=body)


def _unfit(what: str, error: Exception, attempt: Attempt) -> NoReturn:
    del attempt
    msg = f"{what}: no address of a request, with the ids in it: {error}"
    raise ValueError(msg) from bare(error)


def _garbled(what: str, error: Exception, attempt: Attempt) -> NoReturn:
    if any(words in str(error) for words in _CUT_SHORT):
        _lost(what, error, attempt)
    msg = f"{what}: the answer is not HTTP as it should be: {error}"
    raise RemoteProtocolError(msg) from bare(error)


def _lost(what: str, error: Exception, attempt: Attempt) -> NoReturn:
    if not attempt.was_sent:  # in no attempt: nobody was there, or a proxy left before there was a tunnel
        msg = f"{what}: could not connect: {str(error) or type(error).__name__}"
        raise ConnectionFailed(msg) from bare(error)
    msg = f"{what}: the connection broke before the response"
    raise ConnectionLost(msg, sent=True) from bare(error)


_WORDS: tuple[tuple[Any, Callable[[str, Exception, Attempt], NoReturn]], ...] = (
    (httpx2.InvalidURL, _unfit),
    ((httpx2.RemoteProtocolError, httpx2.DecodingError), _garbled),
    (Exception, _lost),
)
"""Which errors of httpx2 become which of ours; the first that fits."""


def require_transport(given: object) -> None:
    """See that *given* can carry requests, or is ``None``.

    Raises:
        TypeError: it cannot.
    """
    if given is not None and (isinstance(given, type) or not callable(getattr(given, "handle_async_request", None))):
        wrong_type("transport", "an httpx2.AsyncBaseTransport", given)


@asynccontextmanager
async def open_sender(
    base_url: str,
    options: HttpOptions,
    *,
    retries: Retries,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> AsyncGenerator[Sender]:
    """Open a pool of connections to *base_url*; leaving the block closes them.

    Args:
        base_url: where the service is, as :func:`base_of` gives it.
        options: what the user set.
        retries: the service's own, where the user set none.
        transport: replaces the pool, for tests and tunnels; it is closed, too.
    """
    async with open_pool(base_url, options) if transport is None else transport as pool:
        sender = Sender(base_url, pool, options.timeout, options.retries or retries)
        try:
            yield sender
        finally:
            sender.close()
