"""Delivery that is late on purpose: order is kept where it is asked for, and no hop waits longer for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from post import FakeListener, Post, opened_post, parcel

from elarian_trio.sandbox.delivery import patience
from elarian_trio.sandbox.faults.values import Fault

if TYPE_CHECKING:
    from elarian_trio.sandbox.faults.values import Late

pytestmark = pytest.mark.anyio


async def put_late(post: Post, listener: FakeListener, fault: Late, *names: str) -> None:
    """Have *listener* come, the first of *names* be late, and all of them be delivered."""
    listener.late[names[0]] = fault
    post.route.attach(listener)
    for name in names:
        post.route.put(parcel(name))
    await post.settle()


async def test_what_is_late_keeps_its_customers_order_and_nobody_elses() -> None:
    """This SDK: being late is not being out of order."""
    async with opened_post() as post:
        listener = FakeListener()
        await put_late(post, listener, Fault.deliver_late(3), "first", "second")
        post.route.put(parcel("his", "juma"))
        await post.pass_time(2.9)
        assert listener.asked == ["his"]
        await post.pass_time(0.1)
        assert listener.asked == ["his", "first"]
        listener.answer("first")
        await post.settle()
        assert listener.asked == ["his", "first", "second"]


async def test_what_is_late_holds_no_lease_and_is_not_under_way() -> None:
    """This SDK: nobody waits for an app that has not been told."""
    async with opened_post() as post:
        post.desk.lease_is_held = True
        await put_late(post, FakeListener(), Fault.deliver_late(3), "it")
        assert post.desk.waiting == []
        assert post.activity.idle


@pytest.mark.parametrize("is_waiting", [True, False], ids=["it waits already", "it comes later"])
async def test_the_next_of_the_same_customer_overtakes_what_is_out_of_order(is_waiting: bool) -> None:
    """This SDK: told behind the next one, once; and that one is not made late in its turn."""
    async with opened_post() as post:
        listener = FakeListener()
        listener.late["second"] = Fault.deliver_late(100)
        await put_late(post, listener, Fault.deliver_out_of_order(), "first", *["second"] * is_waiting)
        if not is_waiting:
            post.route.put(parcel("his", "juma"))
            assert listener.asked == ["his"]
            post.route.put(parcel("second"))
        post.route.put(parcel("third"))
        for name in ("second", "first", "third"):
            await post.settle()
            assert listener.asked[-1] == name
            listener.answer(name)
        await post.settle()
        assert post.route.size == 1 - is_waiting


async def test_what_nobody_overtakes_is_told_within_its_bound() -> None:
    """This SDK: the last notification of a customer is not lost for want of a next one."""
    async with opened_post() as post:
        listener = FakeListener()
        await put_late(post, listener, Fault.deliver_out_of_order(within=2), "first")
        await post.pass_time(2)
        assert listener.asked == ["first"]
        post.route.put(parcel("second"))
        listener.answer("first")
        await post.settle()
        assert listener.asked == ["first", "second"]


async def test_what_is_late_goes_to_whoever_is_there_when_its_time_has_come() -> None:
    """The design's promise 1: late, and to another connection, but not lost and not late twice."""
    async with opened_post() as post:
        gone, other = FakeListener(), FakeListener()
        await put_late(post, gone, Fault.deliver_late(3), "it")
        post.route.detach(gone)
        await post.pass_time(3)
        other.late["it"] = Fault.deliver_late(3)
        post.route.attach(other)
        assert (gone.asked, other.asked) == ([], ["it"])


@pytest.mark.parametrize("seconds", [3, patience.HOP_TIMEOUT])
async def test_a_late_hop_waits_no_longer_than_any(seconds: float) -> None:
    """Facts, decision 15: a customer at the phone waits 20 s at most, and what is behind goes on."""
    async with opened_post() as post:
        listener = FakeListener()
        listener.late["dial"] = Fault.deliver_late(seconds)
        post.route.attach(listener)
        post.route.put(parcel("dial", hop="hop"))
        post.route.put(parcel("next"))
        await post.pass_time(seconds)
        is_given_up = seconds == patience.HOP_TIMEOUT
        assert post.desk.unheard_of == ["dial"] * is_given_up
        assert listener.asked == ["next" if is_given_up else "dial"]


async def test_a_hop_that_was_late_or_overtaken_still_ends_in_time() -> None:
    """Facts, decision 15: also where nobody can hear when its turn comes, or another one is before it."""
    async with opened_post() as post:
        listener = FakeListener()
        listener.late["dial"] = Fault.deliver_late(3)
        listener.late["call"] = Fault.deliver_out_of_order()
        post.route.attach(listener)
        post.route.put(parcel("dial", hop="hop"))
        post.route.put(parcel("call", "juma", hop="hop"))
        post.route.put(parcel("next", "juma"))
        listener.usable = False
        await post.pass_time(patience.HOP_TIMEOUT)
        assert sorted(post.desk.unheard_of) == ["call", "dial"]
        assert listener.asked == ["next"]


async def test_a_phone_that_goes_takes_what_was_late_along() -> None:
    """This SDK: nothing is told, and no timer is left."""
    async with opened_post() as post:
        listener = FakeListener()
        await put_late(post, listener, Fault.deliver_out_of_order(within=3), "first")
        post.route.detach(listener)
        post.route.close()
        await post.pass_time(3)
        assert (listener.asked, post.route.size) == ([], 0)
