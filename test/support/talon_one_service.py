"""An HTTP service of the test's own: it answers what the test says, and remembers what it was asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import httpx2

if TYPE_CHECKING:
    from collections.abc import Iterable


class Answering(httpx2.AsyncBaseTransport):
    """A transport that answers each request with the next answer, the last one again and again.

    Attributes:
        asked: the requests, in order.
        most: how many were in hand at once, at most.
        gate: while it is set to an event, each request waits for it.
        is_closed: whether it was closed.
    """

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[httpx2.Request] = []
        self.most = 0
        self.gate: anyio.Event | None = None
        self.is_closed = False
        self._in_hand = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._in_hand += 1
        self.most = max(self.most, self._in_hand)
        try:
            await request.aread()
            self.asked.append(request)
            if self.gate is not None:
                await self.gate.wait()
            else:
                await anyio.lowlevel.checkpoint()
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            if isinstance(answer, Exception):
                raise answer
            return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)
        finally:
            self._in_hand -= 1

    async def aclose(self) -> None:
        self.is_closed = True

    @property
    def last(self) -> httpx2.Request:
        """The latest request."""
        return self.asked[-1]


def answer(status: int, value: Any = None, *, headers: Iterable[tuple[str, str]] = ()) -> httpx2.Response:  # noqa: ANN401
    """Give a response: bytes as they are, ``None`` as nothing, anything else as JSON."""
    content = b"" if value is None else value if isinstance(value, bytes) else json.dumps(value).encode()
    return httpx2.Response(status, headers=list(headers), content=content)
