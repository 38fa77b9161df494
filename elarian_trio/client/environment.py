"""What the environment says of a client: the arguments that its variables stand for.

The client stands above, and makes itself of them; below is what checks each. The words of an error name the variable.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict

from elarian_trio._arguments import require
from elarian_trio._transport import client_context
from elarian_trio.client.credentials import require_text, wrap
from elarian_trio.client.endpoint import DEFAULT, parse_endpoint
from elarian_trio.options import ConnectionOptions

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["read_environment"]


class Arguments(TypedDict):
    """Those of a client's arguments that the environment says."""

    org_id: str
    app_id: str
    api_key: str | None
    auth_token: str | None
    endpoint: str
    options: ConnectionOptions


def read_environment(options: ConnectionOptions, *, is_dialed: bool) -> Arguments:
    """Read what ``ELARIAN_…`` says. An authority is added to *options*; where the user dials, no endpoint is judged.

    Raises:
        ValueError: a variable is missing, or holds what it cannot hold.
        OSError: the file of the authority cannot be read.
    """
    missing = [name for name in ("ELARIAN_ORG_ID", "ELARIAN_APP_ID") if not os.environ.get(name)]
    given = [name for name in ("ELARIAN_API_KEY", "ELARIAN_AUTH_TOKEN") if os.environ.get(name)]
    if not given:
        missing.append("ELARIAN_API_KEY (or ELARIAN_AUTH_TOKEN)")
    if missing:
        msg = f"the environment lacks {', '.join(missing)}"
        raise ValueError(msg)
    if len(given) > 1:
        msg = "set exactly one of ELARIAN_API_KEY and ELARIAN_AUTH_TOKEN; both are set"
        raise ValueError(msg)
    for name in ("ELARIAN_ORG_ID", "ELARIAN_APP_ID", *given):
        require_text(name, wrap(os.environ[name]))
    authority = os.environ.get("ELARIAN_CA_FILE")
    require("options", ConnectionOptions, options)
    endpoint = os.environ.get("ELARIAN_ENDPOINT")
    if endpoint and not is_dialed:
        with _naming("ELARIAN_ENDPOINT"):
            parse_endpoint(endpoint)
    if authority and options.ssl_context is None:
        with _naming("ELARIAN_CA_FILE"):
            options = replace(options, ssl_context=client_context(authority))
    return {
        "org_id": os.environ["ELARIAN_ORG_ID"],
        "app_id": os.environ["ELARIAN_APP_ID"],
        "api_key": os.environ.get("ELARIAN_API_KEY") or None,
        "auth_token": os.environ.get("ELARIAN_AUTH_TOKEN") or None,
        "endpoint": endpoint or DEFAULT,
        "options": options,
    }


@contextmanager
def _naming(variable: str) -> Generator[None]:
    """Have the words about what a variable of the environment holds name the variable."""
    try:
        yield
    except OSError as error:
        raise type(error)(error.errno, f"{variable}: {error.strerror or error}") from error
    except ValueError as error:
        msg = f"{variable}: {error}"
        raise ValueError(msg) from error
