"""Delivery over connections that are cut, and may be resumed: who is told meanwhile, and what is kept for whom."""

from __future__ import annotations

import pytest
from post import FakeListener, opened_post, parcel

from elarian_trio.errors import ConnectionLost
from elarian_trio.sandbox.delivery import patience, route

pytestmark = pytest.mark.anyio


async def test_what_a_cut_connection_was_not_told_goes_to_another() -> None:
    """This SDK: exactly one connection hears, and one that is cut cannot; nobody waits where another can."""
    async with opened_post() as post:
        cut, other = FakeListener(), FakeListener()
        post.route.attach(cut)
        post.route.attach(other)
        post.route.suspend(cut)
        for number in range(2):
            post.route.put(parcel(f"{number}", f"customer {number}"))
        assert (cut.asked, other.asked) == ([], ["0", "1"])


async def test_what_comes_during_a_cut_is_heard_after_it_in_order() -> None:
    """The design's promise 1: no notification lost, order kept."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.suspend(listener)
        for name in ("first", "second"):
            post.route.put(parcel(name))
        await post.pass_time(patience.ANSWER_TIMEOUT)
        assert listener.asked == []
        post.route.resume(listener)
        assert listener.asked == ["first"]
        listener.answer("first")
        assert listener.asked == ["first", "second"]


async def test_what_a_cut_connection_was_told_is_told_to_nobody_else() -> None:
    """The design's promise 1: the answer may be on its way still; the customer's others wait for it."""
    async with opened_post() as post:
        cut, other = FakeListener(), FakeListener()
        post.route.attach(cut)
        for name in ("first", "second"):
            post.route.put(parcel(name))
        post.route.suspend(cut)
        post.route.attach(other)
        post.route.put(parcel("another's", "juma"))
        assert other.asked == ["another's"]
        post.route.resume(cut)
        cut.answer("first", b"yes")
        other.answer("another's")
        assert (cut.asked, other.asked) == (["first", "second"], ["another's"])
        assert post.desk.answers == [("first", b"yes"), ("another's", b"ok")]


async def test_the_end_of_a_cut_session_hands_its_notification_to_the_next_connection() -> None:
    """The design's promise 1: a client that never came back cannot have it all, and the customer's order is kept."""
    async with opened_post() as post:
        dead, other = FakeListener(), FakeListener()
        post.route.attach(dead)
        for name in ("first", "second"):
            post.route.put(parcel(name))
        post.route.suspend(dead)
        post.route.attach(other)
        dead.usable = False
        dead.answer("first", ConnectionLost("it was not resumed in time", sent=True))
        post.route.detach(dead)
        assert other.asked == ["first"]
        other.answer("first")
        assert other.asked == ["first", "second"]


async def test_a_cut_session_that_ends_leaves_what_it_was_told_to_be_kept() -> None:
    """The design's promise 1: what nobody is there for is kept for whoever comes."""
    async with opened_post() as post:
        dead, fresh = FakeListener(), FakeListener()
        post.route.attach(dead)
        post.route.put(parcel("it"))
        post.route.suspend(dead)
        post.route.detach(dead)
        dead.answer("it", ConnectionLost("it was not resumed in time", sent=True))
        assert post.route.size == 1
        assert post.activity.idle
        post.route.attach(fresh)
        assert fresh.asked == ["it"]


async def test_a_cut_takes_back_what_waits_for_the_lease() -> None:
    """This SDK: it was not told, so another may be, in its place; and nobody waits for a lease in vain."""
    async with opened_post() as post:
        cut, other = FakeListener(), FakeListener()
        post.route.attach(cut)
        post.desk.lease_is_held = True
        post.route.put(parcel("it"))
        post.desk.lease_is_held = False
        post.route.suspend(cut)
        assert post.desk.put_backs == ["it"]
        post.route.attach(other)
        assert (cut.asked, other.asked) == ([], ["it"])


async def test_taking_one_back_may_set_another_going_elsewhere() -> None:
    """This SDK: the lease that one gives up may be granted to the next, which is then another connection's."""
    async with opened_post() as post:
        cut, other = FakeListener(), FakeListener()
        post.route.attach(cut)
        post.desk.lease_is_held = True
        for number in range(2):
            post.route.put(parcel(f"{number}", f"customer {number}"))
        post.desk.lease_is_held = False
        post.route.attach(other)
        granted = post.desk.waiting.pop()
        post.desk.on_put_back = [granted]
        post.route.suspend(cut)
        assert (cut.asked, sorted(other.asked)) == ([], ["0", "1"])
        assert not post.activity.idle


async def test_nobody_waits_for_what_a_cut_connection_has_not_answered() -> None:
    """This SDK: time that is advanced passes without it, as without an app that is away; once back it is waited for."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.put(parcel("it"))
        idle = [post.activity.idle]
        for step in (post.route.suspend, post.route.resume, post.route.resume):
            step(listener)
            idle.append(post.activity.idle)
        listener.answer("it")
        assert [*idle, post.activity.idle] == [False, True, False, False, True]


async def test_an_app_that_is_cut_is_kept_as_much_for_as_one_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The design's promise 1: a busy app loses no notification to a cut of a second."""
    monkeypatch.setattr(route, "AWAY_LIMIT", 2)
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.suspend(listener)
        for number in range(5):
            post.route.put(parcel(f"{number}", f"customer {number}"))
        post.route.resume(listener)
        assert len(listener.asked) == 5
