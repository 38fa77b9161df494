"""A Planship on loopback of a few rules: HTTP by h11, WebSockets by the ``websockets`` package, and every byte kept.

It is no stand-in: it knows tokens, one customer's entitlements and what a test tells it to answer. Its answers and its
frames may be late by different measures, as those of two connections are; frames of one socket keep their order.
"""

from __future__ import annotations

import json
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import anyio
import anyio.lowlevel
import h11
from anyio.abc import SocketAttribute
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from anyio.abc import ByteStream

BROKEN = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, OSError)


@dataclass(frozen=True)
class Asked:
    """One request as it came.

    Attributes:
        method: the verb.
        target: path and query, as they travelled.
        headers: by their names in lower case.
        body: its bytes.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


@dataclass(frozen=True)
class Answer:
    """What a test has answered."""

    status: int = 200
    content: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)


def as_json(value: Any, status: int = 200, *headers: tuple[str, str]) -> Answer:  # noqa: ANN401 - any JSON
    """Answer JSON."""
    return Answer(status, json.dumps(value).encode(), (("content-type", "application/json"), *headers))


class Pushed:
    """One WebSocket, seen from the server.

    Attributes:
        closed_by_client: the code with which the client closed, if it did.
        token: by which it was opened.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self.protocol = ServerProtocol()
        self.closed_by_client: int | None = None
        self.answers_pings = True
        self._waiting: list[bytes] = []
        self._changed = anyio.Event()

    def open(self, asked: Asked) -> dict[str, str]:
        """Accept a client's request, and give the headers of the answer; whoever carries it says that it is one."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in asked.headers.items())
        self.protocol.receive_data(f"GET {asked.target} HTTP/1.1\r\n{lines}\r\n".encode())
        (request,) = self.protocol.events_received()
        answer = self.protocol.accept(request)  # type: ignore[arg-type]
        self.protocol.send_response(answer)
        self.protocol.data_to_send()
        return dict(answer.headers.raw_items())

    def push(self, text: str) -> None:
        """Have a text frame sent, behind what waits already."""
        if self.protocol.state is State.OPEN:
            self.protocol.send_text(text.encode())
            self.flush()

    def push_bytes(self, data: bytes) -> None:
        """Have a binary frame sent."""
        self.protocol.send_binary(data)
        self.flush()

    def close(self, code: int) -> None:
        """Have a closing message sent."""
        if self.protocol.state is State.OPEN:
            self.protocol.send_close(code)
            self.flush()

    def flush(self) -> None:
        """Put what the protocol says behind what waits already."""
        self.say(*(each for each in self.protocol.data_to_send() if each))

    def say(self, *pieces: bytes) -> None:
        """Put bytes behind what waits already."""
        self._waiting += pieces
        self._changed.set()
        self._changed = anyio.Event()

    async def next(self) -> bytes:
        """Wait for what is to be sent next."""
        while not self._waiting:
            await self._changed.wait()
        return self._waiting.pop(0)

    def take_in(self, data: bytes) -> None:
        """Read what the client says."""
        self.protocol.receive_data(data)
        for frame in self.protocol.events_received():
            if isinstance(frame, Frame) and frame.opcode is Opcode.CLOSE:
                self.closed_by_client = int.from_bytes(bytes(frame.data)[:2], "big")
        if self.answers_pings:
            self.flush()
        else:
            self.protocol.data_to_send()


@dataclass
class PlanshipServer:
    """Made by :func:`serving`. What a test may set is told here; everything else is there to be looked at.

    Attributes:
        answer: answers a request before the rules do, if it gives anything.
        late: seconds at most by which answers and frames are late, at random.
        snapshot: whether a new socket is sent the state at once.
        refuse: the status with which sockets are refused, if they are.
        asked: every request.
        sockets: those that are open.
        all_sockets: those that ever were.
        valid: the tokens that are taken.
        state: the entitlements.
    """

    port: int = 0
    answer: Callable[[Asked], Awaitable[Answer | None]] | None = None
    late: float = 0.0
    snapshot: bool = False
    refuse: int | None = None
    answers_pings: bool = True
    dice: random.Random = field(default_factory=random.Random)
    asked: list[Asked] = field(default_factory=list[Asked])
    sockets: set[Pushed] = field(default_factory=set[Pushed])
    all_sockets: list[Pushed] = field(default_factory=list[Pushed])
    valid: set[str] = field(default_factory=set[str])
    state: dict[str, Any] = field(default_factory=dict[str, Any])
    raw: list[bytes] = field(default_factory=list[bytes])
    tokens: int = 0
    scheme: str = "http"

    @property
    def urls(self) -> dict[str, str]:
        """What a client takes to come here."""
        secure = "s" if self.scheme == "https" else ""
        return {
            "base_url": f"http{secure}://127.0.0.1:{self.port}",
            "web_socket_url": f"ws{secure}://127.0.0.1:{self.port}",
        }

    @property
    def credentials(self) -> dict[str, str]:
        """The addresses, and a client's id and secret."""
        return {**self.urls, "client_id": "ID", "client_secret": "SECRET"}

    def change(self, **entitlements: Any) -> None:  # noqa: ANN401 - any JSON
        """Change the entitlements, and have every socket told."""
        self.state = {**self.state, **entitlements}
        for socket in self.sockets:
            socket.push(json.dumps(self.state))

    def paths(self) -> list[str]:
        """Give what was asked, a line each."""
        return [f"{each.method} {each.path}" for each in self.asked]

    async def serve(self, stream: ByteStream) -> None:
        """Serve one connection."""
        async with stream:
            try:
                await self._serve(stream)
            except (*BROKEN, h11.RemoteProtocolError):
                await anyio.lowlevel.checkpoint()

    async def _serve(self, stream: ByteStream) -> None:
        http = h11.Connection(h11.SERVER)
        while True:
            asked = await self._next_request(stream, http)
            if asked is None:
                return
            self.asked.append(asked)
            if asked.headers.get("upgrade") == "websocket":
                await self._upgrade(stream, http, asked)
                return
            answer = await self.respond(asked)
            await self._delay()
            await self._send(stream, http, answer)
            if http.our_state is not h11.DONE:
                return
            http.start_next_cycle()

    async def _next_request(self, stream: ByteStream, http: h11.Connection) -> Asked | None:
        request, body = None, b""
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                data = await stream.receive()
                self.raw.append(data)
                http.receive_data(data)
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif request is None:
                return None
            else:
                headers = {name.decode(): value.decode() for name, value in request.headers}
                return Asked(request.method.decode(), request.target.decode(), headers, body)

    async def _send(self, stream: ByteStream, http: h11.Connection, answer: Answer) -> None:
        headers = [*answer.headers, ("content-length", str(len(answer.content)))]
        data = http.send(h11.Response(status_code=answer.status, headers=headers)) or b""
        data += (http.send(h11.Data(data=answer.content)) or b"") + (http.send(h11.EndOfMessage()) or b"")
        await stream.send(data)

    async def respond(self, asked: Asked) -> Answer:
        """Answer by what the test says, or by the rules."""
        told = None if self.answer is None else await self.answer(asked)
        if told is not None:
            return told
        if asked.path == "/api/v1/auth/token":
            return as_json({"access_token": self.give_token(), "token_type": "bearer", "expires_in": 3600})
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.valid:
            return as_json({"detail": "Could not validate credentials"}, 401)
        if asked.path.endswith("/entitlements"):
            return as_json(self.state)
        return as_json({"detail": "Not Found"}, 404)

    def give_token(self) -> str:
        """Make a token that is taken."""
        self.tokens += 1
        token = f"t{self.tokens}"
        self.valid.add(token)
        return token

    async def _delay(self) -> None:
        if self.late:
            await anyio.sleep(self.dice.uniform(0, self.late))

    async def _upgrade(self, stream: ByteStream, http: h11.Connection, asked: Asked) -> None:
        token = parse_qs(urlsplit(asked.target).query).get("token", [""])[0]
        refuse = self.refuse or (None if token in self.valid else 403)
        if refuse is not None:
            await self._send(stream, http, as_json({"detail": "no socket"}, refuse))
            return
        socket = Pushed(token)
        socket.answers_pings = self.answers_pings
        head = "".join(f"{name}: {value}\r\n" for name, value in socket.open(asked).items())
        socket.say(f"HTTP/1.1 101 Switching Protocols\r\n{head}\r\n".encode())
        self.sockets.add(socket)  # before the answer leaves: from then on nothing may be missed
        self.all_sockets.append(socket)
        if self.snapshot:
            socket.push(json.dumps(self.state))
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._write, stream, socket, tasks)
                await self._read(stream, socket)
                tasks.cancel_scope.cancel()
        finally:
            self.sockets.discard(socket)

    async def _read(self, stream: ByteStream, socket: Pushed) -> None:
        try:
            while True:
                socket.take_in(await stream.receive())
        except BROKEN:
            await anyio.lowlevel.checkpoint()

    async def _write(self, stream: ByteStream, socket: Pushed, tasks: anyio.abc.TaskGroup) -> None:
        try:
            while True:
                data = await socket.next()
                await self._delay()
                await stream.send(data)
                if socket.protocol.state in (State.CLOSING, State.CLOSED) and socket.closed_by_client is not None:
                    break
        except BROKEN:
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def serving(context: ssl.SSLContext | None = None, **settings: Any) -> AsyncIterator[PlanshipServer]:  # noqa: ANN401
    """Serve for a block, with TLS if there is a *context*."""
    server = PlanshipServer(**settings, scheme="http" if context is None else "https")

    async def serve(stream: ByteStream) -> None:
        if context is not None:
            try:
                stream = await anyio.streams.tls.TLSStream.wrap(stream, ssl_context=context, standard_compatible=False)
            except BROKEN:
                return
        await server.serve(stream)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    server.port = listener.extra(SocketAttribute.local_port)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        yield server
        tasks.cancel_scope.cancel()
