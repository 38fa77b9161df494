"""Delivery while a customer is at the phone: how long a hop waits, and for what, and that it is never sent twice."""

from __future__ import annotations

import pytest
from post import FakeListener, opened_post, parcel

from elarian_trio._rsocket import ErrorCode
from elarian_trio._session import StreamFailed
from elarian_trio.errors import ConnectionLost
from elarian_trio.sandbox.delivery import patience, route

pytestmark = pytest.mark.anyio


async def test_a_hop_is_answered_at_once_when_nobody_is_there() -> None:
    """Facts, decision 18: a customer at the phone is not kept waiting for an app that is away."""
    async with opened_post() as post:
        post.route.put(parcel("dial", hop="hop"))
        assert post.desk.unheard_of == ["dial"]
        assert post.route.size == 0


async def test_hops_that_wait_end_when_the_last_connection_goes() -> None:
    """Facts, decision 18: whoever is at the phone is told once nobody is left to answer."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.put(parcel("first"))
        post.route.put(parcel("dial", hop="hop"))
        await post.settle()
        post.route.detach(listener)
        assert post.desk.unheard_of == ["dial"]


async def test_a_hop_does_not_wait_for_ever_behind_others() -> None:
    """Facts, decision 15: a customer at the phone waits 20 s at most."""
    async with opened_post() as post:
        post.route.attach(FakeListener())
        post.route.put(parcel("first"))
        post.route.put(parcel("dial", hop="hop"))
        await post.settle()
        await post.pass_time(patience.HOP_TIMEOUT)
        assert post.desk.unheard_of == ["dial"]


async def test_what_a_hop_waited_for_in_vain_goes_on_as_before() -> None:
    """This SDK: the one before it is not sent twice, and its own silence ends when that of any does."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.put(parcel("first"))
        post.route.put(parcel("dial", hop="hop"))
        await post.pass_time(patience.HOP_TIMEOUT)
        assert (post.desk.unheard_of, listener.asked) == (["dial"], ["first"])
        await post.pass_time(patience.ANSWER_TIMEOUT - patience.HOP_TIMEOUT)
        assert (post.desk.answers, listener.asked) == ([("first", None)], ["first"])


async def test_a_hop_that_finds_no_room_ends_at_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This SDK: where a present app's queue is full, a customer at the phone is told at once."""
    monkeypatch.setattr(route, "PRESENT_LIMIT", 1)
    async with opened_post() as post:
        post.route.attach(FakeListener())
        post.route.put(parcel("first"))
        post.route.put(parcel("dial", hop="hop"))
        assert post.desk.unheard_of == ["dial"]
        assert any("dropped" in record.message for record in caplog.records)


async def test_a_hop_that_was_sent_is_not_given_up_before_its_session_is() -> None:
    """This SDK: what the last connection was told, and answers as it goes, is heard at the phone."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.put(parcel("dial", hop="hop"))
        post.route.detach(listener)
        assert post.desk.unheard_of == []
        listener.answer("dial", b"menu")
        assert (post.desk.answers, post.desk.unheard_of) == ([("dial", b"menu")], [])
        assert post.route.size == 0


@pytest.mark.parametrize("error", [StreamFailed(ErrorCode.APPLICATION_ERROR, ""), ConnectionLost("gone", sent=True)])
async def test_a_hop_is_never_sent_twice(error: Exception) -> None:
    """Facts, decision 16: interactive hops are not retried, the customer at the phone is told at once."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.put(parcel("dial", hop="hop"))
        await post.settle()
        listener.answer("dial", error)
        await post.settle()
        assert post.desk.unheard_of == ["dial"]
        assert post.route.size == 0


async def test_a_hop_waits_five_seconds_for_the_lease_and_goes_without() -> None:
    """Facts, decision 11: interactive hops wait about 5 s, then are sent with the value as it is."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.desk.lease_is_held = True
        post.route.put(parcel("dial", hop="hop"))
        await post.pass_time(route.HOP_LEASE_TIMEOUT)
        assert listener.asked == ["dial"]
        post.desk.waiting.pop()()  # granted after all: it is not sent a second time
        await post.settle()
        assert listener.asked == ["dial"]


async def test_what_goes_before_a_hop_does_not_keep_it_waiting_for_a_lease() -> None:
    """Facts, decision 11: a customer at the phone waits about 5 s for a lease, whoever is first in the lane."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.desk.lease_is_held = True
        post.route.put(parcel("renewed"))
        post.route.put(parcel("dial", hop="hop"))
        await post.pass_time(route.HOP_LEASE_TIMEOUT)
        assert listener.asked == ["renewed"]
        listener.answer("renewed")
        await post.pass_time(0)
        assert listener.asked == ["renewed", "dial"]
        listener.answer("dial")
        assert [name for name, _ in post.desk.answers] == ["renewed", "dial"]


async def test_a_hop_at_the_lease_is_told_at_once_that_the_app_is_gone() -> None:
    """Facts, decision 18: nobody there, no waiting, wherever the hop was on its way."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.desk.lease_is_held = True
        post.route.put(parcel("dial", hop="hop"))
        listener.usable = False
        post.route.detach(listener)
        assert post.desk.unheard_of == ["dial"]
        assert post.route.size == 0


async def test_a_hop_at_the_lease_goes_to_another_connection_if_its_own_closes() -> None:
    """This SDK: it was not sent, so sending it to whoever is there is not sending it twice."""
    async with opened_post() as post:
        closing, other = FakeListener(), FakeListener()
        post.route.attach(closing)
        post.desk.lease_is_held = True
        post.route.put(parcel("dial", hop="hop"))
        post.desk.lease_is_held = False
        post.route.attach(other)
        closing.usable = False
        post.route.detach(closing)
        assert other.asked == ["dial"]
        assert post.desk.unheard_of == []


async def test_a_hop_at_the_lease_waits_for_a_cut_app_and_its_time_goes_on() -> None:
    """Facts, decision 15: however often it is taken back, 20 s after it came the customer at the phone is told."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.desk.lease_is_held = True
        post.route.put(parcel("dial", hop="hop"))
        await post.pass_time(route.HOP_LEASE_TIMEOUT - 1)
        post.route.suspend(listener)
        await post.pass_time(patience.HOP_TIMEOUT - route.HOP_LEASE_TIMEOUT)
        assert post.desk.unheard_of == []
        await post.pass_time(1)
        assert post.desk.unheard_of == ["dial"]
        assert listener.asked == []


async def test_a_hop_waits_for_an_app_that_is_about_to_be_back() -> None:
    """This SDK: a customer at the phone is served by an app that is back within a second."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.suspend(listener)
        post.route.put(parcel("dial", hop="hop"))
        await post.pass_time(1)
        post.route.resume(listener)
        assert listener.asked == ["dial"]
        listener.answer("dial", b"menu")
        assert post.desk.answers == [("dial", b"menu")]
        assert post.desk.unheard_of == []


async def test_a_hop_waits_for_a_cut_app_no_longer_than_for_any() -> None:
    """Facts, decision 15: a customer at the phone waits 20 s at most, also for an app that may be resumed."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.suspend(listener)
        post.route.put(parcel("dial", hop="hop"))
        await post.pass_time(patience.HOP_TIMEOUT - 1)
        assert post.desk.unheard_of == []
        await post.pass_time(1)
        assert post.desk.unheard_of == ["dial"]
        post.route.resume(listener)
        assert listener.asked == []


async def test_hops_that_wait_for_a_cut_app_end_with_its_session() -> None:
    """Facts, decision 18: once nobody can come back, the customer at the phone is told."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.suspend(listener)
        post.route.put(parcel("dial", hop="hop"))
        post.route.detach(listener)
        assert post.desk.unheard_of == ["dial"]


async def test_a_hop_that_was_sent_before_the_cut_keeps_its_20_seconds() -> None:
    """Facts, decision 15: the customer at the phone is told after them, and the hop is not sent again."""
    async with opened_post() as post:
        cut, other = FakeListener(), FakeListener()
        post.route.attach(cut)
        post.route.put(parcel("dial", hop="hop"))
        await post.pass_time(10)
        post.route.suspend(cut)
        post.route.attach(other)
        await post.pass_time(9)
        assert post.desk.answers == []
        await post.pass_time(1)
        assert post.desk.answers == [("dial", None)]
        assert cut.canceled == ["dial"]
        post.route.resume(cut)
        assert other.asked == []
        assert post.activity.idle


async def test_a_hop_that_was_sent_may_be_answered_after_the_cut() -> None:
    """The design's promise 1: the menu that was on its way arrives; the customer's wait grows no longer."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        for name, customer in (("dial", "asha"), ("silent", "juma")):
            post.route.put(parcel(name, customer, hop="hop"))
        await post.pass_time(10)
        post.route.suspend(listener)
        await post.pass_time(1)
        post.route.resume(listener)
        listener.answer("dial", b"menu")
        await post.pass_time(9)
        assert post.desk.answers == [("dial", b"menu"), ("silent", None)]
