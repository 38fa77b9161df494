"""Delivery: whose turn it is, the order per customer, and what is kept for an app that is away."""

from __future__ import annotations

import pytest
from post import FakeListener, opened_post, parcel

from elarian_trio.errors import ConnectionLost
from elarian_trio.sandbox.delivery import listeners, route

pytestmark = pytest.mark.anyio


async def test_one_customers_notifications_come_one_at_a_time_and_in_order() -> None:
    """Facts, decision 20: the order is per app and customer."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        for name in ("first", "second"):
            post.route.put(parcel(name))
        await post.settle()
        assert listener.asked == ["first"]
        listener.answer("first")
        await post.settle()
        assert listener.asked == ["first", "second"]


async def test_different_customers_do_not_wait_for_each_other() -> None:
    """The design's promise 5: different customers in parallel."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.put(parcel("asha's"))
        post.route.put(parcel("juma's", "juma"))
        post.route.put(parcel("the purse's", None))
        await post.settle()
        assert listener.asked == ["asha's", "juma's", "the purse's"]


async def test_connections_take_turns_and_each_notification_goes_to_one() -> None:
    """Facts, decision 17: exactly one connection, round-robin, skipping closed ones."""
    async with opened_post() as post:
        listeners = [FakeListener() for _ in range(3)]
        for listener in listeners:
            post.route.attach(listener)
        listeners[1].usable = False
        for number in range(4):
            post.route.put(parcel(f"{number}", f"customer {number}"))
        await post.settle()
        assert [listener.asked for listener in listeners] == [["0", "2"], [], ["1", "3"]]


async def test_a_lost_connection_hands_its_notification_to_the_next() -> None:
    """The design's promise 1: no notification is lost with its connection."""
    async with opened_post() as post:
        first, second = FakeListener(), FakeListener()
        post.route.attach(first)
        post.route.put(parcel("it"))
        await post.settle()
        post.route.detach(first)
        first.answer("it", ConnectionLost("gone", sent=True))
        await post.settle()
        assert post.route.size == 1
        post.route.attach(second)
        await post.settle()
        assert second.asked == ["it"]


async def test_one_connection_is_not_asked_more_than_it_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: what a frozen app has not answered is bounded."""
    monkeypatch.setattr(listeners, "MAX_UNDER_WAY", 2)
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        for number in range(3):
            post.route.put(parcel(f"{number}", f"customer {number}"))
        await post.settle()
        assert listener.asked == ["0", "1"]
        listener.answer("1")
        await post.settle()
        assert listener.asked == ["0", "1", "2"]


async def test_what_cannot_be_said_holds_nothing_up() -> None:
    """This SDK: a defect costs one notification, which counts as answered by nothing, and not its customer's lane."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.put(parcel("unspeakable"))
        post.route.put(parcel("next"))
        assert listener.asked == ["next"]
        assert post.desk.answers == [("unspeakable", None)]


async def test_a_notification_waits_for_the_lease() -> None:
    """Facts, decision 11: queued behind whoever holds the customer's app data."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.desk.lease_is_held = True
        post.route.put(parcel("it"))
        await post.settle()
        assert listener.asked == []
        post.desk.waiting.pop()()
        await post.settle()
        assert listener.asked == ["it"]


async def test_a_connection_that_closes_while_the_lease_is_waited_for_is_replaced() -> None:
    """This SDK: whoever was chosen must still be there when the turn comes."""
    async with opened_post() as post:
        first, second = FakeListener(), FakeListener()
        post.route.attach(first)
        post.desk.lease_is_held = True
        post.route.put(parcel("it"))
        first.usable = False
        post.route.attach(second)
        post.desk.lease_is_held = False
        post.desk.waiting.pop()()
        await post.settle()
        assert (first.asked, second.asked) == ([], ["it"])


async def test_what_comes_while_the_app_is_away_is_kept_in_order() -> None:
    """Facts, decision 18: kept in a bounded queue, flushed in order on connect."""
    async with opened_post() as post:
        for number in range(3):
            post.route.put(parcel(f"{number}", f"customer {number}"))
        listener = FakeListener()
        post.route.attach(listener)
        await post.settle()
        assert listener.asked == ["0", "1", "2"]


async def test_no_more_than_a_thousand_are_kept(caplog: pytest.LogCaptureFixture) -> None:
    """Facts, decision 18: the queue is bounded; what finds no room is dropped, and the log says so."""
    listener = FakeListener()
    async with opened_post() as post:
        for _ in range(2):
            for number in range(route.AWAY_LIMIT + 5):
                post.route.put(parcel(f"{number}", f"customer {number}"))
            assert post.route.size == route.AWAY_LIMIT
            assert [record.message for record in caplog.records] == [
                "the app has too many notifications waiting: new ones are dropped"
            ]
            post.route.attach(listener)
            for number in range(route.AWAY_LIMIT):
                listener.answer(f"{number}")
            post.route.detach(listener)
            assert [record.message for record in caplog.records[1:]] == [
                "the app has no notifications waiting any more: 5 were dropped"
            ]
            caplog.clear()


async def test_a_queue_that_is_full_again_and_again_is_told_of_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A past bug: under load there was room for one every moment, and the log had a line for each moment."""
    monkeypatch.setattr(route, "PRESENT_LIMIT", 2)
    listener = FakeListener()
    async with opened_post() as post:
        post.route.attach(listener)
        post.route.put(parcel("0", "customer 0"))
        for number in range(1, 10):
            post.route.put(parcel(f"{number}", f"customer {number}"))
            post.route.put(parcel("one too many", "somebody"))
            listener.answer(f"{number - 1}")
        assert len(caplog.records) == 1
        listener.answer("9")
        assert [record.message for record in caplog.records[1:]] == [
            "the app has no notifications waiting any more: 9 were dropped"
        ]


async def test_what_was_kept_before_a_restart_is_not_refused_for_want_of_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """This SDK: an app that is back after a restart has missed nothing; what is new and finds no room is forgotten."""
    monkeypatch.setattr(route, "AWAY_LIMIT", 2)
    async with opened_post() as post:
        for name in ("a", "b", "c"):
            post.route.put(parcel(name), is_old=True)
        post.route.put(parcel("new"))
        assert post.route.size == 3
        assert post.desk.forgotten == ["new"]


@pytest.mark.parametrize("answer", [b"ok", ConnectionLost("gone", sent=True)])
async def test_a_closed_route_forgets_what_it_kept(answer: bytes | Exception) -> None:
    """This SDK: what a phone that is gone has not heard is not kept, whatever it says yet."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        for name in ("first", "second"):
            post.route.put(parcel(name))
        await post.settle()
        post.route.detach(listener)
        post.route.close()
        listener.answer("first", answer)
        await post.settle()
        assert post.desk.answers == []
        assert post.route.size == 0
        assert post.activity.idle


async def test_what_tells_of_something_not_yet_kept_is_sent_once_it_is() -> None:
    """Issue: acknowledged means durable; nobody acts on what a crash may undo."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.desk.unkept = []
        post.route.put(parcel("it"))
        await post.settle()
        assert listener.asked == []
        post.desk.unkept.pop()(True)
        assert listener.asked == ["it"]
        listener.answer("it")
        assert post.route.size == 0


async def test_what_tells_of_something_lost_is_made_anew() -> None:
    """This SDK: what could not be kept has never been."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.desk.unkept = unkept = []
        post.route.put(parcel("it"))
        unkept.pop()(False)
        assert listener.asked == []
        unkept.pop()(True)
        assert listener.asked == ["it"]


async def test_what_is_taken_back_before_it_is_kept_is_sent_by_another_once() -> None:
    """This SDK: a connection that goes meanwhile takes nothing with it."""
    async with opened_post() as post:
        first, second = FakeListener(), FakeListener()
        post.route.attach(first)
        post.desk.unkept = unkept = []
        post.route.put(parcel("it"))
        post.route.detach(first)
        post.route.attach(second)
        assert len(unkept) == 2
        second.usable = False
        for call in unkept[:2]:
            call(True)
        assert first.asked == second.asked == []
        second.usable = True
        post.route.suspend(second)
        post.route.resume(second)
        unkept[2](True)
        assert second.asked == ["it"]
