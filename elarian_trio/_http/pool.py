"""The pool of connections that httpx2 keeps: its proxy, its TLS, and the streams that come of an upgrade.

:mod:`.sender` stands above; this is the one file that imports httpx2.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import anyio
import anyio.lowlevel
from anyio.abc import ByteStream

try:
    import httpx2
    from httpcore2 import NetworkError, ProtocolError, TimeoutException
except ImportError as _error:
    _msg = "planship and talonone need the httpx2 package: pip install 'elarian-trio[http]'"
    raise ModuleNotFoundError(_msg, name="httpx2") from _error

if TYPE_CHECKING:
    import ssl

    from elarian_trio.options import HttpOptions

__all__ = ["NetworkStream", "httpx2", "open_pool"]

_BROKEN = (NetworkError, ProtocolError, TimeoutException, OSError)


def open_pool(base_url: str, options: HttpOptions) -> httpx2.AsyncHTTPTransport:
    """Make a pool, which is opened and closed by ``async with``.

    Raises:
        ModuleNotFoundError: a SOCKS proxy is asked for, and the socksio package is not there.
        ValueError: the environment names a proxy that is none, or a proxy's host is no name.
    """
    verify = _verifying(trust_env=options.trust_env) if options.ssl_context is None else options.ssl_context
    proxy = replace(options, proxy=_proxy_for(base_url, options)).proxy  # which refuses one that is none
    if proxy is not None and urlsplit(proxy).scheme.startswith("socks"):
        _require_socks()
    try:
        return httpx2.AsyncHTTPTransport(verify=verify, proxy=proxy, trust_env=options.trust_env)
    except httpx2.InvalidURL:
        msg = "the proxy's host is no name that can be looked up"  # not repeated: it may hold a password
        raise ValueError(msg) from None


def _verifying(*, trust_env: bool) -> ssl.SSLContext:
    """Give the default context, as the environment names authorities at present."""
    named = tuple(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")) if trust_env else ()
    return _loaded(trust_env, named)


@lru_cache(maxsize=8)
def _loaded(trust_env: bool, _named: tuple[str | None, ...]) -> ssl.SSLContext:  # noqa: FBT001, RUF100 - a key
    """Load the authorities, which holds up the loop for some 15 ms: once a process, not once a client."""
    return httpx2.create_ssl_context(trust_env=trust_env)


def _require_socks() -> None:
    try:
        import socksio  # type: ignore[import-not-found,unused-ignore]  # noqa: F401, PLC0415, RUF100 - asked for here only
    except ImportError as error:
        msg = "a SOCKS proxy needs the socksio package: pip install socksio"
        raise ModuleNotFoundError(msg, name="socksio") from error


def _proxy_for(base_url: str, options: HttpOptions) -> str | None:
    """Give the proxy that the options name, or that the environment names, as the standard library reads it."""
    if options.proxy is not None or not options.trust_env:
        return options.proxy
    parts = urlsplit(base_url)
    proxies = getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    if not found or proxy_bypass(parts.netloc):
        return None
    return found if "://" in found else f"http://{found}"


class NetworkStream(ByteStream):
    """A connection that has left HTTP behind, as an anyio stream with anyio's errors.

    Args:
        stream: httpcore2's, which whoever gave it closes.
    """

    def __init__(self, stream: Any) -> None:  # noqa: ANN401 - httpcore2's, or a test's
        self._stream = stream

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Wait for bytes; see anyio's streams."""
        try:
            data: bytes = await self._stream.read(max_bytes)
        except _BROKEN as error:
            raise anyio.BrokenResourceError from error
        if not data:
            raise anyio.EndOfStream
        return data

    async def send(self, item: bytes) -> None:
        """Send *item*; see anyio's streams."""
        try:
            await self._stream.write(item)
        except _BROKEN as error:
            raise anyio.BrokenResourceError from error

    async def send_eof(self) -> None:
        """Refuse: httpcore2's streams have only one end."""
        await anyio.lowlevel.checkpoint()
        raise NotImplementedError

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()
