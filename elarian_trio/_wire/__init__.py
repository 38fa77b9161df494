"""Models to bytes and back: the only room that knows protobuf.

Above: the client's block, the sockets and the sandbox. Below: ``elarian_trio.models``. What the clients use can be had
here and loads when it is first asked for: it is a quarter of what there is to load, and not every program that imports
the package is about to connect.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from elarian_trio._late import find_late

if TYPE_CHECKING:
    from elarian_trio._wire.envelopes import (
        decode_app_notification,
        decode_reply,
        decode_simulator_notification,
        encode_command,
        encode_notification_reply,
    )
    from elarian_trio._wire.setup import Credentials, agent_metadata, encode_setup
else:
    __getattr__ = find_late(
        __name__,
        {
            "Credentials": "setup",
            "agent_metadata": "setup",
            "decode_app_notification": "envelopes",
            "decode_reply": "envelopes",
            "decode_simulator_notification": "envelopes",
            "encode_command": "envelopes",
            "encode_notification_reply": "envelopes",
            "encode_setup": "setup",
        },
    )

__all__ = [
    "Credentials",
    "agent_metadata",
    "decode_app_notification",
    "decode_reply",
    "decode_simulator_notification",
    "encode_command",
    "encode_notification_reply",
    "encode_setup",
    "load",
]


def load() -> None:
    """Load all of it now: for who makes a client, so that no loop waits for it while one connects."""
    for home in ("envelopes", "setup"):
        import_module(f"{__name__}.{home}")
