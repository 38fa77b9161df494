"""The table of leases: who holds, who waits, and how it ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
from world_support import APP, ORG, START

from elarian_trio.sandbox.world.entities import AppKey
from elarian_trio.sandbox.world.leases import Change, Leases

KEY = AppKey(ORG, APP, "el_cst_1")
OTHER = AppKey(ORG, APP, "el_cst_2")
SECOND = timedelta(seconds=1)


def test_a_free_lease_is_granted_at_once_and_others_are_unaffected() -> None:
    """Elarian: the lock is per customer."""
    leases = Leases()
    assert leases.ask(KEY, "a", START).granted
    assert leases.ask(OTHER, "b", START).granted
    assert len(leases) == 2


def test_waiters_are_served_first_come_first_served() -> None:
    """Elarian: a fetch of what is locked waits; the order is this SDK's choice."""
    leases = Leases()
    holder = leases.ask(KEY, "a", START)
    first, second = leases.ask(KEY, "b", START), leases.ask(KEY, "a", START)
    assert not first.granted
    assert not second.granted
    assert leases.leave(holder, START) == Change(granted=(first,))
    assert first.granted
    assert leases.release(KEY, START) == Change(granted=(second,))
    assert leases.leave(second, START) == Change()
    assert len(leases) == 0


def test_a_hold_lapses_after_90_seconds() -> None:
    """Elarian: locked until the next update, 90 seconds at most."""
    leases = Leases()
    leases.ask(KEY, "a", START)
    assert leases.next_deadline == START + 90 * SECOND
    waiter = leases.ask(KEY, "b", START + 50 * SECOND)
    assert leases.expire(START + 89 * SECOND) == Change()
    assert leases.expire(START + 90 * SECOND) == Change(granted=(waiter,))
    assert leases.next_deadline == START + 180 * SECOND
    assert leases.expire(START + 180 * SECOND) == Change()
    assert leases.next_deadline is None


def test_a_waiter_gives_up_after_90_seconds() -> None:
    """This SDK: waiting is bounded, too; the one who goes on waiting is not disturbed."""
    leases = Leases()
    leases.ask(KEY, "a", START)
    early = leases.ask(KEY, "b", START)
    late = leases.ask(KEY, "c", START + SECOND)
    leases.release(KEY, START + 89 * SECOND)
    assert early.granted
    assert leases.expire(START + 91 * SECOND) == Change(given_up=(late,))
    assert not late.granted
    assert leases.release(KEY, START + 92 * SECOND) == Change()
    assert len(leases) == 0


def test_one_who_waited_too_long_when_the_lease_comes_free_is_granted_it() -> None:
    """This SDK: at the very moment, having it is better than giving up."""
    leases = Leases()
    leases.ask(KEY, "a", START)
    waiter = leases.ask(KEY, "b", START)
    other = leases.ask(KEY, "c", START)
    assert leases.expire(START + 90 * SECOND) == Change(granted=(waiter,), given_up=(other,))


def test_leaving_the_queue_lets_nobody_in() -> None:
    """This SDK: a CANCEL leaves the queue."""
    leases = Leases()
    holder = leases.ask(KEY, "a", START)
    first, second = leases.ask(KEY, "b", START), leases.ask(KEY, "c", START)
    assert leases.leave(first, START) == Change()
    assert leases.leave(holder, START) == Change(granted=(second,))
    assert not first.granted


def test_leaving_twice_does_not_end_anothers_hold() -> None:
    """This SDK: an answer that comes after its lease was lost, or after an update, changes nothing."""
    leases = Leases()
    holder = leases.ask(KEY, "a", START)
    second = leases.ask(KEY, "b", START)
    third = leases.ask(KEY, "c", START)
    leases.release(KEY, START)
    assert leases.leave(holder, START) == Change()
    assert second.granted
    assert not third.granted
    leases.release(KEY, START)
    leases.release(KEY, START)
    assert leases.leave(third, START) == Change()


def test_releasing_what_is_free_is_fine() -> None:
    """Elarian: updates need no lease."""
    assert Leases().release(KEY, START) == Change()


def test_with_its_customer_every_apps_lease_ends() -> None:
    """A past bug: whoever waited behind a lease on nothing stored waited for somebody who was gone, for 90 seconds."""
    leases = Leases()
    another_apps = AppKey(ORG, "el_app_other", KEY.customer_id)
    for key in (KEY, another_apps, OTHER):
        leases.ask(key, "a", START)
    waiter = leases.ask(another_apps, "b", START)
    assert leases.release_all(ORG, KEY.customer_id, START) == Change(granted=(waiter,))
    assert len(leases) == 2
    assert leases.release_all("another organisation", OTHER.customer_id, START) == Change()


def test_a_handlers_own_lease_is_granted_on_top_of_its_notifications() -> None:
    """This SDK: otherwise the handler would wait for its own answer until both time out."""
    leases = Leases()
    told = leases.ask(KEY, "a", START, is_notification=True)
    asked = leases.ask(KEY, "a", START)
    waiter = leases.ask(KEY, "b", START)
    assert told.granted
    assert asked.granted
    assert not waiter.granted
    assert leases.leave(told, START) == Change(granted=(waiter,))
    assert leases.leave(asked, START) == Change()


def test_a_cancelled_lease_on_top_of_a_notifications_leaves_the_notifications_hold() -> None:
    """This SDK: giving back the one does not give back the other."""
    leases = Leases()
    told = leases.ask(KEY, "a", START, is_notification=True)
    asked = leases.ask(KEY, "a", START)
    waiter = leases.ask(KEY, "b", START)
    assert leases.leave(asked, START) == Change()
    assert leases.leave(told, START) == Change(granted=(waiter,))


@pytest.mark.parametrize(
    ("first", "connection", "second"), [(False, "a", False), (True, "b", False), (True, "a", True), (False, "a", True)]
)
def test_nobody_else_is_let_in_on_top(first: bool, connection: str, second: bool) -> None:
    """This SDK: only a command of the connection that was just told; two tasks of an app still exclude each other."""
    leases = Leases()
    leases.ask(KEY, "a", START, is_notification=first)
    assert not leases.ask(KEY, connection, START, is_notification=second).granted
