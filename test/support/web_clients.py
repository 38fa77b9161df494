"""Clients of the stand-ins that are nobody's: plain HTTP, and WebSockets as wsproto has them.

With them comes Planship's stand-in with a clock that moves when the test says so.
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio
import httpx2
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Ping,
    Pong,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)

from elarian_trio.sandbox import ManualClock
from elarian_trio.sandbox.planship import PlanshipServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import SocketStream
    from wsproto.events import Event

BOUND = 5.0  # seconds that anything awaited may take
START = datetime(2026, 3, 1, tzinfo=UTC)
CLICKS = "subscription-button-clicks"


class Refused(Exception):
    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class Gone(Exception):
    """The connection was closed, with a code or without a word."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class Socket:
    """A WebSocket's client end."""

    def __init__(self, stream: SocketStream) -> None:
        self._stream = stream
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._events: list[Event] = []

    async def shake_hands(self, host: str, target: str) -> None:
        await self.send(Request(host=host, target=target))
        event = await self._next()
        if isinstance(event, RejectConnection):
            body = b""
            while event.has_body:
                part = await self._next()
                assert isinstance(part, RejectData)
                body += part.data
                if part.body_finished:
                    break
            raise Refused(event.status_code, body)
        assert isinstance(event, AcceptConnection)

    async def send(self, event: Event) -> None:
        await self._stream.send(self._protocol.send(event))

    async def _next(self) -> Event:
        with anyio.fail_after(BOUND):
            while not self._events:
                try:
                    self._protocol.receive_data(await self._stream.receive())
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    raise Gone(None) from None
                self._events += self._protocol.events()
        return self._events.pop(0)

    async def receive(self) -> Any:  # noqa: ANN401 - JSON, or a text that is none
        """Give what the next text frame says."""
        event = await self._next()
        if isinstance(event, CloseConnection):
            await self.send(event.response())
            raise Gone(event.code)
        assert isinstance(event, TextMessage)
        try:
            return json.loads(event.data)
        except ValueError:
            return event.data

    async def ping(self) -> None:
        """Have a ping answered."""
        await self.send(Ping(b"?"))
        assert isinstance(await self._next(), Pong)


@asynccontextmanager
async def web_socket(url: str) -> AsyncIterator[Socket]:
    """Open a WebSocket."""
    parts = urlsplit(url)
    async with await anyio.connect_tcp(parts.hostname, parts.port) as stream:
        socket = Socket(stream)
        await socket.shake_hands(parts.netloc, f"{parts.path}?{parts.query}")
        yield socket


def manual(**values: Any) -> PlanshipServer:  # noqa: ANN401 - a server's arguments
    """Make a server whose time stands still."""
    return PlanshipServer(clock=ManualClock(START), **values)


class Caller:
    """A client of Planship's stand-in that is signed in."""

    def __init__(self, planship: PlanshipServer, http: httpx2.AsyncClient) -> None:
        self.planship = planship
        self.http = http
        self.token = ""

    async def sign_in(self) -> None:
        credentials = self.planship.credentials
        auth = (credentials["client_id"], credentials["client_secret"])
        reply = await self.http.post("/auth/token", auth=auth)
        assert reply.status_code == 200
        self.token = reply.json()["access_token"]

    async def ask(self, method: str, path: str, body: object = None, *, expect: int = 200) -> Any:  # noqa: ANN401
        headers = {"authorization": f"Bearer {self.token}"}
        reply = await self.http.request(method, path, headers=headers, **({} if body is None else {"json": body}))
        assert reply.status_code == expect, (reply.status_code, reply.text)
        return reply.json()

    async def subscribe(self, name: str, plan: str = "small") -> str:
        """Make a customer with a subscription, and give the subscription's UUID."""
        await self.ask("POST", "/customers", {"alternative_id": name})
        path = f"/products/clicker-demo/plans/{plan}/subscriptions"
        made: str = (await self.ask("POST", path, {"customer_id": name}))["id"]
        return made

    async def use(self, name: str, usage: int) -> None:
        await self.ask("POST", f"/customers/{name}/products/clicker-demo/usage/button-click", {"usage": usage})

    def listen_to(self, name: str, *, token: str | None = None, product: str = "clicker-demo") -> Any:  # noqa: ANN401
        path = f"/api/v1/ws/customers/{name}/products/{product}/entitlements"
        return web_socket(f"{self.planship.web_socket_url}{path}?token={self.token if token is None else token}")


@asynccontextmanager
async def caller(planship: PlanshipServer) -> AsyncIterator[Caller]:
    """Sign in."""
    async with httpx2.AsyncClient(base_url=f"{planship.base_url}/api/v1", trust_env=False) as http:
        found = Caller(planship, http)
        await found.sign_in()
        yield found
