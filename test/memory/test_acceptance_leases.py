"""Acceptance, written from the design: app data, its lease and notifications together, as handlers meet them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import anyio
import pytest
from acceptance import ASHA, BOUND, PAYBILL, SMS, USSD, a_place, answering

from elarian_trio import Cash, ReceivedSmsNotification, Reminder, ReminderNotification, UssdInput, UssdMenu

pytestmark = pytest.mark.anyio


async def test_handler_that_deletes_and_never_answers_leaves_it_deleted() -> None:
    """The loan example's hazard, end to end: the default answer must not bring the old value back."""
    async with a_place() as place, answering(place.phone):
        done = anyio.Event()
        came: list[Any] = []

        async def close_the_loan(notification: Any, customer: Any, app_data: Any, callback: Any) -> None:  # noqa: ANN401
            came.append(app_data)
            await customer.delete_app_data()
            await customer.delete_metadata("loan")
            done.set()

        place.app.on("receivedPayment", close_the_loan)
        asha = place.app.customer(ASHA)
        await asha.update_app_data({"screen": "owes"})
        await asha.update_metadata({"loan": 80})
        await place.phone.receive_payment(ASHA, PAYBILL, "mpesa-1", Cash("KES", 80), "success")
        with anyio.fail_after(BOUND):
            await done.wait()
            await place.app.ping()
            await place.sandbox.clock.advance(timedelta(seconds=1))
        assert came == [{"screen": "owes"}]
        assert await asha.lease_app_data() is None
        assert await asha.get_metadata() == {}


async def test_lease_in_a_handler_is_granted_to_the_connection_that_holds_it() -> None:
    """The sandbox's rules: the notification holds the lease; its own handler must not wait for itself."""
    async with a_place() as place:
        done = anyio.Event()
        leased: list[Any] = []

        async def handler(notification: Any, customer: Any, app_data: Any, callback: Any) -> None:  # noqa: ANN401
            leased.append(await customer.lease_app_data())
            await customer.update_app_data("two")
            callback()
            done.set()

        place.app.on("receivedSms", handler)
        await place.app.customer(ASHA).update_app_data("one")
        await place.phone.receive_message(ASHA, SMS, "", ["x"])
        with anyio.fail_after(BOUND):
            await done.wait()
            assert leased == ["one"]
            assert await place.app.customer(ASHA).lease_app_data() == "two"


async def test_notification_waits_behind_a_held_lease_and_brings_the_new_value() -> None:
    """The documentation: a notification's app data is a fetch like others; it waits for the release."""
    async with a_place() as place, answering(place.app, ReceivedSmsNotification) as seen:
        asha = place.app.customer(ASHA)
        await asha.update_app_data("one")
        await asha.lease_app_data()
        await place.phone.receive_message(ASHA, SMS, "", ["x"])
        await place.app.ping()
        await anyio.wait_all_tasks_blocked()
        assert seen.deliveries == []
        await asha.update_app_data("two")
        await seen.next()
        assert seen.deliveries[0].app_data == "two"


async def test_ussd_does_not_wait_long_behind_a_lease() -> None:
    """The sandbox's rules: a person is waiting, so after some 5 s the hop goes out with the present value."""
    async with a_place() as place, anyio.create_task_group() as tasks:
        place.app.on("ussdSession", lambda notification, customer, app_data, callback: callback(f"data {app_data}"))
        asha = place.app.customer(ASHA)
        await asha.update_app_data("one")
        await asha.lease_app_data()
        shown: list[Any] = []

        async def dial() -> None:
            reply = await place.phone.receive_message(ASHA, USSD, "u", [UssdInput("", "active")])
            assert reply.message is not None
            shown.append(reply.message.body)

        tasks.start_soon(dial)
        await place.phone.ping()
        await anyio.wait_all_tasks_blocked()
        assert shown == []
        with anyio.fail_after(BOUND):
            await place.sandbox.clock.advance(timedelta(seconds=6))
            while not shown:
                await place.phone.ping()
        assert shown == [UssdMenu("data one")]


async def test_hundred_people_dial_at_once_and_each_sees_their_own_menu() -> None:
    """Promise 5: different customers in parallel."""
    async with a_place() as place, anyio.create_task_group() as tasks:
        place.app.on(
            "ussdSession", lambda notification, customer, app_data, callback: callback(notification.customer_id)
        )
        shown: dict[str, Any] = {}

        async def dial(number: str) -> None:
            reply = await place.phone.receive_message(number, USSD, number, [UssdInput("", "active")])
            assert reply.message is not None
            shown[number] = reply.message.body

        for n in range(100):
            tasks.start_soon(dial, f"+2547{n:08}")
        with anyio.fail_after(BOUND):
            while len(shown) < 100:
                await place.phone.ping()
        for number in list(shown)[:3]:
            assert shown[number] == UssdMenu((await place.app.customer(number).get_state()).customer_id)
        assert len(set(map(str, shown.values()))) == 100


async def test_reminders_and_app_data_follow_an_adoption_and_end_with_a_deletion() -> None:
    """The sandbox's rules: both are merged into the survivor; a deleted customer is not reminded of."""
    async with a_place() as place, answering(place.app, ReminderNotification) as told:
        asha, card = place.app.customer(ASHA), place.app.customer("4242", provider="app")
        tomorrow = place.sandbox.clock.now() + timedelta(days=1)
        await card.add_reminder(Reminder("card", tomorrow))
        await card.update_app_data("of the card")
        await asha.adopt_state(card)
        await place.sandbox.clock.advance(timedelta(days=2))
        assert (await told.next()).customer_id == (await asha.get_state()).customer_id
        assert told.deliveries[0].app_data == "of the card"
        await asha.add_reminder(Reminder("never", tomorrow + timedelta(days=9)))
        await asha.delete()
        await place.sandbox.clock.advance(timedelta(days=20))
        await place.app.ping()
        assert len(told.deliveries) == 1
