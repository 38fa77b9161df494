"""Keys and tokens, wrapped so that no repr, log, error or traceback of ours shows one.

The client stands above, and wraps what it is given before it does anything else.
"""

from __future__ import annotations

from inspect import isawaitable
from typing import TYPE_CHECKING, TypeAlias

import anyio.lowlevel

from elarian_trio import _wire
from elarian_trio.client.secret import Secret
from elarian_trio.models.identity import AuthToken

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from elarian_trio._wire import Credentials

    TokenSource: TypeAlias = str | Callable[[], Awaitable[str | AuthToken]]

__all__ = ["Identity", "Secret", "require_text", "wrap"]


def wrap(value: object) -> object:
    """Give *value*, in a :class:`Secret` if it may hold one, of whatever type it is."""
    return value if value is None or callable(value) or isinstance(value, Secret) else Secret(value)


class Identity:
    """Who connects, and with which credential. Made by the client.

    Args:
        org_id: the organisation.
        app_id: the app.
        api_key: a wrapped key, or ``None``.
        auth_token: a wrapped token, an async function that gives one, or ``None``.

    Raises:
        ValueError: an id is empty, or there is not exactly one credential.
        TypeError: something is neither text nor, for the token, an async function.
    """

    def __init__(self, org_id: str, app_id: str, api_key: object, auth_token: object) -> None:
        for name, text in (("org_id", org_id), ("app_id", app_id)):
            require_text(name, wrap(text))
        if (api_key is None) == (auth_token is None):
            msg = "give exactly one credential: either api_key or auth_token"
            raise ValueError(msg)
        self.org_id = org_id
        self.app_id = app_id
        self._ask: Callable[[], object] | None = None
        if api_key is None and not isinstance(auth_token, Secret) and callable(auth_token):
            self._ask = auth_token
        elif api_key is None:
            require_text("auth_token", auth_token)
        else:
            require_text("api_key", api_key)
        self._key, self._token = api_key, auth_token
        self._latest: object = None  # the token that was asked for last

    async def credentials(self, *, simplex_mode: bool, simulator_mode: bool) -> Credentials:
        """Give what a SETUP carries; asks for a token where an async function gives them, and waits as it does.

        Raises:
            ValueError: the token is empty or cannot be sent.
            TypeError: the token is not text.
            Exception: what the function raised.

        Cancellation:
            The function is cancelled; nothing is left behind.
        """
        await anyio.lowlevel.checkpoint()
        token = self._latest = self._token if self._ask is None else await _ask_for_token(self._ask)
        return _wire.Credentials(
            org_id=self.org_id,
            app_id=self.app_id,
            api_key=self._key.reveal() if isinstance(self._key, Secret) else None,
            auth_token=token.reveal() if isinstance(token, Secret) else None,
            simplex_mode=simplex_mode,
            simulator_mode=simulator_mode,
        )

    def redact(self, words: str) -> str:
        """Give a server's words without the credential, which some servers repeat to say that they do not know it."""
        for each in (self._key, self._latest):
            if isinstance(each, Secret):
                words = words.replace(each.reveal(), repr(each))
        return words


async def _ask_for_token(ask: Callable[[], object]) -> object:
    await anyio.lowlevel.checkpoint()
    answer = ask()
    token = wrap_token(await answer) if isawaitable(answer) else wrap_token(answer)
    del answer
    require_text("what the auth_token function gave", token)
    return token


def wrap_token(value: object) -> object:
    """Wrap a token, or what ``generate_auth_token()`` gave."""
    return wrap(value.token if isinstance(value, AuthToken) else value)


def require_text(name: str, secret: object) -> None:
    """See that a wrapped value is a text that can be sent; of it nothing is repeated.

    Raises:
        TypeError: it is no text.
        ValueError: it is empty, or UTF-8 cannot carry it.
    """
    kind = secret.kind if isinstance(secret, Secret) else type(secret)
    if not isinstance(secret, Secret) or not issubclass(kind, str):
        msg = f"{name} must be a str, got {kind.__name__}"
        raise TypeError(msg)
    if secret.problem is not None:
        msg = f"{name} {secret.problem}"
        raise ValueError(msg)
