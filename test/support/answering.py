"""An httpx2 transport that answers what a test says, and keeps what it was asked."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio.lowlevel
import httpx2

if TYPE_CHECKING:
    from collections.abc import Iterable

Give: TypeAlias = Callable[[httpx2.Request], Awaitable[httpx2.Response] | httpx2.Response]


class Answering(httpx2.AsyncBaseTransport):
    """Answers each request by a function, or by what is next in a row; an exception is raised.

    Attributes:
        asked: every request.
        is_closed: whether it was closed.
    """

    def __init__(self, answers: Give | Iterable[httpx2.Response | Exception]) -> None:
        self.asked: list[httpx2.Request] = []
        self.is_closed = False
        self._give = answers if callable(answers) else None
        self._row = iter(() if callable(answers) else answers)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await anyio.lowlevel.checkpoint()
        self.asked.append(request)
        trace = request.extensions["trace"]
        if self._give is not None:
            answer = self._give(request)
            await trace("http11.send_request_headers.started", {"request": _Traced(request)})
            return await answer if isinstance(answer, Awaitable) else answer
        given = next(self._row)
        if not isinstance(given, (httpx2.ConnectError, httpx2.ConnectTimeout)):
            await trace("http11.send_request_headers.started", {"request": _Traced(request)})
        if isinstance(given, Exception):
            raise given
        return given

    async def aclose(self) -> None:
        self.is_closed = True
        await anyio.lowlevel.checkpoint()

    def lines(self) -> list[str]:
        """Give what was asked, a line each."""
        return [f"{each.method} {each.url.raw_path.decode()}" for each in self.asked]

    def bodies(self) -> list[str]:
        """Give what was sent with it."""
        return [each.content.decode() for each in self.asked]


class _Traced:
    """A request as httpcore2 shows it."""

    def __init__(self, request: httpx2.Request) -> None:
        self.method = request.method.encode()


def json_answer(value: Any, status: int = 200, **headers: str) -> httpx2.Response:  # noqa: ANN401 - any JSON
    """Make an answer of JSON."""
    given = {"content-type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
    return httpx2.Response(status, content=json.dumps(value).encode(), headers=given)
