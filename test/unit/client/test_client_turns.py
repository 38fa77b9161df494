"""When a client hands notifications over: one at a time for a customer, within their time, not once given up."""

from __future__ import annotations

import anyio
import pytest
from notified import ask, connected, reminder, sms
from peers import until
from scripted_server import scripted_server

from elarian_trio import (
    ConnectionOptions,
    DeliveryExpired,
    Elarian,
    Message,
    ReceivedSmsNotification,
    ReminderNotification,
)
from elarian_trio._rsocket import ErrorCode
from elarian_trio._session import StreamFailed
from elarian_trio._wire.envelopes import encode_notification
from elarian_trio.models.notifications import AppDataUpdate, NotificationReply

pytestmark = pytest.mark.anyio

SHORT = ConnectionOptions(notification_timeout=0.05)  # notifications wait only for a moment


async def test_one_customers_notifications_come_one_at_a_time_over_all_subscriptions() -> None:
    """Promise 5: two kinds, two subscriptions, one customer; another customer passes."""
    with anyio.fail_after(5):
        async with (
            connected() as (server, app, tasks),
            app.notifications(ReceivedSmsNotification) as texts,
            app.notifications(ReminderNotification) as reminders,
        ):
            first = ask(tasks, server, sms())
            delivery = await texts.receive()
            await delivery.__aenter__()
            ask(tasks, server, reminder())
            ask(tasks, server, reminder("el_cst_2"))
            await until(lambda: app.statistics().notifications == 3)
            async with await reminders.receive() as other:
                assert other.notification.customer_id == "el_cst_2"
                await delivery.reply("Hi")
                await first.done.wait()
                with anyio.move_on_after(0) as scope:
                    await reminders.receive()
                assert scope.cancelled_caught, "the block of the first has not ended"
                await delivery.__aexit__(None, None, None)
                async with await reminders.receive() as second:
                    assert second.notification.customer_id == "el_cst_1"


async def test_delivery_is_in_hand_until_its_outermost_block_ends() -> None:
    """A past bug: a helper that entered the delivery once more let the customer's next one in beside its caller."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            first = ask(tasks, server, sms("first"))
            delivery = await inbox.receive()
            second = ask(tasks, server, sms("second"))
            async with delivery:
                async with delivery:
                    pass
                assert not first.done.is_set()
                with anyio.move_on_after(0.01):
                    await inbox.receive()
                    pytest.fail("side by side")
                await delivery.reply("one")
            async with await inbox.receive() as following:
                assert following.notification == sms("second")
            await second.done.wait()
            assert first.reply == NotificationReply(message=Message("one"))


async def test_next_comes_where_a_server_that_leaves_gives_one_up() -> None:
    """A past bug: the next of the same customer, still wanted, lay until its time was up."""
    with anyio.fail_after(5):
        async with scripted_server() as server, Elarian(**server.credentials) as app, app.notifications() as inbox:
            session = server.sessions[-1]
            outcomes: list[object] = []
            first = session.ask(encode_notification(sms("first")), outcomes.append)
            session.ask(encode_notification(sms("second")), outcomes.append)
            async with await inbox.receive():
                session._connection.close()  # it says goodbye and serves on
                session._wake_writer()
                await anyio.wait_all_tasks_blocked()
                first.call_off()
                await anyio.wait_all_tasks_blocked()
            async with await inbox.receive() as following:
                assert following.notification == sms("second")


async def test_unseen_notification_is_rejected_at_its_deadline() -> None:
    """This SDK: not handed out in time: removed, REJECTED, counted."""
    with anyio.fail_after(5):
        async with connected(SHORT) as (server, app, _tasks), app.notifications():
            with pytest.raises(StreamFailed) as caught:
                await server.notify(sms())
            assert caught.value.code == ErrorCode.REJECTED
            assert app.statistics().rejected == 1


async def test_late_answer_by_hand_raises_and_the_next_comes_after_the_block() -> None:
    """This SDK: in hand at the deadline gets the default answer; the block's end then raises nothing."""
    with anyio.fail_after(5):
        async with (
            connected(SHORT) as (server, app, tasks),
            app.notifications() as inbox,
        ):
            asked = ask(tasks, server, sms(), "old")
            async with await inbox.receive() as delivery:
                await asked.done.wait()
                assert asked.reply == NotificationReply(data_update=AppDataUpdate("old"))
                with pytest.raises(DeliveryExpired):
                    await delivery.reply("late")
                with pytest.raises(DeliveryExpired):
                    await delivery.reject("late")
            assert app.statistics().answers_late == 1
            second = ask(tasks, server, sms("2"))
            async with await inbox.receive():
                pass
            await second.done.wait()
            third, untouched = ask(tasks, server, sms("3")), await inbox.receive()
            await third.done.wait()
            async with untouched:
                pass
            assert app.statistics().answers_late == 2


async def test_deliveries_that_are_only_read_are_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """A past bug: a loop that forgot the block got a customer's next notification 15 s later, and nothing told why."""
    with anyio.fail_after(5):
        async with connected(SHORT) as (server, app, tasks), app.notifications() as inbox:
            asked = ask(tasks, server, sms("1"))
            async with await inbox.receive():
                await asked.done.wait()
            assert "neither entered" not in caplog.text, "it was only late"
            for number in ("2", "3"):
                asked, _ = ask(tasks, server, sms(number)), await inbox.receive()
                await asked.done.wait()
    (warning,) = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert warning.startswith("a delivery of receivedSms was neither entered nor answered within 0.05 s")
    assert "'async with delivery:'" in warning


@pytest.mark.parametrize("seen", [False, True])
async def test_notification_given_up_by_the_server_is_forgotten(seen: bool) -> None:
    """RSocket's CANCEL: unseen it is dropped; in hand its answer is late."""
    with anyio.fail_after(5):
        async with connected() as (server, app, _), app.notifications() as inbox:
            async with anyio.create_task_group() as asking:
                ask(asking, server, sms())
                await until(lambda: app.statistics().notifications == 1)
                delivery = await inbox.receive() if seen else None
                asking.cancel_scope.cancel()
            await until(lambda: all(each.request.canceled for each in app._inbox._unanswered))
            if delivery is None:
                assert not app._inbox._lanes
            else:
                with pytest.raises(DeliveryExpired):
                    await delivery.reply("late")
            assert app.statistics().answers_late == seen
