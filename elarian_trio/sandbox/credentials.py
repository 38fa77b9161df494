"""Who may come in: organisations, apps, their keys, and the tokens made with them.

The engine asks the :class:`Door` at every SETUP, and tells it which tokens count; the server hands :class:`Credentials`
to users. Below is the wire's reading of a SETUP.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from elarian_trio._rsocket import ErrorCode
from elarian_trio.errors import SetupRejected
from elarian_trio.models.checks import check_str

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from elarian_trio._wire.setup import Credentials as SetupCredentials

__all__ = ["Credentials", "Door", "SandboxApp", "new_api_key"]

HIDDEN = "'***'"


def new_api_key() -> str:
    """Make a key at random, in the form of Elarian's test keys."""
    return f"el_k_test_{secrets.token_hex(32)}"


@dataclass(frozen=True, slots=True)
class SandboxApp:
    """An app of an organisation that the sandbox lets in.

    Attributes:
        org_id: the organisation; customers are its, and shared by its apps.
        app_id: the app; app data and reminders are its own.
        api_key: its key; made at random if left out.

    Raises:
        ValueError: one is empty, or holds a lone surrogate.
        TypeError: one is no text.
    """

    org_id: str
    app_id: str
    api_key: str = field(default_factory=new_api_key, repr=False)

    def __post_init__(self) -> None:
        """Refuse an empty name or key, which would be no secret, and what is no text, which nobody could present."""
        for name in ("org_id", "app_id", "api_key"):
            if not check_str(name, getattr(self, name)):
                msg = f"{name} must not be empty"
                raise ValueError(msg)


class Credentials(Mapping[str, Any]):
    """What ``Elarian(**credentials)`` and ``Simulator(**credentials)`` take; its repr shows no key.

    The sandbox's own hold ``org_id``, ``app_id``, ``api_key`` and ``dial``, which opens a connection within this
    process.
    """

    __slots__ = ("_values",)

    def __init__(self, **values: object) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - arguments of several types
        """Give one argument's value."""
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        """Give the arguments' names."""
        return iter(self._values)

    def __len__(self) -> int:
        """Count the arguments."""
        return len(self._values)

    def __repr__(self) -> str:
        """Show everything but keys and tokens."""
        shown = (f"{name}={HIDDEN if name in _SECRET else repr(value)}" for name, value in self._values.items())
        return f"Credentials({', '.join(shown)})"

    def at(self, endpoint: str) -> Credentials:
        """Give the same credentials for *endpoint* instead of this process: one of ``sandbox.endpoints``."""
        kept = {name: value for name, value in self._values.items() if name != "dial"}
        return Credentials(**kept, endpoint=endpoint)


_SECRET = frozenset({"api_key", "auth_token", "client_secret"})


def same_secret(given: str, known: str) -> bool:
    """Compare two secrets in a time that tells nothing about where they differ, nor how long they are."""
    return hmac.compare_digest(_digest(given), _digest(known))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class Door:
    """Judges who comes in, at every SETUP. It waits for nothing and tells nothing about what was wrong.

    Args:
        apps: who is known.
        is_open: lets anybody in who gives a name for each of organisation, app and credential.
        is_valid_token: says whether an organisation's token counts at this moment.
    """

    def __init__(
        self, apps: Iterable[SandboxApp], *, is_open: bool, is_valid_token: Callable[[str, str], bool]
    ) -> None:
        self._keys = {(app.org_id, app.app_id): app.api_key for app in apps}
        self._orgs = {app.org_id for app in apps}
        self._is_open = is_open
        self._is_valid_token = is_valid_token

    def judge(self, setup: SetupCredentials) -> None:
        """Let the bearer in.

        A token counts for every app of its organisation, a key for its own app only; a simulator, which plays phones
        and no app, may come as one of the organisation's apps with the key of another.

        Raises:
            SetupRejected: it stays out.
        """
        has_names = bool(setup.org_id and setup.app_id and (setup.api_key or setup.auth_token))
        if not has_names or not (self._is_open or self._is_known(setup)):
            msg = "unknown organisation, app or credential"
            raise SetupRejected(msg, code=ErrorCode.REJECTED_SETUP)

    def _is_known(self, setup: SetupCredentials) -> bool:
        if setup.auth_token:
            return setup.org_id in self._orgs and self._is_valid_token(setup.org_id, setup.auth_token)
        own = self._keys.get((setup.org_id, setup.app_id))
        keys = [key for (org_id, _), key in self._keys.items() if org_id == setup.org_id]
        given = setup.api_key or ""
        is_same = any(same_secret(given, key) for key in (keys if setup.simulator_mode else [own or _NOBODYS_KEY]))
        return is_same and own is not None


_NOBODYS_KEY = new_api_key()  # compared with where the app is unknown, so that this takes as long
