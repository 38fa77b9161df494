"""Delivery: whose turn it is, the order per customer, redelivery, and what is kept for an app that is away."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from elarian_trio._rsocket import ErrorCode
from elarian_trio._session import Question, StreamFailed
from elarian_trio.errors import ConnectionLost
from elarian_trio.models.messaging import MessageDeliveryStatus
from elarian_trio.models.notifications import MessageStatusNotification
from elarian_trio.sandbox import delivery
from elarian_trio.sandbox.clock import ManualClock
from elarian_trio.sandbox.delivery import Activity, Parcel, Route
from elarian_trio.sandbox.faults.values import Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from elarian_trio.models.notifications import Notification
    from elarian_trio.models.simulator import SimulatorNotification
    from elarian_trio.sandbox.faults.values import Late

pytestmark = pytest.mark.anyio

START = datetime(2026, 1, 1, tzinfo=UTC)


class FakeListener:
    """A connection whose answers the test gives by hand, in the order in which it was asked.

    Attributes:
        is_deaf: whether nothing at all is heard from it.
        acknowledges: whether it says what it has received.
        late: what is to be late, by its name.
    """

    def __init__(self) -> None:
        self.usable = True
        self.connection_id = "fake"
        self.is_deaf = False
        self.acknowledges = True
        self.asked: list[str] = []
        self.canceled: list[str] = []
        self.late: dict[str, Late] = {}
        self._waiting: dict[str, Callable[[Any], None]] = {}

    def ask(self, data: bytes, then: Callable[[Any], None]) -> Question:
        name = data.decode()
        self.asked.append(name)
        self._waiting[name] = then
        return Question(lambda: self.canceled.append(name), lambda: self.acknowledges)

    def lateness_of(self, notification: Notification | SimulatorNotification) -> Late | None:
        assert isinstance(notification, MessageStatusNotification)
        return self.late.get(notification.message_id)

    def is_deaf_for(self, seconds: float) -> bool:
        assert seconds == delivery.ANSWER_TIMEOUT
        return self.is_deaf

    def answer(self, name: str, answer: bytes | Exception = b"ok") -> None:
        self._waiting.pop(name)(answer)


class FakeDesk:
    """The rules' side: one lease, held or free, and a note of everything that is asked of it."""

    def __init__(self) -> None:
        self.lease_is_held = False
        self.waiting: list[Callable[[], None]] = []
        self.answers: list[tuple[str, bytes | None]] = []
        self.put_backs: list[str] = []
        self.unheard_of: list[str] = []
        self.forgotten: list[str] = []
        self.unkept: list[Callable[[bool], None]] | None = None  # what waits for the disk, where there is one
        self.on_put_back: list[Callable[[], None]] = []

    def take_lease(self, parcel: Parcel, then: Callable[[], None]) -> None:
        if self.lease_is_held:
            self.waiting.append(then)
        else:
            then()

    def content(self, parcel: Parcel) -> bytes | None:
        name = name_of(parcel)
        return None if name == "unspeakable" else name.encode()

    def answered(self, parcel: Parcel, data: bytes | None) -> bool:
        if data == b"garbage":
            return False
        self.answers.append((name_of(parcel), data))
        return True

    def put_back(self, parcel: Parcel) -> None:
        self.put_backs.append(name_of(parcel))
        while self.on_put_back:
            self.on_put_back.pop()()

    def unheard(self, parcel: Parcel) -> None:
        self.unheard_of.append(name_of(parcel))

    def once_kept(self, call: Callable[[bool], None]) -> None:
        if self.unkept is None:
            call(True)
        else:
            self.unkept.append(call)

    def forget(self, parcel: Parcel) -> None:
        self.forgotten.append(name_of(parcel))


def name_of(parcel: Parcel) -> str:
    """Give the name that the test gave it."""
    assert isinstance(parcel.notification, MessageStatusNotification)
    return parcel.notification.message_id


def parcel(name: str, customer_id: str | None = "asha", *, hop: str | None = None) -> Parcel:
    """Make a notification to deliver."""
    return Parcel(MessageStatusNotification(message_id=name, status=MessageDeliveryStatus.SENT), customer_id, hop)


class Post:
    """A route with everything around it."""

    def __init__(self) -> None:
        self.desk = FakeDesk()
        self.clock = ManualClock(START)
        self.activity = Activity()
        self.route = Route("the app", self.desk, self.clock, self.activity)

    async def settle(self) -> None:
        for _ in range(50):
            await anyio.lowlevel.checkpoint()

    async def pass_time(self, seconds: float) -> None:
        await self.clock.advance(timedelta(seconds=seconds))
        await self.settle()


@asynccontextmanager
async def opened_post() -> AsyncIterator[Post]:
    """Give a route, and do not wait for ever."""
    with anyio.fail_after(5):
        yield Post()


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
            for number in range(delivery.AWAY_LIMIT + 5):
                post.route.put(parcel(f"{number}", f"customer {number}"))
            assert post.route.size == delivery.AWAY_LIMIT
            assert [record.message for record in caplog.records] == [
                "the app has too many notifications waiting: new ones are dropped"
            ]
            post.route.attach(listener)
            for number in range(delivery.AWAY_LIMIT):
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
    monkeypatch.setattr(delivery, "PRESENT_LIMIT", 2)
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
        await post.pass_time(delivery.HOP_TIMEOUT)
        assert post.desk.unheard_of == ["dial"]


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


async def test_what_was_kept_before_a_restart_is_not_refused_for_want_of_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """This SDK: an app that is back after a restart has missed nothing; what is new and finds no room is forgotten."""
    monkeypatch.setattr(delivery, "AWAY_LIMIT", 2)
    async with opened_post() as post:
        for name in ("a", "b", "c"):
            post.route.put(parcel(name), is_old=True)
        post.route.put(parcel("new"))
        assert post.route.size == 3
        assert post.desk.forgotten == ["new"]


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


@pytest.mark.parametrize(("hop", "seconds"), [(None, delivery.ANSWER_TIMEOUT), ("hop", delivery.HOP_TIMEOUT)])
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


async def test_a_hop_waits_five_seconds_for_the_lease_and_goes_without() -> None:
    """Facts, decision 11: interactive hops wait about 5 s, then are sent with the value as it is."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.desk.lease_is_held = True
        post.route.put(parcel("dial", hop="hop"))
        await post.pass_time(delivery.HOP_LEASE_TIMEOUT)
        assert listener.asked == ["dial"]
        post.desk.waiting.pop()()  # granted after all: it is not sent a second time
        await post.settle()
        assert listener.asked == ["dial"]


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


async def test_what_goes_before_a_hop_does_not_keep_it_waiting_for_a_lease() -> None:
    """Facts, decision 11: a customer at the phone waits about 5 s for a lease, whoever is first in the lane."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.desk.lease_is_held = True
        post.route.put(parcel("renewed"))
        post.route.put(parcel("dial", hop="hop"))
        await post.pass_time(delivery.HOP_LEASE_TIMEOUT)
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


async def test_one_connection_is_not_asked_more_than_it_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: what a frozen app has not answered is bounded."""
    monkeypatch.setattr(delivery, "MAX_UNDER_WAY", 2)
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


async def test_many_hops_overtake_no_bound(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: where a present app's queue is full, a customer at the phone is told at once."""
    monkeypatch.setattr(delivery, "PRESENT_LIMIT", 1)
    async with opened_post() as post:
        post.route.attach(FakeListener())
        post.route.put(parcel("first"))
        post.route.put(parcel("dial", hop="hop"))
        assert post.desk.unheard_of == ["dial"]
        assert any("dropped" in record.message for record in caplog.records)


async def test_a_closed_route_forgets_what_it_kept() -> None:
    """This SDK: what a phone that is gone has not heard is not kept."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        for name in ("first", "second"):
            post.route.put(parcel(name))
        await post.settle()
        post.route.detach(listener)
        post.route.close()
        listener.answer("first", ConnectionLost("gone", sent=True))
        await post.settle()
        assert post.route.size == 0
        assert post.activity.idle


# --- connections that are cut, and may be resumed ---


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
        await post.pass_time(delivery.ANSWER_TIMEOUT)
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


async def test_silence_during_a_cut_is_no_answer() -> None:
    """This SDK: only an app that could answer has said nothing; its 30 s begin again when it is back."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.put(parcel("it"))
        await post.pass_time(delivery.ANSWER_TIMEOUT - 1)
        post.route.suspend(listener)
        await post.pass_time(10 * delivery.ANSWER_TIMEOUT)
        post.route.resume(listener)
        await post.pass_time(delivery.ANSWER_TIMEOUT - 1)
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
        await post.pass_time(delivery.ANSWER_TIMEOUT)
        assert post.desk.answers == [("dial", None)]
        listener.is_deaf = False
        await post.pass_time(delivery.ANSWER_TIMEOUT)
        assert post.desk.answers == [("dial", None), ("it", None)]
        assert post.activity.idle


@pytest.fixture
def leisure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a manual clock's leaps leave everybody the time to acknowledge."""
    monkeypatch.setattr(delivery, "ARRIVAL_TIMEOUT", 0.0)


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
        await post.pass_time(delivery.ANSWER_TIMEOUT)
        await post.pass_time(delivery.ANSWER_TIMEOUT - 1)
        assert post.desk.answers == [("dial", None)]
        await post.pass_time(1)
        assert post.desk.answers == [("dial", None), ("it", None)]
        assert listener.canceled == ["dial", "it"]
        assert post.activity.idle


@pytest.mark.usefixtures("leisure")
@pytest.mark.parametrize("seconds", [1, delivery.ANSWER_TIMEOUT + 1])
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
        await post.pass_time(delivery.ANSWER_TIMEOUT)
        await post.pass_time(delivery.ANSWER_TIMEOUT - 1)
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
        await post.pass_time(delivery.ANSWER_TIMEOUT)
        assert post.desk.answers == [("it", None)]


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
        await post.pass_time(delivery.HOP_TIMEOUT - 1)
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


async def test_a_hop_at_the_lease_waits_for_a_cut_app_and_its_time_goes_on() -> None:
    """Facts, decision 15: however often it is taken back, 20 s after it came the customer at the phone is told."""
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.desk.lease_is_held = True
        post.route.put(parcel("dial", hop="hop"))
        await post.pass_time(delivery.HOP_LEASE_TIMEOUT - 1)
        post.route.suspend(listener)
        await post.pass_time(delivery.HOP_TIMEOUT - delivery.HOP_LEASE_TIMEOUT)
        assert post.desk.unheard_of == []
        await post.pass_time(1)
        assert post.desk.unheard_of == ["dial"]
        assert listener.asked == []


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
    monkeypatch.setattr(delivery, "AWAY_LIMIT", 2)
    async with opened_post() as post:
        listener = FakeListener()
        post.route.attach(listener)
        post.route.suspend(listener)
        for number in range(5):
            post.route.put(parcel(f"{number}", f"customer {number}"))
        post.route.resume(listener)
        assert len(listener.asked) == 5


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


# --- late on purpose ---


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


@pytest.mark.parametrize("seconds", [3, delivery.HOP_TIMEOUT])
async def test_a_late_hop_waits_no_longer_than_any(seconds: float) -> None:
    """Facts, decision 15: a customer at the phone waits 20 s at most, and what is behind goes on."""
    async with opened_post() as post:
        listener = FakeListener()
        listener.late["dial"] = Fault.deliver_late(seconds)
        post.route.attach(listener)
        post.route.put(parcel("dial", hop="hop"))
        post.route.put(parcel("next"))
        await post.pass_time(seconds)
        is_given_up = seconds == delivery.HOP_TIMEOUT
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
        await post.pass_time(delivery.HOP_TIMEOUT)
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
