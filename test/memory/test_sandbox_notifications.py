"""Notifications of the sandbox's server over memory: who is told, when, in which order, and what an answer does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import anyio
import pytest
from sandbox_clients import BOUND, raw_client

from elarian_trio import Elarian, ReminderNotification
from elarian_trio._rsocket import ErrorCode
from elarian_trio.models.commands import (
    AddCustomerReminder,
    CustomerActivity,
    DeleteCustomerAppData,
    GetCustomerState,
    LeaseCustomerAppData,
    UpdateCustomerAppData,
)
from elarian_trio.models.identity import CustomerNumber, Reminder
from elarian_trio.models.notifications import AppDataUpdate, NotificationReply
from elarian_trio.sandbox import Sandbox, SandboxApp

pytestmark = pytest.mark.anyio

ASHA = CustomerNumber("+254709759881")
JUMA = CustomerNumber("+254709759882")


def visit(customer: CustomerNumber = ASHA, key: str = "look") -> CustomerActivity:
    """Make the command whose notification comes back to the app that sent it."""
    return CustomerActivity(customer_number=customer, source="shop.example", session_id="1", key=key)


async def test_a_notification_carries_the_app_data_and_holds_the_lease_until_it_is_answered() -> None:
    """Facts, decision 11: the lease is taken when sending; the answer's data update ends it."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox) as app,
        raw_client(sandbox, simplex_mode=True) as other,
        anyio.create_task_group() as tasks,
    ):
        await app.send(UpdateCustomerAppData(customer=ASHA, update="old"))
        await app.send(visit())
        heard = await app.next()
        assert heard.app_data == "old"
        got: list[Any] = []

        async def lease() -> None:
            got.append((await other.send(LeaseCustomerAppData(customer=ASHA))).value)

        tasks.start_soon(lease)
        await other.settle()
        assert got == []
        heard.answer(NotificationReply(data_update=AppDataUpdate("new")))
        await other.settle()
        assert got == ["new"]


async def test_the_connection_that_handles_a_notification_may_lease_at_once() -> None:
    """Facts, decision 12: re-entrant, or the handler would wait for itself."""
    async with Sandbox(clock="manual") as sandbox, raw_client(sandbox) as app:
        await app.send(UpdateCustomerAppData(customer=ASHA, update="old"))
        await app.send(visit())
        heard = await app.next()
        assert (await app.send(LeaseCustomerAppData(customer=ASHA))).value == "old"
        heard.answer()
        assert (await app.send(GetCustomerState(customer=ASHA))).status


async def test_a_stale_echo_does_not_undo_what_the_app_did_meanwhile() -> None:
    """Facts, decision 13: an answer that echoes the delivered value does not bring it back after a deletion."""
    async with Sandbox(clock="manual") as sandbox, raw_client(sandbox) as app:
        await app.send(UpdateCustomerAppData(customer=ASHA, update="old"))
        await app.send(visit())
        heard = await app.next()
        await app.send(DeleteCustomerAppData(customer=ASHA))
        heard.answer(NotificationReply(data_update=AppDataUpdate("old")))
        await app.settle()
        assert (await app.send(LeaseCustomerAppData(customer=ASHA))).value is None


async def test_commands_are_served_while_a_notification_waits_for_its_answer() -> None:
    """Facts, section 8: handlers call the server back on the same connection before they reply."""
    async with Sandbox() as sandbox, raw_client(sandbox) as app:
        await app.send(visit())
        heard = await app.next()
        assert (await app.send(GetCustomerState(customer=ASHA))).status
        heard.answer()


async def test_one_customers_notifications_come_one_by_one_and_others_in_parallel() -> None:
    """Facts, decision 20: the order is per app and customer."""
    async with Sandbox() as sandbox, raw_client(sandbox) as app:
        for customer, key in ((ASHA, "first"), (ASHA, "second"), (JUMA, "other")):
            await app.send(visit(customer, key))
        await app.settle()
        assert [heard.notification.activity.key for heard in app.heard] == ["first", "other"]
        app.heard[0].answer()
        await app.settle()
        assert [heard.notification.activity.key for heard in app.heard] == ["first", "other", "second"]


async def test_simplex_connections_and_other_apps_hear_nothing() -> None:
    """Facts, section 8: within an app, only duplex connections that are no simulators."""
    apps = [SandboxApp("org", "one", "key-1"), SandboxApp("org", "two", "key-2")]
    async with (
        Sandbox(apps=apps, channels=[], purses={}) as sandbox,
        raw_client(sandbox) as duplex,
        raw_client(sandbox, simplex_mode=True) as simplex,
        raw_client(sandbox, app_id="two", api_key="key-2") as other,
        raw_client(sandbox, simulator_mode=True) as phone,
    ):
        await simplex.send(visit())
        (await duplex.next()).answer()
        await duplex.settle()
        assert simplex.heard == other.heard == phone.heard == []


async def test_what_an_app_missed_is_told_when_it_comes_back() -> None:
    """Facts, decision 18: kept while no duplex connection is there, flushed in order."""
    async with Sandbox(clock="manual") as sandbox:
        async with raw_client(sandbox, simplex_mode=True) as app:
            for key in ("first", "second"):
                await app.send(visit(key=key))
        async with raw_client(sandbox) as app:
            for key in ("first", "second"):
                heard = await app.next()
                assert heard.notification.activity.key == key
                heard.answer()


async def test_an_error_is_redelivered_and_a_fourth_one_is_the_last() -> None:
    """Facts, decision 16: up to 3 redeliveries, after 1, 2 and 4 s."""
    async with Sandbox(clock="manual") as sandbox, raw_client(sandbox) as app:
        await app.send(visit())
        for delay in (1, 2, 4, 60):
            (await app.next()).fail(ErrorCode.APPLICATION_ERROR)
            await sandbox.clock.advance(timedelta(seconds=delay))
        assert len(app.heard) == 4
        await app.send(visit(key="next"))
        assert (await app.next()).notification.activity.key == "next"


async def test_an_answer_that_cannot_be_read_is_an_error_of_the_apps() -> None:
    """This SDK: garbage is redelivered as a failure is."""
    async with Sandbox(clock="manual") as sandbox, raw_client(sandbox) as app:
        await app.send(visit())
        (await app.next()).request.respond(b"\xff\xff")
        await sandbox.clock.advance(timedelta(seconds=1))
        (await app.next()).answer()


async def test_a_cut_connections_notification_goes_to_the_next_one() -> None:
    """The design's promise 1: no notification is lost."""
    async with Sandbox(clock="manual") as sandbox:
        async with raw_client(sandbox) as app:
            await app.send(visit())
            await app.next()
        async with raw_client(sandbox) as app:
            assert (await app.next()).notification.activity.key == "look"


async def test_an_unanswered_notification_counts_as_answered_after_30_seconds() -> None:
    """Facts, decision 15: empty reply, lease released, no redelivery; the client is told with a CANCEL."""
    async with Sandbox(clock="manual") as sandbox, raw_client(sandbox) as app:
        await app.send(visit(key="slow"))
        await app.send(visit(key="next"))
        slow = await app.next()
        await sandbox.clock.advance(timedelta(seconds=30))
        await app.settle()
        assert slow.request.canceled
        assert (await app.next()).notification.activity.key == "next"


async def test_what_was_under_way_at_the_end_is_told_again_after_a_restart() -> None:
    """This SDK: a server that stops has not had its answer; the notification is still the app's."""
    sandbox = Sandbox(clock="manual")
    async with sandbox, raw_client(sandbox) as app:
        await app.send(visit())
        await app.send(visit(JUMA))
        await app.next()
        heard = await app.next()
        heard.fail(ErrorCode.REJECTED)
        await app.settle()
    async with sandbox, raw_client(sandbox) as app:
        told = [await app.next(), await app.next()]
        assert {heard.notification.customer_number.number for heard in told} == {ASHA.number, JUMA.number}
        for heard in told:
            heard.answer()
        await app.settle()
        assert (await app.send(LeaseCustomerAppData(customer=ASHA))).status


# --- time ---


async def test_advance_returns_when_what_fell_due_was_answered_with_what_came_of_it() -> None:
    """The design: ``advance`` returns when all that fell due was delivered, each at its own time."""
    async with Sandbox(clock="manual") as sandbox, raw_client(sandbox) as app, anyio.create_task_group() as tasks:
        start = sandbox.clock.now()
        fired: list[float] = []

        async def remind_again() -> None:
            while True:
                heard = await app.next()
                fired.append((sandbox.clock.now() - start).total_seconds())
                again = Reminder("again", sandbox.clock.now() + timedelta(hours=1))
                await app.send(AddCustomerReminder(customer=ASHA, reminder=again))
                heard.answer()

        await app.send(AddCustomerReminder(customer=ASHA, reminder=Reminder("again", start + timedelta(hours=1))))
        tasks.start_soon(remind_again)
        await sandbox.clock.advance(timedelta(hours=3))
        assert fired == [3600, 7200, 10800]
        tasks.cancel_scope.cancel()


async def test_advance_does_not_wait_for_an_app_that_is_away_or_refuses() -> None:
    """The design: what is kept because nobody is there, or the app is busy, counts as delivered."""
    async with Sandbox(clock="manual") as sandbox:
        async with raw_client(sandbox) as app:
            soon = Reminder("soon", sandbox.clock.now() + timedelta(seconds=1))
            await app.send(AddCustomerReminder(customer=ASHA, reminder=soon))
            await app.send(visit(JUMA))
            (await app.next()).fail(ErrorCode.REJECTED)
            await app.settle()
        with anyio.fail_after(BOUND):
            await sandbox.clock.advance(timedelta(days=1))


async def test_what_falls_due_while_time_leaps_is_still_there_afterwards() -> None:
    """This SDK: a program in one task advances first and reads then; time that leaps does not count as silence."""
    async with Sandbox(clock="manual") as sandbox, Elarian(**sandbox.credentials) as app:
        asha = app.customer(ASHA.number)
        async with app.notifications(ReminderNotification) as inbox:
            await asha.add_reminder(Reminder("soon", sandbox.clock.now() + timedelta(minutes=1)))
            with anyio.fail_after(BOUND):
                await sandbox.clock.advance(timedelta(days=1))
                async for delivery in inbox:
                    async with delivery:
                        assert delivery.notification.reminder.key == "soon"
                    break
