"""Proxies and TLS of the one sender: which way it goes, whom it believes, and what it says where that fails."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from anyio.streams.tls import TLSStream
from http_by_hand import DIRECT, GET, OK, ONCE, POST, SECRET, request_of, served

from elarian_trio._http import open_sender
from elarian_trio._http.pool import _loaded
from elarian_trio.errors import ConnectionFailed
from elarian_trio.options import HttpOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from anyio.abc import ByteStream

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def proxied(answer: bytes, *, then: Callable[[ByteStream], Awaitable[None]] | None = None) -> AsyncIterator[Any]:
    """Play an HTTP proxy that gives *answer* to what it is asked first."""
    asked: list[bytes] = []

    async def serve(stream: ByteStream) -> None:
        asked.append(await request_of(stream))
        await stream.send(answer)
        if then is not None:
            await then(stream)

    async with served(serve) as port:
        yield port, asked


async def test_http_goes_by_a_proxy_with_its_credentials() -> None:
    """This SDK: a proxy's URL may name credentials."""
    async with proxied(OK) as (port, asked):
        options = HttpOptions(proxy=f"http://me:{SECRET}@127.0.0.1:{port}")
        async with open_sender("http://planship.test", options, retries=ONCE) as sender:
            assert (await sender.send(GET)).status == 200
    assert asked[0].startswith(b"GET http://planship.test/a%2Fb HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic " in asked[0]


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_environment_names_the_proxy_unless_it_is_not_trusted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: as the standard library reads it, with or without a scheme."""
    for each in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(each, raising=False)
    async with proxied(OK) as (port, asked), proxied(OK) as (direct, asked_directly):
        monkeypatch.setenv(name, f"127.0.0.1:{port}" if name == "http_proxy" else f"http://127.0.0.1:{port}")
        for options in (HttpOptions(), DIRECT):
            async with open_sender(f"http://127.0.0.1:{direct}", options, retries=ONCE) as sender:
                await sender.send(GET)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        async with open_sender(f"http://127.0.0.1:{direct}", HttpOptions(), retries=ONCE) as sender:
            await sender.send(GET)
    assert (len(asked), len(asked_directly)) == (1, 2)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", b""])
async def test_proxy_that_gives_no_tunnel_means_that_nothing_was_sent(answer: bytes) -> None:
    """This SDK: asking a proxy for a tunnel is not yet sending, so asking again is safe."""
    async with proxied(answer) as (port, asked):
        options = HttpOptions(proxy=f"http://127.0.0.1:{port}")
        async with open_sender("https://planship.test", options, retries=ONCE) as sender:
            with pytest.raises(ConnectionFailed, match=r"could not connect"):
                await sender.send(POST)
    assert asked[0].startswith(b"CONNECT planship.test:443 HTTP/1.1\r\n")
    assert SECRET.encode() not in asked[0]


async def test_https_goes_through_the_tunnel_of_a_proxy_by_the_users_own_tls() -> None:
    """This SDK: proxies and TLS settings hold together."""
    authority = trustme.CA()
    inside = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours = ssl.create_default_context()
    given: Any = authority
    given.configure_trust(ours)
    given.issue_cert("planship.test").configure_cert(inside)

    async def serve(stream: ByteStream) -> None:
        secure = await TLSStream.wrap(stream, ssl_context=inside, standard_compatible=False)
        assert (await request_of(secure)).startswith(b"GET /a%2Fb HTTP/1.1\r\n")
        await secure.send(OK)

    async with proxied(b"HTTP/1.1 200 OK\r\n\r\n", then=serve) as (port, _):
        options = HttpOptions(proxy=f"http://127.0.0.1:{port}", ssl_context=ours)
        async with open_sender("https://planship.test", options, retries=ONCE) as sender:
            assert (await sender.send(GET)).status == 200


async def test_certificate_that_nobody_vouches_for_is_a_failed_connection() -> None:
    """This SDK: TLS verifies unless the user's own context does not."""
    authority = trustme.CA()
    inside = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    given: Any = authority
    given.issue_cert("127.0.0.1").configure_cert(inside)

    async def serve(stream: ByteStream) -> None:
        with suppress(ssl.SSLError):
            await TLSStream.wrap(stream, ssl_context=inside, standard_compatible=False)

    async with served(serve) as port, open_sender(f"https://127.0.0.1:{port}", DIRECT, retries=ONCE) as sender:
        with pytest.raises(ConnectionFailed, match="could not connect"):
            await sender.send(POST)


async def test_authorities_are_loaded_once_and_anew_where_the_environment_names_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shop that enters a client for each customer: loading them holds up every task for 15 ms."""
    authority = trustme.CA()
    inside = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    given: Any = authority
    given.issue_cert("127.0.0.1").configure_cert(inside)
    given.cert_pem.write_to_path(tmp_path / "ours.pem")

    async def serve(stream: ByteStream) -> None:
        with suppress(ssl.SSLError):
            secure = await TLSStream.wrap(stream, ssl_context=inside, standard_compatible=False)
            await request_of(secure)
            await secure.send(OK)

    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with served(serve) as port:
        loaded: list[int] = []
        for file in ("", "", "ours.pem", "ours.pem"):
            if file:
                monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / file))
            async with open_sender(f"https://127.0.0.1:{port}", HttpOptions(), retries=ONCE) as sender:
                loaded.append(_loaded.cache_info().misses)
                with nullcontext() if file else pytest.raises(ConnectionFailed, match="could not connect"):
                    assert (await sender.send(GET)).status == 200
    assert loaded[0] == loaded[1]
    assert loaded[2] == loaded[3]


async def test_socks_proxy_without_its_package_says_what_to_install() -> None:
    """This SDK: socksio is none of its extras."""
    with pytest.raises(ModuleNotFoundError, match="pip install socksio"):
        async with open_sender("https://h", HttpOptions(proxy="socks5://127.0.0.1:1080"), retries=ONCE):
            pass


async def test_proxy_of_the_environment_that_is_none_is_refused_without_repeating_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """This SDK: it may hold a password."""
    for proxy in (f"gopher://me:{SECRET}@h", f"http://me:{SECRET}@h:99999"):
        monkeypatch.setenv("https_proxy", proxy)
        with pytest.raises(ValueError, match="proxy must be a URL") as caught:
            async with open_sender("https://h", HttpOptions(), retries=ONCE):
                pass
        assert SECRET not in str(caught.value)


async def test_proxy_whose_host_is_no_name_is_a_value_error() -> None:
    """A past bug: the error of the package below came out."""
    with pytest.raises(ValueError, match="no name that can be looked up") as caught:
        async with open_sender("https://h", HttpOptions(proxy=f"http://me:{SECRET}@⒈com"), retries=ONCE):
            pass
    assert SECRET not in str(caught.value)
