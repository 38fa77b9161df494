"""Which end of a connection one is, and how far it has come.

Above: the connection, which goes from one phase to the next. Below: nothing.
"""

from __future__ import annotations

from enum import Enum, auto


class Role(Enum):
    """Which end of the connection this is; both may request and both may answer."""

    CLIENT = auto()
    SERVER = auto()


class ConnectionPhase(Enum):
    """How far a connection has come.

    CONNECTING: until a client's first KEEPALIVE is answered, or a server accepts the SETUP. OPEN: until either side
    ends it. CLOSING: one side sent CONNECTION_CLOSE, outstanding requests may end. CLOSED: nothing is received any
    more; what ``frames_to_send`` still gives is the ERROR that tells the peer. DETACHED: the transport is gone and
    everything else stays, nothing is received or sent. RESUMING: a client's RESUME waits for its answer on a new one.
    """

    CONNECTING = auto()
    OPEN = auto()
    CLOSING = auto()
    CLOSED = auto()
    DETACHED = auto()
    RESUMING = auto()


# Those in which a connection stands, and takes requests of ours: without a transport they wait for the next.
LIVE_PHASES = frozenset({ConnectionPhase.OPEN, ConnectionPhase.DETACHED, ConnectionPhase.RESUMING})
# Those in which no frame is taken, and why. What was lost with its transport is not counted, so the peer repeats it.
DEAF_PHASES = {
    ConnectionPhase.CLOSED: "a frame after the end",
    ConnectionPhase.DETACHED: "a frame after its transport",
}
