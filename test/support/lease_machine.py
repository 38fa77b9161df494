"""Leases under any sequence of moves: one connection holds, nobody is forgotten, nobody overtakes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from world_support import APP, ORG, START

from elarian_trio.sandbox.world.entities import AppKey
from elarian_trio.sandbox.world.leases import Leases

if TYPE_CHECKING:
    from elarian_trio.sandbox.world.leases import Change, Ticket

KEYS = [AppKey(ORG, APP, f"el_cst_{number}") for number in range(2)]


class LeaseMachine(RuleBasedStateMachine):
    """Asks, answers, updates, goes away and lets time pass; keeps its own books of who waits and who holds."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.leases = Leases()
        self.waiting: list[Ticket] = []
        self.holding: list[Ticket] = []

    def note(self, change: Change) -> None:
        """Book what became of those who waited; each must have been the first of its queue."""
        for ticket in change.granted:
            assert ticket is next(each for each in self.waiting if each.key == ticket.key), "it overtook another"
            self.waiting.remove(ticket)
            self.holding.append(ticket)
        for ticket in change.given_up:
            self.waiting.remove(ticket)
            assert not ticket.granted

    @rule(key=st.sampled_from(KEYS), connection=st.sampled_from("abc"), told=st.booleans())
    def ask(self, key: AppKey, connection: str, told: bool) -> None:
        """Somebody asks: a command, or a notification that is to be sent."""
        ticket = self.leases.ask(key, connection, self.now, is_notification=told)
        (self.holding if ticket.granted else self.waiting).append(ticket)

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """Somebody answers, is cancelled, or goes away."""
        tickets = [*self.holding, *self.waiting]
        if not tickets:
            return
        ticket = data.draw(st.sampled_from(tickets))
        if ticket in self.waiting:
            self.waiting.remove(ticket)
        elif ticket.is_notification:
            self.holding = [each for each in self.holding if each.key != ticket.key]
        else:
            self.holding.remove(ticket)
        self.note(self.leases.leave(ticket, self.now))

    @rule(key=st.sampled_from(KEYS))
    def update(self, key: AppKey) -> None:
        """The value is changed."""
        self.holding = [each for each in self.holding if each.key != key]
        self.note(self.leases.release(key, self.now))

    @rule(seconds=st.integers(0, 100))
    def pass_time(self, seconds: int) -> None:
        """Time passes, and the server sees to what is due."""
        self.now += timedelta(seconds=seconds)
        self.holding = [each for each in self.holding if each.deadline > self.now]
        self.note(self.leases.expire(self.now))

    @invariant()
    def one_connection_holds(self) -> None:
        """Several holds on one key are one connection's, on top of a notification that it was sent."""
        for key in KEYS:
            holders = [each for each in self.holding if each.key == key]
            assert len({each.connection_id for each in holders}) <= 1
            assert sum(each.is_notification for each in holders) <= 1

    @invariant()
    def nobody_waits_for_nothing(self) -> None:
        """Who waits waits for a holder, and both have an end ahead of them."""
        held = {each.key for each in self.holding}
        assert {each.key for each in self.waiting} <= held
        assert len(self.leases) == len(held)
        deadlines = [each.deadline for each in (*self.holding, *self.waiting)]
        assert self.leases.next_deadline == min(deadlines, default=None)
        assert all(self.now < deadline <= self.now + timedelta(seconds=90) for deadline in deadlines)
