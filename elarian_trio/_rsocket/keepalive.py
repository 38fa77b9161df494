"""When to speak, and when the peer is dead, given ``now``.

Above: the connection. Below: nothing. Only KEEPALIVE frames count as life, as in every RSocket implementation seen;
the client speaks every interval, the server only answers, and both use the times of the SETUP.
"""

from __future__ import annotations

import math

_MAX_PINGS = 1024  # a peer may live on without ever answering ours; then the oldest are forgotten


class Keepalive:
    """The two timers of a connection, and the KEEPALIVEs of ours that were not answered yet. Times are seconds."""

    def __init__(self) -> None:
        self._interval = math.inf
        self._lifetime = math.inf
        self._speaks_at = math.inf
        self._dies_at = math.inf
        self._count = 0
        self._pings: dict[bytes, float] = {}

    def start(self, now: float, *, interval: float, lifetime: float) -> None:
        """Start both timers; ``math.inf`` is never."""
        self._interval, self._lifetime = interval, lifetime
        self._speaks_at, self._dies_at = now + interval, now + lifetime

    @property
    def lifetime(self) -> float:
        """How long the peer may be silent; ``math.inf`` for ever."""
        return self._lifetime

    def stop(self) -> None:
        """Stop both timers, and forget what was asked: the transport is gone, and answers with it."""
        self._speaks_at = self._dies_at = math.inf
        self._pings.clear()

    def restart(self, now: float) -> None:
        """Start both timers again with the times they had: another transport is there."""
        self.start(now, interval=self._interval, lifetime=self._lifetime)

    def heard(self, now: float) -> None:
        """Note a KEEPALIVE of the peer."""
        self._dies_at = now + self._lifetime

    def spoke(self, now: float) -> None:
        """Wait another interval; after a pause of the whole process one KEEPALIVE is enough."""
        self._speaks_at = now + self._interval

    def ping(self, now: float) -> bytes:
        """Give fresh data for a KEEPALIVE and remember when that was."""
        self._count += 1
        data = self._count.to_bytes(8, "big")
        self._pings[data] = now
        if len(self._pings) > _MAX_PINGS:
            del self._pings[next(iter(self._pings))]
        return data

    def answered(self, data: bytes, now: float) -> float | None:
        """Give the round trip of the KEEPALIVE with *data*, ``None`` if none of ours waits with it."""
        asked_at = self._pings.pop(data, None)
        return None if asked_at is None else now - asked_at

    def is_due(self, now: float) -> bool:
        """Whether it is time to speak."""
        return now >= self._speaks_at

    def is_over(self, now: float) -> bool:
        """Whether the peer was silent for the lifetime."""
        return now >= self._dies_at

    def deadline(self) -> float | None:
        """When to look again."""
        deadline = min(self._speaks_at, self._dies_at)
        return None if deadline == math.inf else deadline
