"""Between anycorn's ASGI and the values of :mod:`.exchange`: requests, replies, WebSockets, connections.

:mod:`.web` stands above.
"""

from __future__ import annotations

import logging
import re
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, unquote

import anyio.lowlevel
from anyio.abc import ByteStream, SocketAttribute

try:
    from anycorn import Config
    from anycorn.app_wrappers import ASGIWrapper
    from anycorn.tcp_server import TCPServer
    from anycorn.worker_context import WorkerContext
    from starlette.responses import Response
    from starlette.routing import Match, Route, WebSocketRoute
    from starlette.websockets import WebSocket, WebSocketDisconnect
except ImportError as _error:
    _msg = "the sandbox's HTTP stand-ins need starlette and anycorn: pip install 'elarian-trio[standins]'"
    raise ModuleNotFoundError(_msg, name=_error.name) from _error

from elarian_trio.sandbox.exchange import WebReply, WebRequest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from anyio.abc import SocketStream
    from starlette.types import ASGIApp, Receive, Scope, Send

    from elarian_trio.sandbox.exchange import Operation

__all__ = [
    "Connections",
    "Dropped",
    "Heard",
    "Routes",
    "head_of",
    "read_body",
    "response_of",
    "server_of",
    "websocket_of",
]

MAX_BODY = 1024 * 1024  # bytes of a request: far more than either service is ever sent
MAX_HEAD = 64 * 1024  # bytes of a request's head: ids and tokens stand in its path
IDLE = 75  # seconds, the loop's, that a connection is kept for the next request

logger: logging.Logger = logging.getLogger("elarian_trio.sandbox")

_QUOTED = re.compile(r":? (bytearray\()?b['\"].*", re.DOTALL)  # how h11 repeats what it was sent


def _without_what_was_sent(record: logging.LogRecord) -> bool:
    """Have anycorn's log say what is wrong with a request without repeating it: the line may hold a key."""
    if isinstance(record.args, tuple):
        record.args = tuple(_QUOTED.sub("", str(arg)) if isinstance(arg, Exception) else arg for arg in record.args)
    return True


anycorn_logger: logging.Logger = logging.getLogger("elarian_trio.sandbox.http")
anycorn_logger.addFilter(_without_what_was_sent)


class Dropped(Exception):
    """The connection is to be dropped, or was by the other end."""


class Heard:
    """A handshake of a WebSocket, and the connection once it is accepted. Made by the server.

    Attributes:
        websocket: what starlette makes of it.
        request: the handshake, with its parameters.
        leaving: set when the server's block is left in order: time to say goodbye.
    """

    def __init__(
        self, websocket: WebSocket, request: WebRequest, leaving: anyio.Event, note: Callable[[int], None]
    ) -> None:
        self.websocket: WebSocket = websocket
        self.request: WebRequest = request
        self.leaving: anyio.Event = leaving
        self._note = note

    async def accept(self) -> None:
        """Accept it."""
        await self.websocket.accept()
        self._note(101)

    async def refuse(self, reply: WebReply) -> None:
        """Answer the handshake with *reply*, and no WebSocket."""
        self._note(reply.status)
        await self.websocket.send_denial_response(response_of(reply))

    async def wait_gone(self) -> None:
        """Wait until the other end is gone; whatever it says is ignored."""
        while (await self.websocket.receive())["type"] != "websocket.disconnect":
            pass

    async def serve(self, hear: Callable[[Heard], Awaitable[None]]) -> None:
        """Have it served; a failure of ours ends it with 1011.

        Raises:
            Dropped: it is to be dropped.
        """
        await anyio.lowlevel.checkpoint()
        try:
            await hear(self)
        except WebSocketDisconnect:
            pass
        except Dropped:
            raise
        except Exception:
            logger.exception("a WebSocket failed")
            with suppress(RuntimeError):  # it may be closed already
                await self.websocket.close(1011)


class Routes:
    """What is served at which path.

    Args:
        operations: what can be asked.
        sockets: what serves the WebSockets at a path.
    """

    def __init__(
        self, operations: Iterable[Operation], sockets: Mapping[str, Callable[[Heard], Awaitable[None]]]
    ) -> None:
        self._routes = [
            *(Route(each.path, each.rule, methods=[each.method]) for each in operations),
            *(WebSocketRoute(path, hear) for path, hear in sockets.items()),
        ]

    def find(self, scope: Scope) -> tuple[Any, Mapping[str, str], tuple[str, ...]]:
        """Find what serves a path, which is taken apart as it travels: a slash within a segment is none between two.

        Returns:
            The rule or what serves a WebSocket, and the path's parameters; or ``None``, and by which other methods
            something can be asked there.
        """
        methods: set[str] = set()
        for route in self._routes:
            match, found = route.matches({**scope, "path": scope["raw_path"].decode("ascii")})
            if match is Match.FULL:
                params = {name: unquote(value) for name, value in found["path_params"].items()}
                return found["endpoint"], params, ()
            if match is Match.PARTIAL:
                methods |= cast("Route", route).methods or set()
        return None, {}, tuple(sorted(methods))


class Connections:
    """The connections at this moment, by the address at their other end."""

    def __init__(self) -> None:
        self._sockets: dict[tuple[str, int], socket.socket] = {}

    def add(self, stream: ByteStream) -> tuple[str, int]:
        """Know *stream*, and give what it is known by."""
        address: tuple[str, int] = stream.extra(SocketAttribute.remote_address)[:2]  # type: ignore[assignment]
        raw = stream.extra(SocketAttribute.raw_socket)
        # A second descriptor: uvloop's sockets cannot be shut down, and go on telling the number of one that is closed.
        self._sockets[address] = socket.fromfd(raw.fileno(), raw.family, raw.type)
        return address

    def remove(self, address: tuple[str, int]) -> None:
        """Know it no longer."""
        self._sockets.pop(address).close()

    def drop(self, address: tuple[str, int]) -> None:
        """Close one both ways at once; whoever reads or writes on it, at either end, is told."""
        found = self._sockets.get(address)
        if found is not None:
            with suppress(OSError):  # it is gone already
                found.shutdown(socket.SHUT_RDWR)

    def drop_all(self) -> None:
        """Close all: anycorn shields what it sends, so that whoever does not read would keep the block from ending."""
        for address in tuple(self._sockets):
            self.drop(address)


class _Line(ByteStream):
    """A connection as anycorn is to have it: one that can say its end although the other end is gone.

    uvloop (0.23 was seen) raises RuntimeError then, which anyio lets out and anycorn does not know.
    """

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        """What anycorn asks about the connection."""
        stream: Any = self._stream  # whose types say only that it is a mapping of functions
        return cast("Mapping[Any, Callable[[], Any]]", stream.extra_attributes)

    async def receive(self, max_bytes: int = 65_536) -> bytes:
        """Read."""
        return await self._stream.receive(max_bytes)

    async def send(self, item: bytes) -> None:
        """Write."""
        await self._stream.send(item)

    async def send_eof(self) -> None:
        """Say that nothing more is written."""
        try:
            await self._stream.send_eof()
        except RuntimeError as error:
            raise anyio.BrokenResourceError from error

    async def aclose(self) -> None:
        """Close."""
        await self._stream.aclose()


def server_of(app: ASGIApp) -> Callable[[ByteStream], Awaitable[None]]:
    """Give what serves *app* on one connection."""
    config = Config()
    config.errorlog = anycorn_logger
    config.include_server_header = False
    config.h11_max_incomplete_size = MAX_HEAD
    config.keep_alive_timeout = IDLE
    config.keep_alive_max_requests = 1 << 30
    wrapped = ASGIWrapper(cast("Any", app))

    async def serve(stream: ByteStream) -> None:
        await _Server(wrapped, config, WorkerContext(None), {}, cast("SocketStream", _Line(stream))).run()

    return serve


class _Server(TCPServer):
    """Serves one connection, and no longer than the other end keeps it."""

    async def _read_data(self) -> None:
        """Read until the other end is gone; anycorn alone would still wait for its next request, with the socket."""
        await super()._read_data()
        await self.context.terminated.set()


def head_of(scope: Scope) -> WebRequest:
    """Give what stands before a request's body."""
    return WebRequest(
        method=scope.get("method", "GET"),  # a handshake has none
        path=scope["raw_path"].decode("ascii"),
        query=tuple(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
    )


async def read_body(receive: Receive) -> bytes | None:
    """Read a body whole; ``None`` where it is too long.

    Raises:
        Dropped: the other end is gone.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Dropped
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def response_of(reply: WebReply) -> Response:
    """Give what starlette sends for *reply*."""
    return Response(reply.body, reply.status, dict(reply.headers))


def websocket_of(scope: Scope, receive: Receive, send: Send) -> WebSocket:
    """Give what starlette makes of a handshake."""
    return WebSocket(scope, receive, send)
