"""What a client answers notifications with: the app's reply, the default one and its echo, or that something failed."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from notified import NUMBER, Asked, ask, connected, sms, ussd
from scripted_server import DONE, NEVER, scripted_server

from elarian_trio import (
    CommandFailed,
    CustomerStateUpdateReply,
    Elarian,
    LocalProtocolError,
    Message,
    MessagingChannel,
    ReceivedSmsNotification,
    RemoteProtocolError,
    Say,
    UssdMenu,
    VoiceCallNotification,
)
from elarian_trio._rsocket import ErrorCode
from elarian_trio._session import StreamFailed
from elarian_trio.models.commands import UpdateCustomerAppData
from elarian_trio.models.notifications import AppDataUpdate, Notification, NotificationReply

pytestmark = pytest.mark.anyio


async def test_default_answer_echoes_the_app_data_byte_for_byte() -> None:
    """The specification's default: the value goes back, which releases the server's lease."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications(ReceivedSmsNotification) as inbox:
            asked = ask(tasks, server, sms(), '{"a" : 1}')
            async with await inbox.receive() as delivery:
                assert delivery.app_data == {"a": 1}
                assert delivery.notification.text == "hello"
                assert delivery.customer.customer_id == "el_cst_1"
                assert delivery.customer.number == NUMBER
            await asked.done.wait()
            assert asked.reply == NotificationReply(data_update=AppDataUpdate('{"a" : 1}'))


@pytest.mark.parametrize(
    ("notification", "message"),
    [
        (ussd(), Message(UssdMenu("Hi"))),
        (sms(), Message("Hi")),
        (
            VoiceCallNotification(
                customer_id="el_cst_1", customer_number=NUMBER, channel_number=MessagingChannel.voice("+2547")
            ),
            Message((Say("Hi"),)),
        ),
    ],
)
async def test_plain_text_becomes_what_the_channel_knows(notification: Notification, message: Message) -> None:
    """This SDK: a str is a menu on USSD and is spoken on a call."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            asked = ask(tasks, server, notification, "old")
            await (await inbox.receive()).reply("Hi", app_data={"step": 2})
            await asked.done.wait()
            assert asked.reply == NotificationReply(data_update=AppDataUpdate('{"step":2}'), message=message)


async def test_app_data_none_deletes_it() -> None:
    """The wire's third case: an update without data."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            asked = ask(tasks, server, sms(), "old")
            await (await inbox.receive()).reply(app_data=None)
            await asked.done.wait()
            assert asked.reply == NotificationReply(data_update=AppDataUpdate(None))


@pytest.mark.parametrize("by", ["id", "number", "secondary id"])
async def test_echo_is_left_out_after_an_update_through_this_client(by: str) -> None:
    """A known hazard of the other SDKs: the echo of the old value undid what the handler had just stored."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks):
            customer = {
                "id": lambda: app.customer(customer_id="el_cst_1"),
                "number": lambda: app.customer(NUMBER.number),
                "secondary id": lambda: app.customer(secondary_id=("passport", "A1")),
            }[by]()
            async with app.notifications() as inbox:
                asked = ask(tasks, server, sms(), "old")
                async with await inbox.receive():
                    await customer.update_app_data("new")
                await asked.done.wait()
                assert asked.reply == NotificationReply()


async def test_echo_stays_where_the_update_was_never_sent() -> None:
    """This SDK: what was given up before the writer took it changed nothing, so the lease is still to be released."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            asked = ask(tasks, server, sms(), "old")
            async with await inbox.receive():
                with anyio.CancelScope() as scope:
                    scope.cancel()
                    await app.customer(NUMBER).update_app_data("new")
            await asked.done.wait()
            echo = AppDataUpdate("old")  # asyncio cancels a turn later than trio: there the writer has it by then
            assert asked.reply == NotificationReply(data_update=None if server.commands else echo)


async def test_echo_is_left_out_where_an_update_is_under_way_when_the_notification_comes() -> None:
    """A past bug: the two crossed on the wire, and the echo of the old value undid the update."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            server.answers[UpdateCustomerAppData] = NEVER
            tasks.start_soon(app.customer(NUMBER).update_app_data, "new")
            await server.wait_for(lambda: bool(server.commands))
            asked = ask(tasks, server, sms(), "old")
            async with await inbox.receive():
                pass
            await asked.done.wait()
            assert asked.reply == NotificationReply()
            tasks.cancel_scope.cancel()


async def test_echo_follows_an_update_that_was_answered_before_the_notification_came() -> None:
    """This SDK: what comes behind the update's answer holds the new value and a lease, which the echo releases."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            asked: list[Asked] = []

            def answer_and_notify(_: object) -> Any:  # noqa: ANN401 - any reply
                asked.append(ask(tasks, server, sms(), "new"))
                return DONE

            server.answers[UpdateCustomerAppData] = answer_and_notify
            await app.customer(NUMBER).update_app_data("new")
            async with await inbox.receive():
                pass
            await asked[0].done.wait()
            assert asked[0].reply == NotificationReply(data_update=AppDataUpdate("new"))


@pytest.mark.parametrize("answer", [b"\xff\xff", CustomerStateUpdateReply(status=False, description="no")])
async def test_echo_is_left_out_after_an_update_that_was_sent_and_failed(answer: object) -> None:
    """A past bug: an update whose answer was no answer may have been made all the same, and its echo undid it."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            server.answers[UpdateCustomerAppData] = answer
            asked = ask(tasks, server, sms(), "old")
            async with await inbox.receive() as delivery:
                with pytest.raises((CommandFailed, RemoteProtocolError)):
                    await delivery.customer.update_app_data("new")
            await asked.done.wait()
            assert asked.reply == NotificationReply()


async def test_update_of_another_customer_leaves_the_echo() -> None:
    """This SDK: only a change of the same customer's data makes the echo stale."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            asked = ask(tasks, server, sms(customer="el_cst_2", number="+2"), "old")
            async with await inbox.receive():
                await app.customer(NUMBER).update_app_data("new")
            await asked.done.wait()
            assert asked.reply == NotificationReply(data_update=AppDataUpdate("old"))


async def test_update_of_the_same_digits_under_another_provider_leaves_the_echo() -> None:
    """Specification: they are two customers."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            asked = ask(tasks, server, sms(customer="el_cst_2"), "old")
            async with await inbox.receive():
                await app.customer(NUMBER.number, provider="telegram").update_app_data("new")
            await asked.done.wait()
            assert asked.reply == NotificationReply(data_update=AppDataUpdate("old"))


async def test_error_in_the_block_is_answered_application_error_and_propagates() -> None:
    """This SDK: the class's name is told, never the words."""
    with anyio.fail_after(5):
        async with scripted_server() as server, anyio.create_task_group() as tasks:
            async with Elarian(**server.credentials) as app, app.notifications() as inbox:
                asked = ask(tasks, server, sms())
                with pytest.raises(ZeroDivisionError):
                    async with await inbox.receive():
                        raise ZeroDivisionError("private words")
                await asked.done.wait()
            assert asked.failure is not None
            assert (asked.failure.code, asked.failure.message) == (ErrorCode.APPLICATION_ERROR, "ZeroDivisionError")


async def test_delivery_cancelled_on_entering_its_block_is_given_back() -> None:
    """This SDK: nothing is acknowledged by default that no user code has worked on."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            asked = ask(tasks, server, sms())
            delivery = await inbox.receive()
            with anyio.CancelScope() as scope:
                scope.cancel()
                async with delivery:
                    pytest.fail("entered")
            await asked.done.wait()
            assert asked.failure is not None
            assert asked.failure.code == ErrorCode.APPLICATION_ERROR


async def test_rejected_delivery_is_answered_application_error() -> None:
    """This SDK: REJECTED is kept for what no user code has seen."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            asked = ask(tasks, server, sms())
            async with await inbox.receive() as delivery:
                await delivery.reject("not today")
                with pytest.raises(LocalProtocolError):
                    await delivery.reply("after all")
            await asked.done.wait()
            assert asked.failure is not None
            assert (asked.failure.code, asked.failure.message) == (ErrorCode.APPLICATION_ERROR, "not today")


async def test_unreadable_notification_is_answered_invalid() -> None:
    """This SDK: it costs itself only."""
    with anyio.fail_after(5):
        async with connected() as (server, app, _tasks):
            with pytest.raises(StreamFailed) as caught:
                await server.notify_raw(b"\xff\xff\xff")
            assert caught.value.code == ErrorCode.INVALID
            assert (await app.customer("+1").update_tags()).status
