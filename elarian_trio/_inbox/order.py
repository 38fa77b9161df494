"""Whose turn it is, and whose app data changed meanwhile: what the inbox remembers of customers, while it must.

The inbox stands above; it is told of each ticket that comes and goes, so that nothing is kept of an idle customer.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from elarian_trio.models.identity import CustomerNumber

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from elarian_trio._inbox.tickets import Ticket
    from elarian_trio._session import Handover
    from elarian_trio.models.identity import CustomerAddress
    from elarian_trio.models.notifications import AnyNotification

__all__ = ["AppDataWatch", "Lanes", "id_of", "lane_of", "number_of"]


def id_of(notification: AnyNotification) -> str | None:
    """Give the id by which a notification names its customer, if it does."""
    customer_id: object = getattr(notification, "customer_id", None)
    return customer_id if isinstance(customer_id, str) and customer_id else None


def number_of(notification: AnyNotification) -> CustomerNumber | None:
    """Give the number by which it does."""
    number: object = getattr(notification, "customer_number", None)
    return number if isinstance(number, CustomerNumber) else None


def lane_of(notification: AnyNotification) -> str | None:
    """Name the line in which a customer's notifications wait: the id, if it is known, or none where nobody is named."""
    customer_id = id_of(notification)
    if customer_id is not None:
        return customer_id
    number = number_of(notification)
    return None if number is None else f"{number.provider}:{number.number}"


class Lanes:
    """Tickets by what names their customer, in order of arrival: whose turn it is, and who is at a number.

    Nearly all are alone in their lane, and stand there without a list.
    """

    __slots__ = ("_lanes",)

    def __init__(self) -> None:
        self._lanes: dict[str, Ticket | list[Ticket]] = {}

    def __len__(self) -> int:
        """How many lanes have tickets."""
        return len(self._lanes)

    def __iter__(self) -> Iterator[Ticket]:
        """Give the tickets of all lanes."""
        return (ticket for lane in self._lanes for ticket in self.of(lane))

    def of(self, lane: str) -> Sequence[Ticket]:
        """Give the tickets of a lane."""
        there = self._lanes.get(lane, ())
        return there if isinstance(there, list | tuple) else (there,)

    def join(self, lane: str | None, ticket: Ticket) -> bool:
        """Put *ticket* last in a lane, unless it has none; tell whether it is the first there."""
        if lane is None:
            return True
        there = self._lanes.setdefault(lane, ticket)
        if there is ticket:
            return True
        if isinstance(there, list):
            there.append(ticket)
        else:
            self._lanes[lane] = [there, ticket]
        return False

    def leave(self, lane: str | None, ticket: Ticket) -> Ticket | None:
        """Take *ticket* out of a lane, wherever it stands; give the one that is first now because of that."""
        if lane is None:
            return None
        there = self._lanes.get(lane)
        if there is ticket:
            del self._lanes[lane]
        if not isinstance(there, list):
            return None
        was_first = there[0] is ticket
        there.remove(ticket)
        if there:
            return there[0] if was_first else None
        del self._lanes[lane]
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
    """Which unanswered tickets a change of a customer's app data concerns: their echo would undo it.

    Args:
        lanes: where those tickets stand that name their customer's id.

    Attributes:
        is_on: whether it is to be told of tickets that come and go: in most apps it never is.
    """

    __slots__ = ("_changes", "_lanes", "_numbers", "is_on")

    def __init__(self, lanes: Lanes) -> None:
        self.is_on: bool = False
        self._lanes = lanes
        # By what two providers' numbers may have in common, once a number's app data was changed: in most apps they go
        # with the answers, and no ticket is ever looked for by its number.
        self._numbers: Lanes | None = None
        self._changes: set[_Change] = set()

    def __len__(self) -> int:
        """How many numbers have tickets, as far as that is kept."""
        return 0 if self._numbers is None else len(self._numbers)

    def add(self, ticket: Ticket) -> None:
        """Watch for *ticket*; a change that was not answered when it came may have been made after it was sent."""
        if self._numbers is not None:
            self._numbers.join(_digits_of(ticket), ticket)
        for change in self._changes:
            if change.handover.answered:
                change.later.add(ticket)
            elif ticket.is_at(change.address):
                change.concern(ticket)

    def discard(self, ticket: Ticket) -> None:
        """Watch for *ticket* no longer; it was added before."""
        if self._numbers is not None:
            self._numbers.leave(_digits_of(ticket), ticket)

    @contextmanager
    def changing(self, address: CustomerAddress | None, handover: Handover) -> Generator[Callable[[object], None]]:
        """Note that the app data at *address* is being changed, by a command that takes as long as the block.

        Gives a function for the customer's id, once the reply has told it. Where the command turns out never to have
        been sent, all is taken back.
        """
        change = _Change(address, handover)
        self._changes.add(change)
        self.is_on = True
        self._concern_those_at(address, change)
        try:
            yield partial(self._concern_those_at, change=change)
        finally:
            self._changes.discard(change)
            self.is_on = bool(self._changes) or self._numbers is not None
            if not handover.sent:
                change.take_back()

    def _concern_those_at(self, address: object, change: _Change) -> None:
        tickets: Sequence[Ticket] = ()  # of a secondary id only the reply says whose it is
        if isinstance(address, str):
            tickets = self._lanes.of(address)
        elif isinstance(address, CustomerNumber):
            tickets = self._at(address.number)
        for ticket in tickets:
            if ticket.is_at(address):
                change.concern(ticket)

    def _at(self, number: str) -> Sequence[Ticket]:
        """Give the tickets that are watched for at a number."""
        if self._numbers is None:
            self._numbers = Lanes()
            for ticket in self._lanes:
                if ticket.waits:
                    self._numbers.join(_digits_of(ticket), ticket)
        return self._numbers.of(number)


def _digits_of(ticket: Ticket) -> str | None:
    number = number_of(ticket.notification)
    return None if number is None else number.number
