"""What a client offers in its SETUP, and what a server of ours takes.

Above: events and connection. Below: frames.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING

from elarian_trio._rsocket.frames import ErrorCode, SetupFrame

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_MS = 0x7F_FF_FF_FF  # Protocol.md's bound on both times, 24 days


@dataclass(frozen=True, slots=True)
class Setup:
    """What a client says about itself and the connection. Times are seconds; the data holds credentials."""

    data: bytes = field(repr=False)
    metadata: bytes | None = field(default=None, repr=False)
    _: KW_ONLY
    data_mime: str = "application/octet-stream"
    metadata_mime: str = "application/json"
    keepalive_interval: float
    keepalive_lifetime: float
    resume_token: bytes | None = field(default=None, repr=False)


def setup_to_frame(setup: Setup) -> SetupFrame:
    """Give the SETUP that offers *setup*."""
    return SetupFrame(
        _milliseconds(setup.keepalive_interval),
        _milliseconds(setup.keepalive_lifetime),
        data_mime=setup.data_mime.encode("ascii", "replace"),
        metadata_mime=setup.metadata_mime.encode("ascii", "replace"),
        data=setup.data,
        metadata=setup.metadata,
        resume_token=setup.resume_token,
    )


def setup_from_frame(frame: SetupFrame) -> Setup:
    """Give what a client offers in *frame*."""
    return Setup(
        frame.data,
        frame.metadata,
        data_mime=frame.data_mime.decode("ascii", "replace"),
        metadata_mime=frame.metadata_mime.decode("ascii", "replace"),
        keepalive_interval=frame.keepalive_ms / 1000,
        keepalive_lifetime=frame.lifetime_ms / 1000,
        resume_token=frame.resume_token,
    )


_REFUSALS: tuple[tuple[Callable[[SetupFrame], bool], ErrorCode, str], ...] = (
    (lambda frame: frame.major != 1, ErrorCode.INVALID_SETUP, "only version 1 of the protocol is spoken here"),
    (lambda frame: frame.keepalive_ms == 0, ErrorCode.INVALID_SETUP, "the time between keepalives must not be 0"),
    (lambda frame: frame.lifetime_ms == 0, ErrorCode.INVALID_SETUP, "the lifetime must not be 0"),
    (lambda frame: frame.lease, ErrorCode.UNSUPPORTED_SETUP, "leases are not supported"),
)


def refuse_setup(frame: SetupFrame, *, resumable: bool) -> tuple[ErrorCode, str] | None:
    """Say why a server of ours, which may keep sessions or not, does not take *frame*; no application is asked yet."""
    for applies, code, words in _REFUSALS:
        if applies(frame):
            return code, words
    if frame.resume_token is not None and not resumable:
        return ErrorCode.REJECTED_SETUP, "resumption is not supported"
    return None


def _milliseconds(seconds: float) -> int:
    return max(1, round(min(seconds * 1000, _LONGEST_MS)))
