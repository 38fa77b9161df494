"""App data and its lease under any sequence of commands, notifications and answers: nothing is lost.

The lease is the server's, the rules only say what it is on: this machine plays the server's part, as small as it can
be. A connection stands for a client, with its handlers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from machines import WorldMachine, numbers, picked, picks
from world_support import APP, ORG

from elarian_trio.models.commands import (
    CustomerActivity,
    DeleteCustomerAppData,
    LeaseCustomerAppData,
    UpdateCustomerAppData,
)
from elarian_trio.models.notifications import AppDataUpdate, NotificationReply
from elarian_trio.sandbox.world.effects import WaitForLease
from elarian_trio.sandbox.world.entities import AppKey, AppRecord
from elarian_trio.sandbox.world.leases import Leases

if TYPE_CHECKING:
    from elarian_trio.models.identity import CustomerNumber
    from elarian_trio.sandbox.world.effects import Delivered, NotifyApp
    from elarian_trio.sandbox.world.leases import Change, Ticket

Data: TypeAlias = "str | bytes | None"

CONNECTIONS = st.sampled_from("ab")
VALUES = st.sampled_from(("home", b"home", "approve", ""))
ANSWERS = st.none() | st.just("echo") | st.builds(AppDataUpdate, st.none() | VALUES)


@dataclass(eq=False)
class Asked:
    """A lease command, or a notification, that has or waits for the lease.

    Attributes:
        ticket: its place.
        number: whose data the command asked for.
        told: the notification.
        delivered: as the app has it in hand.
    """

    ticket: Ticket
    number: CustomerNumber | None = None
    told: NotifyApp | None = None
    delivered: Delivered | None = None


class AppDataMachine(WorldMachine):
    """Two connections of one app lease, change and are told, and answer in time or late."""

    def __init__(self) -> None:
        super().__init__()
        self.leases = Leases()
        self.values: dict[str, Data] = {}
        self.waiting: list[Asked] = []
        self.holding: list[Asked] = []
        self.in_hand: list[Asked] = []

    # The server's part.

    def ask(self, asked: Asked) -> None:
        """Note who asked, and go on if that was granted at once."""
        self.waiting.append(asked)
        if asked.ticket.granted:
            self.grant(asked)

    def grant(self, asked: Asked) -> None:
        """Go on with who was granted the lease: give the value to the command, or send the notification."""
        self.waiting.remove(asked)
        self.holding.append(asked)
        if asked.told is not None:
            asked.delivered = self.world.deliver(asked.told)
            self.in_hand.append(asked)
            assert asked.delivered.lease is None or asked.delivered.app_data == self.value(asked.delivered.lease)
            return
        assert asked.number is not None
        reply = self.world.run(LeaseCustomerAppData(customer=asked.number), lease=asked.ticket.key)
        if isinstance(reply, WaitForLease):  # the customer is another by now
            assert reply.lease != asked.ticket.key
            self.leave(asked)
            connection = asked.ticket.connection_id
            self.ask(Asked(self.leases.ask(reply.lease, connection, self.world.now), number=asked.number))
            return
        assert reply.status
        assert reply.value == self.value(asked.ticket.key)

    def value(self, key: AppKey) -> Data:
        """Give the value that is under a key, by this machine's own books."""
        return self.values.get(self.heir(key.customer_id))

    def note(self, change: Change) -> None:
        """Go on with those whose turn it is; each must have been the first of its queue."""
        for ticket in change.given_up:
            self.waiting = [each for each in self.waiting if each.ticket is not ticket]
        for ticket in change.granted:
            first = next(each for each in self.waiting if each.ticket.key == ticket.key)
            assert first.ticket is ticket, "it overtook another"
            self.grant(first)

    def leave(self, asked: Asked) -> None:
        """Give a place up, and with a notification's whatever its connection was granted on top of it."""
        change = self.leases.leave(asked.ticket, self.world.now)
        self.forget_the_dead()
        self.waiting = [each for each in self.waiting if each is not asked]
        self.note(change)

    def release_what_changed(self) -> None:
        """End the leases on what was changed."""
        released, self.world.released[:] = list(self.world.released), []
        for key in released:
            change = self.leases.release(key, self.world.now)
            self.holding = [each for each in self.holding if each.ticket.key != key]
            self.note(change)

    def forget_the_dead(self) -> None:
        """Forget the holds that are over; the table knows them, and one that is over changes nothing."""
        lasting = [ticket for lock in self.leases._locks.values() for ticket in lock.holders]
        self.holding = [each for each in self.holding if each.ticket in lasting]

    # The moves.

    @rule(number=numbers, connection=CONNECTIONS)
    def lease(self, number: CustomerNumber, connection: str) -> None:
        """A connection asks for the value and the lease."""
        self.meet(number)
        wanted = self.world.run(LeaseCustomerAppData(customer=number))
        assert isinstance(wanted, WaitForLease)
        self.ask(Asked(self.leases.ask(wanted.lease, connection, self.world.now), number=number))

    @rule(number=numbers, connection=CONNECTIONS)
    def tell(self, number: CustomerNumber, connection: str) -> None:
        """Something happens that the app is told of, over one of its connections."""
        customer_id = self.meet(number)
        self.world.run(CustomerActivity(customer_number=number, source="shop", session_id="s", key="join"))
        told = self.world.notified.pop()
        key = AppKey(ORG, APP, customer_id)
        ticket = self.leases.ask(key, connection, self.world.now, is_notification=True)
        self.ask(Asked(ticket, told=told))

    @precondition(lambda self: self.in_hand)
    @rule(pick=picks, answer=ANSWERS)
    def answer(self, pick: int, answer: AppDataUpdate | str | None) -> None:
        """The app answers what it has in hand, in time or not: an echo changes nothing, whatever happened meanwhile."""
        asked = self.in_hand.pop(pick % len(self.in_hand))
        self.give(asked, answer)
        self.leave(asked)

    @precondition(lambda self: self.in_hand)
    @rule(pick=picks, value=VALUES, answer=ANSWERS)
    def answer_behind_a_change(self, pick: int, value: Data, answer: AppDataUpdate | str | None) -> None:
        """The app's handler changes the data by a command, and answers then."""
        customer_id = self.heir(str(picked(self.in_hand, pick).ticket.key.customer_id))
        if customer_id not in self.deleted:
            self.change_of(customer_id, value)
        self.answer(pick, answer)

    def give(self, asked: Asked, answer: AppDataUpdate | str | None) -> None:
        """Answer a notification."""
        delivered = asked.delivered
        assert delivered is not None
        update = AppDataUpdate(delivered.app_data) if isinstance(answer, str) else answer
        self.world.answer(delivered, NotificationReply(data_update=update))
        if update is not None and delivered.lease is not None and update.data != delivered.app_data:
            heir = self.heir(delivered.lease.customer_id)
            if heir not in self.deleted:
                self.values[heir] = update.data
        self.release_what_changed()

    @rule(number=numbers, value=st.none() | VALUES)
    def change(self, number: CustomerNumber, value: Data) -> None:
        """The app changes or deletes the value, lease or no lease, and that ends the lease."""
        self.change_of(self.meet(number), value)

    def change_of(self, customer_id: str, value: Data) -> None:
        """Change or delete a customer's value."""
        command = (
            DeleteCustomerAppData(customer=customer_id)
            if value is None
            else UpdateCustomerAppData(customer=customer_id, update=value)
        )
        assert self.world.run(command).status
        assert AppKey(ORG, APP, customer_id) in self.world.released
        self.values[customer_id] = value
        self.release_what_changed()

    @precondition(lambda self: self.waiting or self.holding)
    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        """Whoever asked goes away."""
        asked = [*self.waiting, *self.holding]
        self.leave(asked[pick % len(asked)])

    @rule(seconds=st.sampled_from((1, 45, 90)))
    def pass_time(self, seconds: float) -> None:
        """Leases lapse, and whoever waited too long waits no more."""
        self.world.now += timedelta(seconds=seconds)
        change = self.leases.expire(self.world.now)
        self.forget_the_dead()
        self.note(change)

    @rule(one=numbers, other=numbers, joins=st.booleans())
    def change_who_is_who(self, one: CustomerNumber, other: CustomerNumber, joins: bool) -> None:
        """Two are one: the survivor's value counts if there is any; or somebody is deleted."""
        heir, gone = self.meet(one), self.meet(other)
        if not joins:
            assert self.delete(gone)
            self.values.pop(gone, None)
        elif self.adopt(heir, gone):
            theirs = self.values.pop(gone, None)
            if self.values.get(heir) is None:
                self.values[heir] = theirs
        self.release_what_changed()

    # What must hold.

    @invariant()
    def values_are_as_they_were_last_set(self) -> None:
        """No change is lost, and no echo brings an old one back."""
        records = [each for each in self.world.records.values() if isinstance(each, AppRecord)]
        kept = {each.customer_id: each.data for each in records if each.data is not None}
        assert kept == {key: each for key, each in self.values.items() if each is not None}

    @invariant()
    def one_connection_holds(self) -> None:
        """But for what a handler leases on top of its own notification, which nobody else can."""
        keys = {each.ticket.key for each in self.holding}
        for key in keys:
            holders = [each for each in self.holding if each.ticket.key == key]
            assert len({each.ticket.connection_id for each in holders}) == 1
            assert sum(each.told is not None for each in holders) <= 1
        assert {each.ticket.key for each in self.waiting} <= keys, "somebody waits for nothing"
