"""Notifications that go wrong on purpose: late, out of order, twice, cut off, and the sandbox goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from peers import until
from provoking import A_SECOND, ASHA, AT_ONCE, JUMA, NOT_RESUMED, SMS, VISIT, meeting, moments, ways
from sandbox_clients import BOUND, raw_client

from elarian_trio import (
    Backoff,
    CommandFailed,
    ConnectionOptions,
    Elarian,
    MessagingChannel,
    ReceivedSmsNotification,
    Simulator,
    UssdInput,
    UssdMenu,
)
from elarian_trio.sandbox import Fault, Faults, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio.sandbox.faults.values import When

pytestmark = pytest.mark.anyio


async def test_a_late_notification_comes_late_and_in_order() -> None:
    """Issue 4, item 5: deliver late; the next one of the same customer waits behind it, nobody else's does."""
    async with meeting() as met:
        rule = met.faults.add(Fault.deliver_late(60), on="CustomerActivityNotification", number=ASHA, times=1)
        await met.visit("first", "second")
        await met.visit("his", number=JUMA)
        await met.settle(59 * A_SECOND)
        assert met.seen == ["his"]
        await met.settle(A_SECOND)
        assert met.seen == ["his", "first", "second"]
        assert (rule.seen, rule.bites) == (1, 1)


async def test_a_notification_out_of_order_comes_behind_the_next_one() -> None:
    """Issue 4, item 5: out of order, by pairs where the rule bites always; the last one comes in its time."""
    async with meeting() as met:
        met.faults.add(Fault.deliver_out_of_order(within=2), on="CustomerActivityNotification")
        await met.visit("1", "2", "3", "4", "5")
        assert met.seen == ["2", "1", "4", "3"]
        await met.settle(2 * A_SECOND)
        assert met.seen == ["2", "1", "4", "3", "5"]


async def test_a_notification_comes_twice_and_its_first_answer_counts() -> None:
    """This SDK: servers deliver at least once, and apps must stand it; the keys of both are the same."""
    async with meeting() as met:
        keys: list[str] = []
        rule = met.faults.add(Fault.deliver_twice(), on="ReceivedSmsNotification")
        async with met.app.notifications(ReceivedSmsNotification) as inbox:
            await met.phone.receive_message(ASHA, SMS, "1", ["Hello"])
            async for delivery in inbox:
                async with delivery:
                    keys.append(delivery.key)
                    await delivery.reply(app_data=len(keys))
                if len(keys) == 2:
                    break
        await met.settle()
        assert keys[0] == keys[1]
        assert await met.asha.lease_app_data() == 1
        await met.asha.delete_app_data()
        assert rule.bites == 1


async def test_who_answers_the_first_of_a_pair_only_is_not_waited_for_for_ever() -> None:
    """Facts, decision 15: an app has 30 s for its answer; then a CANCEL says that nobody waits for it."""
    async with meeting() as met, raw_client(met.sandbox, simulator_mode=True) as other:
        met.faults.add(Fault.deliver_twice(), on="SendMessageSimulatorNotification")
        await met.asha.send_message(SMS, "Hello")
        first, second = await other.next(), await other.next()
        first.request.respond(b"")
        await met.settle(30 * A_SECOND)
        await other.settle()
        assert second.request.canceled
        await met.asha.send_message(SMS, "Hello again")
        first, second = await other.next(), await other.next()
        await met.settle(30 * A_SECOND)
        await other.settle()
        assert first.request.canceled
        assert second.request.canceled


@moments
@ways
async def test_a_connection_that_is_dropped_around_a_notification(when: When, options: ConnectionOptions) -> None:
    """The design's promise 1: resumed, it is told once; else it is told again where the answer is lost."""
    async with meeting(options) as met, raw_client(met.sandbox, simplex_mode=True) as shop:
        rule = met.faults.add(Fault.drop(when=when), on="CustomerActivityNotification", times=1)
        for key in ("first", "second"):
            await shop.send(replace(VISIT, key=key))
        again = ["first"] * (when == "after" and options is NOT_RESUMED)
        await until(lambda: len(met.seen) == 2 + len(again))
        assert met.seen == [*again, "first", "second"]
        assert met.app.statistics().resumptions == (options is AT_ONCE)
        assert rule.bites == 1


@moments
async def test_a_session_that_the_server_ends_around_a_notification(when: When) -> None:
    """Issue 4, item 5: the next session is told what the last one has not answered."""
    async with meeting() as met, raw_client(met.sandbox, simplex_mode=True) as shop:
        rule = met.faults.add(Fault.end_session(when=when), on="CustomerActivityNotification", times=1)
        for key in ("first", "second"):
            await shop.send(replace(VISIT, key=key))
        again = ["first"] * (when == "after")
        await until(lambda: len(met.seen) == 2 + len(again))
        assert met.seen == [*again, "first", "second"]
        assert (rule.bites, met.app.statistics().resumptions) == (1, 0)


@moments
async def test_a_customer_at_the_phone_gets_the_menu_over_a_drop(when: When) -> None:
    """The design's promise 1, for the notification that cannot be sent twice."""
    async with meeting() as met:
        menus: list[object] = []

        async def serve(notification: Any, _customer: object, _data: object, callback: Any) -> None:  # noqa: ANN401
            menus.append(notification.input.text)
            callback(UssdMenu("Welcome"))

        met.app.on("ussdSession", serve)
        met.faults.add(Fault.drop(when=when), on="UssdSessionNotification")
        said = await met.phone.receive_message(ASHA, MessagingChannel.ussd("*83044#"), "1", [UssdInput("", "active")])
        assert said.message is not None
        assert said.message.body == UssdMenu("Welcome")
        assert menus == [""]


@moments
async def test_an_app_that_is_too_slow_after_a_drop_is_not_waited_for(when: When) -> None:
    """Facts, decision 15: a customer waits 20 s; what was kept back for a cut connection is nobody's by then."""
    slow = ConnectionOptions(reconnect=Backoff(first=3600, jitter=0.0))
    with anyio.fail_after(BOUND):
        async with (
            Sandbox(clock="manual") as sandbox,
            Elarian(**sandbox.credentials, options=slow) as app,
            Simulator(**sandbox.credentials) as phone,
            anyio.create_task_group() as tasks,
        ):

            async def serve(*_: object) -> None: ...

            app.on("ussdSession", serve)
            rule = sandbox.faults.add(Fault.drop(when=when), on="UssdSessionNotification")
            ended = anyio.Event()

            async def dial() -> None:
                with pytest.raises(CommandFailed):
                    await phone.receive_message(ASHA, MessagingChannel.ussd("*83044#"), "1", [UssdInput("", "active")])
                ended.set()

            tasks.start_soon(dial)
            await until(lambda: rule.bites == 1 and app.connection_state != "connected")
            await sandbox.clock.advance(20 * A_SECOND)
            await ended.wait()
            await app.reconnect_now()
            await until(lambda: app.statistics().resumptions == 1)
            await app.customer(ASHA).get_state()


@moments
@pytest.mark.parametrize("make", [Fault.drop, Fault.end_session], ids=["drop", "end"])
async def test_a_client_that_does_not_come_back_leaves_its_notification_to_the_next(
    when: When, make: Callable[..., Fault]
) -> None:
    """The design's promise 1: what nobody has answered is told to whoever is there."""
    gone = ConnectionOptions(reconnect=Backoff(first=3600, jitter=0.0))
    with anyio.fail_after(BOUND):
        async with (
            Sandbox(clock="manual", faults=Faults(), resume_window=0.01) as sandbox,
            raw_client(sandbox, simplex_mode=True) as shop,
        ):
            rule = sandbox.faults.add(make(when=when), on="CustomerActivityNotification", times=1)
            async with Elarian(**sandbox.credentials, options=gone) as app:
                app.on("customerActivity", _take)
                await shop.send(VISIT)
                await until(lambda: rule.bites == 1 and app.connection_state != "connected")
                async with raw_client(sandbox) as other:
                    assert (await other.next()).notification.activity.key == "look"


async def _take(*_: object) -> None:
    """Answer by default."""
