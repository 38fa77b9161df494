"""Delivery: what counts as an answer, and as none: errors, REJECTED, garbage and silence; and what is told again."""

from __future__ import annotations

import pytest
from post import FakeListener, opened_post, parcel

from elarian_trio._rsocket import ErrorCode
from elarian_trio._session import StreamFailed
from elarian_trio.sandbox.delivery import patience

pytestmark = pytest.mark.anyio


async def test_an_error_is_redelivered_three_times_and_then_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """Facts, decision 16: up to 3 times, after 1, 2 and 4 s, possibly on another connection."""
    async with opened_post() as post:
        first, second = FakeListener(), FakeListener()
        post.route.attach(first)
        post.route.attach(second)
        post.route.put(parcel("it"))
        for listener, delay in ((first, 1), (second, 2), (first, 4), (second, 0)):
            await post.settle()
            assert listener.asked.pop() == "it"
            listener.answer("it", StreamFailed(ErrorCode.APPLICATION_ERROR, "no"))
            await post.settle()
            await post.pass_time(delay)
        assert post.route.size == 0
        assert first.asked == second.asked == []
        assert any("dropped" in record.message for record in caplog.records)
        assert len(post.desk.put_backs) == 4
        assert post.desk.forgotten == ["it"]


async def test_an_answer_that_cannot_be_read_counts_as_an_error() -> None:
    """This SDK: garbage is a failure of the app's, redelivered like one."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.put(parcel("it"))
        await post.settle()
        listener.answer("it", b"garbage")
        await post.settle()
        await post.pass_time(1)
        assert listener.asked == ["it", "it"]


async def test_a_busy_app_is_asked_again_with_growing_delay_and_without_end() -> None:
    """Facts, decision 16: REJECTED means not processed: kept, retried later and later, not counted."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.put(parcel("it"))
        await post.settle()
        for delay in (1, 2, 4, 8, 16):
            listener.answer("it", StreamFailed(ErrorCode.REJECTED, "busy"))
            await post.settle()
            asked = len(listener.asked)
            await post.pass_time(delay - 0.5)
            assert len(listener.asked) == asked
            await post.pass_time(0.5)
            assert len(listener.asked) == asked + 1
        listener.answer("it")
        await post.settle()
        assert post.desk.answers == [("it", b"ok")]


async def test_a_new_connection_ends_the_pause_of_a_busy_app() -> None:
    """This SDK: whoever comes new is not busy yet."""
    async with opened_post() as post:
        busy, fresh = FakeListener(), FakeListener()
        post.route.attach(busy)
        post.route.put(parcel("it"))
        await post.settle()
        busy.answer("it", StreamFailed(ErrorCode.REJECTED, "busy"))
        await post.settle()
        post.route.detach(busy)
        post.route.attach(fresh)
        await post.settle()
        assert fresh.asked == ["it"]


@pytest.mark.parametrize("pause_is_over", [False, True])
async def test_a_new_connection_is_asked_again_as_soon_as_any_that_was_never_busy(pause_is_over: bool) -> None:
    """A past bug: each new connection asked at once and refused at once, and the delay grew to a day in seconds."""
    async with opened_post() as post:
        post.route.put(parcel("it"))
        for _ in range(20):
            busy = FakeListener()
            post.route.attach(busy)
            await post.settle()
            busy.answer("it", StreamFailed(ErrorCode.REJECTED, "busy"))
            await post.settle()
            post.route.detach(busy)
            if pause_is_over:
                await post.pass_time(1)
        fresh = FakeListener()
        post.route.attach(fresh)
        await post.settle()
        fresh.answer("it", StreamFailed(ErrorCode.REJECTED, "busy"))
        await post.pass_time(1)
        assert fresh.asked == ["it", "it"]


@pytest.mark.parametrize(("hop", "seconds"), [(None, patience.ANSWER_TIMEOUT), ("hop", patience.HOP_TIMEOUT)])
async def test_an_answer_that_never_comes_counts_as_an_empty_one(hop: str | None, seconds: float) -> None:
    """Facts, decision 15: after 30 s, or 20 s on the phone, treated as an empty reply; the app is told to stop."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.put(parcel("it", hop=hop))
        await post.settle()
        await post.pass_time(seconds - 1)
        assert post.desk.answers == []
        await post.pass_time(1)
        assert post.desk.answers == [("it", None)]
        assert listener.canceled == ["it"]
        assert post.activity.idle


async def test_silence_during_a_cut_is_no_answer() -> None:
    """This SDK: only an app that could answer has said nothing; its 30 s begin again when it is back."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.put(parcel("it"))
        await post.pass_time(patience.ANSWER_TIMEOUT - 1)
        post.route.suspend(listener)
        await post.pass_time(10 * patience.ANSWER_TIMEOUT)
        post.route.resume(listener)
        await post.pass_time(patience.ANSWER_TIMEOUT - 1)
        assert post.desk.answers == []
        await post.pass_time(1)
        assert post.desk.answers == [("it", None)]
        assert listener.canceled == ["it"]
        assert post.activity.idle


async def test_the_silence_of_a_connection_is_no_answer_of_the_app() -> None:
    """This SDK: a cut is noticed after the lifetime, which may be longer than 30 s; until then nothing was said."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        for name, customer, hop in (("it", "asha", None), ("dial", "juma", "hop")):
            post.route.put(parcel(name, customer, hop=hop))
        listener.is_deaf = True
        await post.pass_time(patience.ANSWER_TIMEOUT)
        assert post.desk.answers == [("dial", None)]
        listener.is_deaf = False
        await post.pass_time(patience.ANSWER_TIMEOUT)
        assert post.desk.answers == [("dial", None), ("it", None)]
        assert post.activity.idle


@pytest.fixture
def leisure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a manual clock's leaps leave everybody the time to acknowledge."""
    monkeypatch.setattr(patience, "ARRIVAL_TIMEOUT", 0.0)


@pytest.mark.usefixtures("leisure")
async def test_who_has_not_acknowledged_a_notification_is_waited_for_once_more() -> None:
    """This SDK: nothing may pass to a client that is heard well; it notices after its lifetime, 30 s, and comes back.

    A peer that acknowledges nothing, ever, has not answered after twice the time.
    """
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        for name, customer, hop in (("it", "asha", None), ("dial", "juma", "hop")):
            post.route.put(parcel(name, customer, hop=hop))
        listener.acknowledges = False
        await post.pass_time(patience.ANSWER_TIMEOUT)
        await post.pass_time(patience.ANSWER_TIMEOUT - 1)
        assert post.desk.answers == [("dial", None)]
        await post.pass_time(1)
        assert post.desk.answers == [("dial", None), ("it", None)]
        assert listener.canceled == ["dial", "it"]
        assert post.activity.idle


@pytest.mark.usefixtures("leisure")
@pytest.mark.parametrize("seconds", [1, patience.ANSWER_TIMEOUT + 1])
async def test_after_a_cut_it_is_waited_for_an_acknowledgement_anew(seconds: float) -> None:
    """This SDK: another connection is another chance to get lost."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.put(parcel("it"))
        listener.acknowledges = False
        await post.pass_time(seconds)
        post.route.suspend(listener)
        post.route.resume(listener)
        await post.pass_time(patience.ANSWER_TIMEOUT)
        await post.pass_time(patience.ANSWER_TIMEOUT - 1)
        assert post.desk.answers == []
        await post.pass_time(1)
        assert post.desk.answers == [("it", None)]


async def test_who_had_no_time_to_acknowledge_is_not_waited_for_once_more() -> None:
    """This SDK: a manual clock leaps, KEEPALIVEs do not."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.put(parcel("it"))
        listener.acknowledges = False
        await post.pass_time(patience.ANSWER_TIMEOUT)
        assert post.desk.answers == [("it", None)]
