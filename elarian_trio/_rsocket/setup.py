"""What a client offers in its SETUP, and what a server of ours takes.

Above: events and connection. Below: frames.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field


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
