"""Listeners: who hears next, and what is under way to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from post import FakeListener, parcel

from elarian_trio.sandbox.delivery import listeners as room
from elarian_trio.sandbox.delivery.lanes import Lane
from elarian_trio.sandbox.delivery.listeners import Listeners

if TYPE_CHECKING:
    import pytest

LANE = Lane("asha")


def test_those_that_can_hear_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts, decision 17: round-robin, skipping those that cannot hear, or have too much to answer."""
    monkeypatch.setattr(room, "MAX_UNDER_WAY", 1)
    listeners, (first, second, third) = Listeners(), [FakeListener() for _ in range(3)]
    assert (listeners.next(), len(listeners)) == (None, 0)
    for each in (first, second, third):
        listeners.add(each)
    second.usable = False
    assert [listeners.next() for _ in range(3)] == [first, third, first]
    told = parcel("it")
    listeners.choose(first, told, LANE)
    assert [listeners.next() for _ in range(2)] == [third, third]
    listeners.free(told)
    assert [listeners.next() for _ in range(2)] == [first, third]
    for each in (first, third):
        each.usable = False
    assert listeners.next() is None
    assert len(listeners) == 3


def test_who_is_suspended_is_here_and_hears_nothing() -> None:
    """This SDK: what it was told and has not answered is its own, until it is back."""
    listeners, only, told = Listeners(), FakeListener(), parcel("it")
    listeners.add(only)
    assert listeners.resume(only) is None, "it was not suspended"
    listeners.choose(only, told, LANE)
    assert listeners.suspend(only) == {told: LANE}
    assert (listeners.next(), listeners.can_hear(only), len(listeners)) == (None, False, 1)
    assert listeners.resume(only) == {told: LANE}
    assert (listeners.next(), told.listener) == (only, only)


def test_who_is_removed_leaves_what_was_under_way_to_it() -> None:
    """This SDK: its session may end later; what it was told is freed by then, or before."""
    listeners, only, told = Listeners(), FakeListener(), parcel("it")
    listeners.add(only)
    listeners.choose(only, told, LANE)
    listeners.suspend(only)
    assert listeners.remove(only) == {told: LANE}
    assert (listeners.next(), len(listeners)) == (None, 0)
    listeners.free(told)
    assert told.listener is None
    listeners.add(only)
    assert listeners.next() is only, "it is not suspended any more"


def test_what_is_freed_is_nobodys() -> None:
    """This SDK: an answer that comes too late, and a time-out, find nothing to act on."""
    listeners, only, told = Listeners(), FakeListener(), parcel("it")
    listeners.add(only)
    listeners.choose(only, told, LANE)
    told.content, told.question = b"it", only.ask(b"it", lambda _: None)
    for _ in range(2):
        listeners.free(told)
        assert (told.listener, told.content, told.question, told.timer) == (None, None, None, None)
    assert listeners.suspend(only) == {}
