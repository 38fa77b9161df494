"""The frames of RSocket 1.0, a class each, whose values are frozen, and its error codes. Nothing is below."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from enum import IntEnum
from typing import TypeAlias


class ErrorCode(IntEnum):
    """The error codes of RSocket 1.0; 0x301 to 0xFFFFFFFE belong to applications and stay plain integers."""

    INVALID_SETUP = 0x001
    UNSUPPORTED_SETUP = 0x002
    REJECTED_SETUP = 0x003
    REJECTED_RESUME = 0x004
    CONNECTION_ERROR = 0x101
    CONNECTION_CLOSE = 0x102
    APPLICATION_ERROR = 0x201
    REJECTED = 0x202
    CANCELED = 0x203
    INVALID = 0x204


@dataclass(frozen=True, slots=True)
class SetupFrame:
    """SETUP: the client's first frame. Times are milliseconds; a resume token sets the R flag."""

    keepalive_ms: int
    lifetime_ms: int
    _: KW_ONLY
    metadata_mime: bytes
    data_mime: bytes
    data: bytes = field(default=b"", repr=False)
    metadata: bytes | None = field(default=None, repr=False)
    resume_token: bytes | None = field(default=None, repr=False)
    lease: bool = False
    major: int = 1
    minor: int = 0


@dataclass(frozen=True, slots=True)
class LeaseFrame:
    """LEASE: permission for a number of requests within a time."""

    time_to_live_ms: int
    requests: int
    metadata: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class KeepaliveFrame:
    """KEEPALIVE; with ``respond`` the peer sends the same data back."""

    data: bytes = b""
    _: KW_ONLY
    respond: bool = False
    position: int = 0


@dataclass(frozen=True, slots=True)
class RequestResponseFrame:
    """REQUEST_RESPONSE: one payload there, one back."""

    stream_id: int
    data: bytes = field(default=b"", repr=False)
    metadata: bytes | None = field(default=None, repr=False)
    _: KW_ONLY
    follows: bool = False


@dataclass(frozen=True, slots=True)
class RequestFnfFrame:
    """REQUEST_FNF: one payload there, nothing back."""

    stream_id: int
    data: bytes = field(default=b"", repr=False)
    metadata: bytes | None = field(default=None, repr=False)
    _: KW_ONLY
    follows: bool = False


@dataclass(frozen=True, slots=True)
class RequestStreamFrame:
    """REQUEST_STREAM, with the first credit."""

    stream_id: int
    initial_n: int
    data: bytes = field(default=b"", repr=False)
    metadata: bytes | None = field(default=None, repr=False)
    _: KW_ONLY
    follows: bool = False


@dataclass(frozen=True, slots=True)
class RequestChannelFrame:
    """REQUEST_CHANNEL, with the first credit."""

    stream_id: int
    initial_n: int
    data: bytes = field(default=b"", repr=False)
    metadata: bytes | None = field(default=None, repr=False)
    _: KW_ONLY
    follows: bool = False
    complete: bool = False


@dataclass(frozen=True, slots=True)
class RequestNFrame:
    """REQUEST_N: more credit."""

    stream_id: int
    n: int


@dataclass(frozen=True, slots=True)
class CancelFrame:
    """CANCEL: the requester waits no more."""

    stream_id: int


@dataclass(frozen=True, slots=True)
class PayloadFrame:
    """PAYLOAD: an answer, or a further piece of a fragmented payload."""

    stream_id: int
    data: bytes = field(default=b"", repr=False)
    metadata: bytes | None = field(default=None, repr=False)
    _: KW_ONLY
    follows: bool = False
    complete: bool = False
    next_: bool = False


@dataclass(frozen=True, slots=True)
class ErrorFrame:
    """ERROR: on stream 0 the session ends, on another that request does. ``code`` may be any 32 bits."""

    stream_id: int
    code: int
    message: str = ""


@dataclass(frozen=True, slots=True)
class MetadataPushFrame:
    """METADATA_PUSH: metadata about the connection."""

    metadata: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class ResumeFrame:
    """RESUME: what the client last received, and the oldest position it can still repeat."""

    token: bytes = field(repr=False)
    last_server_position: int
    first_client_position: int
    _: KW_ONLY
    major: int = 1
    minor: int = 0


@dataclass(frozen=True, slots=True)
class ResumeOkFrame:
    """RESUME_OK: what the server last received."""

    last_client_position: int


FragmentableFrame: TypeAlias = (
    RequestResponseFrame | RequestFnfFrame | RequestStreamFrame | RequestChannelFrame | PayloadFrame
)
StreamFrame: TypeAlias = FragmentableFrame | CancelFrame | ErrorFrame  # those we send on streams
RequestFrame: TypeAlias = RequestResponseFrame | RequestFnfFrame | RequestStreamFrame | RequestChannelFrame
IncomingFrame: TypeAlias = FragmentableFrame | CancelFrame | ErrorFrame | RequestNFrame  # those that come on streams
Frame: TypeAlias = (
    FragmentableFrame
    | SetupFrame
    | LeaseFrame
    | KeepaliveFrame
    | RequestNFrame
    | CancelFrame
    | ErrorFrame
    | MetadataPushFrame
    | ResumeFrame
    | ResumeOkFrame
)
