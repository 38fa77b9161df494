"""Requests out, responses in: the one sender on which the HTTP companions stand.

:mod:`elarian_trio.planship` and :mod:`elarian_trio.talonone` stand above: they build requests and read responses
without I/O, and this sends them. Below is httpx2, of which only the transport is used: no redirects, no cookies, and
no log, since its own repeats addresses, in which customers are named. What goes wrong comes out as this package's
errors. An error status is a response like any other here: what it means is for the service to say.
"""

from __future__ import annotations

import json
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import anyio

from elarian_trio.errors import CommandTimedOut, ConnectionFailed, ConnectionLost, RemoteProtocolError

try:
    import httpx2
except ImportError as _error:
    _msg = "planship and talonone need the httpx2 package: pip install 'elarian-trio[http]'"
    raise ModuleNotFoundError(_msg, name="httpx2") from _error

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from elarian_trio.options import HttpOptions, Retries

__all__ = ["Request", "Response", "Sender", "base_of", "open_sender", "path_of"]

MAX_BODY = 16 * 1024 * 1024  # bytes of a response, as of a message at Elarian; more is no answer of either service
_NEVER_LEFT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
_HEADERS: Final = {"accept": "application/json", "user-agent": "elarian-trio"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be asked. Made by a service's endpoints.

    Attributes:
        method: in upper case.
        path: behind the base URL, percent-encoded; see :func:`path_of`.
        query: names and values, in order; a name may come again.
        headers: besides those that every request has.
        content: the body; ``None`` for none, which is not the same as an empty one.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    content: bytes | None = field(default=None, repr=False)

    @property
    def target(self) -> str:
        """The path and the query, as they travel."""
        return f"{self.path}?{urlencode(self.query, quote_via=quote)}" if self.query else self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What was answered.

    Attributes:
        status: the HTTP status code.
        headers: by their names in lower case.
        body: the bytes, without any content encoding.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def is_success(self) -> bool:
        """Whether the status is one of 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:  # noqa: ANN401 - whatever the service says
        """Read the body.

        Raises:
            ValueError: it is no JSON, or no UTF-8.
        """
        return json.loads(self.body)


def base_of(url: str) -> str:
    """Give *url* without trailing slashes, so that paths can be set behind it.

    Raises:
        ValueError: it is no ``http`` or ``https`` URL with a host, or names credentials, a query or a fragment.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        msg = f"a base URL looks like https://host or http://host:port/path, got {url!r}"
        raise ValueError(msg)
    if parts.username is not None or parts.query or parts.fragment:
        msg = "a base URL has no credentials, no query and no fragment"
        raise ValueError(msg)
    return url.rstrip("/")


def path_of(*segments: str) -> str:
    """Join *segments* to a path, each percent-encoded, so that none can be taken for two (or for none).

    Raises:
        ValueError: one is empty, or ``.`` or ``..``, which proxies and servers take as steps in the path.
        TypeError: one is no str.
    """
    for segment in segments:
        if not isinstance(segment, str):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's id
            msg = f"an id or slug is a str, got {type(segment).__name__}"
            raise TypeError(msg)
        if segment in ("", ".", ".."):
            msg = f"an id or slug must not be {segment!r}"
            raise ValueError(msg)
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)


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

    async def send(self, request: Request) -> Response:
        """Send *request*, again if the table of retries says so, and give the last response, whatever its status.

        Waits for the service, and between two attempts.

        Raises:
            ConnectionFailed: nobody is there; nothing was sent.
            ConnectionLost: the connection broke; ``sent`` tells whether the service may have acted.
            CommandTimedOut: no response within the time-out; the same.
            RemoteProtocolError: what came is no HTTP, or longer than 16 MiB.

        Cancellation:
            Always a checkpoint. The connection is closed; the service may have acted all the same.
        """
        attempt = Attempt()
        try:
            with anyio.fail_after(self._timeout):
                return await self._send_until_answered(request, attempt)
        except TimeoutError as error:
            msg = f"{request.method}: no response within {self._timeout:g} s"
            raise CommandTimedOut(msg, sent=attempt.was_sent) from error

    async def _send_until_answered(self, request: Request, attempt: Attempt) -> Response:
        retries = self._retries
        tries = retries.attempts if request.method in retries.methods else 1
        for number in range(1, tries):
            try:
                response = await self._send_once(request, attempt)
            except (ConnectionFailed, ConnectionLost):
                delay = random.uniform(0, retries.delay(number))
            else:
                if response.status not in retries.statuses:
                    return response
                asked = _retry_after(response, datetime.now(UTC))
                if asked is not None and asked > retries.cap:
                    return response
                delay = random.uniform(0, retries.delay(number)) if asked is None else asked
            await anyio.sleep(delay)
        return await self._send_once(request, attempt)

    async def _send_once(self, request: Request, attempt: Attempt) -> Response:
        content = b"" if request.content is None else request.content
        headers = {**_HEADERS, **request.headers}
        url = f"{self._base_url}{request.target}"
        asked = httpx2.Request(
            request.method, url, headers=headers, content=content, extensions={"trace": attempt.trace}
        )
        try:
            answered = await self._transport.handle_async_request(asked)
            try:
                body = await _read(answered)
            finally:
                await answered.aclose()
        except _NEVER_LEFT as error:
            msg = f"{request.method}: could not connect to {_where(self._base_url)}: {error}"
            raise ConnectionFailed(msg) from error
        except (httpx2.RemoteProtocolError, httpx2.DecodingError) as error:
            if "disconnected" in str(error):
                raise _lost(request, attempt) from error
            msg = f"{request.method}: the answer is not HTTP as it should be: {error}"
            raise RemoteProtocolError(msg) from error
        except httpx2.TransportError as error:
            raise _lost(request, attempt) from error
        names = {name.lower(): value for name, value in answered.headers.items()}
        return Response(status=answered.status_code, headers=names, body=body)


class Attempt:
    """Knows whether anything of a request has been handed to the network."""

    __slots__ = ("was_sent",)

    def __init__(self) -> None:
        self.was_sent = False

    async def trace(self, name: str, _info: Mapping[str, Any]) -> None:
        """Be told by the transport what it does."""
        if name.endswith("send_request_headers.started"):
            self.was_sent = True


def _lost(request: Request, attempt: Attempt) -> ConnectionLost:
    return ConnectionLost(f"{request.method}: the connection broke before the response", sent=attempt.was_sent)


async def _read(answered: httpx2.Response) -> bytes:
    """Read a body, which may be too long to be an answer."""
    body = bytearray()
    async for piece in answered.aiter_bytes():
        body += piece
        if len(body) > MAX_BODY:
            msg = f"the response is longer than {MAX_BODY} bytes"
            raise RemoteProtocolError(msg)
    return bytes(body)


def _retry_after(response: Response, now: datetime) -> float | None:
    """Give the seconds after which the service wants to be asked again (RFC 9110 §10.2.3: seconds, or a date)."""
    said = response.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max((until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds(), 0.0)


def _where(base_url: str) -> str:
    return urlsplit(base_url).netloc


def _proxy_for(base_url: str, options: HttpOptions) -> str | None:
    """Give the proxy that the options name, or that the environment names, as the standard library reads it."""
    if options.proxy is not None or not options.trust_env:
        return options.proxy
    parts = urlsplit(base_url)
    proxies = getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    return None if not found or proxy_bypass(parts.netloc) else found


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
    if transport is None:
        verify = True if options.ssl_context is None else options.ssl_context
        transport = httpx2.AsyncHTTPTransport(verify=verify, proxy=_proxy_for(base_url, options))
    async with transport:
        yield Sender(base_url, transport, options.timeout, options.retries or retries)
