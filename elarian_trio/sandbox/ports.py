"""Where a sandbox listens: its addresses, and the ways in that it opens there.

The server stands above and serves what comes in; the transports are below.
"""

from __future__ import annotations

import ipaddress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import anyio.lowlevel

from elarian_trio._transport import serve_tcp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from anyio.abc import TaskGroup

    from elarian_trio._transport import FrameTransport
    from elarian_trio.sandbox.certificates import Authority

__all__ = ["Ports"]

_SECURE = frozenset({"tls", "wss"})
_WEBSOCKETS = frozenset({"ws", "wss"})


class Ports:
    """The ways into one sandbox over a network. Made by the sandbox.

    Args:
        addresses: ``host:port`` by way in: tcp, tls, ws, wss; ``None`` leaves one out.
        is_guarded: whether those who come in need keys of the user's choice.

    Raises:
        TypeError: an address is no str.
        ValueError: it is no address, or one that others can reach while anybody would be let in.
        ModuleNotFoundError: a way in needs a package that is not installed; the words say how to install it.
    """

    def __init__(self, addresses: Mapping[str, str | None], *, is_guarded: bool) -> None:
        self._addresses = {
            way: _parse_address(way, address, is_guarded=is_guarded)
            for way, address in addresses.items()
            if address is not None
        }
        self._endpoints: dict[str, str] = {}
        self._authority: Authority | None = None
        if self._addresses.keys() & _WEBSOCKETS:
            _serve_websocket()
        if self._addresses.keys() & _SECURE:
            _make_authority()

    @property
    def endpoints(self) -> Mapping[str, str]:
        """Where it listens, by way in. Empty until opened."""
        return dict(self._endpoints)

    @property
    def ca_file(self) -> str:
        """The path of a PEM file with the authority's certificate, the same as long as the sandbox lives.

        Raises:
            LookupError: there is no way in that needs one.
        """
        if not self._addresses.keys() & _SECURE:
            msg = "the sandbox has no certificate authority: only tls and wss need one"
            raise LookupError(msg)
        return self._use_authority().ca_file

    def _use_authority(self) -> Authority:
        if self._authority is None:
            self._authority = _make_authority()()
        return self._authority

    async def open(self, tasks: TaskGroup, serve: Callable[[FrameTransport], Awaitable[None]]) -> None:
        """Listen everywhere, in *tasks*, and have *serve* serve each connection, in a task of its own.

        A port that was free stays ours when this is called again.

        Raises:
            OSError: an address cannot be had.
        """
        await anyio.lowlevel.checkpoint()
        for way, (host, port) in self._addresses.items():
            listen: Callable[..., Any] = _serve_websocket() if way in _WEBSOCKETS else serve_tcp
            context = self._use_authority().server_context(host) if way in _SECURE else None
            addresses = await tasks.start(partial(listen, serve, host=host, port=port, ssl_context=context))
            self._addresses[way] = host, addresses[0][1]
            shown = f"[{host}]" if ":" in host else host
            self._endpoints[way] = f"{way}://{shown}:{addresses[0][1]}"


def _serve_websocket() -> Callable[..., Any]:
    """Load what an extra brings, where it is asked for."""
    from elarian_trio._transport.upgrade import serve_websocket

    return serve_websocket


def _make_authority() -> Callable[[], Authority]:
    """Load what an extra brings, where it is asked for."""
    from elarian_trio.sandbox.certificates import Authority

    return Authority


def _parse_address(way: str, address: str, *, is_guarded: bool) -> tuple[str, int]:
    """Read "host:port"; whoever listens to the network must have said with which key."""
    if not isinstance(cast("object", address), str):
        msg = f'{way} must be a str such as "127.0.0.1:0", got {address!r}'
        raise TypeError(msg)
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < 1 << 16):
        msg = f"an address to listen on is host:port, got {address!r}"
        raise ValueError(msg)
    if not is_guarded and not _is_loopback(host):
        msg = f"listening on {host}, which others can reach, takes apps with keys of your own, and strict=True"
        raise ValueError(msg)
    return host, int(port)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
