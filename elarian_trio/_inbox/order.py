"""Whose turn it is, and whose app data changed meanwhile: what the inbox remembers of customers, while it must.

The inbox stands above; it is told of each ticket that comes and goes, so that nothing is kept of an idle customer.
"""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from elarian_trio.models.identity import CustomerNumber

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from elarian_trio._inbox.tickets import Ticket
    from elarian_trio._session import Handover
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


class _Change:
    """A command under way that changes a customer's app data, and the tickets which that concerns."""

    __slots__ = ("address", "handover", "later", "tickets")

    def __init__(self, address: CustomerAddress | None, handover: Handover) -> None:
        self.address = address
        self.handover = handover
        self.tickets: set[Ticket] = set()
        self.later: set[Ticket] = set()  # they came behind the command's answer, and know of the change

    def concern(self, ticket: Ticket) -> None:
        if ticket not in self.tickets and ticket not in self.later:
            self.tickets.add(ticket)
            ticket.changes += 1

    def take_back(self) -> None:
        for ticket in self.tickets:
            ticket.changes -= 1


class AppDataWatch:
    """Which unanswered tickets a change of a customer's app data concerns: their echo would undo it."""

    __slots__ = ("_changes", "_tickets")

    def __init__(self) -> None:
        self._tickets: dict[str | CustomerNumber, set[Ticket]] = {}
        self._changes: set[_Change] = set()

    def __len__(self) -> int:
        """How many addresses have tickets."""
        return len(self._tickets)

    def add(self, ticket: Ticket) -> None:
        """Watch for *ticket*; a change that was not answered when it came may have been made after it was sent."""
        addresses = addresses_of(ticket.notification)
        for address in addresses:
            self._tickets.setdefault(address, set()).add(ticket)
        for change in self._changes:
            if change.handover.answered:
                change.later.add(ticket)
            elif change.address in addresses:
                change.concern(ticket)

    def discard(self, ticket: Ticket) -> None:
        """Watch for *ticket* no longer."""
        for address in addresses_of(ticket.notification):
            tickets = self._tickets.get(address)
            if tickets is None:
                continue
            tickets.discard(ticket)
            if not tickets:
                del self._tickets[address]

    @contextmanager
    def changing(self, address: CustomerAddress | None, handover: Handover) -> Generator[Callable[[object], None]]:
        """Note that the app data at *address* is being changed, by a command that takes as long as the block.

        Gives a function for the customer's id, once the reply has told it. Where the command turns out never to have
        been sent, all is taken back.
        """
        change = _Change(address, handover)
        self._changes.add(change)
        self._concern_those_at(address, change)
        try:
            yield partial(self._concern_those_at, change=change)
        finally:
            self._changes.discard(change)
            if not handover.sent:
                change.take_back()

    def _concern_those_at(self, address: object, change: _Change) -> None:
        if isinstance(address, str | CustomerNumber):  # of a secondary id only the reply says whose it is
            for ticket in self._tickets.get(address, ()):
                change.concern(ticket)
