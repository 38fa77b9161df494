"""Where a client connects: the words of an endpoint, and the transport they stand for.

The client stands above, the transports below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from elarian_trio._transport import open_tcp

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    from elarian_trio._transport import FrameTransport

__all__ = ["DEFAULT", "Endpoint", "parse_endpoint"]

DEFAULT = "tls://tcp.elarian.dev:443"  # the specification's

_SCHEMES = ("tcp", "tls", "ws", "wss")
_SECURE = frozenset({"tls", "wss"})
_WEBSOCKETS = frozenset({"ws", "wss"})
_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect, and how.

    Attributes:
        scheme: "tcp", "tls", "ws" or "wss".
        host: a name or an address.
        port: a port number.
    """

    scheme: str
    host: str
    port: int

    async def open(self, ssl_context: ssl.SSLContext | None) -> FrameTransport:
        """Connect; waits until the connection stands.

        Raises:
            ConnectionFailed: nobody is there, or a handshake failed.

        Cancellation:
            Leaves no socket behind.
        """
        connect = _open_websocket() if self.scheme in _WEBSOCKETS else open_tcp
        return await connect(self.host, self.port, tls=self.scheme in _SECURE, ssl_context=ssl_context)


def parse_endpoint(text: str) -> Endpoint:
    """Read an endpoint such as ``tls://tcp.elarian.dev:443``.

    Raises:
        ValueError: it is not one; the words say what is wrong and what would be right.
        ModuleNotFoundError: it needs a package that is not installed; the words say how to install it.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
        host = host and host.encode("idna").decode()  # a name that no lookup could take is a UnicodeError here
    except (ValueError, AttributeError):
        host = port = parts = None
    if parts is None or parts.scheme not in _SCHEMES or not host or port is None or not 0 < port <= _MAX_PORT:
        msg = f"an endpoint is {', '.join(f'{each}://host:port' for each in _SCHEMES)}; this one is not"
        raise ValueError(msg)
    if parts.username is not None or parts.path not in ("", "/") or parts.query or parts.fragment:
        msg = f"an endpoint holds a host and a port and nothing else, unlike the one for {host}:{port}"
        raise ValueError(msg)
    if parts.scheme in _WEBSOCKETS:
        _open_websocket()
    return Endpoint(parts.scheme, host, port)


def _open_websocket() -> Callable[..., Awaitable[FrameTransport]]:
    """Load what an extra brings, where it is asked for."""
    from elarian_trio._transport.upgrade import open_websocket

    return open_websocket
