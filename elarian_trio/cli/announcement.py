"""What ``elarian-trio sandbox`` says once it listens.

:mod:`.sandbox` stands above, :mod:`elarian_trio.sandbox` below.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from elarian_trio.cli.notation import channel_text
from elarian_trio.cli.standins import TITLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from elarian_trio.cli.admission import Admission
    from elarian_trio.sandbox import Sandbox, SandboxApp

__all__ = ["announcement"]


def announcement(
    server: Sandbox, admission: Admission, data: Path | None, channels: Mapping[Any, str] | None
) -> Iterator[str]:
    """Say where it listens, what it keeps where, and what clients take."""
    from elarian_trio.sandbox.organisation import CHANNELS, PAYBILL

    for name, endpoint in server.endpoints.items():
        yield f"listens on {endpoint}{f' for {TITLES[name]}' if name in TITLES else ''}"
    yield "keeps everything in memory, until it ends" if data is None else f"keeps everything in {data.absolute()}"
    if _is_secure(server):
        yield f"keeps the certificate to trust in {server.ca_file}"
    yield f"has the channels {', '.join(map(channel_text, channels or (*CHANNELS, PAYBILL)))}"
    yield f"has the purses {', '.join(server.purses)}"
    for app in admission.apps or (None,):
        is_made_up = app is None or app.app_id in admission.made_up
        yield from _invitation(server, app, tells_key=is_made_up)


def _is_secure(server: Sandbox) -> bool:
    return not server.endpoints.keys().isdisjoint({"tls", "wss"})


def _invitation(server: Sandbox, app: SandboxApp | None, *, tells_key: bool) -> Iterator[str]:
    """Say what an app takes; ``None`` for the sandbox's own.

    A key that the sandbox made up is told: it opens this one server on loopback until that ends, the user has no other
    way to learn it, and a file of keys would stay behind. A key that the user gave is not repeated.
    """
    credentials = server.credentials if app is None else server.credentials_of(app.app_id)
    yield f"lets in {credentials['app_id']} of {credentials['org_id']}:"
    variables = {
        "ELARIAN_ORG_ID": credentials["org_id"],
        "ELARIAN_APP_ID": credentials["app_id"],
        "ELARIAN_ENDPOINT": next(iter(server.endpoints.values())),
    }
    if _is_secure(server):
        variables["ELARIAN_CA_FILE"] = server.ca_file
    if tells_key:
        variables["ELARIAN_API_KEY"] = credentials["api_key"]
    for name, value in variables.items():
        yield f"  export {name}={shlex.quote(value)}"
    if not tells_key:
        yield "  with the key that you gave, as ELARIAN_API_KEY"
