"""Whose turn it is, and whose app data changed meanwhile: what the inbox remembers of customers, while it must.

The inbox stands above; it is told of each ticket that comes and goes, so that nothing is kept of an idle customer.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from elarian_trio.models.identity import CustomerNumber

if TYPE_CHECKING:
    from collections.abc import Iterable

    from elarian_trio._inbox.tickets import Ticket
    from elarian_trio.models.identity import CustomerAddress
    from elarian_trio.models.notifications import AnyNotification

__all__ = ["AppDataWatch", "Lanes", "addresses_of", "lane_of"]


def addresses_of(notification: AnyNotification) -> list[str | CustomerNumber]:
    """Give the id and number by which a notification names its customer, as far as it does."""
    found: list[str | CustomerNumber] = []
    customer_id: object = getattr(notification, "customer_id", None)
    if isinstance(customer_id, str) and customer_id:
        found.append(customer_id)
    number: object = getattr(notification, "customer_number", None)
    if isinstance(number, CustomerNumber):
        found.append(number)
    return found


def lane_of(notification: AnyNotification) -> str | None:
    """Name the line in which a notification waits: its customer's, or none where it has no customer."""
    address = next(iter(addresses_of(notification)), None)
    if isinstance(address, CustomerNumber):
        return f"{address.provider}:{address.number}"
    return address


class Lanes:
    """The tickets of each customer, in order of arrival. The first of a lane is in hand, or may be handed out."""

    __slots__ = ("_lanes",)

    def __init__(self) -> None:
        self._lanes: dict[str, deque[Ticket]] = {}

    def __len__(self) -> int:
        """How many customers have tickets."""
        return len(self._lanes)

    def is_free(self, lane: str | None) -> bool:
        """Whether a ticket that came now would be the first of its lane."""
        return lane is None or lane not in self._lanes

    def join(self, ticket: Ticket) -> None:
        """Put *ticket* last in its lane."""
        if ticket.lane is not None:
            self._lanes.setdefault(ticket.lane, deque()).append(ticket)

    def leave(self, ticket: Ticket) -> Ticket | None:
        """Take *ticket* out, wherever it stands; give the one that is first now because of that."""
        lane = self._lanes.get(ticket.lane) if ticket.lane is not None else None
        if lane is None:
            return None
        if lane[0] is not ticket:
            lane.remove(ticket)
            return None
        lane.popleft()
        if lane:
            return lane[0]
        del self._lanes[str(ticket.lane)]
        return None


class AppDataWatch:
    """Which unanswered tickets a change of a customer's app data concerns: their echo would undo it."""

    __slots__ = ("_tickets",)

    def __init__(self) -> None:
        self._tickets: dict[str | CustomerNumber, set[Ticket]] = {}

    def __len__(self) -> int:
        """How many addresses have tickets."""
        return len(self._tickets)

    def add(self, ticket: Ticket) -> None:
        """Watch for *ticket*."""
        for address in addresses_of(ticket.notification):
            self._tickets.setdefault(address, set()).add(ticket)

    def discard(self, ticket: Ticket) -> None:
        """Watch for *ticket* no longer."""
        for address in addresses_of(ticket.notification):
            tickets = self._tickets.get(address)
            if tickets is None:
                continue
            tickets.discard(ticket)
            if not tickets:
                del self._tickets[address]

    def mark(self, address: CustomerAddress | None) -> tuple[Ticket, ...]:
        """Note that the app data at *address* is being changed; give the tickets which that concerns."""
        if not isinstance(address, str | CustomerNumber):
            return ()  # a secondary id: only the reply says whose it is
        tickets = tuple(self._tickets.get(address, ()))
        for ticket in tickets:
            ticket.changes += 1
        return tickets

    def unmark(self, tickets: Iterable[Ticket]) -> None:
        """Take back what :meth:`mark` noted: the change was never sent."""
        for ticket in tickets:
            ticket.changes -= 1
