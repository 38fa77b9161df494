"""What a Connection reports.

Above: the session, which turns each into an answer for a waiter, a call of the handler, or an end. Below: setup values.
Of a payload ``metadata=None`` is none at all, ``b""`` is present but empty.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from elarian_trio._rsocket.values import value

if TYPE_CHECKING:
    from elarian_trio._rsocket.setup import Setup


@dataclass(frozen=True, slots=True)
class SetupReceived:
    """Server: a client asks to be let in; answer with ``accept_setup`` or ``reject_setup``."""

    setup: Setup


@dataclass(frozen=True, slots=True)
class KeepaliveAnswered:
    """A KEEPALIVE of ours came back; the first one proves that the SETUP was accepted.

    Attributes:
        data: what ``ping`` returned for it.
        round_trip: seconds from queueing to the answer.
    """

    data: bytes
    round_trip: float


@value
class RequestReceived:
    """The peer's request is complete; answer with ``respond`` or ``fail``."""

    stream_id: int
    data: bytes = field(repr=False)
    metadata: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FireAndForgetReceived:
    """The peer sent a payload that is never answered."""

    data: bytes = field(repr=False)
    metadata: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MetadataPushed:
    """The peer sent metadata about the connection."""

    metadata: bytes = field(repr=False)


@value
class ResponseReceived:
    """The answer to a request of ours is complete."""

    stream_id: int
    data: bytes = field(repr=False)
    metadata: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """A request of ours ended without an answer.

    Attributes:
        code: the peer's error code, also an application's own; CANCELED where we gave the answer up ourselves because
            it broke the rules or was larger than we take.
        message: the peer's words.
    """

    stream_id: int
    code: int
    message: str


@dataclass(frozen=True, slots=True)
class RequestCanceled:
    """The peer gave up a request that was reported by RequestReceived; an answer that is being sent is cut short."""

    stream_id: int


@dataclass(frozen=True, slots=True)
class ConnectionEnded:
    """The peer sent an ERROR on stream 0. With CONNECTION_CLOSE outstanding requests may still end, else none will."""

    code: int
    message: str


@dataclass(frozen=True, slots=True)
class PeerLost:
    """From ``tick``: no KEEPALIVE came for the lifetime, or no SETUP in time. The transport counts as lost."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The session goes on over a new transport: a client's RESUME was granted, or a server granted one."""


@dataclass(frozen=True, slots=True)
class ResumeRejected:
    """Client: our RESUME was answered by an ERROR, with whatever code; this session is over and never resumed."""

    code: int
    message: str


@dataclass(frozen=True, slots=True)
class NotResumable:
    """The connection goes on, but a lost transport ends it from now on: the peer's positions do not advance."""

    reason: str


@dataclass(frozen=True, slots=True)
class FrameIgnored:
    """A frame had no effect, as the protocol wants it for late, repeated and misplaced ones."""

    reason: str


@dataclass(frozen=True, slots=True)
class CancelIgnored(FrameIgnored):
    """What was ignored is a CANCEL: if its request was answered, the answer had not come through by then."""

    stream_id: int


@dataclass(frozen=True, slots=True)
class PayloadRefused(FrameIgnored):
    """What was ignored is a request whose fragments we do not put together; its peer was told why."""


Event: TypeAlias = (
    SetupReceived
    | KeepaliveAnswered
    | RequestReceived
    | FireAndForgetReceived
    | MetadataPushed
    | ResponseReceived
    | RequestFailed
    | RequestCanceled
    | ConnectionEnded
    | PeerLost
    | Resumed
    | ResumeRejected
    | NotResumable
    | FrameIgnored
    | CancelIgnored
    | PayloadRefused
)
