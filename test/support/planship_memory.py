"""The Planship of ``planship_server`` without a network: an httpx2 transport whose WebSockets are in memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio.lowlevel
import httpcore2
import httpx2
from planship_server import Answer, Asked, PlanshipServer, Pushed

from elarian_trio.planship import PlanshipCustomer

if TYPE_CHECKING:
    from collections.abc import Mapping


class Wire:
    """A connection that has left HTTP behind, as httpcore2 gives it.

    Attributes:
        socket: the other end.
        is_closed: whether the client has closed it.
        is_stuck: whether nothing that is written is taken.
    """

    def __init__(self, socket: Pushed) -> None:
        self.socket = socket
        self.is_closed = self.is_stuck = False
        self._is_broken = False
        self._ended = anyio.Event()

    def cut(self, *, broken: bool = True) -> None:
        """End the connection: it breaks, or just ends."""
        self._is_broken = broken
        self._ended.set()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore2's
        del max_bytes, timeout
        data = b""
        async with anyio.create_task_group() as tasks:

            async def wait_for_the_end() -> None:
                await self._ended.wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(wait_for_the_end)
            data = await self.socket.next()
            tasks.cancel_scope.cancel()
        if not data and self._is_broken:
            raise httpcore2.ReadError
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore2's
        del timeout
        await anyio.lowlevel.checkpoint()
        if self._ended.is_set():
            raise httpcore2.WriteError
        if self.is_stuck:
            await anyio.sleep_forever()
        self.socket.take_in(buffer)

    async def aclose(self) -> None:
        self.is_closed = True
        await anyio.lowlevel.checkpoint()


class MemoryPlanship(httpx2.AsyncBaseTransport):
    """Carries a client's requests to a server in this process.

    Attributes:
        server: it; what tests may set is told there.
        wires: the WebSockets, in order; each is ``None`` for one that was refused.
        refusals: statuses with which the next WebSockets are refused, ``None`` for one that is not.
        unreachable: how many of the next WebSockets nobody answers.
    """

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - see the server
        self.server = PlanshipServer(**settings)
        self.wires: list[Wire] = []
        self.refusals: list[int | None] = []
        self.unreachable = 0
        self.asked_at: list[float] = []

    def client(self, **arguments: Any) -> PlanshipCustomer:  # noqa: ANN401 - any argument
        """Make a client that comes here."""
        given = {"client_id": "ID", "client_secret": "SECRET"} if "get_access_token" not in arguments else {}
        return PlanshipCustomer("p", "c/1", **{**given, "base_url": "http://h", **arguments}, transport=self)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await anyio.lowlevel.checkpoint()
        headers = dict(request.headers)
        asked = Asked(request.method, request.url.raw_path.decode(), headers, request.content)
        self.server.asked.append(asked)
        if headers.get("upgrade") != "websocket":
            return _given(await self.server.respond(asked))
        self.asked_at.append(anyio.current_time())
        if self.unreachable:
            self.unreachable -= 1
            raise httpx2.ConnectError("nobody")
        refusal = self.refusals.pop(0) if self.refusals else None
        token = asked.target.rpartition("token=")[2]
        if refusal is not None or token not in self.server.valid:
            return _given(Answer(refusal or 403, b'{"detail": "no socket"}'))
        return self._open(asked, token)

    def _open(self, asked: Asked, token: str) -> httpx2.Response:
        socket = Pushed(token)
        socket.answers_pings = self.server.answers_pings
        answer = socket.open(asked)
        self.server.sockets.add(socket)
        self.server.all_sockets.append(socket)
        self.wires.append(Wire(socket))
        if self.server.snapshot:
            socket.push(json.dumps(self.server.state))
        return httpx2.Response(101, headers=answer, extensions={"network_stream": self.wires[-1]})


def _given(answer: Answer) -> httpx2.Response:
    headers: Mapping[str, str] = dict(answer.headers)
    return httpx2.Response(answer.status, content=answer.content, headers=headers)
