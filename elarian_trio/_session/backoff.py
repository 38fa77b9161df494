"""The delays between attempts to reconnect: a schedule that is told how long it has failed, and given its dice.

:mod:`elarian_trio._session.outage` stands above; :class:`elarian_trio.options.Backoff` holds the numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio.options import grown

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio.options import Backoff

__all__ = ["RESUME_WINDOW", "SLOW_AFTER", "Schedule"]

RESUME_WINDOW = 10.0  # seconds of quick attempts while the peer may still hold the session for us
QUICK_FLOOR = 0.01  # seconds between those attempts where ``first`` is less: a server that is gone is no busy loop
SLOW_AFTER = 300.0  # seconds of failure after which an outage is a long one


class Schedule:
    """The delays of one outage after another. Made by the outage; reset when the peer has answered.

    Args:
        backoff: the numbers; delays in seconds.
        random: gives numbers in [0, 1), for the jitter.
    """

    __slots__ = ("_attempts", "_backoff", "_last", "_random")

    def __init__(self, backoff: Backoff, random: Callable[[], float]) -> None:
        self._backoff = backoff
        self._random = random
        self.reset()

    def reset(self) -> None:
        """Start again: the peer has answered."""
        self._attempts = 0  # those that count for the exponent
        self._last = 0.0

    def next_delay(self, failing_for: float, *, resumable: bool = False) -> float:
        """Give the seconds to wait before the next attempt.

        Args:
            failing_for: seconds since the outage began.
            resumable: whether the peer may still hold the session; then the first seconds see quick attempts, which
                do not count for the exponent.
        """
        self._last = self._plain_delay(failing_for, resumable=resumable)
        return max(0.0, self._last * (1.0 + self._backoff.jitter * (2.0 * self._random() - 1.0)))

    def _plain_delay(self, failing_for: float, *, resumable: bool) -> float:
        backoff = self._backoff
        if resumable and failing_for < RESUME_WINDOW:
            is_first, self._attempts = not self._attempts, 1
            return backoff.first if is_first else max(backoff.first, QUICK_FLOOR)
        self._attempts += 1
        if failing_for >= SLOW_AFTER:
            return min(backoff.slow_cap, 2.0 * max(self._last, backoff.base))
        if self._attempts == 1:
            return backoff.first
        return min(backoff.cap, grown(backoff.base, backoff.factor, self._attempts - 2))
