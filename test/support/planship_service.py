"""A Planship of the test's own, without a socket: it knows tokens, and answers all else with one product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
from answering import Answering, json_answer

from elarian_trio.planship import PlanshipCustomer

if TYPE_CHECKING:
    import httpx2

PAIR = {"client_id": "ID", "client_secret": "SECRET"}
TOKEN = "POST /api/v1/auth/token"
PRODUCT = {"id": "u", "slug": "p", "name": "P", "organization_id": "o"}


class Service:
    """A Planship that knows tokens, and answers everything else with the product.

    Attributes:
        valid: the tokens that are taken.
        given: how many tokens it gave.
        token_answers: what it answers instead of a token, in a row.
    """

    def __init__(self) -> None:
        self.transport = Answering(self._answer)
        self.valid: set[str] = set()
        self.given = 0
        self.token_answers: list[httpx2.Response] = []
        self.gate: anyio.Event | None = None

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        await anyio.lowlevel.checkpoint()
        if request.url.path == "/api/v1/auth/token":
            return await self._give_token()
        if request.headers["authorization"].removeprefix("Bearer ") not in self.valid:
            return json_answer({"detail": "expired"}, 401)
        return json_answer(PRODUCT)

    async def _give_token(self) -> httpx2.Response:
        self.given += 1
        token = f"t{self.given}"
        if self.gate is not None:
            await self.gate.wait()
        if self.token_answers:
            return self.token_answers.pop(0)
        self.valid.add(token)
        return json_answer({"access_token": token, "token_type": "bearer", "expires_in": 3600})

    def client(self, **arguments: Any) -> PlanshipCustomer:  # noqa: ANN401 - any argument
        """Make a client of it."""
        credentials = {} if "get_access_token" in arguments else PAIR
        return PlanshipCustomer("p", "c", **credentials, transport=self.transport, **arguments)
