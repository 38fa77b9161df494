"""The block that both sockets share: connect, supervise, call, notifications, leave.

``Elarian`` and ``Simulator`` stand above and add their commands; the inbox, the session and the wire are below.
"""

from __future__ import annotations

from elarian_trio.client.client import Client
from elarian_trio.client.states import ConnectionState, ConnectionStates, Statistics

__all__ = ["Client", "ConnectionState", "ConnectionStates", "Statistics"]
