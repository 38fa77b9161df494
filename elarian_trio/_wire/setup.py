"""The payload of SETUP: whose connection it is, and who speaks.

The client's block and the sandbox stand on this. Written out by hand, so that a credential is in no frame of ours under
a name of its own when something fails: tracebacks that print variables would show it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ._pb import app_socket_pb2
from .entries import parser

_APP: Any = app_socket_pb2

_parse = parser(_APP.AppConnectionMetadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who connects, and how.

    Attributes:
        org_id: the organisation.
        app_id: the app.
        api_key: one credential, or
        auth_token: the other; what a client sends has exactly one.
        simplex_mode: the client wants no notifications for apps.
        simulator_mode: the connection is a simulator's.
    """

    org_id: str
    app_id: str
    api_key: str | None = field(default=None, repr=False)
    auth_token: str | None = field(default=None, repr=False)
    simplex_mode: bool = False
    simulator_mode: bool = False


def encode_setup(credentials: Credentials) -> bytes:
    """Give the data of the SETUP payload.

    Raises:
        ValueError: there is not exactly one credential, or one of the texts is none that UTF-8 can carry.
    """
    if (credentials.api_key is None) is (credentials.auth_token is None):
        msg = "give exactly one of api_key and auth_token"
        raise ValueError(msg)
    message = _APP.AppConnectionMetadata()
    if not _fill(message, credentials):
        # Raised here and not where it failed, since that error, as this one's context, would hold the text.
        msg = "org_id, app_id and the credential must be text that UTF-8 can carry"
        raise ValueError(msg)
    data: bytes = message.SerializeToString(deterministic=True)
    return data


def _fill(message: Any, credentials: Credentials) -> bool:  # noqa: ANN401 - a compiled message
    try:
        message.org_id = credentials.org_id
        message.app_id = credentials.app_id
        message.simplex_mode = credentials.simplex_mode
        message.simulator_mode = credentials.simulator_mode
        if credentials.api_key is not None:
            message.api_key.value = credentials.api_key
        if credentials.auth_token is not None:
            message.auth_token.value = credentials.auth_token
    except (TypeError, ValueError):
        return False
    return True


def decode_setup(data: bytes) -> Credentials:
    """Give what a SETUP payload says, without judging it.

    Raises:
        RemoteProtocolError: the bytes are no such payload.
    """
    message = _parse(data)
    return Credentials(
        org_id=message.org_id,
        app_id=message.app_id,
        api_key=message.api_key.value if message.HasField("api_key") else None,
        auth_token=message.auth_token.value if message.HasField("auth_token") else None,
        simplex_mode=message.simplex_mode,
        simulator_mode=message.simulator_mode,
    )


@cache  # the version stands in a file, which is long and slow to read
def agent_metadata() -> bytes:
    """Give the metadata of the SETUP payload: who speaks, as Elarian's other SDKs say it."""
    return json.dumps({"agent": f"elarian-trio/{_version()}"}).encode()


def _version() -> str:
    from importlib import metadata  # slow to load, and needed once

    try:
        return metadata.version("elarian-trio")
    except metadata.PackageNotFoundError:  # run from a checkout that nobody installed
        return "0"
