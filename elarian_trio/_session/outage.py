"""An outage: since when nobody answers, what failed last, how long to wait and to try, and when to give up.

:mod:`elarian_trio._session.supervisor` stands above: it tells the time, what failed, and that somebody has answered;
below are the delays of :mod:`.backoff`. Nothing here waits.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from elarian_trio._session.backoff import SLOW_AFTER, Schedule
from elarian_trio.errors import ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio.errors import ElarianError
    from elarian_trio.options import ConnectionOptions

__all__ = ["Outage"]


class Outage:
    """One outage after another, of which the first lasts until the first connection. Made by the supervisor.

    ``now`` is the present in seconds, by whatever clock; it must be the same one each time.

    Args:
        options: how long an attempt may take, and everything about the time between two.
        random: gives numbers in [0, 1), for the jitter of the delays.

    Attributes:
        failure: what the last attempt of this outage failed by; ``None`` where none has.
        gives_up: whether, when that failed, giving up came before the next attempt.
    """

    __slots__ = ("_heard", "_options", "_schedule", "_since", "failure", "gives_up")

    def __init__(self, options: ConnectionOptions, random: Callable[[], float]) -> None:
        self._options = options
        self._schedule = Schedule(options.reconnect, random)
        self._since = self._heard = 0.0
        self.failure: ElarianError | None = None
        self.gives_up: bool = False

    def begin(self, now: float, heard: float | None = None) -> None:
        """Note that nobody answers from now on.

        Args:
            now: the present.
            heard: when the peer last answered, from which giving up is counted; ``None`` for now. But not from before
                its silence would have been noticed, had we been awake: a process that was put to sleep finds the
                connection dead hours later, and should try before it gives up.
        """
        self._since = now
        self._heard = now if heard is None else max(heard, now - self._options.keepalive_lifetime)

    def end(self) -> None:
        """Note that the peer has answered."""
        self._schedule.reset()
        self.failure = None

    def is_long(self, now: float) -> bool:
        """Whether it has lasted so long that a session which is kept for its end may be given up for another."""
        return now - self._since >= SLOW_AFTER

    def attempt_limit(self, now: float) -> float:
        """Give the seconds one attempt may take: not beyond giving up, but for an attempt that is the only one."""
        left = self._left(now)
        return min(self._options.connect_timeout, left if left > 0 else math.inf)

    def late(self, limit: float) -> ElarianError:
        """Give what an attempt fails by that took all of its *limit*."""
        if limit < self._options.connect_timeout and self.failure is not None:
            return self.failure  # giving up cut this attempt short: what failed before says more
        return ConnectionFailed(f"no connection was made within {limit:g} s")

    def fail(self, failure: ElarianError, now: float, *, resumable: bool) -> float:
        """Note that an attempt failed; give the seconds to wait before the next, or before giving up.

        Args:
            failure: what it failed by, or what cut the connection.
            now: the present.
            resumable: whether the peer may still hold the session.
        """
        self.failure = failure
        delay = self._schedule.next_delay(now - self._since, resumable=resumable)
        left = max(self._left(now), 0.0)
        self.gives_up = left <= delay
        return min(delay, left)

    def require_time(self, now: float) -> None:
        """See that there is time for another attempt.

        Raises:
            ConnectionFailed: ``give_up_after`` has passed since the peer last answered; what failed last is chained.
        """
        if self._left(now) <= 0:
            msg = f"gave up after {self._options.reconnect.give_up_after:g} s without an answer: {self.failure}"
            raise ConnectionFailed(msg) from self.failure

    def _left(self, now: float) -> float:
        """Give the seconds until it is time to give up."""
        give_up_after = self._options.reconnect.give_up_after
        return math.inf if give_up_after is None else self._heard + give_up_after - now
