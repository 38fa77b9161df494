"""Leases at work: who is told what, and the one timer behind it."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from elarian_trio.sandbox.clock import ManualClock
from elarian_trio.sandbox.holds import Holds
from elarian_trio.sandbox.world.entities import AppKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio.sandbox.world.leases import Ticket

pytestmark = pytest.mark.anyio

KEY, OTHER = AppKey("org", "app", "asha"), AppKey("org", "app", "juma")


class Table:
    """Holds, and a note of what everybody was told."""

    def __init__(self) -> None:
        self.clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.told: list[tuple[str, bool]] = []
        self._later: deque[Callable[[], None]] = deque()
        self.holds = Holds(self.clock, self._later.append, self.drain)

    def drain(self) -> None:
        while self._later:
            self._later.popleft()()

    def ask(self, name: str, key: AppKey = KEY) -> Ticket:
        return self.holds.ask(key, name, partial(self._note, name))

    def _note(self, name: str, granted: bool) -> None:
        self.told.append((name, granted))

    async def pass_time(self, seconds: float) -> None:
        await self.clock.advance(timedelta(seconds=seconds))


async def test_a_free_lease_is_granted_after_the_unit_of_work_and_not_within_it() -> None:
    """This SDK: no rule runs inside another's unit of work."""
    table = Table()
    table.ask("first")
    assert table.told == []
    table.drain()
    assert table.told == [("first", True)]


async def test_the_next_is_told_when_the_holder_leaves() -> None:
    """Facts, decision 10: first come, first served."""
    table = Table()
    first = table.ask("first")
    table.ask("second")
    table.drain()
    table.holds.leave(first)
    table.drain()
    assert table.told == [("first", True), ("second", True)]


async def test_a_change_of_the_value_ends_the_hold() -> None:
    """Facts, decision 10: update and delete always succeed and release."""
    table = Table()
    table.ask("first")
    table.ask("second")
    table.holds.release(KEY)
    table.drain()
    assert table.told == [("first", True), ("second", True)]


async def test_a_hold_lapses_after_90_seconds() -> None:
    """The specification: the lock lasts 90 s at most; the next in the queue is told then."""
    table = Table()
    table.ask("first")
    await table.pass_time(1)
    table.ask("second")
    table.drain()
    await table.pass_time(88.9)
    assert table.told == [("first", True)]
    await table.pass_time(0.2)
    assert table.told == [("first", True), ("second", True)]


async def test_whoever_waits_90_seconds_in_vain_is_told_so() -> None:
    """Facts, decision 10: wait up to 90 s."""
    table = Table()
    for name in ("first", "second", "third"):
        table.ask(name)
    await table.pass_time(90)
    assert table.told == [("first", True), ("second", True), ("third", False)]


async def test_each_hold_of_a_queue_lapses_in_its_turn() -> None:
    """The specification: 90 s at most, also for who waited; nobody asks or leaves meanwhile."""
    table = Table()
    table.ask("first")
    await table.pass_time(60)
    table.ask("second")
    await table.pass_time(30)
    assert table.told == [("first", True), ("second", True)]
    await table.pass_time(89)
    table.ask("third")
    table.drain()
    assert table.told[2:] == []
    await table.pass_time(1)
    assert table.told[2:] == [("third", True)]


async def test_who_leaves_before_being_told_of_the_grant_is_told_nothing() -> None:
    """Facts, decision 10: a CANCEL leaves the queue, also in the very moment of the grant."""
    table = Table()
    table.holds.leave(table.ask("first"))
    table.ask("second")
    table.drain()
    assert table.told == [("second", True)]


async def test_nobody_is_told_after_leaving() -> None:
    """Facts, decision 10: a CANCEL leaves the queue."""
    table = Table()
    first, second = table.ask("first"), table.ask("second")
    table.drain()
    table.holds.leave(second)
    table.holds.leave(first)
    table.holds.leave(first)
    await table.pass_time(300)
    assert table.told == [("first", True)]


async def test_no_timer_is_left_when_nothing_is_leased() -> None:
    """The design: a year passes at once, so nothing may tick while nothing is leased."""
    table = Table()
    tickets = [table.ask("first"), table.ask("other", OTHER)]
    for ticket in tickets:
        table.holds.leave(ticket)
    assert table.clock._timers.next_due is None  # what run() would wake for
    table.ask("again")
    assert table.clock._timers.next_due is not None
    await table.pass_time(90)
    assert table.clock._timers.next_due is None
