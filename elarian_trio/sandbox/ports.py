"""Where a sandbox listens: its addresses, and the ways in that it opens there.

The server stands above and serves what comes in; the transports are below.
"""

from __future__ import annotations

import ipaddress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import anyio.lowlevel

from elarian_trio._transport import serve_tcp
from elarian_trio._transport.sockets import shown

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Callable, Mapping

    from anyio.abc import TaskGroup

    from elarian_trio._transport import FrameTransport
    from elarian_trio.sandbox.certificates import Authority

__all__ = ["Ports", "is_exposed", "parse_address"]

_SECURE = frozenset({"tls", "wss"})
_WEBSOCKETS = frozenset({"ws", "wss"})
_PORT_DIGITS = 5


class Ports:
    """The ways into one sandbox over a network. Made by the sandbox.

    Args:
        addresses: ``host:port`` by way in: tcp, tls, ws, wss; ``None`` leaves one out.
        is_guarded: whether those who come in need keys of the user's choice.
        tls_dir: the folder where the certificate authority is kept; ``None`` has one made that is not.

    Raises:
        TypeError: an address is no str.
        ValueError: it is no address, or one that others can reach while anybody would be let in; or there is a folder
            for certificates and no way in that has any.
        ModuleNotFoundError: a way in needs a package that is not installed; the words say how to install it.
    """

    def __init__(
        self,
        addresses: Mapping[str, str | None],
        *,
        is_guarded: bool,
        tls_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        self._addresses = {
            way: parse_address(way, address, is_guarded=is_guarded)
            for way, address in addresses.items()
            if address is not None
        }
        self._endpoints: dict[str, str] = {}
        self._authority: Authority | None = None
        self._tls_dir = tls_dir
        if self._addresses.keys() & _WEBSOCKETS:
            _load_serve_websocket()  # now, or that it is missing is found out when the block is entered
        if self._addresses.keys() & _SECURE:
            _load_authority()
        elif tls_dir is not None:
            msg = "tls_dir keeps the certificate authority of tls and wss; the sandbox listens on neither"
            raise ValueError(msg)

    @property
    def endpoints(self) -> Mapping[str, str]:
        """Where it listens, by way in. Empty until opened."""
        return dict(self._endpoints)

    @property
    def ca_file(self) -> str:
        """The path of a PEM file with the authority's certificate, the same as long as the sandbox lives.

        Raises:
            LookupError: there is no way in that needs one.
            ValueError: what the folder for certificates holds is no authority, or others may read its key.
            OSError: the folder cannot be made, read or written.
        """
        if not self._addresses.keys() & _SECURE:
            msg = "the sandbox has no certificate authority: only tls and wss need one"
            raise LookupError(msg)
        return self._use_authority().ca_file

    def _use_authority(self) -> Authority:
        if self._authority is None:
            self._authority = _load_authority()(self._tls_dir)
        return self._authority

    async def open(self, tasks: TaskGroup, serve: Callable[[FrameTransport], Awaitable[None]]) -> None:
        """Listen everywhere, in *tasks*, and have *serve* serve each connection, in a task of its own.

        A port that was free stays ours when this is called again.

        Raises:
            OSError: an address cannot be had, or the folder for certificates cannot be used.
            ValueError: what that folder holds is no authority, or others may read its key.
        """
        await anyio.lowlevel.checkpoint()
        for way, (host, port) in self._addresses.items():
            listen: Callable[..., Any] = _load_serve_websocket() if way in _WEBSOCKETS else serve_tcp
            context = self._use_authority().server_context(host) if way in _SECURE else None
            addresses = await tasks.start(partial(listen, serve, host=host, port=port, ssl_context=context))
            self._addresses[way] = host, addresses[0][1]
            self._endpoints[way] = f"{way}://{shown(host)}:{addresses[0][1]}"


def _load_serve_websocket() -> Callable[..., Any]:
    """Load what an extra brings, where it is asked for."""
    from elarian_trio._transport.upgrade import serve_websocket

    return serve_websocket


def _load_authority() -> Callable[[str | os.PathLike[str] | None], Authority]:
    """Load what an extra brings, where it is asked for."""
    from elarian_trio.sandbox.certificates import Authority

    return Authority


def parse_address(
    way: str, address: str, *, is_guarded: bool, needs: str = "apps with keys of your own, and strict=True"
) -> tuple[str, int]:
    """Read "host:port"; whoever listens to the network must have said with which key.

    Raises:
        TypeError: *address* is no str.
        ValueError: it is no address, or one that others can reach while anybody would be let in.
    """
    host, port = _split_address(way, address)
    if not is_guarded and not _is_loopback(host):
        msg = f"listening on {host}, which others can reach, takes {needs}"
        raise ValueError(msg)
    return host, port


def is_exposed(address: str) -> bool:
    """Say whether others than this machine can reach an address to listen on.

    Raises:
        ValueError: it is no address.
    """
    return not _is_loopback(_split_address("an address", address)[0])


def _split_address(way: str, address: str) -> tuple[str, int]:
    if not isinstance(cast("object", address), str):
        msg = f'{way} must be a str such as "127.0.0.1:0", got {address!r}'
        raise TypeError(msg)
    host, colon, port = address.rpartition(":")
    is_whole = host.startswith("[") == host.endswith("]")
    host = host.removeprefix("[").removesuffix("]")
    is_name = host and "/" not in host  # as in an endpoint
    if not (colon and is_name and is_whole and _is_port(port)):
        msg = f"an address to listen on is host:port, got {address!r}"
        raise ValueError(msg)
    return host, int(port)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _PORT_DIGITS and int(text) < 1 << 16


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
