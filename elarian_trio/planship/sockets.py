"""The WebSockets of entitlement updates: what they are asked for by, and one that is open.

The client stands above; :mod:`.updates` says when one is opened, and :mod:`elarian_trio._http` carries it.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from elarian_trio._http import Sender, open_sender
from elarian_trio._transport.texts import Opening
from elarian_trio.options import Retries
from elarian_trio.planship.endpoints import error_of, redacted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import httpx2

    from elarian_trio._transport.texts import Listening
    from elarian_trio.options import HttpOptions
    from elarian_trio.planship.endpoints import Endpoints
    from elarian_trio.planship.tokens import Token

__all__ = ["open_socket", "open_updates_sender"]

NO_RETRIES = Retries(attempts=1)  # the updates see to that themselves


@asynccontextmanager
async def open_updates_sender(
    url: str, options: HttpOptions, transport: httpx2.AsyncBaseTransport | None
) -> AsyncGenerator[Sender]:
    """Give what WebSockets are asked for by: the user's transport, or a pool, since a proxy may go by the host."""
    if transport is not None:
        yield Sender(url, transport, options.timeout, NO_RETRIES)
        return
    async with open_sender(url, options, retries=NO_RETRIES) as sender:
        yield sender


@asynccontextmanager
async def open_socket(sender: Sender, endpoints: Endpoints, token: Token) -> AsyncGenerator[Listening]:
    """Open a WebSocket; it says goodbye, for half a second at most, however its block is left."""
    opening = Opening()
    async with sender.upgrade(endpoints.entitlement_updates(token.secret, opening.headers)) as upgrade:
        if upgrade.stream is None:
            raise error_of(redacted(upgrade.response, token.secret))
        socket = opening.accept(upgrade.response.headers, upgrade.stream)
        try:
            yield socket
        finally:
            with anyio.CancelScope(shield=True):
                await socket.say_goodbye()
