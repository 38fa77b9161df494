"""Who may read an app's data on a customer, and who waits for it: leases of 90 seconds, first come, first served.

The server stands above: it asks, is told who was granted what by each call, and calls :meth:`Leases.expire` when
:attr:`Leases.next_deadline` has come. Nothing here waits, and nothing is below but the keys.

Leases are not stored: a server that starts anew holds none, and 90 seconds is the longest that anybody would miss one.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from elarian_trio.sandbox.world.entities import AppKey

LEASE_TIME = timedelta(seconds=90)  # what Elarian's documentation says a lock lasts at most
MAX_WAIT = timedelta(seconds=90)  # as long as one lease: whoever waits longer has others before it, and may ask again


@dataclass(slots=True, eq=False)
class Ticket:
    """A place in a lease's queue. Made by :meth:`Leases.ask`.

    Attributes:
        key: the app data.
        connection_id: who asks.
        is_notification: whether it is for a notification that is being delivered there.
        deadline: when the hold lapses, or, of one that waits, when the waiting ends.
        granted: whether it holds the lease.
    """

    key: AppKey
    connection_id: str
    is_notification: bool
    deadline: datetime
    granted: bool = False


class Change(NamedTuple):
    """What became of tickets that waited.

    Attributes:
        granted: they hold the lease now.
        given_up: they waited too long, and wait no more.
    """

    granted: tuple[Ticket, ...] = ()
    given_up: tuple[Ticket, ...] = ()


@dataclass(slots=True)
class _Lock:
    """One app's data on one customer: its holders, of whom there are several only by re-entrance, and its queue."""

    holders: list[Ticket] = field(default_factory=list[Ticket])
    waiting: deque[Ticket] = field(default_factory=deque[Ticket])

    @property
    def tickets(self) -> tuple[Ticket, ...]:
        return (*self.holders, *self.waiting)


class Leases:
    """The table of leases of one server."""

    def __init__(self) -> None:
        self._locks: dict[AppKey, _Lock] = {}
        # Every ticket, in order of deadlines: holds and waits are equally long, so the newest has the last. Not a dict,
        # whose first one takes the longer to find the more were removed before it.
        self._by_deadline: OrderedDict[Ticket, None] = OrderedDict()

    def __len__(self) -> int:
        """Count the app data that is leased."""
        return len(self._locks)

    @property
    def next_deadline(self) -> datetime | None:
        """When :meth:`expire` next has something to do; ``None`` while nothing is leased."""
        return next((ticket.deadline for ticket in self._by_deadline), None)

    def ask(self, key: AppKey, connection_id: str, now: datetime, *, is_notification: bool = False) -> Ticket:
        """Ask for the lease on *key*: the ticket says whether it is granted, else it waits in the queue.

        A connection that was just sent a notification holds the lease for it; when it asks for the lease while it
        handles that notification, it is granted at once, or it would wait for itself.
        """
        lock = self._locks.setdefault(key, _Lock())
        ticket = Ticket(key, connection_id, is_notification, now + MAX_WAIT)
        own = not is_notification and any(
            holder.is_notification and holder.connection_id == connection_id for holder in lock.holders
        )
        if own or not lock.holders:
            self._grant(lock, ticket, now)
        else:
            lock.waiting.append(ticket)
            self._by_deadline[ticket] = None
        return ticket

    def leave(self, ticket: Ticket, now: datetime) -> Change:
        """Give a ticket back: end its hold, or leave the queue. A ticket that is over already changes nothing.

        A notification's ticket takes with it what its own connection was granted on top of it.
        """
        lock = self._locks.get(ticket.key)
        if lock is None or ticket not in lock.tickets:
            return Change()
        if ticket in lock.holders:
            self._end(lock, lock.holders if ticket.is_notification else [ticket])
        else:
            lock.waiting.remove(ticket)
            del self._by_deadline[ticket]
        return Change(self._go_on(ticket.key, lock, now))

    def release(self, key: AppKey, now: datetime) -> Change:
        """End all holds on *key*: its value was changed."""
        lock = self._locks.get(key)
        if lock is None:
            return Change()
        self._end(lock, lock.holders)
        return Change(self._go_on(key, lock, now))

    def release_all(self, org_id: str, customer_id: str, now: datetime) -> Change:
        """End every app's holds on a customer: there is no such customer any more."""
        keys = [key for key in self._locks if (key.org_id, key.customer_id) == (org_id, customer_id)]
        return Change(tuple(ticket for key in keys for ticket in self.release(key, now).granted))

    def expire(self, now: datetime) -> Change:
        """End what has lasted too long: holds lapse, and those who waited too long give up."""
        granted: list[Ticket] = []
        given_up: list[Ticket] = []
        due = takewhile(lambda ticket: ticket.deadline <= now, self._by_deadline)
        for key in dict.fromkeys(ticket.key for ticket in due):
            lock = self._locks[key]
            self._end(lock, [ticket for ticket in lock.holders if ticket.deadline <= now])
            granted += self._go_on(key, lock, now)
            while lock.waiting and lock.waiting[0].deadline <= now:
                given_up.append(lock.waiting.popleft())
                del self._by_deadline[given_up[-1]]
        return Change(tuple(granted), tuple(given_up))

    def _end(self, lock: _Lock, over: list[Ticket]) -> None:
        """End some of a lock's holds."""
        for ticket in over:
            del self._by_deadline[ticket]
        lock.holders = [ticket for ticket in lock.holders if ticket not in over]

    def _go_on(self, key: AppKey, lock: _Lock, now: datetime) -> tuple[Ticket, ...]:
        """Grant a free lock to who is first in its queue; forget one that nobody wants."""
        if lock.holders:
            return ()
        if not lock.waiting:
            del self._locks[key]
            return ()
        first = lock.waiting.popleft()
        self._grant(lock, first, now)
        return (first,)

    def _grant(self, lock: _Lock, ticket: Ticket, now: datetime) -> None:
        ticket.granted = True
        ticket.deadline = now + LEASE_TIME
        lock.holders.append(ticket)
        self._by_deadline[ticket] = None
        self._by_deadline.move_to_end(ticket)
