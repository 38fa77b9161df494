"""The leases on app data at work: asked for, waited for, and ended in time.

The engine stands above. Below are the table of :mod:`.world.leases`, which knows the rules and no time, and the clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio.sandbox.world.leases import Leases

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio.sandbox.clock import Clock, Timer
    from elarian_trio.sandbox.world.entities import AppKey
    from elarian_trio.sandbox.world.leases import Change, Ticket

__all__ = ["Holds"]


class Holds:
    """Tells those who wait for a lease what became of it.

    Args:
        clock: says when holds lapse.
        later: keeps a call until the present unit of work is done, so that no rule sees half of another's changes.
        drain: makes the calls that were kept, where no unit of work is about to do so.
    """

    def __init__(self, clock: Clock, later: Callable[[Callable[[], None]], None], drain: Callable[[], None]) -> None:
        self._clock = clock
        self._later = later
        self._drain = drain
        self._leases = Leases()
        self._waiting: dict[Ticket, Callable[[bool], None]] = {}
        self._timer: Timer | None = None

    def ask(
        self, key: AppKey, connection_id: str, then: Callable[[bool], None], *, is_notification: bool = False
    ) -> Ticket:
        """Ask for the lease on *key*; *then* is told later whether it was granted (also where that is now)."""
        ticket = self._leases.ask(key, connection_id, self._clock.now(), is_notification=is_notification)
        self._waiting[ticket] = then
        if ticket.granted:
            self._tell(ticket, granted=True)
        self._watch(ticket)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Give *ticket* back, held or waited for; nobody is told of it any more."""
        self._waiting.pop(ticket, None)
        self._act_on(self._leases.leave(ticket, self._clock.now()))

    def release(self, key: AppKey) -> None:
        """End every hold on *key*: its value was changed."""
        self._act_on(self._leases.release(key, self._clock.now()))

    def release_all(self, org_id: str, customer_id: str) -> None:
        """End every hold on a customer's app data: the customer is gone."""
        self._act_on(self._leases.release_all(org_id, customer_id, self._clock.now()))

    def _act_on(self, change: Change) -> None:
        for ticket in change.granted:
            self._tell(ticket, granted=True)
        for ticket in change.given_up:
            self._tell(ticket, granted=False)
        if not len(self._leases) and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tell(self, ticket: Ticket, *, granted: bool) -> None:
        def tell() -> None:
            then = self._waiting.pop(ticket, None)
            if then is not None:
                then(granted)

        self._later(tell)

    def _watch(self, ticket: Ticket) -> None:
        """Have one timer, at the earliest deadline: leases and waits are equally long, so later ones never beat it."""
        if self._timer is None:
            self._timer = self._clock.call_at(ticket.deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self._act_on(self._leases.expire(self._clock.now()))
        due = self._leases.next_deadline
        if due is not None:
            self._timer = self._clock.call_at(due, self._expire)
        self._drain()
