"""Acceptance, written from the design: what a delivery carries, and what it is answered with."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from acceptance import (
    APPLICATION_ERROR,
    ERROR,
    PAYLOAD,
    ScriptedServer,
    an_app_data_reply,
    an_sms,
    answer_frame,
    answers_commands,
    in_customer,
    the_answer,
    the_end_of,
)

from elarian_trio import Customer, Delivery, Elarian, LocalProtocolError, ReceivedSmsNotification, UnknownNotification

pytestmark = pytest.mark.anyio


async def test_delivery_carries_everything_and_its_reply_goes_back() -> None:
    """This SDK: notification, customer, app data, event, key, deadline and raw bytes; a reply with data and message."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        raw = an_sms("hi", message_id="m-7", app_data='{"screen":"home"}')
        stream = await server.line.ask(raw)
        delivery = await anext(aiter(inbox))
        async with delivery:
            assert delivery.notification.text == "hi"
            assert delivery.notification.customer_id == "el_cst_1"
            assert (delivery.event, delivery.raw) == ("receivedSms", raw)
            assert delivery.app_data == {"screen": "home"}
            assert isinstance(delivery.customer, Customer)
            assert delivery.deadline is not None
            await delivery.reply("Thanks", app_data={"screen": "done"})
        answer = the_answer(await server.line.answer_to(stream))
        assert answer.message.body.text == "Thanks"
        assert answer.data_update.data.string_val == '{"screen":"done"}'
        again = await server.line.ask(raw)
        redelivered = await anext(aiter(inbox))
        assert redelivered.key == delivery.key
        async with redelivered:
            pass
        await server.line.answer_to(again)
        await server.line.ask(an_sms("hi", message_id="m-8"))
        async with await anext(aiter(inbox)) as other:
            assert other.key != delivery.key


@pytest.mark.parametrize("stored", ['{ "screen" :  "home" }', "bare word", b"\x00\xfe", ""])
async def test_default_answer_echoes_the_app_data_byte_for_byte(stored: str | bytes) -> None:
    """This SDK: that is what releases the server's lease; a value decoded and encoded again would not be the same."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        stream = await server.line.ask(an_sms("hi", app_data=stored))
        async with await anext(aiter(inbox)) as delivery:
            _ = delivery.app_data
        answer = the_answer(await server.line.answer_to(stream))
        assert not answer.HasField("message")
        data = answer.data_update.data
        assert (data.bytes_val if isinstance(stored, bytes) else data.string_val) == stored
        assert data.WhichOneof("value") == ("bytes_val" if isinstance(stored, bytes) else "string_val")


async def test_answer_says_nothing_of_app_data_where_there_was_none() -> None:
    """The wire contract: an update without data would delete; absent leaves it alone."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        stream = await server.line.ask(an_sms("hi"))
        async with await anext(aiter(inbox)):
            pass
        assert not the_answer(await server.line.answer_to(stream)).HasField("data_update")


async def test_none_deletes_the_app_data() -> None:
    """This SDK: ``app_data=None`` is an update without data, which deletes."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        stream = await server.line.ask(an_sms("hi", app_data="x"))
        await (await anext(aiter(inbox))).reply(app_data=None)
        answer = the_answer(await server.line.answer_to(stream))
        assert answer.HasField("data_update")
        assert not answer.data_update.HasField("data")


@pytest.mark.parametrize("change", ["update", "delete", "other customer"])
async def test_echo_is_left_out_after_the_app_changed_the_data_itself(change: str) -> None:
    """The loan example's hazard: the default answer must not bring back what the app just replaced."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        answers_commands(server.line)
        async with app.notifications(ReceivedSmsNotification) as inbox:
            stream = await server.line.ask(an_sms("hi", app_data="old"))
            async with await anext(aiter(inbox)) as delivery:
                if change == "update":
                    await delivery.customer.update_app_data("new")
                elif change == "delete":
                    await app.customer(delivery.notification.customer_number.number).delete_app_data()
                else:
                    await app.customer("+254711111111").update_app_data("new")
            answer = the_answer(await server.line.answer_to(stream))
            assert answer.HasField("data_update") == (change == "other customer")


@pytest.mark.parametrize(
    "address", [{"secondary_id": ("passport", "A1")}, {"number": "00254 709-759-881"}, {"customer_id": "el_cst_old"}]
)
async def test_echo_is_left_out_where_only_the_reply_says_whose_data_was_changed(address: dict[str, Any]) -> None:
    """This SDK: also a change by another address counts, once its reply names the customer's id."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        server.line.reply = lambda frame: answer_frame(frame.stream, an_app_data_reply("el_cst_1"))
        async with app.notifications(ReceivedSmsNotification) as inbox:
            stream = await server.line.ask(an_sms("hi", app_data="old"))
            async with await anext(aiter(inbox)):
                await app.customer(**address).update_app_data("new")
            assert not the_answer(await server.line.answer_to(stream)).HasField("data_update")


async def test_echo_is_left_out_after_a_change_that_was_sent_and_then_cancelled() -> None:
    """This SDK: what was handed to the writer counts, for the server may have acted on it."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        stream = await server.line.ask(an_sms("hi", app_data="old"))
        async with await anext(aiter(inbox)) as delivery, anyio.create_task_group() as tasks:
            tasks.start_soon(delivery.customer.update_app_data, "new")
            await server.line.until(lambda: server.line.requests)
            tasks.cancel_scope.cancel()
        assert not the_answer(await server.line.answer_to(stream)).HasField("data_update")


async def test_error_in_the_block_is_answered_by_its_class_and_propagates() -> None:
    """This SDK: APPLICATION_ERROR with the class's name, never the message; the error goes on as from any block."""

    class Mishap(Exception):
        pass

    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        stream = await server.line.ask(an_sms("hi"))
        with pytest.raises(Mishap, match="the customer's secret"):
            async with await anext(aiter(inbox)):
                raise Mishap("the customer's secret")
        answer = await server.line.answer_to(stream)
        assert (answer.kind, answer.code) == (ERROR, APPLICATION_ERROR)
        assert "Mishap" in answer.words
        assert "secret" not in answer.words


async def test_reject_is_answered_application_error() -> None:
    """This SDK: the server may redeliver; REJECTED is kept for what no user code has seen."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        async with app.notifications(ReceivedSmsNotification) as inbox:
            stream = await server.line.ask(an_sms("hi"))
            async with await anext(aiter(inbox)) as delivery:
                await delivery.reject("try later")
            answer = await server.line.answer_to(stream)
            assert (answer.kind, answer.code) == (ERROR, APPLICATION_ERROR)
        assert app.statistics().rejected == 0


async def test_delivery_is_answered_once() -> None:
    """This SDK: the second answer by hand is an error of ours."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        stream = await server.line.ask(an_sms("hi"))
        delivery = await anext(aiter(inbox))
        await delivery.reply("one")
        for again in (delivery.reply, lambda: delivery.reject("two")):
            await the_end_of(LocalProtocolError, again)
        assert the_answer(await server.line.answer_to(stream)).message.body.text == "one"


async def test_newer_notification_is_handed_over_as_unknown() -> None:
    """This SDK: what a newer server may send is no error."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app, app.notifications() as inbox:
        raw = in_customer("el_cst_1") + b"\xfa\x7f\x03new"
        stream = await server.line.ask(raw)
        async with await anext(aiter(inbox)) as delivery:
            assert isinstance(delivery.notification, UnknownNotification)
            assert delivery.raw == raw
        assert (await server.line.answer_to(stream)).kind == PAYLOAD


async def test_delivery_made_by_hand_serves_unit_tests() -> None:
    """This SDK: a user can make one without any connection."""
    from elarian_trio import CustomerNumber, MessagingChannel

    notification = ReceivedSmsNotification(
        customer_number=CustomerNumber("+254700000000"), channel_number=MessagingChannel.sms("83044"), text="hi"
    )
    delivery = Delivery(notification)
    async with delivery:
        assert delivery.notification.text == "hi"
        assert delivery.event == "receivedSms"
        with pytest.raises(LookupError):
            _ = delivery.customer
        await delivery.reply("Thank you")
