"""The one access token of a client: asked for once, however many wait for it.

The client stands above, and says how a token is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from elarian_trio._arguments import is_sendable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from elarian_trio.client.secret import Secret

__all__ = ["Token", "Tokens", "checked_pair", "checked_token"]


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and which of a client's it is.

    Attributes:
        secret: the token itself.
        number: counts the times that a token was asked for, from 1.
    """

    secret: Secret
    number: int


class _Flight:
    """A token that is being asked for, by the task that asked first."""

    __slots__ = ("ended", "error", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.ended = anyio.Event()
        self.error: Exception | None = None


class Tokens:
    """Keeps the newest token, and asks for another when one is wanted that is newer.

    Whoever wants one while it is being asked for waits for that; if asking failed, so has everybody who waited. If the
    one who asked is cancelled, the next one asks.

    Args:
        fetch: asks for a token; its argument says whether one that was there does not do.
    """

    def __init__(self, fetch: Callable[[bool], Awaitable[Secret]]) -> None:
        self._fetch = fetch
        self._token: Token | None = None
        self._flight: _Flight | None = None
        self._asked = 0

    async def current(self) -> Token:
        """Give the token there is, or ask for the first one.

        Raises:
            Exception: what asking raised.
        """
        return await self._numbered_above(0)

    async def newer_than(self, refused: Token) -> Token:
        """Give a token newer than one that was refused; at once, if somebody has seen to that already."""
        return await self._numbered_above(refused.number)

    async def fresh(self) -> Token:
        """Give a token that was asked for after this call, and not by one that was under way."""
        return await self._numbered_above(self._asked)

    async def _numbered_above(self, number: int) -> Token:
        await anyio.lowlevel.checkpoint()
        while self._token is None or self._token.number <= number:
            if self._flight is None:
                await self._ask()
            else:
                await self._wait_for(self._flight, number)
        return self._token

    async def _wait_for(self, flight: _Flight, number: int) -> None:
        await flight.ended.wait()
        if flight.error is not None and flight.number > number:
            raise _again(flight.error) from flight.error

    async def _ask(self) -> None:
        is_forced = self._asked > 0
        self._asked += 1
        flight = self._flight = _Flight(self._asked)
        try:
            self._token = Token(await self._fetch(is_forced), flight.number)
        except Exception as error:
            flight.error = error
            raise
        finally:
            self._flight = None
            flight.ended.set()


def _again(error: Exception) -> Exception:
    """Give the same error for another task to raise: each adds to the traceback of its own."""
    again = type(error).__new__(type(error), *error.args)
    again.args = error.args
    vars(again).update(vars(error))
    return again


def checked_pair(client_id: Secret, client_secret: Secret) -> tuple[Secret, Secret]:
    """Refuse what HTTP Basic cannot carry."""
    for name, secret in (("client_id", client_id), ("client_secret", client_secret)):
        _require(name, secret)
    if ":" in client_id.reveal():
        msg = "client_id must not contain a colon, which HTTP Basic puts behind it"
        raise ValueError(msg)
    return client_id, client_secret


def checked_token(token: Secret) -> Secret:
    """Refuse what is no token, without repeating it."""
    _require("the access token", token)
    if not is_sendable(token.reveal()):
        msg = "the access token must be of printable ASCII characters"
        raise ValueError(msg)
    return token


def _require(name: str, secret: Secret) -> None:
    kind: type[object] = secret.kind
    if not issubclass(kind, str):
        msg = f"{name} must be a str, got {kind.__name__}"
        raise TypeError(msg)
    if secret.problem is not None:
        msg = f"{name} {secret.problem}"
        raise ValueError(msg)
