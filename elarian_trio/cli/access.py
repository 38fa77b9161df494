"""How a command comes to its client: the options that all of them share, the environment, and files with secrets.

The commands stand above, the SDK's two clients below.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from cyclopts import Parameter

from elarian_trio._transport import client_context
from elarian_trio.client import Client
from elarian_trio.client.endpoint import DEFAULT, Endpoint, parse_endpoint
from elarian_trio.options import Backoff, ConnectionOptions

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

__all__ = ["Access", "AsJson", "read_secret"]

C = TypeVar("C", bound=Client)

AsJson = Annotated[bool, Parameter(name="--json", help="Write JSON, one value a line.", show_default=False)]

_VARIABLES = {"api_key": "ELARIAN_API_KEY", "auth_token": "ELARIAN_AUTH_TOKEN"}


def _check_seconds(_: type, given: float) -> None:
    if not 0 < given < math.inf:
        msg = "Give a number of seconds above 0."
        raise ValueError(msg)


@Parameter(name="*", group="Connection")
@dataclass(frozen=True, kw_only=True)
class Access:
    """Where to connect, and as whom. The credential is never a word of the command line, which others can read.

    Attributes:
        endpoint: Where to connect: tcp://, tls://, ws:// or wss:// and host:port.
        org_id: The organisation.
        app_id: The app.
        api_key_file: A file that holds the app's key; else the variable ELARIAN_API_KEY does.
        auth_token_file: A file that holds a token in place of a key; else the variable ELARIAN_AUTH_TOKEN does.
        ca_file: A PEM file with the authority to trust in place of the system's.
        timeout: Seconds that connecting may take, and then each command.
    """

    endpoint: Annotated[str, Parameter(env_var="ELARIAN_ENDPOINT")] = DEFAULT
    org_id: Annotated[str, Parameter(env_var="ELARIAN_ORG_ID", show_default=False)] = ""
    app_id: Annotated[str, Parameter(env_var="ELARIAN_APP_ID", show_default=False)] = ""
    api_key_file: Path | None = None
    auth_token_file: Path | None = None
    ca_file: Annotated[str, Parameter(env_var="ELARIAN_CA_FILE", show_default=False)] = ""
    timeout: Annotated[float, Parameter(validator=_check_seconds)] = 10.0

    @property
    def where(self) -> Endpoint:
        """The endpoint.

        Raises:
            ValueError: it is none.
            ModuleNotFoundError: it needs a package that is not installed.
        """
        return parse_endpoint(self.endpoint or DEFAULT)

    def client(self, kind: type[C], *, is_patient: bool = False, takes_notifications: bool = True) -> C:
        """Make a client, which is not connected yet.

        Args:
            kind: an app's or a simulator's.
            is_patient: whether it goes on trying, and has its session kept; else it tries once.
            takes_notifications: whether the server is to send any.

        Raises:
            ValueError: something is missing or wrong; the words say what, and what would be right.
            ModuleNotFoundError: the endpoint needs a package that is not installed.
        """
        options = ConnectionOptions(
            command_timeout=self.timeout,
            connect_timeout=self.timeout,
            reconnect=Backoff() if is_patient else Backoff(give_up_after=0.0),
            resume="auto" if is_patient else "off",
            receive_notifications=takes_notifications,
            ssl_context=self.trust(),
        )
        return kind(
            org_id=_require("--org-id or ELARIAN_ORG_ID", self.org_id),
            app_id=_require("--app-id or ELARIAN_APP_ID", self.app_id),
            endpoint=self.endpoint or DEFAULT,
            options=options,
            **self.credential(),
        )

    def trust(self) -> ssl.SSLContext | None:
        """Make a context that trusts the private authority; ``None`` where there is none.

        Raises:
            ValueError: there is no such file, or no certificate in it.
        """
        if not self.ca_file:
            return None
        try:
            return client_context(self.ca_file)
        except OSError as error:
            msg = f"no certificate authority can be read from {self.ca_file}: {error}"
            raise ValueError(msg) from error

    def credential(self) -> Mapping[str, Any]:
        """Give the credential as an argument for a client: that of a file if one is named, else the environment's.

        Raises:
            ValueError: there is none, or more than one, or a file cannot be read.
        """
        files = {"api_key": self.api_key_file, "auth_token": self.auth_token_file}
        named = {name: path for name, path in files.items() if path is not None}
        if len(named) == 1:
            return {name: read_secret(path) for name, path in named.items()}
        found = {name: os.environ[variable] for name, variable in _VARIABLES.items() if os.environ.get(variable)}
        if named or len(found) != 1:
            few = "one credential is enough" if named or found else "no credential is given"
            msg = f"{few}: set ELARIAN_API_KEY or ELARIAN_AUTH_TOKEN, or use --api-key-file or --auth-token-file"
            raise ValueError(msg)
        return found


def read_secret(path: Path) -> str:
    """Give what a file holds, but for the space around it.

    Raises:
        ValueError: it cannot be read, or holds no single word.
    """
    try:
        words = path.read_text(encoding="utf-8").split()
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise ValueError(msg) from error
    except UnicodeDecodeError:
        msg = f"{path} holds no text"
        raise ValueError(msg) from None  # whose words would repeat what it holds
    if len(words) != 1:
        msg = f"{path} must hold one secret and nothing else"
        raise ValueError(msg)
    return words[0]


def _require(what: str, given: str) -> str:
    if not given:
        msg = f"give {what}"
        raise ValueError(msg)
    return given
