"""rsocket-py 0.4.20, either end; arguments as in ``Peer.java``. It cannot resume.

Run by the peers' own interpreter, which knows nothing of this package. A request is ``<verb>:<argument>``, as in
``behaviour.js``.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web
from rsocket.payload import Payload
from rsocket.request_handler import BaseRequestHandler
from rsocket.rsocket_client import RSocketClient
from rsocket.rsocket_server import RSocketServer
from rsocket.transports.aiohttp_websocket import TransportAioHttpClient, TransportAioHttpWebsocket
from rsocket.transports.tcp import TransportTCP

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FRAGMENT = 64 * 1024


def say(*words: object) -> None:
    """Tell the test something, at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


class Handler(BaseRequestHandler):
    """One connection's behaviour."""

    def __init__(self) -> None:
        self.socket: Any = None
        self.canceled = 0
        self.kept: list[asyncio.Future[Any]] = []
        self.tasks: set[asyncio.Task[None]] = set()

    async def on_setup(self, data_encoding: bytes, metadata_encoding: bytes, payload: Any) -> None:  # noqa: ANN401 - untyped
        del data_encoding, metadata_encoding
        if payload.data == b"wrong":
            msg = "no such key"
            raise ValueError(msg)

    async def on_error(self, error_code: int, payload: Any) -> None:  # noqa: ANN401 - the library has no types
        say("HEARD", int(error_code), bytes(payload.data or b"").decode())

    async def on_close(self, rsocket: object, exception: Exception | None = None) -> None:
        del rsocket
        say("CLOSED", exception or "")

    async def request_response(self, payload: Any) -> asyncio.Future[Any]:  # noqa: ANN401 - the library has no types
        verb, _, body = bytes(payload.data).partition(b":")
        answer = asyncio.get_running_loop().create_future()
        answer.add_done_callback(self.note)
        self.start(self.answer(answer, getattr(self, f"on_{verb.decode()}"), body))
        return answer

    def start(self, work: Any) -> None:  # noqa: ANN401 - a coroutine of any kind
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def note(self, answer: asyncio.Future[Any]) -> None:
        self.canceled += answer.cancelled()

    async def answer(self, answer: asyncio.Future[Any], act: Any, body: bytes) -> None:  # noqa: ANN401 - a method
        try:
            data = await act(body)
        except Exception as error:
            answer.set_exception(error)
        else:
            if data is not None:
                answer.set_result(Payload(data))

    async def ask(self, body: bytes) -> bytes:
        return bytes((await self.socket.request_response(Payload(body))).data or b"")

    async def on_echo(self, body: bytes) -> bytes:
        return body

    async def on_fail(self, body: bytes) -> bytes:
        raise ValueError(body.decode())

    async def on_never(self, _: bytes) -> None:
        return None

    async def on_canceled(self, _: bytes) -> bytes:
        return b"%d" % self.canceled

    async def on_ask(self, body: bytes) -> bytes:
        try:
            return await self.ask(body)
        except Exception as error:
            return f"failed: {error}".encode()

    async def on_many(self, body: bytes) -> bytes:
        items = [b"item %d" % number for number in range(int(body))]
        answers = await asyncio.gather(*map(self.ask, items))
        return b"each its own" if answers == items else b"mixed up"

    async def on_keep(self, body: bytes) -> bytes:
        self.kept.append(self.socket.request_response(Payload(body)))
        return b"kept"

    async def on_drop(self, _: bytes) -> bytes:
        while self.kept:
            self.kept.pop().cancel()
        return b"dropped"

    async def on_leave(self, _: bytes) -> bytes:
        self.start(self.leave())
        return b"bye"

    async def leave(self) -> None:
        await asyncio.sleep(0.05)  # the library drops what still waits to be sent, and the answer is to get out
        await self.socket.close()


def open_session(transport: Any) -> None:  # noqa: ANN401 - the library has no types
    """Be the responder of whoever connected."""
    handler = Handler()
    handler.socket = RSocketServer(transport, handler_factory=lambda: handler, fragment_size_bytes=FRAGMENT)


async def serve_tcp() -> None:
    """Listen."""

    def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_session(TransportTCP(reader, writer, read_buffer_size=FRAGMENT))

    server = await asyncio.start_server(session, "127.0.0.1", 0)
    say("READY", server.sockets[0].getsockname()[1])
    async with server:
        await server.serve_forever()


async def serve_ws() -> None:
    """Listen for WebSockets."""

    async def session(request: web.Request) -> web.WebSocketResponse:
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        transport = TransportAioHttpWebsocket(websocket)
        open_session(transport)
        await transport.handle_incoming_ws_messages()
        return websocket

    application = web.Application()
    application.router.add_get("/", session)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    say("READY", runner.addresses[0][1])
    await asyncio.Event().wait()


async def dial(transport: str, port: str) -> Any:  # noqa: ANN401 - the library has no types
    """Connect to a port of this machine."""
    if transport == "ws":
        return TransportAioHttpClient(f"ws://127.0.0.1:{port}/")
    return TransportTCP(*await asyncio.open_connection("127.0.0.1", int(port)), read_buffer_size=FRAGMENT)


async def connect(transport: str, port: str, credentials: str, interval: str, lifetime: str) -> None:
    """Connect, with times in milliseconds."""
    handler = Handler()

    async def transports() -> AsyncIterator[Any]:
        yield await dial(transport, port)

    handler.socket = RSocketClient(
        transports(),
        handler_factory=lambda: handler,
        setup_payload=Payload(credentials.encode(), b'{"agent":"test"}'),
        keep_alive_period=timedelta(milliseconds=int(interval)),
        max_lifetime_period=timedelta(milliseconds=int(lifetime)),
        fragment_size_bytes=FRAGMENT,
    )
    await handler.socket.connect()
    say("READY", 0)
    await asyncio.Event().wait()


if __name__ == "__main__":
    role, *rest = sys.argv[1:]
    asyncio.run({"tcp": serve_tcp, "ws": serve_ws}[rest[0]]() if role == "server" else connect(*rest))
