"""RSocket 1.0 for both ends, without I/O: frames in, events out; time is an argument.

Above: transports (framing) and the session (Connection and its events). Below: errors, and the ``rsocket`` package
behind :mod:`elarian_trio._rsocket.frames`.
"""

from __future__ import annotations

from elarian_trio._rsocket.connection import Connection
from elarian_trio._rsocket.events import (
    CancelIgnored,
    ConnectionEnded,
    Event,
    FireAndForgetReceived,
    FrameIgnored,
    KeepaliveAnswered,
    MetadataPushed,
    NotResumable,
    PayloadRefused,
    PeerLost,
    RequestCanceled,
    RequestFailed,
    RequestReceived,
    ResponseReceived,
    Resumed,
    ResumeRejected,
    SetupReceived,
)
from elarian_trio._rsocket.frames import MAX_FRAME_SIZE, ErrorCode, load
from elarian_trio._rsocket.framing import FrameSplitter, join_frames
from elarian_trio._rsocket.handshake import resume_token_of
from elarian_trio._rsocket.phases import ConnectionPhase, Role
from elarian_trio._rsocket.setup import Setup

__all__ = [
    "MAX_FRAME_SIZE",
    "CancelIgnored",
    "Connection",
    "ConnectionEnded",
    "ConnectionPhase",
    "ErrorCode",
    "Event",
    "FireAndForgetReceived",
    "FrameIgnored",
    "FrameSplitter",
    "KeepaliveAnswered",
    "MetadataPushed",
    "NotResumable",
    "PayloadRefused",
    "PeerLost",
    "RequestCanceled",
    "RequestFailed",
    "RequestReceived",
    "ResponseReceived",
    "ResumeRejected",
    "Resumed",
    "Role",
    "Setup",
    "SetupReceived",
    "join_frames",
    "load",
    "resume_token_of",
]
