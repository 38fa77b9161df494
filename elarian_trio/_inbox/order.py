"""Whose turn it is, and whose app data changed meanwhile: what the inbox remembers of customers, while it must.

The inbox stands above; it is told of each ticket that comes and goes, so that nothing is kept of an idle customer.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from elarian_trio.models.identity import CustomerNumber

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from elarian_trio._inbox.tickets import Ticket
    from elarian_trio._session import Handover
    from elarian_trio.models.identity import CustomerAddress
    from elarian_trio.models.notifications import AnyNotification

__all__ = ["AppDataWatch", "Lanes", "addresses_of", "lane_of"]


def addresses_of(notification: AnyNotification) -> Sequence[str | CustomerNumber]:
    """Give the id and number by which a notification names its customer, as far as it does."""
    customer_id: object = getattr(notification, "customer_id", None)
    number: object = getattr(notification, "customer_number", None)
    ids = (customer_id,) if isinstance(customer_id, str) and customer_id else ()
    return (*ids, number) if isinstance(number, CustomerNumber) else ids


def lane_of(addresses: Sequence[str | CustomerNumber]) -> str | None:
    """Name the line in which a customer's notifications wait, or none where there is no customer."""
    if not addresses:
        return None
    address = addresses[0]
    return address if isinstance(address, str) else f"{address.provider}:{address.number}"


class Lanes:
    """The tickets of each customer, in order of arrival. The first of a lane is in hand, or may be handed out."""

    __slots__ = ("_lanes",)

    def __init__(self) -> None:
        self._lanes: dict[str, list[Ticket]] = {}

    def __len__(self) -> int:
        """How many customers have tickets."""
        return len(self._lanes)

    def is_free(self, lane: str | None) -> bool:
        """Whether a ticket that came now would be the first of its lane."""
        return lane is None or lane not in self._lanes

    def join(self, ticket: Ticket) -> None:
        """Put *ticket* last in its lane."""
        if ticket.lane is not None:
            _append(self._lanes, ticket.lane, ticket)

    def leave(self, ticket: Ticket) -> Ticket | None:
        """Take *ticket* out, wherever it stands; give the one that is first now because of that."""
        if ticket.lane is None or ticket.lane not in self._lanes:
            return None
        was_first = self._lanes[ticket.lane][0] is ticket
        left = _remove(self._lanes, ticket.lane, ticket)
        return left[0] if left and was_first else None


def _append(lists: dict[str, list[Ticket]], key: str, ticket: Ticket) -> None:
    """Put *ticket* last in its list, of which nearly all are new."""
    if key in lists:
        lists[key].append(ticket)
    else:
        lists[key] = [ticket]


def _remove(lists: dict[str, list[Ticket]], key: str, ticket: Ticket) -> list[Ticket]:
    """Take *ticket* out of its list, and an empty list out of all; give what is left in it."""
    tickets = lists[key]
    tickets.remove(ticket)
    if not tickets:
        del lists[key]
    return tickets


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
        self._tickets: dict[str, list[Ticket]] = {}
        self._changes: set[_Change] = set()

    def __len__(self) -> int:
        """How many addresses have tickets."""
        return len(self._tickets)

    def add(self, ticket: Ticket) -> None:
        """Watch for *ticket*; a change that was not answered when it came may have been made after it was sent."""
        for address in ticket.addresses:
            _append(self._tickets, _digits(address), ticket)
        for change in self._changes:
            if change.handover.answered:
                change.later.add(ticket)
            elif change.address in ticket.addresses:
                change.concern(ticket)

    def discard(self, ticket: Ticket) -> None:
        """Watch for *ticket* no longer; it was added before."""
        for address in ticket.addresses:
            _remove(self._tickets, _digits(address), ticket)

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
            for ticket in self._tickets.get(_digits(address), ()):
                if address in ticket.addresses:
                    change.concern(ticket)


def _digits(address: str | CustomerNumber) -> str:
    """Give what is quick to look up; of two providers' numbers with the same digits it is the same."""
    return address if isinstance(address, str) else address.number
