"""Whole frames over something: the transports, and how a stream of the user's becomes one.

WebSockets are in :mod:`.upgrade`, which needs an extra and is imported where it is asked for.

:mod:`elarian_trio._session` stands above, :mod:`elarian_trio._rsocket` (for framing) and anyio below.
"""

from __future__ import annotations

from typing import Any

from anyio.abc import ByteStream, ObjectStream

from elarian_trio._transport.memory import MemoryTransport, open_memory_pair
from elarian_trio._transport.tcp import StreamTransport, open_tcp, serve_tcp
from elarian_trio._transport.tls import client_context, server_context
from elarian_trio._transport.transport import TRANSPORT_ERRORS, FrameTransport, ObjectTransport

__all__ = [
    "TRANSPORT_ERRORS",
    "FrameTransport",
    "MemoryTransport",
    "ObjectTransport",
    "StreamTransport",
    "as_transport",
    "client_context",
    "open_memory_pair",
    "open_tcp",
    "serve_tcp",
    "server_context",
]


def as_transport(stream: ObjectStream[bytes] | ByteStream) -> FrameTransport:
    """Give a transport for *stream*, which it owns from then on.

    A transport of ours is taken as it is; any other stream of objects carries one frame an object; a stream of bytes
    gets RSocket's length prefixes.

    Raises:
        TypeError: *stream* is none of these.
    """
    if isinstance(stream, FrameTransport):
        return stream
    if isinstance(stream, ByteStream):
        return StreamTransport(stream)
    given: Any = stream  # made by a user's function: what its type says need not be so
    if not isinstance(given, ObjectStream):
        msg = f"a transport must be an anyio ObjectStream[bytes] or ByteStream, got {type(given).__name__}"
        raise TypeError(msg)
    return ObjectTransport(stream)
