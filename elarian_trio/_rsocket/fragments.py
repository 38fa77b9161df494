"""Payloads cut to size and joined again.

Above: the outbox cuts, the connection joins. Below: frames.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Payload:
    """What a request or an answer carries; ``metadata=None`` is none at all, ``b""`` is present but empty."""

    data: bytes = field(default=b"", repr=False)
    metadata: bytes | None = field(default=None, repr=False)
